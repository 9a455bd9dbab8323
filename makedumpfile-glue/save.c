/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "makedumpfile-glue/save.h"

#include <inttypes.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lib/bytes.h"
#include "lib/units.h"
#include "makedumpfile-glue/destination.h"
#include "makedumpfile-glue/pipeline.h"
#include "makedumpfile-glue/progress.h"
#include "makedumpfile-glue/signals.h"

/* crash counts the pages of a part in words of the bitmap (read_dump_header). */
#define SPLIT_FRAMES 64

struct save {
	const struct dump *dump;
	const struct save_options *options;
	struct save_counts *counts;
	struct page_scan scan;
	const struct extents *kept;
	struct pipeline *pipeline;
	struct progress progress;
	sigset_t signals;
};

/* Which pages to save. At levels 0 and 1 types matter only to a kernel that
 * may have pages which no level keeps. */
static struct error *choose_pages(struct save *s)
{
	const unsigned int level = s->options->level;
	const struct dump *dump = s->dump;
	struct error *err;
	unsigned int type;
	size_t i;

	s->kept = &dump->pages;
	if (!(level & DUMP_LEVEL_TYPES) && !s->options->stats &&
	    !pages_always_dropped(dump->vmcoreinfo))
		return NULL;
	err = pages_scan(dump->source, dump->vmcoreinfo, dump->page_shift, &dump->pages,
			 level, s->options->output->max_runs, &s->scan);
	if (err)
		return err;
	s->kept = &s->scan.kept;
	s->counts->types_known = s->scan.done;
	memcpy(s->counts->types, s->scan.count, sizeof(s->counts->types));
	for (type = 0; type < PAGE_TYPES; type++)
		if (page_type_dropped(type, level & s->scan.filters))
			s->counts->dropped[type] = s->scan.count[type];
	if (level & DUMP_LEVEL_TYPES)
		for (i = 0; i < s->scan.note_count; i++)
			fprintf(stderr, "vmcore: warning: %s: %s\n", dump->path,
				s->scan.notes[i]);
	return NULL;
}

/* One file, or one of several: everything between opening it and its name. */
static struct error *write_part(struct save *s, struct target *target,
				const struct output_plan *plan)
{
	struct output *output;
	struct error *err = s->options->output->open(plan, target, &output);

	if (err)
		return err;
	err = pipeline_run(s->pipeline, plan->part, output);
	if (!err)
		err = output->ops->finish(output);
	output->ops->close(output);
	return err;
}

/* The page frame before which `rank` of the kept pages lie. */
static uint64_t frame_of_rank(const struct extents *kept, uint64_t rank)
{
	size_t i;

	for (i = 0; i < kept->count; i++) {
		uint64_t count = kept->run[i].end - kept->run[i].start;

		if (rank < count)
			return kept->run[i].start + rank;
		rank -= count;
	}
	return extents_end(kept);
}

/* Where file `i` of a split dump begins: all get the same number of pages,
 * as far as the size of a block allows. */
static uint64_t split_at(const struct save *s, size_t i)
{
	const uint64_t wanted = s->options->split_block >> s->dump->page_shift;
	const uint64_t block = align_up(wanted ? wanted : 1, SPLIT_FRAMES);
	uint64_t frame;

	if (!i)
		return 0;
	if (i == s->options->part_count)
		return extents_end(&s->dump->present);
	frame = frame_of_rank(s->kept, extents_total(s->kept) * i / s->options->part_count);
	return frame / block * block;
}

static struct error *write_parts(struct save *s, struct destination *parts)
{
	const struct save_options *options = s->options;
	struct output_plan plan = {
		.page_shift = s->dump->page_shift,
		.present = &s->dump->present,
		.kept = s->kept,
		.notes = &s->dump->notes,
		.cpu_count = s->dump->registers.count,
		.utsname = s->dump->utsname,
		.crash_time = s->dump->crash_time,
		.dump_level = options->level | s->dump->source->dump_level,
		.incomplete = dump_lacks_pages(s->dump),
		.codec = options->codec,
		.split = options->part_count > 1,
	};
	size_t i;

	if (plan.split)
		file_allow_many();
	if (plan.split && extents_total(s->kept) < options->part_count)
		return error_new(ERROR_USAGE, "%zu files for %" PRIu64 " pages",
				 options->part_count, extents_total(s->kept));
	for (i = 0; i < options->part_count; i++) {
		struct extents cut cleanup_extents = { 0 };
		struct error *err = NULL;

		plan.part = s->kept;
		if (plan.split) {
			plan.split_start = split_at(s, i);
			plan.split_end = split_at(s, i + 1);
			plan.part = &cut;
			err = extents_cut(s->kept, plan.split_start, plan.split_end, &cut);
		}
		if (!err)
			err = destination_open(options->parts[i], options->force,
					       options->flatten, options->size_limit,
					       &parts[i]);
		if (!err)
			err = write_part(s, &parts[i].target, &plan);
		if (err)
			return err;
	}
	return NULL;
}

static void take_counts(struct save *s)
{
	const struct pipeline_counts *c = pipeline_counts(s->pipeline);

	s->counts->pages = c->pages;
	s->counts->zero = c->zero;
	s->counts->repeated = c->repeated;
	s->counts->spared = c->spared;
	s->counts->packed = c->packed;
	s->counts->raw = c->raw;
	s->counts->unpacked = c->unpacked;
	s->counts->lost = c->lost;
	s->counts->seen = c->seen;
	s->counts->bytes_in = c->pages << s->dump->page_shift;
}

/* No file of a split dump gets its name before all are whole and on the disk. */
static struct error *save_to_files(struct save *s)
{
	const size_t count = s->options->part_count;
	struct destination *parts cleanup_free = calloc(count, sizeof(*parts));
	char written[UNITS_SIZE_TEXT];
	struct error *err;
	bool useful;
	size_t i;

	if (!parts)
		return error_nomem();
	progress_start(&s->progress, "saving",
		       extents_total(s->kept) << s->dump->page_shift,
		       s->options->quiet);
	err = write_parts(s, parts);
	progress_end(&s->progress);
	take_counts(s);
	useful = s->counts->pages;
	for (i = 0; i < count; i++)
		s->counts->bytes_out += parts[i].target.written;
	if (err && s->counts->bytes_out)
		err = error_add(err, "after %s", size_text(s->counts->bytes_out, written));
	for (i = 0; i < count && !err; i++)
		err = destination_settle(&parts[i]);
	for (i = 0; i < count && !err; i++)
		err = destination_commit(&parts[i]);
	for (i = 0; i < count; i++)
		err = destination_close(&parts[i], useful, err);
	return err;
}

static struct error *save_pages(struct save *s, struct error **ret_lost, int *ret_signal)
{
	const struct pipeline_plan plan = {
		.dump = s->dump,
		.output = s->options->output,
		.codec = s->options->codec,
		.threads = s->options->threads,
		.read_only = s->options->no_mmap,
		.memory_budget = s->options->memory_budget,
		.pages = extents_total(s->kept),
		.signals = &s->signals,
		.progress = &s->progress,
	};
	struct error *err = pipeline_create(&plan, &s->pipeline);

	if (err)
		return err;
	if (plan.codec != PAGE_RAW && !pipeline_packs(s->pipeline))
		fprintf(stderr, "vmcore: warning: there is no memory for %s: pages are not "
			"packed\n", page_codec_name(plan.codec));
	err = save_to_files(s);
	*ret_lost = pipeline_take_lost(s->pipeline);
	*ret_signal = pipeline_signal(s->pipeline);
	pipeline_destroy(s->pipeline);
	return err;
}

struct error *save_run(const struct dump *dump, const struct save_options *options,
		       struct save_counts *ret, struct error **ret_lost, int *ret_signal)
{
	struct save s = { .dump = dump, .options = options, .counts = ret };
	double started = progress_now();
	sigset_t old;
	struct error *err;

	*ret = (struct save_counts){ 0 };
	*ret_lost = NULL;
	*ret_signal = 0;
	s.signals = signals_to_end();
	sigprocmask(SIG_BLOCK, &s.signals, &old);
	/* A closed pipe shall be an error of write(), not the end. */
	signal(SIGPIPE, SIG_IGN);

	err = choose_pages(&s);
	if (!err && options->dry_run) {
		ret->pages = extents_total(s.kept);
		ret->bytes_in = ret->pages << dump->page_shift;
	} else if (!err) {
		err = save_pages(&s, ret_lost, ret_signal);
	}
	page_scan_deinit(&s.scan);
	sigprocmask(SIG_SETMASK, &old, NULL);
	ret->seconds = progress_now() - started;
	return error_add(err, "saving %s to %s", dump->path,
			 destination_name(options->destination));
}

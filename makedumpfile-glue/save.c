/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "makedumpfile-glue/save.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>

#include "lib/units.h"
#include "makedumpfile-glue/progress.h"

#define CHUNK_SIZE ((size_t)1 << 20)

struct save {
	const struct dump *dump;
	const struct save_options *options;
	struct save_counts *counts;
	struct page_scan scan;
	const struct extents *kept;
	struct output *output;
	struct packer *packer;
	struct progress progress;
	struct error *lost; /* why the first lost page was lost */
	sigset_t signals;
	int signal;

	size_t chunk_pages;
	uint8_t *in;
	uint8_t *out;
	bool *lost_map;
	struct packed_page *pages;
};

struct error *save_check_destination(const char *path, bool force)
{
	struct stat st;

	if (stat(path, &st) < 0)
		return NULL; /* what is wrong with it shows at creation */
	if (S_ISDIR(st.st_mode))
		return error_remedy(error_errno(EISDIR, "saving to %s", path),
				    "name a file in it: %s/vmcore", path);
	if (!S_ISREG(st.st_mode))
		return error_remedy(error_new(ERROR_USAGE,
					      "saving to %s: it is no regular file", path),
				    "name a new file on a mounted file system");
	if (!force)
		return error_remedy(error_errno(EEXIST, "saving to %s", path),
				    "name another file, or replace it with --force");
	return NULL;
}

/* Differs from its neighbour nowhere and begins with zeros: all are zero.
 * memcmp is the fastest loop there is. */
static bool is_zero(const uint8_t *page, size_t size)
{
	static const uint8_t zeros[64];

	return !memcmp(page, zeros, sizeof(zeros)) &&
	       !memcmp(page, page + sizeof(zeros), size - sizeof(zeros));
}

static void pack_page(struct save *s, size_t i, uint8_t **room)
{
	const size_t size = (size_t)1 << s->dump->page_shift;
	const uint8_t *page = s->in + i * size;
	struct packed_page *p = &s->pages[i];
	size_t packed = 0;

	*p = (struct packed_page){ .kind = PAGE_DATA, .size = size, .data = page };
	if (s->lost_map[i]) {
		p->kind = PAGE_MISSING;
		s->counts->lost++;
		return;
	}
	if (is_zero(page, size)) {
		p->kind = PAGE_ZERO;
		s->counts->zero++;
		return;
	}
	if (s->packer)
		packed = packer_pack(s->packer, page, size, *room, size);
	if (!packed) {
		s->counts->raw++;
		return;
	}
	p->codec = s->options->codec;
	p->size = packed;
	p->data = *room;
	*room += packed;
	s->counts->packed++;
}

static struct error *save_chunk(struct save *s, uint64_t first, size_t count)
{
	uint8_t *room = s->out;
	size_t i;

	dump_read_pages(s->dump, first, count, s->in, s->lost_map, &s->lost);
	for (i = 0; i < count; i++)
		pack_page(s, i, &room);
	s->counts->pages += count;
	s->counts->bytes_in += (uint64_t)count << s->dump->page_shift;
	return s->output->ops->put(s->output, first, s->pages, count);
}

/* The signals are blocked meanwhile and asked for between chunks: no handler,
 * no flag, and nothing half done. */
static bool interrupted(struct save *s)
{
	const struct timespec now = { 0 };
	int signal = sigtimedwait(&s->signals, NULL, &now);

	if (signal > 0)
		s->signal = signal;
	return signal > 0;
}

static struct error *save_pages(struct save *s)
{
	const struct extents *pages = s->kept;
	size_t i;

	for (i = 0; i < pages->count; i++) {
		uint64_t at = pages->run[i].start;

		while (at < pages->run[i].end) {
			size_t n = s->chunk_pages;
			struct error *err;

			if (n > pages->run[i].end - at)
				n = pages->run[i].end - at;
			err = save_chunk(s, at, n);
			if (err)
				return err;
			at += n;
			if (interrupted(s))
				return error_new(ERROR_LIMIT, "interrupted by %s",
						 strsignal(s->signal));
			progress_step(&s->progress, s->counts->bytes_in);
		}
	}
	return NULL;
}

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
	if (!(level & DUMP_LEVEL_TYPES) && !pages_always_dropped(dump->vmcoreinfo))
		return NULL;
	err = pages_scan(dump->source, dump->vmcoreinfo, dump->page_shift, &dump->pages,
			 level, s->options->output->max_runs, &s->scan);
	if (err)
		return err;
	s->kept = &s->scan.kept;
	for (type = 0; type < PAGE_TYPES; type++)
		if (page_type_dropped(type, level & s->scan.filters))
			s->counts->dropped[type] = s->scan.count[type];
	if (level & DUMP_LEVEL_TYPES)
		for (i = 0; i < s->scan.note_count; i++)
			fprintf(stderr, "vmcore: warning: %s: %s\n", dump->path,
				s->scan.notes[i]);
	return NULL;
}

static struct error *save_init(struct save *s)
{
	s->chunk_pages = CHUNK_SIZE >> s->dump->page_shift;
	s->in = malloc(CHUNK_SIZE);
	s->out = malloc(CHUNK_SIZE);
	s->lost_map = calloc(s->chunk_pages, sizeof(*s->lost_map));
	s->pages = calloc(s->chunk_pages, sizeof(*s->pages));
	if (!s->in || !s->out || !s->lost_map || !s->pages)
		return error_nomem();
	if (s->options->output->takes_packed && s->options->codec != PAGE_RAW)
		return packer_create(s->options->codec, &s->packer);
	return NULL;
}

static void save_deinit(struct save *s)
{
	free(s->in);
	free(s->out);
	free(s->lost_map);
	free(s->pages);
	packer_destroy(s->packer);
	page_scan_deinit(&s->scan);
}

static struct error *explain_write_failure(struct error *err, const char *path)
{
	if (!err)
		return NULL;
	switch (err->sys_errno) {
	case ENOSPC:
	case EDQUOT:
		return error_remedy(err, "free space on that file system or name a file "
				    "on a larger one");
	case EFBIG:
		return error_remedy(err, "raise the file size limit (ulimit -f), or name a "
				    "file on a file system that takes larger ones");
	case EROFS:
		return error_remedy(err, "mount that file system writable, or name a file "
				    "elsewhere than %s", path);
	case EACCES:
	case EPERM:
		return error_remedy(err, "name a file in a directory you may write to");
	case ENOENT:
		return error_remedy(err, "create the directory first");
	case EIO:
		return error_remedy(err, "the disk fails; name a file on another one");
	default:
		return err;
	}
}

/* Everything between an open new file and its final name. */
static struct error *write_dump(struct save *s, struct new_file *file,
				const struct output_plan *plan)
{
	struct error *err;

	err = s->options->output->open(plan, file->fd, file->partial_path, &s->output);
	if (err)
		return err;
	progress_start(&s->progress, "saving",
		       extents_total(s->kept) << s->dump->page_shift,
		       s->options->quiet);
	err = save_pages(s);
	progress_end(&s->progress);
	if (!err)
		err = s->output->ops->finish(s->output);
	if (!err)
		err = new_file_commit(file);
	s->counts->bytes_out = s->output->written;
	return err;
}

static struct error *save_to_file(struct save *s)
{
	const char *path = s->options->destination;
	const struct output_plan plan = {
		.page_shift = s->dump->page_shift,
		.present = &s->dump->pages,
		.kept = s->kept,
		.notes = &s->dump->source->notes,
		.cpu_count = s->dump->cpu_count,
		.utsname = s->dump->utsname,
		.crash_time = s->dump->crash_time,
		.dump_level = s->options->level | s->dump->source->dump_level,
		.codec = s->options->codec,
	};
	struct new_file file = { .fd = -1 };
	char written[UNITS_SIZE_TEXT];
	struct error *err;
	bool useful;

	err = new_file_create(path, 0600, !s->options->force, &file);
	if (err)
		return explain_write_failure(err, path);
	err = write_dump(s, &file, &plan);
	useful = s->output && s->counts->pages;
	if (err && s->output)
		err = error_add(err, "after %s", size_text(s->output->written, written));
	if (s->output)
		s->output->ops->close(s->output);
	if (!err)
		return NULL;
	err = explain_write_failure(err, path);
	if (new_file_abandon(&file, useful))
		err = error_remedy(err, "what was saved so far is in %s-incomplete", path);
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
	sigemptyset(&s.signals);
	sigaddset(&s.signals, SIGINT);
	sigaddset(&s.signals, SIGTERM);
	sigaddset(&s.signals, SIGHUP);
	sigprocmask(SIG_BLOCK, &s.signals, &old);
	/* A file size limit shall be an error of write(), not the end. */
	signal(SIGXFSZ, SIG_IGN);

	err = choose_pages(&s);
	if (!err)
		err = save_init(&s);
	if (!err)
		err = save_to_file(&s);
	save_deinit(&s);
	sigprocmask(SIG_SETMASK, &old, NULL);
	ret->seconds = progress_now() - started;
	*ret_lost = s.lost;
	*ret_signal = s.signal;
	return error_add(err, "saving %s to %s", dump->path, options->destination);
}

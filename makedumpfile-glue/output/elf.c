/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * ELF core: one PT_NOTE, then one PT_LOAD for each run of kept pages, whole
 * pages only. Every page has its place in the file from the start; a page of
 * zeros that the dump level drops stays a hole there, so that every reader
 * finds its zeros without knowing of holes.
 */
#include <elf.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include "lib/bytes.h"
#include "lib/elfcore.h"
#include "lib/loongarch.h"
#include "makedumpfile-glue/output/output.h"

/* Room in the headers for runs cut in two by unreadable pages. */
#define SPARE_SEGMENTS 512

/* crash takes bit 0 of e_flags for "dump incomplete" (netdump.h,
 * DUMP_ELF_INCOMPLETE). */
#define E_FLAGS_AT         48
#define E_FLAGS_INCOMPLETE 1

struct elf_output {
	struct output output; /* first */
	const struct output_plan *plan;
	struct target *target;
	uint64_t notes_at;
	uint64_t data_at;
	bool keep_zeros;
	pthread_mutex_t lock; /* for what follows */
	struct extents missing;
};

static void add_load(struct elf_segment *segments, size_t *count, uint64_t start,
		     uint64_t end, uint64_t offset, unsigned int shift)
{
	if (start == end)
		return;
	segments[(*count)++] = (struct elf_segment){
		.type = PT_LOAD,
		.flags = PF_R | PF_W | PF_X,
		.offset = offset,
		.paddr = start << shift,
		.vaddr = loongarch_phys_to_virt(start << shift),
		.filesz = (end - start) << shift,
		.memsz = (end - start) << shift,
	};
}

/* The headers for the kept pages without the missing ones, as far as there
 * is room: beyond that missing pages stay covered. */
static struct error *write_headers(struct elf_output *o, bool incomplete)
{
	const struct extents *kept = o->plan->kept;
	const unsigned int shift = o->plan->page_shift;
	size_t room = 1 + kept->count + SPARE_SEGMENTS, count = 1, i, m = 0;
	struct elf_segment *segments cleanup_free = calloc(room, sizeof(*segments));
	struct blob headers cleanup_blob = { 0 };
	uint64_t offset = o->data_at;
	struct error *err;

	if (!segments)
		return error_nomem();
	segments[0] = (struct elf_segment){
		.type = PT_NOTE,
		.offset = o->notes_at,
		.filesz = o->plan->notes->size,
		.memsz = o->plan->notes->size,
	};
	for (i = 0; i < kept->count; i++) {
		uint64_t at = kept->run[i].start, end = kept->run[i].end;

		while (m < o->missing.count && o->missing.run[m].end <= at)
			m++;
		for (; m < o->missing.count && o->missing.run[m].start < end &&
		       count + (kept->count - i) < room; m++) {
			uint64_t gap = o->missing.run[m].start;

			add_load(segments, &count, at, gap, offset, shift);
			offset += (o->missing.run[m].end - at) << shift;
			at = o->missing.run[m].end;
		}
		add_load(segments, &count, at, end, offset, shift);
		offset += (end - at) << shift;
	}
	err = elfcore_build_headers(segments, count, &headers);
	if (err)
		return err;
	put_le32(headers.data + E_FLAGS_AT, incomplete ? E_FLAGS_INCOMPLETE : 0);
	return target_write(o->target, headers.data, headers.size, 0);
}

static void elf_close(struct output *output)
{
	struct elf_output *o = (struct elf_output *)output;

	extents_deinit(&o->missing);
	pthread_mutex_destroy(&o->lock);
	free(o);
}

static struct error *elf_open(const struct output_plan *plan, struct target *target,
			      struct output **ret)
{
	struct elf_output *o = calloc(1, sizeof(*o));
	struct error *err;

	if (!o)
		return error_nomem();
	o->output.ops = &output_elf;
	o->plan = plan;
	o->target = target;
	o->keep_zeros = !(plan->dump_level & 1);
	o->notes_at = elfcore_headers_size(1 + plan->kept->count + SPARE_SEGMENTS);
	o->data_at = align_up(o->notes_at + plan->notes->size,
			      (uint64_t)1 << plan->page_shift);
	pthread_mutex_init(&o->lock, NULL);
	/* Headers that a later record overwrites crash does not see in a flattened
	 * file; there the end of the records says that it is whole. */
	err = write_headers(o, !target->flat || plan->incomplete);
	if (!err)
		err = target_write(target, plan->notes->data, plan->notes->size,
				   o->notes_at);
	if (err) {
		elf_close(&o->output);
		return err;
	}
	*ret = &o->output;
	return NULL;
}

static struct error *put_zeros(struct elf_output *o, uint64_t place, uint64_t size)
{
	static const uint8_t zeros[LOONGARCH_PAGE_SIZE_MAX];
	struct error *err = NULL;

	while (size && !err) {
		uint64_t n = size < sizeof(zeros) ? size : sizeof(zeros);

		err = target_write(o->target, zeros, n, place);
		place += n;
		size -= n;
	}
	return err;
}

static struct error *put_missing(struct elf_output *o, const struct page_batch *batch)
{
	struct error *err = NULL;
	size_t i;

	pthread_mutex_lock(&o->lock);
	for (i = 0; i < batch->count && !err; i++)
		if (batch->pages[i].kind == PAGE_MISSING)
			err = extents_add(&o->missing, batch->pages[i].frame,
					  batch->pages[i].frame + 1);
	pthread_mutex_unlock(&o->lock);
	return err;
}

/* Stretch by stretch of pages of one kind. */
static struct error *elf_put(struct output *output, struct page_batch *batch)
{
	struct elf_output *o = (struct elf_output *)output;
	const unsigned int shift = o->plan->page_shift;
	struct error *err = put_missing(o, batch);
	size_t i, end;

	batch->place = o->data_at + (batch->rank << shift);
	for (i = 0; i < batch->count && !err; i = end) {
		const enum page_kind kind = batch->pages[i].kind;
		const uint64_t place = batch->place + (i << shift);

		for (end = i + 1; end < batch->count && batch->pages[end].kind == kind;)
			end++;
		if (kind == PAGE_DATA)
			err = target_write(o->target, batch->data + (i << shift),
					   (end - i) << shift, place);
		else if (kind == PAGE_ZERO && o->keep_zeros)
			err = put_zeros(o, place, (end - i) << shift);
	}
	return err;
}

static struct error *elf_finish(struct output *output)
{
	struct elf_output *o = (struct elf_output *)output;
	const uint64_t size = extents_total(o->plan->part) << o->plan->page_shift;
	struct error *err;

	extents_normalize(&o->missing);
	/* The last pages may be holes. */
	err = target_set_size(o->target, o->data_at + size);
	if (err || (o->target->flat && !o->missing.count))
		return err;
	return write_headers(o, o->plan->incomplete || o->missing.count);
}

const struct output_ops output_elf = {
	.name = "elf",
	.format = "ELF core",
	.takes_packed = false,
	/* Each is a program header, and crash looks through all of them for
	 * every page it reads. */
	.max_runs = 16384,
	.open = elf_open,
	.put = elf_put,
	.finish = elf_finish,
	.close = elf_close,
};

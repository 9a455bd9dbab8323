/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * ELF core: one PT_NOTE, then one PT_LOAD for each run of kept pages, whole
 * pages only. Every page has its place in the file from the start; a page of
 * zeros that the dump level drops stays a hole there, so that every reader
 * finds its zeros without knowing of holes.
 */
#include <elf.h>
#include <stdlib.h>
#include <string.h>

#include "lib/bytes.h"
#include "lib/elfcore.h"
#include "lib/loongarch.h"
#include "makedumpfile-glue/output/output.h"
#include "makedumpfile-glue/output/writer.h"

#define DATA_ROOM ((size_t)1 << 20)

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
	uint64_t next_rank; /* of the next page among the kept ones */
	bool keep_zeros;
	struct extents missing;
	struct writer data;
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

	writer_deinit(&o->data);
	extents_deinit(&o->missing);
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
	err = writer_init(&o->data, target, o->data_at, DATA_ROOM);
	if (!err)
		err = write_headers(o, true);
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

static struct error *put_zeros(struct elf_output *o, size_t size)
{
	static const uint8_t zeros[4096];
	struct error *err = NULL;

	for (; size && !err; size -= sizeof(zeros))
		err = writer_put(&o->data, zeros, sizeof(zeros));
	return err;
}

static struct error *elf_put(struct output *output, uint64_t first,
			     const struct packed_page *pages, size_t count)
{
	struct elf_output *o = (struct elf_output *)output;
	const unsigned int shift = o->plan->page_shift;
	struct error *err = NULL;
	size_t i;

	for (i = 0; i < count && !err; i++, o->next_rank++) {
		uint64_t place = o->data_at + (o->next_rank << shift);

		if (pages[i].kind == PAGE_MISSING) {
			err = extents_add(&o->missing, first + i, first + i + 1);
			continue;
		}
		if (pages[i].kind == PAGE_ZERO && !o->keep_zeros)
			continue;
		if (writer_position(&o->data) != place) {
			err = writer_flush(&o->data);
			o->data.offset = place;
		}
		if (!err && pages[i].kind == PAGE_ZERO)
			err = put_zeros(o, (size_t)1 << shift);
		else if (!err)
			err = writer_put(&o->data, pages[i].data, pages[i].size);
	}
	return err;
}

static struct error *elf_finish(struct output *output)
{
	struct elf_output *o = (struct elf_output *)output;
	uint64_t end = o->data_at + (o->next_rank << o->plan->page_shift);
	struct error *err = writer_flush(&o->data);

	/* The last pages may be holes. */
	if (!err)
		err = target_set_size(o->target, end);
	return err ? err : write_headers(o, o->missing.count > 0);
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

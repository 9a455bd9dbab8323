/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * kdump-compressed, version 6: header, sub header and notes, two bitmaps,
 * descriptors in the order of page frames, page data. Bitmaps are written
 * from extents with holes between them, descriptors to their place as pages
 * come, so that nothing here grows with the size of memory.
 */
#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "lib/bytes.h"
#include "lib/elfcore.h"
#include "lib/loongarch.h"
#include "makedumpfile-glue/output/output.h"

#define BITMAP_ROOM ((size_t)32 << 10)

/* Descriptors written at a time: those of a megabyte of the smallest pages. */
#define DESCS 256

struct kdump_output {
	struct output output; /* first */
	struct target *target;
	size_t block_size;
	uint32_t status;   /* when it is finished, and no page missing */
	bool split;
	uint64_t zero_page; /* file offset of the one page of zeros */
	uint64_t descs;
	uint64_t next;     /* file offset of the next data; atomic */
	bool missing;      /* atomic */
};

/* File offset and size of the VMCOREINFO text inside the notes. */
static void find_vmcoreinfo(const struct output_plan *plan, uint64_t notes_at,
			    uint64_t *ret_offset, uint64_t *ret_size)
{
	struct elf_note note;
	struct reader r;

	*ret_offset = *ret_size = 0;
	reader_init(&r, plan->notes->data, plan->notes->size, 0, "notes");
	while (elf_note_next(&r, &note)) {
		if (strcmp(note.name, ELF_NOTE_VMCOREINFO))
			continue;
		*ret_offset = notes_at + (note.desc - plan->notes->data);
		*ret_size = note.desc_size;
		return;
	}
}

struct layout {
	uint64_t max_mapnr;
	uint64_t notes;
	uint64_t sub_blocks;
	uint64_t bitmaps;
	uint64_t bitmap_size; /* of each of the two */
	uint64_t descs;
	uint64_t data;
};

static struct error *plan_layout(const struct output_plan *plan, struct layout *l)
{
	uint64_t block = (uint64_t)1 << plan->page_shift;
	uint64_t blocks;

	l->max_mapnr = extents_end(plan->present);
	l->notes = block + KDUMP_SUB_HEADER_SIZE;
	l->bitmaps = align_up(l->notes + plan->notes->size,
			      block > KDUMP_BITMAP_ALIGN ? block : KDUMP_BITMAP_ALIGN);
	l->sub_blocks = l->bitmaps / block - 1;
	l->bitmap_size = align_up((l->max_mapnr + 7) / 8, block);
	l->descs = l->bitmaps + 2 * l->bitmap_size;
	l->data = l->descs + extents_total(plan->part) * KDUMP_DESC_SIZE;
	blocks = 2 * l->bitmap_size / block;
	if (l->sub_blocks > UINT32_MAX || blocks > UINT32_MAX)
		return error_remedy(error_new(ERROR_UNSUPPORTED,
					      "page frame 0x%" PRIx64 " is too high for the "
					      "bitmaps of a kdump-compressed file",
					      l->max_mapnr),
				    "write the dump with --format elf");
	return NULL;
}

static void build_header(const struct output_plan *plan, const struct layout *l,
			 uint32_t status, uint8_t header[KDUMP_HEADER_SIZE])
{
	uint32_t block = (uint32_t)1 << plan->page_shift;

	memset(header, 0, KDUMP_HEADER_SIZE);
	memcpy(header, KDUMP_SIGNATURE, KDUMP_SIGNATURE_SIZE);
	put_le32(header + KDUMP_AT_VERSION, KDUMP_VERSION);
	memcpy(header + KDUMP_AT_UTSNAME, plan->utsname,
	       UTSNAME_FIELDS * UTSNAME_FIELD_SIZE);
	put_le64(header + KDUMP_AT_TIME_SEC, plan->crash_time);
	put_le32(header + KDUMP_AT_STATUS, status);
	put_le32(header + KDUMP_AT_BLOCK_SIZE, block);
	put_le32(header + KDUMP_AT_SUB_HDR_SIZE, l->sub_blocks);
	put_le32(header + KDUMP_AT_BITMAP_BLOCKS, 2 * l->bitmap_size / block);
	put_le32(header + KDUMP_AT_MAX_MAPNR,
		 l->max_mapnr < UINT32_MAX ? l->max_mapnr : UINT32_MAX);
	put_le32(header + KDUMP_AT_NR_CPUS, plan->cpu_count);
}

static void build_sub_header(const struct output_plan *plan, const struct layout *l,
			     uint8_t sub[KDUMP_SUB_HEADER_SIZE])
{
	uint64_t info, info_size;

	find_vmcoreinfo(plan, l->notes, &info, &info_size);
	memset(sub, 0, KDUMP_SUB_HEADER_SIZE);
	put_le32(sub + KDUMP_SUB_AT_DUMP_LEVEL, plan->dump_level);
	put_le32(sub + KDUMP_SUB_AT_SPLIT, plan->split);
	put_le64(sub + KDUMP_SUB_AT_OFFSET_VMCOREINFO, info);
	put_le64(sub + KDUMP_SUB_AT_SIZE_VMCOREINFO, info_size);
	put_le64(sub + KDUMP_SUB_AT_OFFSET_NOTE, plan->notes->size ? l->notes : 0);
	put_le64(sub + KDUMP_SUB_AT_SIZE_NOTE, plan->notes->size);
	put_le64(sub + KDUMP_SUB_AT_START_PFN_64, plan->split_start);
	put_le64(sub + KDUMP_SUB_AT_END_PFN_64, plan->split_end);
	put_le64(sub + KDUMP_SUB_AT_MAX_MAPNR_64, l->max_mapnr);
}

/* Sets bits [from, till), lowest bit first in each byte. */
static void set_bits(uint8_t *bits, size_t from, size_t till)
{
	while (from < till && from % 8) {
		bits[from / 8] |= 1u << from % 8;
		from++;
	}
	if (till - from >= 8)
		memset(bits + from / 8, 0xff, (till - from) / 8);
	for (from += (till - from) / 8 * 8; from < till; from++)
		bits[from / 8] |= 1u << from % 8;
}

/* One window of the bitmap at a time; windows without a bit stay holes. */
static struct error *write_bitmap(struct kdump_output *o, const struct extents *pages,
				  uint64_t offset)
{
	const uint64_t window = BITMAP_ROOM * 8;
	uint8_t bits[BITMAP_ROOM];
	uint64_t at = 0; /* the next frame to set */
	size_t i = 0;

	while (i < pages->count) {
		uint64_t start, end;
		struct error *err;

		if (at < pages->run[i].start)
			at = pages->run[i].start;
		start = at / window * window;
		end = start + window;
		memset(bits, 0, BITMAP_ROOM);
		while (i < pages->count && pages->run[i].start < end) {
			uint64_t from = pages->run[i].start > start ?
						pages->run[i].start : start;
			uint64_t till = pages->run[i].end < end ? pages->run[i].end : end;

			set_bits(bits, from - start, till - start);
			if (pages->run[i].end > end)
				break;
			i++;
		}
		at = end;
		/* Not past the bitmap: what follows may be there already. */
		end = (extents_end(pages) + 7) / 8;
		end = end - start / 8 < BITMAP_ROOM ? end - start / 8 : BITMAP_ROOM;
		err = target_write(o->target, bits, end, offset + start / 8);
		if (err)
			return err;
	}
	return NULL;
}

static struct error *write_front(struct kdump_output *o, const struct output_plan *plan,
				 const struct layout *l)
{
	static const uint8_t zeros[LOONGARCH_PAGE_SIZE_MAX];
	uint8_t header[KDUMP_HEADER_SIZE], sub[KDUMP_SUB_HEADER_SIZE];
	struct error *err;

	/* The mark of an unfinished file is overwritten at the end, which crash does
	 * not see in a flattened one; there the end of the records says it. */
	build_header(plan, l, o->status | (o->target->flat ? 0 : KDUMP_STATUS_INCOMPLETE),
		     header);
	build_sub_header(plan, l, sub);
	err = target_write(o->target, header, sizeof(header), 0);
	if (!err)
		err = target_write(o->target, sub, sizeof(sub), o->block_size);
	if (!err)
		err = target_write(o->target, plan->notes->data, plan->notes->size, l->notes);
	if (!err)
		err = write_bitmap(o, plan->present, l->bitmaps);
	if (!err)
		err = write_bitmap(o, plan->kept, l->bitmaps + l->bitmap_size);
	/* Also makes the file reach over the bitmaps and descriptors: crash maps
	 * the ones, and zero descriptors say "not written". */
	if (!err)
		err = target_write(o->target, zeros, o->block_size, o->zero_page);
	return err;
}

static void kdump_close(struct output *output)
{
	free(output);
}

static struct error *kdump_open(const struct output_plan *plan, struct target *target,
				struct output **ret)
{
	struct kdump_output *o = calloc(1, sizeof(*o));
	struct layout l;
	struct error *err;

	if (!o)
		return error_nomem();
	o->output.ops = &output_kdump;
	o->target = target;
	o->block_size = (size_t)1 << plan->page_shift;
	o->status = plan->codec | (plan->incomplete ? KDUMP_STATUS_INCOMPLETE : 0);
	o->split = plan->split;
	err = plan_layout(plan, &l);
	if (!err) {
		o->descs = l.descs;
		o->zero_page = l.data;
		o->next = l.data + o->block_size;
		err = write_front(o, plan, &l);
	}
	if (err) {
		free(o);
		return err;
	}
	*ret = &o->output;
	return NULL;
}

static void build_desc(struct kdump_output *o, const struct packed_page *page,
		       uint64_t place, uint8_t desc[KDUMP_DESC_SIZE])
{
	memset(desc, 0, KDUMP_DESC_SIZE);
	switch (page->kind) {
	case PAGE_ZERO:
		put_le64(desc + KDUMP_DESC_AT_OFFSET, o->zero_page);
		put_le32(desc + KDUMP_DESC_AT_SIZE, o->block_size);
		break;
	case PAGE_MISSING:
		__atomic_store_n(&o->missing, true, __ATOMIC_RELAXED);
		break;
	case PAGE_DATA:
	case PAGE_SHARED:
		put_le64(desc + KDUMP_DESC_AT_OFFSET,
			 page->kind == PAGE_DATA ? place + page->at : page->at);
		put_le32(desc + KDUMP_DESC_AT_SIZE, page->size);
		put_le32(desc + KDUMP_DESC_AT_FLAGS, page->codec);
		break;
	}
}

/* A descriptor never reaches the file before the data it points to, and not
 * long after it: what breaks off shall be of use. */
static struct error *kdump_put(struct output *output, struct page_batch *batch)
{
	struct kdump_output *o = (struct kdump_output *)output;
	uint8_t descs[DESCS * KDUMP_DESC_SIZE];
	struct error *err;
	size_t done = 0, i;

	batch->place = __atomic_fetch_add(&o->next, batch->size, __ATOMIC_RELAXED);
	err = target_write(o->target, batch->data, batch->size, batch->place);
	while (!err && done < batch->count) {
		size_t n = batch->count - done < DESCS ? batch->count - done : DESCS;

		for (i = 0; i < n; i++)
			build_desc(o, &batch->pages[done + i], batch->place,
				   descs + i * KDUMP_DESC_SIZE);
		err = target_write(o->target, descs, n * KDUMP_DESC_SIZE,
				   o->descs + (batch->rank + done) * KDUMP_DESC_SIZE);
		done += n;
	}
	return err;
}

static struct error *kdump_finish(struct output *output)
{
	struct kdump_output *o = (struct kdump_output *)output;
	uint8_t status[4];

	/* crash wants the headers of a split dump's files to be the same; in those
	 * the descriptors alone say what is missing. */
	if (o->split)
		o->missing = false;
	if (o->target->flat && !o->missing)
		return NULL;
	put_le32(status, o->status | (o->missing ? KDUMP_STATUS_INCOMPLETE : 0));
	return target_write(o->target, status, sizeof(status), KDUMP_AT_STATUS);
}

const struct output_ops output_kdump = {
	.name = "kdump",
	.format = "kdump-compressed",
	.takes_packed = true,
	.shares_pages = true,
	/* Only memory: 8 MiB of it. */
	.max_runs = 524288,
	.open = kdump_open,
	.put = kdump_put,
	.finish = kdump_finish,
	.close = kdump_close,
};

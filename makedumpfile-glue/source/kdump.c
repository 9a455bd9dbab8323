/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * kdump-compressed files, ours and makedumpfile's: one plain file, pages raw
 * or packed with a codec of this build.
 */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "lib/bytes.h"
#include "lib/loongarch.h"
#include "makedumpfile-glue/compress.h"
#include "makedumpfile-glue/kdump-format.h"
#include "makedumpfile-glue/source/source.h"

#define WINDOW_SIZE  ((size_t)256 << 10)
#define BITMAP_ROOM  ((size_t)64 << 10)
#define DESC_COUNT   512 /* descriptors at hand */
#define TAIL_CHECKED 64  /* last descriptors looked at when opening */

struct kdump_source {
	struct source source; /* first */
	uint8_t header[KDUMP_HEADER_SIZE];
	uint8_t sub[KDUMP_SUB_HEADER_SIZE];
	const struct input *input; /* source.input */
	unsigned int page_shift;
	uint64_t bitmap; /* file offset of the one that says what is stored */
	uint64_t bitmap_of_machine; /* of the other one, 0 if there is none */
	uint64_t bitmap_size;
	uint64_t max_mapnr;
	uint64_t first_frame, end_frame; /* what descriptors there are for */
	uint64_t marked;                 /* bits set in all of the bitmap */
	uint64_t descs_at;
	uint64_t page_count;
	uint64_t *first_rank; /* of each run of source.memory */
	struct unpacker *unpacker;

	uint8_t descs[DESC_COUNT * KDUMP_DESC_SIZE];
	uint64_t descs_first;
	size_t descs_have;

	uint8_t *window; /* page data as stored */
	uint64_t window_at;
	size_t window_have;

	uint8_t *page; /* the frame unpacked last, for small reads */
	uint64_t page_frame;
	bool page_valid;

	uint64_t zero_at; /* offset of a raw page of zeros seen before, or 0 */
};

static struct error *read_header(struct kdump_source *s, uint64_t *ret_bitmaps)
{
	char machine[UTSNAME_FIELD_SIZE + 1] = "";
	uint32_t version, block, sub_blocks, bitmap_blocks, status;
	struct error *err;
	struct reader r;
	size_t got;

	err = input_read_some(s->input, s->header, sizeof(s->header), 0, &got);
	if (err)
		return err;
	reader_init(&r, s->header, got, 0, s->source.path);
	if (!reader_match(&r, KDUMP_SIGNATURE, KDUMP_SIGNATURE_SIZE))
		return error_new(ERROR_NOT_MINE, "%s: not kdump-compressed",
				 s->source.path);
	version = reader_u32(&r);
	reader_skip(&r, UTSNAME_MACHINE * UTSNAME_FIELD_SIZE);
	reader_copy(&r, machine, UTSNAME_FIELD_SIZE);
	reader_seek(&r, KDUMP_AT_STATUS);
	status = reader_u32(&r);
	block = reader_u32(&r);
	sub_blocks = reader_u32(&r);
	bitmap_blocks = reader_u32(&r);
	s->max_mapnr = reader_u32(&r);
	reader_seek(&r, KDUMP_HEADER_SIZE);
	err = reader_check(&r, "kdump-compressed header");
	if (err)
		return err;
	/* What QEMU calls every machine it has no name for (its dump/dump.c,
	 * ELF_MACHINE_UNAME), loongarch64 among them. */
	s->source.page_size_of_qemu = !strcmp(machine, "Unknown");
	if (strcmp(machine, "loongarch64") && !s->source.page_size_of_qemu)
		return error_new(ERROR_UNSUPPORTED,
				 "%s: a dump of %s, not of loongarch64", s->source.path,
				 *machine ? machine : "an unnamed machine");
	if (!version || version > KDUMP_VERSION)
		return error_new(ERROR_UNSUPPORTED,
				 "%s: kdump-compressed version %u; 1 to %d are known",
				 s->source.path, version, KDUMP_VERSION);
	if (!loongarch_page_size_valid(block))
		return error_new(ERROR_FORMAT,
				 "%s: its block size %u is no page size of loongarch64",
				 s->source.path, block);
	if (!sub_blocks || !bitmap_blocks)
		return error_new(ERROR_FORMAT, "%s: no sub header or no bitmaps",
				 s->source.path);
	s->source.page_size = block;
	s->source.codec = status & KDUMP_STATUS_CODECS;
	s->source.marked_incomplete = status & KDUMP_STATUS_INCOMPLETE ||
				      s->input->incomplete;
	s->source.pages_tell = !(status & KDUMP_STATUS_INCOMPLETE);
	s->page_shift = __builtin_ctz(block);
	*ret_bitmaps = (1 + (uint64_t)sub_blocks) * block;
	s->bitmap_size = (uint64_t)bitmap_blocks * block;
	s->descs_at = *ret_bitmaps + s->bitmap_size;
	return NULL;
}

/* Which part of the dump the file holds, if it is one of several. */
static struct error *read_split(struct kdump_source *s)
{
	uint64_t start = get_le64(s->sub + KDUMP_SUB_AT_START_PFN_64);
	uint64_t end = get_le64(s->sub + KDUMP_SUB_AT_END_PFN_64);

	if (!get_le32(s->sub + KDUMP_SUB_AT_SPLIT))
		return NULL;
	/* Before version 6 they were elsewhere. */
	if (get_le32(s->header + KDUMP_AT_VERSION) < KDUMP_VERSION) {
		start = get_le64(s->sub + KDUMP_SUB_AT_START_PFN);
		end = get_le64(s->sub + KDUMP_SUB_AT_END_PFN);
	}
	if (start > end || end > s->max_mapnr)
		return error_new(ERROR_FORMAT,
				 "%s: a part of a split dump, of the page frames 0x%"
				 PRIx64 " to 0x%" PRIx64 " of 0x%" PRIx64, s->source.path,
				 start, end, s->max_mapnr);
	s->first_frame = start;
	s->end_frame = end;
	s->source.split = true;
	s->source.split_start = start << s->page_shift;
	s->source.split_end = end << s->page_shift;
	return NULL;
}

bool kdump_same_dump(const struct source *a, const struct source *b)
{
	const struct kdump_source *x = (const struct kdump_source *)a;
	const struct kdump_source *y = (const struct kdump_source *)b;

	/* The frames a part holds are its own, and so are marks that it is not
	 * complete; crash too compares the rest. */
	return a->ops == &source_kdump && b->ops == &source_kdump && a->split && b->split &&
	       !memcmp(x->header, y->header, KDUMP_AT_STATUS) &&
	       !memcmp(x->header + KDUMP_AT_BLOCK_SIZE, y->header + KDUMP_AT_BLOCK_SIZE,
		       KDUMP_HEADER_SIZE - KDUMP_AT_BLOCK_SIZE) &&
	       !memcmp(x->sub, y->sub, KDUMP_SUB_AT_START_PFN) &&
	       !memcmp(x->sub + KDUMP_SUB_AT_OFFSET_VMCOREINFO,
		       y->sub + KDUMP_SUB_AT_OFFSET_VMCOREINFO,
		       KDUMP_SUB_AT_START_PFN_64 - KDUMP_SUB_AT_OFFSET_VMCOREINFO);
}

static struct error *read_sub_header(struct kdump_source *s)
{
	const uint8_t *sub = s->sub;
	uint64_t wide;
	struct error *err = input_read(s->input, s->sub, sizeof(s->sub),
				       s->source.page_size);

	if (err)
		return error_add(err, "kdump-compressed sub header");
	s->source.dump_level = get_le32(sub + KDUMP_SUB_AT_DUMP_LEVEL);
	wide = get_le64(sub + KDUMP_SUB_AT_MAX_MAPNR_64);
	/* In an older version's files the notes begin there. */
	if (wide && get_le32(s->header + KDUMP_AT_VERSION) >= KDUMP_VERSION)
		s->max_mapnr = wide;
	s->end_frame = s->max_mapnr;
	err = read_split(s);
	if (err)
		return err;
	return source_add_notes(&s->source, get_le64(sub + KDUMP_SUB_AT_OFFSET_NOTE),
				get_le64(sub + KDUMP_SUB_AT_SIZE_NOTE));
}

/* makedumpfile and crash (dump_is_partial) alike: with room for two bitmaps
 * the second one counts. */
static struct error *find_bitmap(struct kdump_source *s, uint64_t bitmaps)
{
	uint64_t needed;

	if (!s->max_mapnr || s->max_mapnr > (LOONGARCH_PHYS_MASK + 1) >> s->page_shift)
		return error_new(ERROR_FORMAT,
				 "%s: 0x%" PRIx64 " page frames cannot be right",
				 s->source.path, s->max_mapnr);
	needed = align_up((s->max_mapnr + 7) / 8, s->source.page_size);
	s->bitmap = bitmaps;
	if (s->bitmap_size >= 2 * needed) {
		s->bitmap_of_machine = bitmaps;
		s->bitmap += s->bitmap_size / 2;
	} else if (s->bitmap_size < needed)
		return error_new(ERROR_FORMAT, "%s: its bitmaps are too short for 0x%"
				 PRIx64 " page frames", s->source.path, s->max_mapnr);
	s->bitmap_size = needed;
	if (s->bitmap + needed > s->input->size)
		return error_new(ERROR_FORMAT,
				 "%s: cut inside the bitmaps, after %" PRIu64 " bytes",
				 s->source.path, s->input->size);
	return NULL;
}

typedef struct error *add_run(struct kdump_source *s, uint64_t from, uint64_t till);

static struct error *add_stored(struct kdump_source *s, uint64_t from, uint64_t till)
{
	s->marked += till - from;
	if (from < s->first_frame)
		from = s->first_frame;
	if (till > s->end_frame)
		till = s->end_frame;
	return from < till ? extents_add(&s->source.memory, from << s->page_shift,
					 till << s->page_shift) : NULL;
}

static struct error *add_machine(struct kdump_source *s, uint64_t from, uint64_t till)
{
	return extents_add(&s->source.machine, from << s->page_shift,
			   till << s->page_shift);
}

/* The runs of set bits of one window of a bitmap. */
static struct error *add_bits(struct kdump_source *s, const uint8_t *bits, size_t size,
			      uint64_t frame, add_run *add)
{
	struct error *err = NULL;
	size_t i, total = size * 8;

	for (i = 0; i < total && !err;) {
		size_t from;

		if (!bits[i / 8] && i % 8 == 0) {
			i += 8;
			continue;
		}
		if (!(bits[i / 8] >> i % 8 & 1)) {
			i++;
			continue;
		}
		from = i;
		while (i < total && (bits[i / 8] >> i % 8 & 1))
			i += i % 8 == 0 && bits[i / 8] == 0xff ? 8 : 1;
		if (frame + from >= s->max_mapnr)
			break;
		err = add(s, frame + from,
			  frame + i < s->max_mapnr ? frame + i : s->max_mapnr);
	}
	return err;
}

static struct error *read_bitmap(struct kdump_source *s, uint64_t start, add_run *add)
{
	uint64_t at = start, end = start + s->bitmap_size;
	uint8_t *bits cleanup_free = malloc(BITMAP_ROOM);

	if (!bits)
		return error_nomem();
	while (at < end) {
		size_t n = end - at < BITMAP_ROOM ? end - at : BITMAP_ROOM;
		uint64_t data = input_next_data(s->input, at);
		struct error *err;

		/* Between two nodes lie gigabytes of hole. */
		if (data > at) {
			at = data;
			continue;
		}
		err = input_read(s->input, bits, n, at);
		if (!err)
			err = add_bits(s, bits, n, (at - start) * 8, add);
		if (err)
			return error_add(err, "kdump-compressed bitmap");
		at += n;
	}
	return NULL;
}

static struct error *read_bitmaps(struct kdump_source *s)
{
	const struct extents *memory = &s->source.memory;
	struct error *err = read_bitmap(s, s->bitmap, add_stored);
	size_t i;

	if (!err && s->bitmap_of_machine)
		err = read_bitmap(s, s->bitmap_of_machine, add_machine);
	/* What is stored was there, whatever the other bitmap says. */
	for (i = 0; i < memory->count && !err; i++)
		err = extents_add(&s->source.machine, memory->run[i].start,
				  memory->run[i].end);
	extents_normalize(&s->source.machine);
	return err;
}

static struct error *rank_runs(struct kdump_source *s)
{
	const struct extents *memory = &s->source.memory;
	uint64_t rank = 0;
	size_t i;

	s->source.promised = s->marked << s->page_shift;
	/* Of a split dump's many pages one file may well hold none. */
	if (!s->marked || (!memory->count && !s->source.split))
		return error_new(ERROR_FORMAT, "%s: the dump holds no pages",
				 s->source.path);
	s->first_rank = calloc(memory->count + 1, sizeof(*s->first_rank));
	if (!s->first_rank)
		return error_nomem();
	for (i = 0; i < memory->count; i++) {
		s->first_rank[i] = rank;
		rank += (memory->run[i].end - memory->run[i].start) >> s->page_shift;
	}
	s->page_count = rank;
	return NULL;
}

static struct error *get_desc(struct kdump_source *s, uint64_t rank, const uint8_t **ret)
{
	if (rank < s->descs_first || rank >= s->descs_first + s->descs_have) {
		size_t got;
		struct error *err = input_read_some(s->input, s->descs, sizeof(s->descs),
						    s->descs_at + rank * KDUMP_DESC_SIZE,
						    &got);

		if (err)
			return err;
		s->descs_first = rank;
		s->descs_have = got / KDUMP_DESC_SIZE;
		if (!s->descs_have)
			return error_new(ERROR_FORMAT,
					 "%s: cut before page descriptor %" PRIu64,
					 s->source.path, rank);
	}
	*ret = s->descs + (rank - s->descs_first) * KDUMP_DESC_SIZE;
	return NULL;
}

/* A file that breaks off lacks its last pages: the descriptors of these tell. */
static void check_tail(struct kdump_source *s)
{
	uint64_t rank = s->page_count > TAIL_CHECKED ? s->page_count - TAIL_CHECKED : 0;

	for (; rank < s->page_count && !s->source.marked_incomplete; rank++) {
		const uint8_t *desc = NULL;
		struct error *err = get_desc(s, rank, &desc);
		uint64_t offset = err ? 0 : get_le64(desc + KDUMP_DESC_AT_OFFSET);
		uint32_t size = err ? 0 : get_le32(desc + KDUMP_DESC_AT_SIZE);

		if (!offset || offset > s->input->size || size > s->input->size - offset)
			s->source.marked_incomplete = true;
		error_free(err);
	}
}

static void kdump_close(struct source *source)
{
	struct kdump_source *s = (struct kdump_source *)source;

	extents_deinit(&s->source.memory);
	extents_deinit(&s->source.machine);
	blob_deinit(&s->source.notes);
	unpacker_destroy(s->unpacker);
	free(s->first_rank);
	free(s->window);
	free(s->page);
	free(s);
}

static struct error *kdump_open(struct input *input, struct source **ret)
{
	struct kdump_source *s = calloc(1, sizeof(*s));
	uint64_t bitmaps = 0;
	struct error *err;

	if (!s)
		return error_nomem();
	s->source.ops = &source_kdump;
	s->source.input = input;
	s->source.path = input->path;
	s->input = input;
	err = read_header(s, &bitmaps);
	if (!err)
		err = read_sub_header(s);
	if (!err)
		err = find_bitmap(s, bitmaps);
	if (!err)
		err = read_bitmaps(s);
	if (!err)
		err = rank_runs(s);
	if (!err)
		err = unpacker_create(&s->unpacker);
	if (!err) {
		s->window = malloc(WINDOW_SIZE);
		s->page = malloc(s->source.page_size);
		if (!s->window || !s->page)
			err = error_nomem();
	}
	if (err) {
		error_free(s->source.flaw);
		kdump_close(&s->source);
		return err;
	}
	check_tail(s);
	*ret = &s->source;
	return NULL;
}

static struct error *get_data(struct kdump_source *s, uint64_t offset, size_t size,
			      const uint8_t **ret)
{
	if (offset < s->window_at || offset + size > s->window_at + s->window_have) {
		struct error *err;

		s->window_have = 0;
		err = input_read_some(s->input, s->window, WINDOW_SIZE, offset,
				      &s->window_have);
		if (err)
			return err;
		s->window_at = offset;
		if (s->window_have < size)
			return error_new(ERROR_FORMAT,
					 "%s: cut at %" PRIu64 " bytes, before the end of "
					 "the page", s->source.path, s->input->size);
	}
	*ret = s->window + (offset - s->window_at);
	return NULL;
}

static struct error *unpack_page(struct kdump_source *s, const uint8_t *desc, void *to)
{
	uint64_t offset = get_le64(desc + KDUMP_DESC_AT_OFFSET);
	uint32_t size = get_le32(desc + KDUMP_DESC_AT_SIZE);
	uint32_t flags = get_le32(desc + KDUMP_DESC_AT_FLAGS);
	const size_t page_size = s->source.page_size;
	const uint8_t *data = NULL;
	struct error *err;

	if (!offset)
		return error_new(ERROR_FORMAT, "its writer marked it as missing");
	if (offset == s->zero_at) {
		memset(to, 0, page_size);
		return NULL;
	}
	if (offset > s->input->size || size > page_size || !size)
		return error_new(ERROR_FORMAT,
				 "its descriptor is damaged (%u bytes at 0x%" PRIx64 ")",
				 size, offset);
	err = get_data(s, offset, size, &data);
	if (!err)
		err = unpacker_unpack(s->unpacker, flags, data, size, to, page_size);
	/* All zero pages share one: no need to read it again each time. */
	if (!err && flags == PAGE_RAW && !*(uint8_t *)to &&
	    !memcmp(to, (uint8_t *)to + 1, page_size - 1))
		s->zero_at = offset;
	return err;
}

static struct error *read_page(struct kdump_source *s, uint64_t frame, void *to)
{
	size_t run = extents_find(&s->source.memory, frame << s->page_shift);
	uint64_t rank = s->first_rank[run] + frame -
			(s->source.memory.run[run].start >> s->page_shift);
	const uint8_t *desc = NULL;
	struct error *err = get_desc(s, rank, &desc);

	if (!err)
		err = unpack_page(s, desc, to);
	return error_add(err, "%s: page frame 0x%" PRIx64, s->source.path, frame);
}

static struct error *kdump_read(struct source *source, uint64_t phys, void *to,
				size_t len)
{
	struct kdump_source *s = (struct kdump_source *)source;
	const size_t page_size = s->source.page_size;
	uint8_t *at = to;

	while (len) {
		uint64_t frame = phys >> s->page_shift;
		size_t skip = phys & (page_size - 1);
		size_t n = page_size - skip < len ? page_size - skip : len;
		struct error *err = NULL;

		if (n == page_size) {
			err = read_page(s, frame, at);
		} else {
			if (!s->page_valid || s->page_frame != frame) {
				s->page_valid = false;
				err = read_page(s, frame, s->page);
				s->page_frame = frame;
				s->page_valid = !err;
			}
			if (!err)
				memcpy(at, s->page + skip, n);
		}
		if (err)
			return err;
		phys += n;
		at += n;
		len -= n;
	}
	return NULL;
}

const struct source_ops source_kdump = {
	.format = "kdump-compressed",
	.open = kdump_open,
	.read = kdump_read,
	.close = kdump_close,
};

/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The RAM section (QEMU's migration/ram.c): records of an offset in a block,
 * flags in its low bits. A live guest's pages come again when they changed;
 * the last one counts.
 */
#include <inttypes.h>
#include <string.h>

#include "lib/bytes.h"
#include "lib/loongarch.h"
#include "makedumpfile-glue/source/stream.h"

#define FLAG_ZERO     0x002
#define FLAG_MEM_SIZE 0x004
#define FLAG_PAGE     0x008
#define FLAG_EOS      0x010
#define FLAG_CONTINUE 0x020
#define FLAG_XBZRLE   0x040
#define FLAG_HOOK     0x080
#define FLAG_PACKED   0x100
#define FLAG_FLUSH    0x200
#define FLAGS         (GUEST_PAGE - 1)

#define XBZRLE_MARK 1

/* deflate makes no page much longer. */
#define PACKED_MAX (2 * GUEST_PAGE)

/* Is a postcopy page size next? It is a power of two, and the length of a
 * name, the other thing that may come, is no zero. */
static struct error *skip_page_size(struct stream *s, struct cursor *c)
{
	const uint64_t at = c->at;
	uint64_t size;

	if (!s->postcopy)
		return NULL;
	size = cursor_u64(c);
	if (!is_power_of_two(size) || size < GUEST_PAGE || size > (uint64_t)1 << 40)
		c->at = at;
	return NULL;
}

static struct error *parse_blocks(struct stream *s, struct cursor *c, uint64_t total)
{
	uint64_t sum = 0;

	while (sum < total) {
		char name[CURSOR_NAME_SIZE];
		struct ram_block *block;
		struct error *err;
		uint64_t size;

		cursor_name(c, name);
		size = cursor_u64(c);
		/* In a mapped-ram file the list runs through all of the file. */
		if (cursor_stuck(c) && s->mapped && s->ram.block_count)
			break;
		if (cursor_stuck(c))
			return error_new(ERROR_FORMAT, "cut in the list of RAM blocks");
		if (!*name || size > total - sum)
			return error_new(ERROR_FORMAT, "RAM block '%s' of 0x%" PRIx64
					 " bytes where 0x%" PRIx64 " are left", name, size,
					 total - sum);
		err = guest_ram_add(&s->ram, name, size, &block);
		if (!err && block->is_ram && !is_aligned(size, GUEST_PAGE))
			err = error_new(ERROR_FORMAT, "RAM block '%s' ends inside a page",
					name);
		if (!err)
			err = skip_page_size(s, c);
		if (!err && s->ignores_shared) {
			block->has_place = true;
			block->place = cursor_u64(c);
		}
		if (!err && s->mapped)
			err = mapped_read_header(s, c, block);
		if (err)
			return err;
		sum += size;
	}
	return page_index_create(s->ram.page_count, &s->index);
}

static struct error *put_page(struct stream *s, struct ram_block *block, uint64_t offset,
			      uint64_t entry)
{
	const uint64_t i = block->first + (offset >> GUEST_PAGE_SHIFT);
	uint64_t old;
	struct error *err;

	if (!block->is_ram)
		return NULL;
	err = page_index_get(s->index, i, &old, 1);
	if (err)
		return err;
	block->recorded += !old;
	return page_index_put(s->index, i, entry);
}

/* A length of up to 14 bits, the low seven first. */
static uint32_t delta_length(struct reader *r)
{
	uint32_t low = reader_u8(r), high;

	if (!(low & 0x80))
		return low;
	high = reader_u8(r);
	return high & 0x80 ? UINT32_MAX : (low & 0x7f) | high << 7;
}

/* Bytes that stay, and bytes that are new, in turn (docs/xbzrle.txt). */
static bool apply_delta(const uint8_t *delta, size_t size, uint8_t *page, const char *path)
{
	struct reader r;
	uint64_t at = 0;

	reader_init(&r, delta, size, 0, path);
	while (reader_left(&r)) {
		uint32_t count;

		at += delta_length(&r);
		count = delta_length(&r);
		if (r.overrun || !count || at + count > GUEST_PAGE)
			return false;
		reader_copy(&r, page + at, count);
		at += count;
	}
	return !r.overrun;
}

/* The page as it was, changed, goes to a file beside the stream: once for each
 * page, however often it comes. */
static struct error *take_delta(struct stream *s, struct cursor *c, struct ram_block *block,
				uint64_t offset)
{
	const uint64_t i = block->first + (offset >> GUEST_PAGE_SHIFT);
	uint8_t delta[GUEST_PAGE], page[GUEST_PAGE];
	uint8_t mark = cursor_u8(c);
	uint16_t size = cursor_u16(c);
	uint64_t entry = 0, place;
	struct error *err;

	if (mark != XBZRLE_MARK || size > sizeof(delta))
		return error_new(ERROR_FORMAT, "a page's delta of kind %u, %u bytes long", mark,
				 size);
	cursor_copy(c, delta, size);
	if (cursor_stuck(c) || !block->is_ram)
		return NULL;
	err = page_index_get(s->index, i, &entry, 1);
	if (!err && entry_form(entry) == FORM_ABSENT)
		err = error_new(ERROR_FORMAT, "a delta to a page that did not come before");
	if (!err)
		err = stream_read_page(s, entry, page);
	if (!err && !apply_delta(delta, size, page, s->source.path))
		err = error_new(ERROR_FORMAT, "a page's delta is damaged");
	if (!err && s->patched < 0)
		err = file_nameless(&s->patched);
	if (err)
		return err;
	place = entry_form(entry) == FORM_PATCHED ? entry >> FORM_BITS :
						    s->patched_count++ * GUEST_PAGE;
	err = fd_pwrite(s->patched, "the file of patched pages", page, sizeof(page), place);
	return err ? err : put_page(s, block, offset, page_entry(FORM_PATCHED, place));
}

static struct error *take_page(struct stream *s, struct cursor *c, struct ram_block *block,
			       uint64_t offset, uint64_t flags)
{
	uint64_t at;
	uint32_t size;

	switch (flags) {
	case FLAG_ZERO:
		at = cursor_u8(c);
		if (cursor_stuck(c))
			return NULL;
		return put_page(s, block, offset, page_entry(FORM_FILL, at));
	case FLAG_PAGE:
		at = c->at;
		if (!cursor_skip(c, GUEST_PAGE))
			return NULL;
		return put_page(s, block, offset, page_entry(FORM_PLAIN, at));
	case FLAG_PACKED:
		at = c->at;
		size = cursor_u32(c);
		if (size > PACKED_MAX)
			return error_new(ERROR_FORMAT, "a packed page of %u bytes", size);
		if (!cursor_skip(c, size))
			return NULL;
		return put_page(s, block, offset, page_entry(FORM_PACKED, at));
	case FLAG_XBZRLE:
		return take_delta(s, c, block, offset);
	case FLAG_HOOK:
		return error_remedy(error_new(ERROR_UNSUPPORTED,
					      "pages went over RDMA, past this stream"),
				    "take the dump with virsh dump or migrate file:");
	default:
		return error_new(ERROR_FORMAT, "a record with flags 0x%" PRIx64, flags);
	}
}

struct error *stream_parse_ram(struct stream *s, struct cursor *c)
{
	struct ram_block *block = s->last;

	while (!cursor_stuck(c)) {
		const uint64_t at = c->at, word = cursor_u64(c);
		const uint64_t offset = word & ~FLAGS, flags = word & FLAGS;
		char name[CURSOR_NAME_SIZE];
		struct error *err;

		if (cursor_stuck(c) || flags == FLAG_EOS)
			return NULL;
		if (flags == FLAG_FLUSH) {
			s->flushes = true;
			continue;
		}
		if (flags == FLAG_MEM_SIZE && s->index)
			return error_new(ERROR_FORMAT, "the RAM blocks are listed twice");
		if (flags == FLAG_MEM_SIZE) {
			err = parse_blocks(s, c, offset);
			if (err)
				return err;
			continue;
		}
		if (!s->index)
			return error_new(ERROR_FORMAT, "a page before the list of RAM blocks");
		if (!(flags & FLAG_CONTINUE)) {
			cursor_name(c, name);
			if (cursor_stuck(c))
				return NULL;
			block = guest_ram_find(&s->ram, name);
			s->last = block;
			if (!block)
				return error_new(ERROR_FORMAT,
						 "a page of RAM block '%s', which is not listed",
						 name);
		}
		if (!block || offset >= block->size)
			return error_new(ERROR_FORMAT, "offset 0x%" PRIx64 ": a page at 0x%" PRIx64
					 " of RAM block '%s' of 0x%" PRIx64 " bytes", at, offset,
					 block ? block->name : "", block ? block->size : 0);
		err = take_page(s, c, block, offset, flags & ~(uint64_t)FLAG_CONTINUE);
		if (err)
			return error_add(err, "offset 0x%" PRIx64, at);
	}
	return NULL;
}

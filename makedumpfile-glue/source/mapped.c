/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * mapped-ram: each page of a block has its place in the file, and a bitmap
 * says which ones are not zeros (QEMU's docs/devel/migration/mapped-ram.rst).
 * Several channels and direct I/O write the same layout.
 */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "lib/bytes.h"
#include "makedumpfile-glue/source/stream.h"

#define MAPPED_VERSION 1

/* Bits looked at together: 32 KiB of them speak of 1 GiB. */
#define BITS_SIZE 4096

struct error *mapped_read_header(struct stream *s, struct cursor *c,
				 struct ram_block *block)
{
	uint32_t version = cursor_u32(c);
	uint64_t page_size = cursor_u64(c), end;

	block->bitmap_at = cursor_u64(c);
	block->pages_at = cursor_u64(c);
	if (cursor_stuck(c))
		return error_new(ERROR_FORMAT, "cut in the list of RAM blocks");
	if (version != MAPPED_VERSION)
		return error_new(ERROR_UNSUPPORTED, "mapped-ram version %u; %d is known",
				 version, MAPPED_VERSION);
	if (page_size != GUEST_PAGE)
		return error_new(ERROR_FORMAT, "mapped-ram pages of 0x%" PRIx64 " bytes",
				 page_size);
	/* A block that is shared memory has its bytes elsewhere. */
	if (!block->pages_at && !block->bitmap_at)
		return NULL;
	if (add_overflows(block->pages_at, block->size, &end) ||
	    block->pages_at < c->at || block->bitmap_at < c->at ||
	    block->bitmap_at > block->pages_at)
		return error_new(ERROR_FORMAT, "RAM block '%s': its pages cannot be at 0x%" PRIx64,
				 block->name, block->pages_at);
	block->mapped = true;
	c->at = end;
	/* What follows may be beyond the end of a file that was cut. */
	(void)s;
	return NULL;
}

static struct error *read_bits(const struct stream *s, const struct ram_block *block,
			       uint64_t page, uint8_t *bits, size_t size)
{
	return input_read(s->data, bits, size, block->bitmap_at + page / 8);
}

struct error *mapped_read(struct stream *s, const struct ram_block *block,
			  uint64_t offset, void *to, size_t len)
{
	uint8_t *at = to;

	while (len) {
		uint8_t bits[BITS_SIZE];
		const uint64_t first = offset >> GUEST_PAGE_SHIFT;
		uint64_t page = first, last = (offset + len - 1) >> GUEST_PAGE_SHIFT;
		struct error *err;

		if (last / 8 - first / 8 >= sizeof(bits))
			last = (first / 8 + sizeof(bits)) * 8 - 1;
		err = read_bits(s, block, first, bits, last / 8 - first / 8 + 1);
		while (!err && page <= last) {
			const uint64_t from = page;
			const bool set = bits[page / 8 - first / 8] >> page % 8 & 1;
			uint64_t n;

			while (page <= last && (bits[page / 8 - first / 8] >> page % 8 & 1) == set)
				page++;
			n = (page << GUEST_PAGE_SHIFT) -
			    (from == first ? offset : from << GUEST_PAGE_SHIFT);
			if (n > len)
				n = len;
			if (set)
				err = input_read(s->data, at, n, block->pages_at + offset);
			else
				memset(at, 0, n);
			offset += n;
			at += n;
			len -= n;
		}
		if (err)
			return err;
	}
	return NULL;
}

uint64_t mapped_next(struct stream *s, const struct ram_block *block, uint64_t offset)
{
	uint64_t page = offset >> GUEST_PAGE_SHIFT;
	const uint64_t end = block->size >> GUEST_PAGE_SHIFT;

	while (page < end) {
		uint8_t bits[BITS_SIZE];
		uint64_t n = (end - 1) / 8 - page / 8 + 1;
		const uint64_t base = page & ~(uint64_t)7;
		struct error *err;

		if (n > sizeof(bits))
			n = sizeof(bits);
		err = read_bits(s, block, page, bits, n);
		if (err) {
			error_free(err);
			return offset;
		}
		for (; page < end && page < base + 8 * n; page++) {
			if (page % 8 == 0 && !bits[page / 8 - base / 8]) {
				page += 7;
				continue;
			}
			if (bits[page / 8 - base / 8] >> page % 8 & 1)
				return page << GUEST_PAGE_SHIFT > offset ?
					       page << GUEST_PAGE_SHIFT : offset;
		}
	}
	return block->size;
}

uint64_t mapped_there(const struct stream *s, const struct ram_block *block)
{
	const uint64_t size = s->data->size;

	if (block->bitmap_at + (block->size >> GUEST_PAGE_SHIFT) / 8 > size ||
	    block->pages_at >= size)
		return 0;
	if (block->size > size - block->pages_at)
		return align_down(size - block->pages_at, GUEST_PAGE);
	return block->size;
}

/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "lib/bytes.h"

#include <inttypes.h>
#include <string.h>

void reader_init(struct reader *r, const void *data, size_t size, uint64_t base,
		 const char *file)
{
	*r = (struct reader){
		.data = data, .size = size, .base = base, .file = file,
	};
}

/* The one place where a position is compared with the size. */
static const uint8_t *take(struct reader *r, uint64_t pos, uint64_t len)
{
	if (r->overrun)
		return NULL;
	if (pos > r->size || len > r->size - pos) {
		r->overrun = true;
		r->overrun_pos = pos;
		r->overrun_len = len;
		return NULL;
	}
	return r->data + pos;
}

struct reader reader_slice(struct reader *r, uint64_t off, uint64_t len)
{
	struct reader slice = *r;

	slice.data = take(r, off, len);
	if (!slice.data) {
		slice = *r;
		slice.size = 0;
		slice.pos = 0;
		return slice;
	}
	slice.size = len;
	slice.base = r->base + off;
	slice.pos = 0;
	return slice;
}

void reader_seek(struct reader *r, uint64_t pos)
{
	if (take(r, pos, 0))
		r->pos = pos;
}

void reader_skip(struct reader *r, uint64_t len)
{
	if (take(r, r->pos, len))
		r->pos += len;
}

size_t reader_left(const struct reader *r)
{
	return r->overrun ? 0 : r->size - r->pos;
}

const uint8_t *reader_bytes(struct reader *r, uint64_t len)
{
	const uint8_t *bytes = take(r, r->pos, len);

	if (bytes)
		r->pos += len;
	return bytes;
}

void reader_copy(struct reader *r, void *to, size_t len)
{
	const uint8_t *bytes = reader_bytes(r, len);

	if (bytes)
		memcpy(to, bytes, len);
	else
		memset(to, 0, len);
}

bool reader_match(struct reader *r, const void *bytes, size_t len)
{
	if (reader_left(r) < len || memcmp(r->data + r->pos, bytes, len) != 0)
		return false;
	r->pos += len;
	return true;
}

static uint64_t read_number(struct reader *r, unsigned int len)
{
	const uint8_t *bytes = reader_bytes(r, len);
	uint64_t value = 0;
	unsigned int i;

	if (!bytes)
		return 0;
	for (i = 0; i < len; i++) {
		unsigned int byte = r->big_endian ? i : len - 1 - i;

		value = value << 8 | bytes[byte];
	}
	return value;
}

uint8_t reader_u8(struct reader *r)
{
	return read_number(r, 1);
}

uint16_t reader_u16(struct reader *r)
{
	return read_number(r, 2);
}

uint32_t reader_u32(struct reader *r)
{
	return read_number(r, 4);
}

uint64_t reader_u64(struct reader *r)
{
	return read_number(r, 8);
}

struct error *reader_check(const struct reader *r, const char *what)
{
	uint64_t there;

	if (!r->overrun)
		return NULL;
	if (!r->overrun_len)
		return error_new(ERROR_FORMAT,
				 "%s: %s at offset 0x%" PRIx64 ": the file ends at 0x%"
				 PRIx64, r->file, what, r->base + r->overrun_pos,
				 r->base + r->size);
	there = r->overrun_pos < r->size ? r->size - r->overrun_pos : 0;
	return error_new(ERROR_FORMAT,
			 "%s: %s at offset 0x%" PRIx64 ": needs %" PRIu64
			 " bytes, %" PRIu64 " are there",
			 r->file, what, r->base + r->overrun_pos,
			 r->overrun_len, there);
}

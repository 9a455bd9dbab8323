/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The only way bytes from outside are read: a cursor over a span that checks
 * every step.
 *
 * Overruns are sticky. A read past the end returns zeros and marks the
 * reader; the caller reads a whole header and asks once, with
 * reader_check(), whether all of it was there. Nothing read from a marked
 * reader may be used before that question.
 */
#ifndef LIB_BYTES_H
#define LIB_BYTES_H

#include <endian.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "lib/error.h"

struct reader {
	const uint8_t *data;
	size_t size;
	size_t pos;
	uint64_t base;     /* offset of data[0] in the file, for messages */
	const char *file;  /* borrowed; for messages */
	bool big_endian;
	bool overrun;
	uint64_t overrun_pos;
	uint64_t overrun_len;
};

/* Little endian; set ->big_endian afterwards for the other kind. */
void reader_init(struct reader *r, const void *data, size_t size,
		 uint64_t base, const char *file);

/* A reader over [off, off+len) of r's span; an overrun marks both. */
struct reader reader_slice(struct reader *r, uint64_t off, uint64_t len);

void reader_seek(struct reader *r, uint64_t pos);
void reader_skip(struct reader *r, uint64_t len);
size_t reader_left(const struct reader *r);

uint8_t reader_u8(struct reader *r);
uint16_t reader_u16(struct reader *r);
uint32_t reader_u32(struct reader *r);
uint64_t reader_u64(struct reader *r);

/* Pointer to len bytes, or NULL (and marked) when they are not there. */
const uint8_t *reader_bytes(struct reader *r, uint64_t len);

/* Copies len bytes, or zeros (and marked) when they are not there. */
void reader_copy(struct reader *r, void *to, size_t len);

/* True when the next bytes are exactly these; moves past them if so. */
bool reader_match(struct reader *r, const void *bytes, size_t len);

/*
 * NULL, or ERROR_FORMAT: "FILE: WHAT at offset 0x..: needs N bytes, M are
 * there".
 */
struct error *reader_check(const struct reader *r, const char *what) MUST_CHECK;

/* Unaligned stores for headers we write ourselves. */
static inline void put_le16(void *to, uint16_t value)
{
	value = htole16(value);
	memcpy(to, &value, sizeof(value));
}

static inline void put_le32(void *to, uint32_t value)
{
	value = htole32(value);
	memcpy(to, &value, sizeof(value));
}

static inline void put_le64(void *to, uint64_t value)
{
	value = htole64(value);
	memcpy(to, &value, sizeof(value));
}

static inline void put_be32(void *to, uint32_t value)
{
	value = htobe32(value);
	memcpy(to, &value, sizeof(value));
}

static inline void put_be64(void *to, uint64_t value)
{
	value = htobe64(value);
	memcpy(to, &value, sizeof(value));
}

/* Unaligned loads, for bytes whose bounds were checked already. One
 * instruction each: the scan of struct pages does little else. */
static inline uint16_t get_le16(const void *from)
{
	uint16_t value;

	memcpy(&value, from, sizeof(value));
	return le16toh(value);
}

static inline uint32_t get_le32(const void *from)
{
	uint32_t value;

	memcpy(&value, from, sizeof(value));
	return le32toh(value);
}

static inline uint64_t get_le64(const void *from)
{
	uint64_t value;

	memcpy(&value, from, sizeof(value));
	return le64toh(value);
}

/* Arithmetic on sizes from outside: true when the result does not fit. */
#define add_overflows(a, b, ret) __builtin_add_overflow(a, b, ret)
#define mul_overflows(a, b, ret) __builtin_mul_overflow(a, b, ret)

/* align is a power of two; the caller made sure value + align fits. */
static inline uint64_t align_up(uint64_t value, uint64_t align)
{
	return (value + align - 1) & ~(align - 1);
}

static inline uint64_t align_down(uint64_t value, uint64_t align)
{
	return value & ~(align - 1);
}

static inline bool is_aligned(uint64_t value, uint64_t align)
{
	return (value & (align - 1)) == 0;
}

static inline bool is_power_of_two(uint64_t value)
{
	return value && !(value & (value - 1));
}

#endif

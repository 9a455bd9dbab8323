/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A file read from front to back, in windows: what a migration stream is made
 * for. Big endian. The end is sticky, as in lib/bytes.h: beyond it everything
 * is zero, and the caller asks once.
 */
#ifndef GLUE_SOURCE_CURSOR_H
#define GLUE_SOURCE_CURSOR_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "lib/error.h"
#include "lib/input.h"

struct cursor {
	const struct input *input; /* borrowed */
	uint64_t at;               /* of the next byte */
	bool ended;                /* a read went past the end of the file */
	struct error *err;         /* the first failure of the file itself; the caller's */
	uint8_t *window;
	uint64_t window_at;
	size_t window_have;
};

struct error *cursor_init(struct cursor *c, const struct input *input, uint64_t at)
	MUST_CHECK;
void cursor_deinit(struct cursor *c); /* also frees an error nobody took */

/* Nothing more can be read: the end, or a failure. */
static inline bool cursor_stuck(const struct cursor *c)
{
	return c->ended || c->err;
}

uint8_t cursor_u8(struct cursor *c);
uint16_t cursor_u16(struct cursor *c);
uint32_t cursor_u32(struct cursor *c);
uint64_t cursor_u64(struct cursor *c);
void cursor_copy(struct cursor *c, void *to, size_t len);

/* True when all len bytes are there. */
bool cursor_skip(struct cursor *c, uint64_t len);

/* u8 length and that many bytes, NUL-terminated in text. */
#define CURSOR_NAME_SIZE 256
void cursor_name(struct cursor *c, char text[CURSOR_NAME_SIZE]);

/* Moves to the next place where these bytes stand; false: there is none, and
 * the cursor stays. len is at most 64. */
bool cursor_find(struct cursor *c, const void *bytes, size_t len);

#endif

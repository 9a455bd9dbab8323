/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "makedumpfile-glue/source/cursor.h"

#include <stdlib.h>
#include <string.h>

#include "lib/bytes.h"

#define WINDOW_SIZE ((size_t)256 << 10)

struct error *cursor_init(struct cursor *c, const struct input *input, uint64_t at)
{
	*c = (struct cursor){ .input = input, .at = at };
	c->window = malloc(WINDOW_SIZE);
	return c->window ? NULL : error_nomem();
}

void cursor_deinit(struct cursor *c)
{
	free(c->window);
	error_free(c->err);
	*c = (struct cursor){ 0 };
}

/* The window with len bytes from at on, as many as there are. */
static size_t look(struct cursor *c, size_t len, const uint8_t **ret)
{
	if (c->at < c->window_at || c->at - c->window_at > c->window_have ||
	    c->window_have - (c->at - c->window_at) < len) {
		struct error *err;

		c->window_at = c->at;
		c->window_have = 0;
		err = input_read_some(c->input, c->window, WINDOW_SIZE, c->at,
				      &c->window_have);
		if (err && !c->err)
			c->err = err;
		else
			error_free(err);
	}
	*ret = c->window + (c->at - c->window_at);
	return c->window_have - (c->at - c->window_at);
}

void cursor_copy(struct cursor *c, void *to, size_t len)
{
	uint8_t *at = to;

	while (len) {
		size_t n = len < WINDOW_SIZE ? len : WINDOW_SIZE;
		const uint8_t *data;

		if (cursor_stuck(c) || look(c, n, &data) < n) {
			c->ended = true;
			memset(at, 0, len);
			return;
		}
		memcpy(at, data, n);
		c->at += n;
		at += n;
		len -= n;
	}
}

static uint64_t number(struct cursor *c, unsigned int size)
{
	uint8_t bytes[8] = { 0 };
	uint64_t value = 0;
	unsigned int i;

	cursor_copy(c, bytes, size);
	for (i = 0; i < size; i++)
		value = value << 8 | bytes[i];
	return value;
}

uint8_t cursor_u8(struct cursor *c)
{
	return number(c, 1);
}

uint16_t cursor_u16(struct cursor *c)
{
	return number(c, 2);
}

uint32_t cursor_u32(struct cursor *c)
{
	return number(c, 4);
}

uint64_t cursor_u64(struct cursor *c)
{
	return number(c, 8);
}

bool cursor_skip(struct cursor *c, uint64_t len)
{
	uint64_t end;

	if (add_overflows(c->at, len, &end) || end > c->input->size)
		c->ended = true;
	if (cursor_stuck(c))
		return false;
	c->at = end;
	return true;
}

void cursor_name(struct cursor *c, char text[CURSOR_NAME_SIZE])
{
	uint8_t len = cursor_u8(c);

	memset(text, 0, CURSOR_NAME_SIZE);
	cursor_copy(c, text, len);
}

bool cursor_find(struct cursor *c, const void *bytes, size_t len)
{
	const uint64_t start = c->at;

	while (!cursor_stuck(c)) {
		const uint8_t *data, *found;
		size_t have = look(c, WINDOW_SIZE / 2, &data);

		if (have < len)
			break;
		found = memmem(data, have, bytes, len);
		if (found) {
			c->at += found - data;
			return true;
		}
		c->at += have - len + 1;
	}
	c->at = start;
	return false;
}

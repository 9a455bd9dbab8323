/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "lib/text.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Bytes of the character that begins here; 0: it is none. */
static size_t character_size(const unsigned char *at, uint32_t *ret)
{
	/* The least that takes so many bytes: longer forms are none. */
	static const uint32_t least[] = { 0, 0, 0x80, 0x800, 0x10000 };
	const size_t size = *at < 0x80 ? 1 : *at < 0xc0 ? 0 : *at < 0xe0 ? 2 :
			    *at < 0xf0 ? 3 : *at < 0xf8 ? 4 : 0;
	uint32_t value = size > 1 ? *at & (0x7f >> size) : *at;
	size_t i;

	for (i = 1; i < size; i++) {
		if ((at[i] & 0xc0) != 0x80)
			return 0;
		value = value << 6 | (at[i] & 0x3f);
	}
	*ret = value;
	if (value < least[size] || value > 0x10ffff || (value >= 0xd800 && value < 0xe000))
		return 0;
	return size;
}

static bool is_control(uint32_t character)
{
	return (character < 0x20 && character != '\n' && character != '\t') ||
	       (character >= 0x7f && character < 0xa0);
}

static void replace(char *text, bool controls)
{
	unsigned char *at = (unsigned char *)text;

	while (*at) {
		uint32_t character;
		size_t size = character_size(at, &character);

		if (size && !(controls && is_control(character))) {
			at += size;
			continue;
		}
		do
			*at++ = '?';
		while (size > 1 && --size);
	}
}

void text_make_utf8(char *text)
{
	replace(text, false);
}

void text_make_printable(char *text)
{
	replace(text, true);
}

/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Sizes and numbers as people write and read them.
 */
#ifndef LIB_UNITS_H
#define LIB_UNITS_H

#include <stdbool.h>
#include <stdint.h>

/* "512 MiB", "1.50 GiB", "96 bytes". Returns buffer. */
#define UNITS_SIZE_TEXT 32
const char *size_text(uint64_t size, char buffer[UNITS_SIZE_TEXT]);

/* Decimal, or hexadecimal behind 0x; optional K, M, G, T (binary). The whole
 * string must be the number, and it must fit. */
bool parse_size(const char *text, uint64_t *ret);

/* Hexadecimal digits, with or without 0x, nothing else. */
bool parse_hex(const char *text, uint64_t *ret);

#endif

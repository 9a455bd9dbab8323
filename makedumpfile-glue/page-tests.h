/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What can be told of a page without packing it, at a small part of the cost.
 */
#ifndef GLUE_PAGE_TESTS_H
#define GLUE_PAGE_TESTS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* All are for whole pages: size is 4 to 64 KiB. */

bool page_is_zero(const uint8_t *page, size_t size);

/* The same eight bytes over and over? */
bool page_is_pattern(const uint8_t *page, size_t size);

/* Would no codec make it smaller, as far as a sample tells? Wrong, it costs a
 * few per cent of one page. */
bool page_looks_random(const uint8_t *page, size_t size);

/* Equal pages have equal keys; different pages may, rarely. Never 0. */
uint64_t page_key(const uint8_t *page, size_t size);

#endif

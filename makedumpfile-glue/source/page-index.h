/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A number for each page of a guest, of whatever size: a window of them at a
 * time in memory, the others in a file without a name. A guest of up to 8 GiB
 * needs no such file.
 */
#ifndef GLUE_SOURCE_PAGE_INDEX_H
#define GLUE_SOURCE_PAGE_INDEX_H

#include <stddef.h>
#include <stdint.h>

#include "lib/error.h"

struct page_index;

/* All count numbers are 0. */
struct error *page_index_create(uint64_t count, struct page_index **ret) MUST_CHECK;
void page_index_destroy(struct page_index *index);

/* i and i + n within count. Several threads may call get at once; put is for
 * one thread, before them. */
struct error *page_index_get(struct page_index *index, uint64_t i, uint64_t *to, size_t n)
	MUST_CHECK;
/* The first number from i on and before end that may be other than 0, as far as
 * it takes no looking; end when none is. Threads as with get. */
uint64_t page_index_next(struct page_index *index, uint64_t i, uint64_t end);
struct error *page_index_put(struct page_index *index, uint64_t i, uint64_t value)
	MUST_CHECK;

#endif

/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * struct page as this kernel has it, by VMCOREINFO, and what one says its page
 * is used for. Knows nothing of where they lie.
 */
#ifndef GLUE_KERNEL_STRUCT_PAGE_H
#define GLUE_KERNEL_STRUCT_PAGE_H

#include <stdbool.h>
#include <stdint.h>

#include "lib/bytes.h"
#include "lib/vmcoreinfo.h"
#include "makedumpfile-glue/kernel/pages.h"

/* It has been 56 to 96 bytes; debugging options add to it. */
#define STRUCT_PAGE_MIN 40
#define STRUCT_PAGE_MAX 512

#define ABSENT UINT64_MAX

#define PAGE_TAIL        1 /* in compound_head or compound_info */
#define PAGE_NO_MAPCOUNT (-1)

struct type_test {
	enum { TEST_NONE, TEST_BYTE, TEST_BIT } how;
	uint32_t value;
};

/* Offsets are ABSENT where not known, flags 0. */
struct page_layout {
	uint64_t size;
	uint64_t flags, mapping, mapcount, refcount, private, compound;
	uint64_t lru, has_private, swapcache, swapbacked, poisoned, slab;
	struct type_test buddy, slab_type, hugetlb, offline, unaccepted;
	/* Before hugetlb was a type (d99e3140a4d3, 6.9): a flag of the first
	 * tail, or a number beside the head. */
	uint64_t hugetlb_flag;
	uint64_t dtor, hugetlb_dtor;
	uint64_t order_end; /* orders are below this */
};

/*
 * Filters that some missing key rules out are taken off result->filters, with
 * a note. section_shift: log2 of pages in a section, which no free block is
 * larger than. False when nothing at all can be told.
 */
bool page_layout_init(struct page_layout *l, const struct vmcoreinfo *info,
		      uint64_t section_shift, struct page_scan *result);

/*
 * By the struct page of one that is no tail, whatever filters work. next: is
 * the struct page behind it there, too?
 */
enum page_type page_classify(const struct page_layout *l, const uint8_t *page, bool next);

/* compound_head or compound_info; 0 where that is not known. */
static inline uint64_t page_compound(const struct page_layout *l, const uint8_t *page)
{
	return l->compound != ABSENT ? get_le64(page + l->compound) : 0;
}

/* Neither counted nor mapped nor of a type, as those inside a free block are. */
static inline bool page_is_unused(const struct page_layout *l, const uint8_t *page)
{
	return l->refcount != ABSENT && !get_le32(page + l->refcount) &&
	       get_le32(page + l->mapcount) == (uint32_t)PAGE_NO_MAPCOUNT;
}

#endif

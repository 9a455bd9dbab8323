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
#define MAPPING_ANON     1 /* in page.mapping */

struct type_test {
	enum { TEST_NONE, TEST_BYTE, TEST_BIT } how;
	uint32_t value;
};

/* Offsets are ABSENT where not known, flags 0. */
struct page_layout {
	uint64_t size;
	uint64_t flags, mapping, mapcount, refcount, private, compound;
	uint64_t lru, has_private, swapcache, swapbacked, poisoned, slab, head;
	struct type_test buddy, slab_type, hugetlb, offline, unaccepted;
	/* Before hugetlb was a type (d99e3140a4d3, 6.9): a flag of the first
	 * tail, or a number beside the head. */
	uint64_t hugetlb_flag;
	uint64_t dtor, hugetlb_dtor;
	uint64_t order_end; /* orders are below this */
};

/* Filters of their own beside the bits of a dump level. */
#define FILTER_HUGETLB    (1u << 8)
#define FILTER_UNACCEPTED (1u << 9)
#define FILTER_OFFLINE    (1u << 10)
#define FILTER_POISONED   (1u << 11)
#define FILTERS_ALL                                                      \
	(DUMP_LEVEL_TYPES | FILTER_HUGETLB | FILTER_UNACCEPTED | FILTER_OFFLINE | \
	 FILTER_POISONED)

/*
 * Filters that some missing key rules out are taken off result->filters, with
 * a note. So are those for which keys contradict each other: fields of struct
 * page that overlap, two flags that are one bit, types that are one value.
 * section_shift: log2 of pages in a section, which no free block is larger
 * than. A missing type of free pages is left to the caller. False when nothing
 * at all can be told.
 */
bool page_layout_init(struct page_layout *l, const struct vmcoreinfo *info,
		      uint64_t section_shift, struct page_scan *result);

/* These filters are off; a note says "cache and user pages are kept: WHY". */
void PRINTF_LIKE(4, 5) page_filters_off(struct page_layout *l, struct page_scan *result,
					unsigned int filters, const char *why, ...);

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

/* Does the page at virt, a tail by its compound_head or compound_info, belong to
 * the head at `head`? */
static inline bool page_names_head(uint64_t virt, uint64_t compound, uint64_t head)
{
	const uint64_t link = compound & ~(uint64_t)PAGE_TAIL;

	return compound & PAGE_TAIL &&
	       (link == head || (is_power_of_two(0 - link) && (virt & link) == head));
}

/* Is _mapcount a type, known here or not? */
static inline bool page_has_type(const struct page_layout *l, const uint8_t *page)
{
	return l->mapcount != ABSENT &&
	       (int32_t)get_le32(page + l->mapcount) < PAGE_NO_MAPCOUNT;
}

/* A pointer of the kernel's, whatever its low bits say of what it points to. */
static inline bool is_kernel_pointer(uint64_t value)
{
	return value >> 63;
}

/* Neither counted nor mapped nor of a type, as those inside a free block are. */
static inline bool page_is_unused(const struct page_layout *l, const uint8_t *page)
{
	return l->refcount != ABSENT && l->mapcount != ABSENT &&
	       !get_le32(page + l->refcount) &&
	       get_le32(page + l->mapcount) == (uint32_t)PAGE_NO_MAPCOUNT;
}

#endif

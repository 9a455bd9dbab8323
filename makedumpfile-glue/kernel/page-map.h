/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The kernel's struct pages: where they are, how they are read, and whether
 * that can be believed.
 */
#ifndef GLUE_KERNEL_PAGE_MAP_H
#define GLUE_KERNEL_PAGE_MAP_H

#include <stdbool.h>
#include <stdint.h>

#include "lib/error.h"
#include "lib/vmcoreinfo.h"
#include "makedumpfile-glue/kernel/pages.h"
#include "makedumpfile-glue/kernel/sections.h"
#include "makedumpfile-glue/kernel/struct-page.h"
#include "makedumpfile-glue/kernel/tables.h"

struct page_map {
	const struct vmcoreinfo *info; /* borrowed */
	unsigned int page_shift;
	struct tables tables;
	struct sections sections;
	struct page_layout layout;
};

/*
 * *ret_found: false when they cannot be found, or say things of the kernel's
 * own pages that cannot be so; a note in result says why. Errors are lack of
 * memory only. Filters that cannot work are off then (page_layout_init()).
 */
struct error *page_map_init(struct page_map *m, struct source *source,
			    const struct vmcoreinfo *info, unsigned int page_shift,
			    struct page_scan *result, bool *ret_found) MUST_CHECK;
void page_map_deinit(struct page_map *m);

/* Looks at struct pages all over `pages` (frames) and switches filters off that
 * do not fit what is there. */
struct error *page_map_sample(struct page_map *m, const struct extents *pages,
			      struct page_scan *result) MUST_CHECK;

/* The struct page of one frame; false when it cannot be read. */
bool page_map_read(struct page_map *m, uint64_t frame, uint8_t page[STRUCT_PAGE_MAX]);

/* Is it a page of its own that the kernel uses for itself: no cache, no user's, not free? */
bool page_map_is_kernels(struct page_map *m, uint64_t phys);

#endif

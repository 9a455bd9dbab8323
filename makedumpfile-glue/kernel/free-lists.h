/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Free blocks by the zones' lists of them (mm/page_alloc.c), for a kernel
 * whose struct pages are not known to say which pages are free. Whatever is
 * wrong with a list ends in "not known", never in a block that is not free.
 */
#ifndef GLUE_KERNEL_FREE_LISTS_H
#define GLUE_KERNEL_FREE_LISTS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "lib/error.h"
#include "makedumpfile-glue/kernel/page-map.h"

struct free_block {
	uint64_t frame : 58;
	uint64_t order : 6;
};

/* By frame; none reaches into the next. Zero value = none. */
struct free_blocks {
	struct free_block *block;
	size_t count;
	size_t room;
};

/*
 * ERROR_FORMAT says what is missing in VMCOREINFO, or which list contradicts
 * itself or its struct pages; ERROR_LIMIT that there are too many blocks.
 */
struct error *free_lists_read(struct page_map *m, struct free_blocks *ret) MUST_CHECK;
void free_blocks_deinit(struct free_blocks *blocks);

#endif

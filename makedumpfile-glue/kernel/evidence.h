/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Do the places and bits that VMCOREINFO names hold what they should? A wrong
 * one may look as good as a right one; what the struct pages say together
 * tells them apart. Gathered from a sample before anything is decided.
 */
#ifndef GLUE_KERNEL_EVIDENCE_H
#define GLUE_KERNEL_EVIDENCE_H

#include <stdbool.h>
#include <stdint.h>

#include "makedumpfile-glue/kernel/struct-page.h"

struct evidence {
	uint64_t pages;
	uint64_t heads, heads_named; /* of compound pages; by the tail behind */
	uint64_t users, users_on_lru; /* mapped, and anonymous by their mapping */
	uint64_t on_lru, on_lru_mapped;
	uint64_t poisoned;
};

/* One more struct page, from address virt; next: is the one behind it there, too? */
void evidence_add(struct evidence *e, const struct page_layout *l, uint64_t virt,
		  const uint8_t *page, bool next);

/* Filters that the evidence speaks against are off, with a note. */
void evidence_judge(const struct evidence *e, struct page_layout *l,
		    struct page_scan *result);

#endif

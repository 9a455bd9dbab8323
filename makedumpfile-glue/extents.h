/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Sorted runs of numbers: bytes of physical memory, or page frames. This is
 * how "which memory" is said everywhere. A loongarch64 node starts at
 * node << 44, so an array indexed by page frame number would be mostly hole.
 */
#ifndef GLUE_EXTENTS_H
#define GLUE_EXTENTS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "lib/error.h"

/* [start, end), never empty. */
struct extent {
	uint64_t start;
	uint64_t end;
};

/* Sorted, disjoint, not touching each other. Zero value = empty. */
struct extents {
	struct extent *run;
	size_t count;
	size_t room;
};

void extents_deinit(struct extents *e);
#define cleanup_extents __attribute__((cleanup(extents_deinit)))

/*
 * Runs may be added in any order and may overlap; extents_normalize() sorts
 * and merges them. Between the first add and normalize nothing else here may
 * be asked. An empty run is nothing.
 */
struct error *extents_add(struct extents *e, uint64_t start, uint64_t end) MUST_CHECK;
void extents_normalize(struct extents *e);

/* Sum of the runs' lengths. */
uint64_t extents_total(const struct extents *e);

/* End of the last run; 0 when there is none. */
uint64_t extents_end(const struct extents *e);

/* Index of the first run that ends after `at`; e->count when there is none. */
size_t extents_find(const struct extents *e, uint64_t at);

/* Is all of [start, end) inside one run? */
bool extents_hold(const struct extents *e, uint64_t start, uint64_t end);

/* *ret = what of e lies in [start, end). */
struct error *extents_cut(const struct extents *e, uint64_t start, uint64_t end,
			  struct extents *ret) MUST_CHECK;

/* *ret = the same runs in units of 1 << shift, rounded outward. */
struct error *extents_to_pages(const struct extents *bytes, unsigned int shift,
			       struct extents *ret) MUST_CHECK;

#endif

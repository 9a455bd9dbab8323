/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What the text map and the SVG map share: the region of a plan, cut into
 * blocks.
 */
#ifndef KEXEC_SHOW_MAP_H
#define KEXEC_SHOW_MAP_H

#include <stddef.h>

#include "kexec/memory.h"
#include "kexec/plan.h"

#define MAP_UNUSED '.'

struct block {
	struct range range;
	const char *name; /* static */
	char letter;      /* MAP_UNUSED where the plan puts nothing */
};

/* Segments, the kernel's own pages, and the gaps around them. */
#define MAP_BLOCKS (2 * (PLAN_SEGMENTS + 1) + 1)

/* All of the region, from the top down, without holes. */
size_t map_blocks(const struct plan *plan, struct block blocks[MAP_BLOCKS]);

const char *map_title(const struct plan *plan);

#endif

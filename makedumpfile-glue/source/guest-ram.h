/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A QEMU guest's RAM: blocks with a name and a size, and where QEMU's
 * loongarch64 machine `virt` puts them. A stream speaks of offsets in blocks;
 * nothing in it says physical addresses.
 */
#ifndef GLUE_SOURCE_GUEST_RAM_H
#define GLUE_SOURCE_GUEST_RAM_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "lib/error.h"
#include "makedumpfile-glue/extents.h"

/* The unit of streams: the target page of QEMU's loongarch64, whatever the
 * kernel's is (target/loongarch/cpu-param.h). */
#define GUEST_PAGE_SHIFT 12
#define GUEST_PAGE       ((uint64_t)1 << GUEST_PAGE_SHIFT)

/* Larger machines are not believed. */
#define GUEST_RAM_MAX ((uint64_t)64 << 40)
#define GUEST_BLOCKS_MAX 4096

#define GUEST_NAME_SIZE 256
struct ram_block {
	char name[GUEST_NAME_SIZE];
	uint64_t size;
	bool is_ram;       /* memory of the machine, not a ROM or a device's */
	uint64_t first;    /* number of its first page, counted over all blocks */
	uint64_t recorded; /* pages of it that the stream speaks of */

	/* Its physical address, where that is known: a DIMM's. */
	bool has_base;
	uint64_t base;
	/* Its place among what the machine began with; with guest_ram.ranked. */
	size_t rank;
	bool empty; /* nothing but zeros: it does not matter where it lies */

	/* x-ignore-shared: the place in its container that the stream tells. */
	bool has_place;
	uint64_t place;

	/* mapped-ram: where the bitmap and the pages lie in the file. */
	bool mapped;
	uint64_t bitmap_at;
	uint64_t pages_at;

	/* Its bytes are in a file of their own (--ram). */
	bool outside;
	int fd;            /* -1: not given */
	char *path;
};

/* A stretch of physical memory and what it is of. */
struct ram_piece {
	uint64_t phys;
	uint64_t size;
	size_t block;
	uint64_t offset;
};

struct guest_ram {
	struct ram_block *blocks;
	size_t block_count;
	uint64_t page_count; /* of all blocks */
	struct ram_piece *pieces; /* sorted by phys */
	size_t piece_count;
	bool ranked;
	uint64_t high_base; /* 0: any of guest_high_base */
	struct ram_votes *votes; /* guest-votes.c */
};

/* page counts and is_ram follow from name and size; *ret is valid until the
 * next one is added. */
struct error *guest_ram_add(struct guest_ram *ram, const char *name, uint64_t size,
			    struct ram_block **ret) MUST_CHECK;
struct ram_block *guest_ram_find(const struct guest_ram *ram, const char *name);
void guest_ram_deinit(struct guest_ram *ram);

/* The ways the machine's RAM can lie: QEMU before 9.0 put what is beyond 256 MiB
 * to 0x90000000, later ones put it to 0x80000000 (hw/loongarch/virt.c). */
#define GUEST_LAYOUTS 2
#define GUEST_LOW_SIZE ((uint64_t)256 << 20)
extern const uint64_t guest_high_base[GUEST_LAYOUTS];

/* Fills in the pieces, and *ret_promised bytes in all. The number of different
 * layouts comes back: 1 when all RAM is low. */
struct error *guest_ram_lay_out(struct guest_ram *ram, size_t layout,
				uint64_t *ret_promised, size_t *ret_layouts) MUST_CHECK;

/* Index of the first piece that ends after phys; piece_count when none does. */
size_t guest_ram_piece(const struct guest_ram *ram, uint64_t phys);

/* In what order blocks follow each other by their names; for qsort() of pointers. */
int guest_ram_compare(const void *a, const void *b);
/* By its name: 0 the machine began with it, 2 it was plugged in, 1 who knows. */
int guest_ram_plugged(const struct ram_block *block);
/* Does [start, start + size) meet a block whose base is known, other than except? */
const struct ram_block *guest_ram_based(const struct guest_ram *ram, uint64_t start,
					uint64_t size, const struct ram_block *except);

/*
 * Memory itself says that what lies at phys now is really at said; addresses from
 * the one that comes back on are of interest still. At the end guest_ram_settle()
 * takes what was said most for true, and the next guest_ram_lay_out() follows it.
 * *ret_doubt: a block of which nothing tells where it lies, or NULL.
 */
struct error *guest_ram_testify(struct guest_ram *ram, uint64_t phys, uint64_t said,
				uint64_t *ret_next) MUST_CHECK;
struct error *guest_ram_settle(struct guest_ram *ram, const struct ram_block **ret_doubt)
	MUST_CHECK;

#endif

/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The kernel's own page tables: from a virtual address to a physical one,
 * for every shape loongarch64 has (4K pages with 3 or 4 levels, 16K and 64K
 * with 2 or 3). No VMCOREINFO key names the shape; the caller tries each and
 * keeps the one whose answers make sense.
 */
#ifndef GLUE_KERNEL_TABLES_H
#define GLUE_KERNEL_TABLES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "lib/error.h"
#include "makedumpfile-glue/source/source.h"

#define TABLES_LEVELS_MAX 4

struct tables {
	struct source *source; /* borrowed */
	unsigned int page_shift;
	unsigned int levels;
	uint64_t root; /* physical address of swapper_pg_dir */
	bool walked;   /* something lay outside the windows */
	/* The table read last at each level. */
	uint8_t *table[TABLES_LEVELS_MAX];
	uint64_t table_at[TABLES_LEVELS_MAX];
};

/* The level counts a kernel with such pages can have, most likely first;
 * ends with 0. */
const unsigned int *tables_shapes(unsigned int page_shift);

/* root: SYMBOL(swapper_pg_dir). levels: one of tables_shapes(). */
struct error *tables_init(struct tables *t, struct source *source,
			  unsigned int page_shift, uint64_t root, unsigned int levels)
	MUST_CHECK;
void tables_deinit(struct tables *t);

/*
 * False when virt is not mapped: neither a window nor the tables lead
 * anywhere. Else *ret_phys, and in *ret_len how many bytes from virt on are
 * mapped to what follows there.
 */
bool tables_translate(struct tables *t, uint64_t virt, uint64_t *ret_phys,
		      uint64_t *ret_len);

/* All len bytes, across mappings; the error names the address. */
struct error *tables_read(struct tables *t, uint64_t virt, void *to, size_t len)
	MUST_CHECK;

#endif

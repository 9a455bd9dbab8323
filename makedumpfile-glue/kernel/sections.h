/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Where the kernel's struct pages are: memory in sections, each with an array of
 * its own (sparsemem, mm/sparse.c), all in one virtual array (vmemmap), or, in
 * kernels without sections, in one array for all frames from 0 (FLATMEM,
 * asm-generic/memory_model.h; loongarch's ARCH_PFN_OFFSET is 0).
 */
#ifndef GLUE_KERNEL_SECTIONS_H
#define GLUE_KERNEL_SECTIONS_H

#include <stdbool.h>
#include <stdint.h>

#include "lib/error.h"
#include "lib/vmcoreinfo.h"
#include "makedumpfile-glue/kernel/tables.h"

struct sections {
	uint64_t shift; /* log2 of pages in a section */
	uint64_t width; /* bits of a section's number in page.flags */
	uint64_t table; /* virtual; of pointers if extreme, else of entries; or mem_map */
	uint64_t entry_size;
	uint64_t map_offset;
	uint64_t per_root; /* 0: not extreme */
	uint64_t vmemmap;  /* UINT64_MAX: not that model */
	bool flat;         /* FLATMEM: the same array for every section */
};

/* From VMCOREINFO; ERROR_FORMAT says what is missing there, or contradicts
 * the rest. */
struct error *sections_init(struct sections *c, const struct vmcoreinfo *info,
			    unsigned int page_shift) MUST_CHECK;

/* *ret: where the struct page of frame 0 would be, were there one in this
 * section. False when the section is not there, or its entry cannot be right. */
bool sections_map(const struct sections *c, struct tables *tables, uint64_t section,
		  uint64_t *ret);

#endif

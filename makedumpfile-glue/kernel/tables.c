/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * An entry above the last level holds the virtual address of the next table.
 * Empty entries are not zero: they point to invalid_pmd_table and the like,
 * whose entries point on to invalid_pte_table, which maps nothing. Walking on
 * therefore ends by itself, and those tables need not be known.
 */
#include "makedumpfile-glue/kernel/tables.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "lib/bytes.h"
#include "lib/loongarch.h"

/* arch/loongarch/include/asm/pgtable-bits.h. The frame number stands between
 * the page shift and bit 47; 60 to 63 are flags (PRESENT_INVALID, NR, NX,
 * RPLV). */
#define ENTRY_VALID   ((uint64_t)1 << 0)
#define ENTRY_HUGE    ((uint64_t)1 << 6) /* in a PMD; in a PTE it is GLOBAL */
#define ENTRY_PRESENT ((uint64_t)1 << 7)

#define ENTRY_SIZE_SHIFT 3

const unsigned int *tables_shapes(unsigned int page_shift)
{
	static const unsigned int of_4k[] = { 3, 4, 0 };
	static const unsigned int of_larger[] = { 3, 2, 0 };

	return page_shift == 12 ? of_4k : of_larger;
}

void tables_deinit(struct tables *t)
{
	size_t i;

	for (i = 0; i < TABLES_LEVELS_MAX; i++)
		free(t->table[i]);
	*t = (struct tables){ 0 };
}

struct error *tables_init(struct tables *t, struct source *source,
			  unsigned int page_shift, uint64_t root, unsigned int levels)
{
	unsigned int i;

	*t = (struct tables){ .source = source, .page_shift = page_shift,
			      .levels = levels };
	if (!loongarch_window_to_phys(root, &t->root) ||
	    !is_aligned(t->root, (uint64_t)1 << page_shift))
		return error_new(ERROR_FORMAT,
				 "SYMBOL(swapper_pg_dir) 0x%" PRIx64 " is no place for a "
				 "page table", root);
	for (i = 0; i < levels; i++) {
		t->table[i] = malloc((size_t)1 << page_shift);
		t->table_at[i] = UINT64_MAX;
		if (!t->table[i]) {
			tables_deinit(t);
			return error_nomem();
		}
	}
	return NULL;
}

/* Entry `index` of the table at phys, through the one kept for that level. */
static bool get_entry(struct tables *t, unsigned int level, uint64_t phys,
		      uint64_t index, uint64_t *ret)
{
	const size_t size = (size_t)1 << t->page_shift;

	if (t->table_at[level] != phys) {
		struct error *err;

		t->table_at[level] = UINT64_MAX;
		if (!extents_hold(&t->source->memory, phys, phys + size))
			return false;
		err = source_read(t->source, phys, t->table[level], size);
		if (err) {
			error_free(err);
			return false;
		}
		t->table_at[level] = phys;
	}
	*ret = get_le64(t->table[level] + (index << ENTRY_SIZE_SHIFT));
	return true;
}

/* A leaf that maps 1 << shift bytes around virt. */
static bool leaf(const struct tables *t, uint64_t entry, unsigned int shift,
		 uint64_t virt, uint64_t *ret_phys, uint64_t *ret_len)
{
	const uint64_t size = (uint64_t)1 << shift;
	uint64_t phys = entry & LOONGARCH_PHYS_MASK & ~(((uint64_t)1 << t->page_shift) - 1);

	if (!(entry & (ENTRY_VALID | ENTRY_PRESENT)))
		return false;
	if (shift > t->page_shift) {
		/* HGLOBAL is bit 12, which with pages of 4K is inside the mask. */
		phys &= ~((uint64_t)1 << 12);
		if (!is_aligned(phys, size))
			return false;
	}
	*ret_phys = phys + (virt & (size - 1));
	*ret_len = size - (virt & (size - 1));
	return true;
}

bool tables_translate(struct tables *t, uint64_t virt, uint64_t *ret_phys,
		      uint64_t *ret_len)
{
	const unsigned int bits = t->page_shift - ENTRY_SIZE_SHIFT;
	unsigned int shift = t->page_shift + bits * t->levels, level;
	uint64_t table = t->root, entry = 0;

	if (loongarch_window_to_phys(virt, ret_phys)) {
		*ret_len = LOONGARCH_PHYS_MASK + 1 - *ret_phys;
		return true;
	}
	t->walked = true;
	for (level = 0; level < t->levels; level++) {
		shift -= bits;
		if (!get_entry(t, level, table,
			       virt >> shift & (((uint64_t)1 << bits) - 1), &entry))
			return false;
		if (level + 1 == t->levels)
			break;
		if (loongarch_window_to_phys(entry, &table) &&
		    is_aligned(table, (uint64_t)1 << t->page_shift))
			continue;
		/* Only the last but one level maps huge pages in the kernel. */
		if (level + 2 == t->levels && entry & ENTRY_HUGE)
			return leaf(t, entry, shift, virt, ret_phys, ret_len);
		return false;
	}
	return leaf(t, entry, shift, virt, ret_phys, ret_len);
}

struct error *tables_read(struct tables *t, uint64_t virt, void *to, size_t len)
{
	uint8_t *at = to;

	while (len) {
		uint64_t phys, n;
		struct error *err;

		if (!tables_translate(t, virt, &phys, &n))
			return error_new(ERROR_FORMAT,
					 "kernel address 0x%" PRIx64 " is not mapped", virt);
		if (n > len)
			n = len;
		if (!extents_hold(&t->source->memory, phys, phys + n))
			return error_new(ERROR_FORMAT,
					 "kernel address 0x%" PRIx64 " (physical 0x%" PRIx64
					 ") is not in the dump", virt, phys);
		err = source_read(t->source, phys, at, n);
		if (err)
			return error_add(err, "kernel address 0x%" PRIx64, virt);
		virt += n;
		at += n;
		len -= n;
	}
	return NULL;
}

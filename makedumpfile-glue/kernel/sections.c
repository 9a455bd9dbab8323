/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "makedumpfile-glue/kernel/sections.h"

#include <inttypes.h>

#include "lib/bytes.h"

/* section_mem_map: flags below, the address above. Every section's struct
 * pages are a multiple of 4096 bytes, so the address ends in so many zeros. */
#define SECTION_FLAGS   ((uint64_t)0xfff)
#define SECTION_PRESENT ((uint64_t)1 << 0)
#define SECTION_HAS_MAP ((uint64_t)1 << 1)

/* FLATMEM has no sections; readers go through memory by them all the same. */
#define FLAT_SECTION_BITS 29

/* The offset is exported with CONFIG_FLATMEM only; SYMBOL(mem_map) is by any
 * kernel without NUMA (kernel/vmcore_info.c). */
static bool is_flat(const struct vmcoreinfo *info, uint64_t *ret)
{
	uint64_t ignored;

	return !vmcoreinfo_symbol(info, "mem_section", &ignored) &&
	       vmcoreinfo_offset(info, "pglist_data.node_mem_map", &ignored) &&
	       vmcoreinfo_symbol(info, "mem_map", ret);
}

struct error *sections_init(struct sections *c, const struct vmcoreinfo *info,
			    unsigned int page_shift)
{
	int64_t section_bits, physmem_bits;
	uint64_t length, total, per_root;

	*c = (struct sections){ .vmemmap = UINT64_MAX };
	c->flat = is_flat(info, &c->table);
	if (c->flat) {
		c->shift = FLAT_SECTION_BITS - page_shift;
		return NULL;
	}
	if (!vmcoreinfo_symbol(info, "mem_section", &c->table) ||
	    !vmcoreinfo_length(info, "mem_section", &length) ||
	    !vmcoreinfo_size(info, "mem_section", &c->entry_size) ||
	    !vmcoreinfo_offset(info, "mem_section.section_mem_map", &c->map_offset) ||
	    !vmcoreinfo_number(info, "SECTION_SIZE_BITS", &section_bits) ||
	    !vmcoreinfo_number(info, "MAX_PHYSMEM_BITS", &physmem_bits))
		return error_new(ERROR_FORMAT, "VMCOREINFO does not tell where the kernel "
				 "has its memory sections (mem_section)");
	if (section_bits < 20 || section_bits > 40 || physmem_bits < section_bits ||
	    physmem_bits > 52 || section_bits <= page_shift || c->entry_size < 8 ||
	    c->entry_size > 256 || c->map_offset > c->entry_size - 8)
		return error_new(ERROR_FORMAT,
				 "VMCOREINFO contradicts itself about mem_section");
	c->shift = section_bits - page_shift;
	c->width = physmem_bits - section_bits;
	total = (uint64_t)1 << (physmem_bits - section_bits);
	per_root = ((uint64_t)1 << page_shift) / c->entry_size;
	if (length == (total + per_root - 1) / per_root)
		c->per_root = per_root;
	else if (length == total)
		c->per_root = 0;
	else
		return error_new(ERROR_FORMAT,
				 "LENGTH(mem_section) is %" PRIu64 ", neither %" PRIu64
				 " roots nor %" PRIu64 " sections", length,
				 (total + per_root - 1) / per_root, total);
	if (!vmcoreinfo_symbol(info, "vmemmap", &c->vmemmap))
		c->vmemmap = UINT64_MAX;
	return NULL;
}

static bool read_mem_map(const struct sections *c, struct tables *tables, uint64_t *ret)
{
	uint8_t raw[8];
	struct error *err = tables_read(tables, c->table, raw, sizeof(raw));

	if (!err)
		*ret = get_le64(raw);
	error_free(err);
	return !err && *ret;
}

bool sections_map(const struct sections *c, struct tables *tables, uint64_t section,
		  uint64_t *ret)
{
	uint64_t at = c->table + section * c->entry_size, map;
	uint8_t raw[8];
	struct error *err = NULL;

	if (c->flat)
		return read_mem_map(c, tables, ret);
	if (c->per_root) {
		err = tables_read(tables, c->table + section / c->per_root * 8, raw, 8);
		if (!err) {
			at = get_le64(raw);
			if (!at)
				return false;
			at += section % c->per_root * c->entry_size;
		}
	}
	if (!err)
		err = tables_read(tables, at + c->map_offset, raw, 8);
	if (err) {
		error_free(err);
		return false;
	}
	map = get_le64(raw);
	if (!(map & SECTION_PRESENT) || !(map & SECTION_HAS_MAP))
		return false;
	map &= ~SECTION_FLAGS;
	if (c->vmemmap != UINT64_MAX && map != c->vmemmap)
		return false;
	*ret = map;
	return true;
}

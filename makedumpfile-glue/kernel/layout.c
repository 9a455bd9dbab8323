/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "makedumpfile-glue/kernel/layout.h"

#include <stdlib.h>
#include <string.h>

#include "lib/bytes.h"
#include "lib/loongarch.h"
#include "makedumpfile-glue/kernel/memory.h"

/* What lies below is where it is in every layout. */
#define HIGH_MEMORY ((uint64_t)256 << 20)

/* Tables looked at, of each kind. */
#define TABLES_MAX 64

#define ENTRY_VALID   ((uint64_t)1 << 0)
#define ENTRY_GLOBAL  ((uint64_t)1 << 6) /* alone: an empty entry of a last table */
#define ENTRY_PRESENT ((uint64_t)1 << 7)

/* include/linux/mmzone.h */
#define SECTION_PRESENT 1
#define SECTION_HAS_MAP 2

struct checker {
	struct source *source;
	uint64_t page_size;
	uint8_t *page;
	int score;
};

/* True, and its place, when entry points to a page of memory. */
static bool points_to_page(const struct checker *c, uint64_t entry, uint64_t *ret)
{
	return loongarch_window_to_phys(entry, ret) && is_aligned(*ret, c->page_size) &&
	       extents_hold(&c->source->memory, *ret, *ret + c->page_size);
}

static bool read_page(struct checker *c, uint64_t phys)
{
	struct error *err = source_read(c->source, phys, c->page, c->page_size);

	error_free(err);
	return !err;
}

/* Every entry is a pointer to a page, a mapping, or empty, and one at least is
 * not empty: a page of anything else fails at its first word or two. */
static bool is_table(struct checker *c, uint64_t phys)
{
	size_t i, used = 0;

	if (!read_page(c, phys))
		return false;
	for (i = 0; i < c->page_size / 8; i++) {
		const uint64_t entry = get_le64(c->page + 8 * i);
		uint64_t to;

		if (!entry || entry == ENTRY_GLOBAL)
			continue;
		if (!points_to_page(c, entry, &to) &&
		    !(entry & (ENTRY_VALID | ENTRY_PRESENT) && !(entry >> 48 & 0x0fff)))
			return false;
		used++;
	}
	return used;
}

/* Tables that the kernel's first one names. */
static struct error *check_tables(struct checker *c, uint64_t root)
{
	uint8_t *table cleanup_free = malloc(c->page_size);
	uint64_t seen = 0, phys;
	size_t i, count = 0;
	struct error *err;

	if (!table)
		return error_nomem();
	err = memory_read(c->source, root, table, c->page_size);
	if (err) {
		error_free(err);
		return NULL;
	}
	for (i = 0; i < c->page_size / 8 && count < TABLES_MAX; i++) {
		const uint64_t entry = get_le64(table + 8 * i);

		if (!loongarch_window_to_phys(entry, &phys) || phys < HIGH_MEMORY ||
		    entry == seen)
			continue;
		seen = entry;
		count++;
		c->score += points_to_page(c, entry, &phys) && is_table(c, phys) ? 1 : -1;
	}
	return NULL;
}

/* Arrays of memory sections that the table of their roots names
 * (SPARSEMEM_EXTREME). */
static void check_sections(struct checker *c, const struct vmcoreinfo *info)
{
	uint64_t roots, length, size, offset, root, phys, i, k;
	struct error *err;

	if (!vmcoreinfo_symbol(info, "mem_section", &roots) ||
	    !vmcoreinfo_length(info, "mem_section", &length) ||
	    !vmcoreinfo_size(info, "mem_section", &size) || !size || size > c->page_size / 2 ||
	    !vmcoreinfo_offset(info, "mem_section.section_mem_map", &offset) ||
	    offset > size - 8)
		return;
	err = memory_read_u64(c->source, roots, &root);
	if (!err && !(root & LOONGARCH_WINDOW_UNCACHED))
		return;
	for (i = 0; !err && i < length && i < TABLES_MAX; i++) {
		bool good = false;

		err = memory_read_u64(c->source, roots + 8 * i, &root);
		if (err || !root || !loongarch_window_to_phys(root, &phys) ||
		    phys < HIGH_MEMORY)
			continue;
		if (extents_hold(&c->source->memory, phys, phys + c->page_size) &&
		    read_page(c, phys))
			for (k = 0; k < c->page_size / size && !good; k++)
				good = (get_le64(c->page + k * size + offset) &
					(SECTION_PRESENT | SECTION_HAS_MAP)) ==
				       (SECTION_PRESENT | SECTION_HAS_MAP);
		c->score += good ? 1 : -1;
	}
	error_free(err);
}

struct error *layout_score(struct source *source, const struct vmcoreinfo *info, int *ret)
{
	struct checker c = { .source = source };
	uint64_t root;
	struct error *err = NULL;

	*ret = 0;
	if (!info || !vmcoreinfo_page_size(info, &c.page_size))
		return NULL;
	c.page = malloc(c.page_size);
	if (!c.page)
		return error_nomem();
	if (vmcoreinfo_symbol(info, "swapper_pg_dir", &root))
		err = check_tables(&c, root);
	if (!err)
		check_sections(&c, info);
	free(c.page);
	*ret = c.score;
	return err;
}

struct error *layout_choose(struct source *source, const struct vmcoreinfo *info,
			    size_t *ret_layout, bool *ret_sure)
{
	int score, best = 0, second = 0;
	struct error *err = NULL;
	size_t i;

	*ret_layout = 0;
	*ret_sure = true;
	if (!source->ops->lay_out || source->layouts < 2)
		return NULL;
	for (i = 0; i < source->layouts && !err; i++) {
		err = source->ops->lay_out(source, i);
		if (!err)
			err = layout_score(source, info, &score);
		if (err)
			break;
		if (!i || score > best) {
			second = i ? best : score;
			best = score;
			*ret_layout = i;
		} else if (i == 1 || score > second) {
			second = score;
		}
	}
	*ret_sure = best > 0 && best > second;
	if (!err && *ret_layout != source->layouts - 1)
		err = source->ops->lay_out(source, *ret_layout);
	return err;
}

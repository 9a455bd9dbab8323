/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "makedumpfile-glue/kernel/page-map.h"

#include <stdlib.h>

#include "lib/bytes.h"
#include "lib/file.h"
#include "lib/loongarch.h"
#include "makedumpfile-glue/kernel/evidence.h"

bool page_map_read(struct page_map *m, uint64_t frame, uint8_t page[STRUCT_PAGE_MAX])
{
	struct error *err;
	uint64_t map;

	if (!sections_map(&m->sections, &m->tables, frame >> m->sections.shift, &map))
		return false;
	err = tables_read(&m->tables, map + frame * m->layout.size, page, m->layout.size);
	error_free(err);
	return !err;
}

/* Addresses of the kernel's own data: their pages cannot be free, cache or a
 * user's. */
static const char *const witnesses[] = {
	"_stext", "swapper_pg_dir", "init_uts_ns", "prb", "mem_section",
};

/* Is the struct page of this page of the kernel's as it must be? */
static bool witness_agrees(struct page_map *m, uint64_t phys)
{
	const struct page_layout *l = &m->layout;
	uint8_t page[STRUCT_PAGE_MAX];
	enum page_type type;

	if (!page_map_read(m, phys >> m->page_shift, page))
		return false;
	if (l->refcount != ABSENT && !get_le32(page + l->refcount) &&
	    !(page_compound(l, page) & PAGE_TAIL))
		return false;
	/* Nobody maps it: no count, or a type. */
	if (l->mapcount != ABSENT && (int32_t)get_le32(page + l->mapcount) >= 0)
		return false;
	type = page_classify(l, page, false);
	return type == PAGE_TYPE_KERNEL || type == PAGE_TYPE_SLAB;
}

bool page_map_is_kernels(struct page_map *m, uint64_t phys)
{
	const struct page_layout *l = &m->layout;
	uint8_t page[STRUCT_PAGE_MAX];

	if (!page_map_read(m, phys >> m->page_shift, page) ||
	    page_compound(l, page) & PAGE_TAIL)
		return false;
	/* What is new in the cache waits for the LRU, and looks like the kernel's. */
	if (l->mapping != ABSENT && is_kernel_pointer(get_le64(page + l->mapping)))
		return false;
	return witness_agrees(m, phys);
}

static bool all_witnesses_agree(struct page_map *m, const char **ret)
{
	uint64_t virt, phys, len, map;
	size_t i, asked = 0;

	*ret = "nothing";
	for (i = 0; i < sizeof(witnesses) / sizeof(witnesses[0]); i++) {
		if (!vmcoreinfo_symbol(m->info, witnesses[i], &virt) ||
		    !loongarch_window_to_phys(virt, &phys))
			continue;
		*ret = witnesses[i];
		if (!witness_agrees(m, phys))
			return false;
		/* And the page its struct page lies in. */
		if (sections_map(&m->sections, &m->tables,
				 phys >> m->page_shift >> m->sections.shift, &map) &&
		    tables_translate(&m->tables,
				     map + (phys >> m->page_shift) * m->layout.size, &phys,
				     &len) &&
		    !witness_agrees(m, phys))
			return false;
		asked++;
	}
	return asked;
}

/* Tries each shape of page tables; m->tables is of the one that fits. */
static struct error *find_tables(struct page_map *m, struct source *source,
				 struct page_scan *result, bool *ret_found)
{
	const unsigned int *shape = tables_shapes(m->page_shift);
	const char *witness = NULL;
	uint64_t root, zero = LOONGARCH_WINDOW_CACHED;
	bool have_root = vmcoreinfo_symbol(m->info, "swapper_pg_dir", &root);

	*ret_found = false;
	for (; *shape; shape++) {
		struct error *err = tables_init(&m->tables, source, m->page_shift,
						have_root ? root : zero, *shape);

		if (err && err->code == ERROR_NOMEM)
			return err;
		if (err) {
			page_scan_note(result, "page types are not known: %s",
				       err->message);
			error_free(err);
			return NULL;
		}
		if (all_witnesses_agree(m, &witness)) {
			result->levels = m->tables.walked ? *shape : 0;
			*ret_found = true;
			return NULL;
		}
		tables_deinit(&m->tables);
	}
	if (!have_root)
		page_scan_note(result, "page types are not known: VMCOREINFO has no "
			       "SYMBOL(swapper_pg_dir)");
	else
		page_scan_note(result, "page types are not known: by its struct page "
			       "the page of %s would not be the kernel's", witness);
	return NULL;
}

/* What VMALLOC_START has below 32 MiB is two pages: it lies behind 32 MiB of I/O
 * ports, them, and modules (arch/loongarch/include/asm/pgtable.h). */
static bool page_size_agrees(const struct vmcoreinfo *info, unsigned int page_shift)
{
	uint64_t rest;
	int64_t start;

	if (!vmcoreinfo_number(info, "VMALLOC_START", &start))
		return true;
	rest = start & (((uint64_t)32 << 20) - 1);
	return !loongarch_page_size_valid(rest / 2) || rest == (uint64_t)2 << page_shift;
}

struct error *page_map_init(struct page_map *m, struct source *source,
			    const struct vmcoreinfo *info, unsigned int page_shift,
			    struct page_scan *result, bool *ret_found)
{
	struct error *err;

	*m = (struct page_map){ .info = info, .page_shift = page_shift };
	*ret_found = false;
	if (!page_size_agrees(info, page_shift)) {
		page_scan_note(result, "page types are not known: PAGESIZE and "
			       "NUMBER(VMALLOC_START) contradict each other");
		return NULL;
	}
	err = sections_init(&m->sections, info, page_shift);
	if (err && err->code == ERROR_NOMEM)
		return err;
	if (err) {
		page_scan_note(result, "page types are not known: %s", err->message);
		error_free(err);
		return NULL;
	}
	if (!page_layout_init(&m->layout, info, m->sections.shift, result))
		return NULL;
	return find_tables(m, source, result, ret_found);
}

void page_map_deinit(struct page_map *m)
{
	tables_deinit(&m->tables);
}

/* Struct pages in each of so many places, all over memory. */
#define SAMPLE_PLACES 64
#define SAMPLE_PAGES  256

static void sample_at(struct page_map *m, struct evidence *e, uint8_t *batch,
		      uint64_t start, uint64_t end)
{
	const uint64_t section = start >> m->sections.shift;
	const uint64_t section_end = (section + 1) << m->sections.shift;
	const uint64_t size = m->layout.size;
	uint64_t count, map, i;
	struct error *err;

	if (end > section_end)
		end = section_end;
	count = end - start < SAMPLE_PAGES ? end - start : SAMPLE_PAGES;
	if (!sections_map(&m->sections, &m->tables, section, &map))
		return;
	err = tables_read(&m->tables, map + start * size, batch, count * size);
	for (i = 0; !err && i < count; i++)
		evidence_add(e, &m->layout, map + (start + i) * size, batch + i * size,
			     i + 1 < count);
	error_free(err);
}

struct error *page_map_sample(struct page_map *m, const struct extents *pages,
			      struct page_scan *result)
{
	uint8_t *batch cleanup_free = malloc(SAMPLE_PAGES * m->layout.size);
	const uint64_t step = extents_total(pages) / SAMPLE_PLACES + 1;
	struct evidence e = { 0 };
	uint64_t before = 0, at = 0;
	size_t i;

	if (!batch)
		return error_nomem();
	for (i = 0; i < pages->count; i++) {
		const struct extent *run = &pages->run[i];

		for (; at < before + (run->end - run->start); at += step) {
			uint64_t start = run->start + (at - before);

			sample_at(m, &e, batch, start,
				  start + step < run->end ? start + step : run->end);
		}
		before += run->end - run->start;
	}
	evidence_judge(&e, &m->layout, result);
	return NULL;
}

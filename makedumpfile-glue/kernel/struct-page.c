/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * How page types are told (include/linux/page-flags.h, mm_types.h):
 *
 * - _mapcount doubles as page_type. At most one type stands in its top byte
 *   since 4ffca5a96678 (6.12); before, each type was a bit that is clear. What
 *   VMCOREINFO exports tells which: a lone byte, or all bits but one.
 * - A page of a type has no mapping in page.mapping, except hugetlb.
 * - A tail of a compound page names its head in compound_head, by address or
 *   (compound_info, d50569612c29, 7.1, where the size of struct page is a
 *   power of two) by the mask that leads there. Thus neither the order of a
 *   compound page nor where that is stored must be known.
 * - A free block's first page is of type buddy and has the order in private;
 *   its other pages have no users.
 */
#include "makedumpfile-glue/kernel/struct-page.h"

#define MAPPING_ANON 1

struct finder {
	const struct vmcoreinfo *info;
	struct page_layout *l;
	struct page_scan *result;
};

/* ---- What the kernel says of its struct page ---- */

static uint64_t field(const struct finder *s, const char *name, uint64_t width)
{
	uint64_t value;

	if (!vmcoreinfo_offset(s->info, name, &value) || value > s->l->size ||
	    s->l->size - value < width || value % width)
		return ABSENT;
	return value;
}

static uint64_t flag(const struct finder *s, const char *name)
{
	int64_t bit;

	if (!vmcoreinfo_number(s->info, name, &bit) || bit < 0 || bit > 63)
		return 0;
	return (uint64_t)1 << bit;
}

static struct type_test type_test(const struct finder *s, const char *name)
{
	struct type_test test = { TEST_NONE, 0 };
	int64_t number;
	uint32_t value;

	if (!vmcoreinfo_number(s->info, name, &number))
		return test;
	value = number;
	if (number != (int32_t)value && number != (int64_t)value)
		return test;
	/* The mapcounts of untyped pages end where 0x80 begins. */
	if (!(value & 0xffffff) && value >> 24 >= 0x80 && value >> 24 < 0xff)
		test = (struct type_test){ TEST_BYTE, value >> 24 };
	else if (is_power_of_two((uint32_t)~value) && value >> 31)
		test = (struct type_test){ TEST_BIT, ~value };
	return test;
}

static void find_hugetlb(struct finder *s)
{
	struct page_layout *l = s->l;
	int64_t dtor;
	uint64_t at;

	l->hugetlb = type_test(s, "PAGE_HUGETLB_MAPCOUNT_VALUE");
	l->hugetlb_flag = 0;
	l->dtor = ABSENT;
	if (l->hugetlb.how != TEST_NONE)
		return;
	l->hugetlb_flag = flag(s, "PG_hugetlb");
	if (!vmcoreinfo_number(s->info, "HUGETLB_PAGE_DTOR", &dtor))
		return;
	l->hugetlb_dtor = dtor & 0xff;
	if (vmcoreinfo_offset(s->info, "folio._folio_dtor", &at) && at < 2 * l->size)
		l->dtor = at;
	else if (field(s, "page.compound_dtor", 1) != ABSENT)
		l->dtor = l->size + field(s, "page.compound_dtor", 1);
}

/* Without `have` those filters are off. */
static void need(struct finder *s, bool have, unsigned int filters, const char *key)
{
	const bool cache = filters & DUMP_LEVEL_CACHE_PRIVATE;
	const bool clean_cache = filters & DUMP_LEVEL_CACHE && !cache;
	const bool user = filters & DUMP_LEVEL_USER, no_mans = filters & DUMP_LEVEL_FREE;

	if (have || !(filters & s->result->filters))
		return;
	s->result->filters &= ~filters;
	page_scan_note(s->result,
		       "%s%s%s%s%s pages are kept: VMCOREINFO has no usable %s",
		       cache ? "cache" : clean_cache ? "cache (level 2)" : "",
		       (cache || clean_cache) && user ? (no_mans ? ", " : " and ") : "",
		       user ? "user" : "",
		       (cache || clean_cache || user) && no_mans ? " and " : "",
		       no_mans ? "free" : "", key);
}

bool page_layout_init(struct page_layout *l, const struct vmcoreinfo *info,
		      uint64_t section_shift, struct page_scan *result)
{
	const unsigned int cache = DUMP_LEVEL_CACHE | DUMP_LEVEL_CACHE_PRIVATE;
	struct finder finder = { info, l, result }, *s = &finder;

	if (!vmcoreinfo_size(s->info, "page", &l->size) || l->size < STRUCT_PAGE_MIN ||
	    l->size > STRUCT_PAGE_MAX || l->size % 8) {
		need(s, false, DUMP_LEVEL_TYPES, "SIZE(page)");
		return false;
	}
	l->flags = field(s, "page.flags", 8);
	l->mapping = field(s, "page.mapping", 8);
	l->mapcount = field(s, "page._mapcount", 4);
	l->refcount = field(s, "page._refcount", 4);
	l->private = field(s, "page.private", 8);
	l->compound = field(s, "page.compound_info", 8);
	if (l->compound == ABSENT)
		l->compound = field(s, "page.compound_head", 8);
	l->lru = flag(s, "PG_lru");
	l->has_private = flag(s, "PG_private");
	l->swapcache = flag(s, "PG_swapcache");
	l->swapbacked = flag(s, "PG_swapbacked");
	l->poisoned = flag(s, "PG_hwpoison");
	l->slab = flag(s, "PG_slab");
	l->buddy = type_test(s, "PAGE_BUDDY_MAPCOUNT_VALUE");
	l->slab_type = type_test(s, "PAGE_SLAB_MAPCOUNT_VALUE");
	l->offline = type_test(s, "PAGE_OFFLINE_MAPCOUNT_VALUE");
	l->unaccepted = type_test(s, "PAGE_UNACCEPTED_MAPCOUNT_VALUE");
	find_hugetlb(s);
	if (!vmcoreinfo_length(s->info, "zone.free_area", &l->order_end) ||
	    l->order_end > section_shift + 1)
		l->order_end = section_shift + 1;

	need(s, l->flags != ABSENT, cache | DUMP_LEVEL_USER, "OFFSET(page.flags)");
	need(s, l->mapping != ABSENT, cache | DUMP_LEVEL_USER, "OFFSET(page.mapping)");
	need(s, l->compound != ABSENT, cache | DUMP_LEVEL_USER,
	     "OFFSET(page.compound_info) or (page.compound_head)");
	need(s, l->lru, cache, "NUMBER(PG_lru)");
	if (!l->has_private) /* then private cache cannot be told from other */
		need(s, false, DUMP_LEVEL_CACHE, "NUMBER(PG_private)");
	need(s, l->mapcount != ABSENT, DUMP_LEVEL_USER | DUMP_LEVEL_FREE,
	     "OFFSET(page._mapcount)");
	/* Slab's own data lies over page.mapping. */
	need(s, l->slab || l->slab_type.how || l->buddy.how == TEST_BYTE,
	     DUMP_LEVEL_USER, "NUMBER(PAGE_SLAB_MAPCOUNT_VALUE) or (PG_slab)");
	need(s, l->buddy.how, DUMP_LEVEL_FREE, "NUMBER(PAGE_BUDDY_MAPCOUNT_VALUE)");
	need(s, l->private != ABSENT, DUMP_LEVEL_FREE, "OFFSET(page.private)");
	need(s, l->refcount != ABSENT, DUMP_LEVEL_FREE, "OFFSET(page._refcount)");
	if (!(s->result->filters & DUMP_LEVEL_FREE))
		l->buddy.how = TEST_NONE;
	if (s->result->filters & DUMP_LEVEL_CACHE_PRIVATE &&
	    (!l->swapbacked || !l->swapcache))
		page_scan_note(s->result, "swap cache on no list is kept: VMCOREINFO has no "
			       "usable NUMBER(PG_%s)",
			       l->swapbacked ? "swapcache" : "swapbacked");
	return true;
}

/* ---- What one page is ---- */

static bool is_type(struct type_test test, uint32_t mapcount)
{
	switch (test.how) {
	case TEST_BYTE: return mapcount >> 24 == test.value;
	case TEST_BIT: return (mapcount & (0x80000000 | test.value)) == 0x80000000;
	default: return false;
	}
}

/* What stands beside the head about hugetlb, before that was a type. next:
 * are two struct pages there? */
static bool is_old_hugetlb(const struct page_layout *l, const uint8_t *page, bool next)
{
	if (!next || l->compound == ABSENT ||
	    !(get_le64(page + l->size + l->compound) & PAGE_TAIL))
		return false;
	if (l->hugetlb_flag && l->flags != ABSENT)
		return get_le64(page + l->size + l->flags) & l->hugetlb_flag;
	return l->dtor != ABSENT && l->hugetlb_dtor && page[l->dtor] == l->hugetlb_dtor;
}

static bool is_cache(const struct page_layout *l, uint64_t flags)
{
	if (flags & l->lru)
		return true;
	return l->swapbacked && l->swapcache && flags & l->swapbacked &&
	       flags & l->swapcache;
}

/* A page that is no tail. Whether a filter works does not matter here. */
enum page_type page_classify(const struct page_layout *l, const uint8_t *page, bool next)
{
	uint64_t flags = l->flags != ABSENT ? get_le64(page + l->flags) : 0;
	uint32_t mapcount = l->mapcount != ABSENT ? get_le32(page + l->mapcount) :
						    (uint32_t)PAGE_NO_MAPCOUNT;
	uint64_t mapping;
	bool anon;

	if (is_type(l->buddy, mapcount))
		return PAGE_TYPE_FREE;
	if (is_type(l->unaccepted, mapcount))
		return PAGE_TYPE_UNACCEPTED;
	if (is_type(l->offline, mapcount))
		return PAGE_TYPE_OFFLINE;
	if (is_type(l->slab_type, mapcount) || flags & l->slab)
		return PAGE_TYPE_SLAB;
	if (is_type(l->hugetlb, mapcount) || is_old_hugetlb(l, page, next))
		return PAGE_TYPE_HUGETLB;
	/* Any other type, also one that is not known here. */
	if ((int32_t)mapcount < PAGE_NO_MAPCOUNT)
		return PAGE_TYPE_KERNEL;
	if (l->mapping == ABSENT || l->flags == ABSENT || l->compound == ABSENT)
		return PAGE_TYPE_KERNEL;
	mapping = get_le64(page + l->mapping);
	anon = mapping & MAPPING_ANON;
	if (anon)
		return PAGE_TYPE_ANONYMOUS;
	if (is_cache(l, flags))
		return flags & l->has_private ? PAGE_TYPE_CACHE_PRIVATE : PAGE_TYPE_CACHE;
	return PAGE_TYPE_KERNEL;
}

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

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

/* The first tail's flags hold the order there. */
#define TAIL_ORDER ((uint64_t)0xff)

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

/* Bit 0 is PG_locked, and zone and node stand above bit 40, in every kernel. */
static uint64_t flag(const struct finder *s, const char *name)
{
	int64_t bit;

	if (!vmcoreinfo_number(s->info, name, &bit) || bit < 1 || bit > 40)
		return 0;
	return (uint64_t)1 << bit;
}

/* PG_head_mask is what it is called. */
static uint64_t mask(const struct finder *s, const char *name)
{
	int64_t value;

	if (!vmcoreinfo_number(s->info, name, &value) || !is_power_of_two(value))
		return 0;
	return value;
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
	l->hugetlb_flag = flag(s, "PG_hugetlb") & ~TAIL_ORDER;
	/* 1 is every other compound page's. */
	if (!vmcoreinfo_number(s->info, "HUGETLB_PAGE_DTOR", &dtor) || dtor < 2 || dtor > 7)
		return;
	l->hugetlb_dtor = dtor;
	if (vmcoreinfo_offset(s->info, "folio._folio_dtor", &at) && at < 2 * l->size)
		l->dtor = at;
	else if (field(s, "page.compound_dtor", 1) != ABSENT)
		l->dtor = l->size + field(s, "page.compound_dtor", 1);
}

/* ---- What is off, and why ---- */

static const struct {
	unsigned int filter;
	const char *name;
} filters[] = {
	{ DUMP_LEVEL_CACHE_PRIVATE, "cache" },
	{ DUMP_LEVEL_CACHE, "cache (level 2)" },
	{ DUMP_LEVEL_USER, "user" },
	{ FILTER_HUGETLB, "hugetlb" },
	{ DUMP_LEVEL_FREE, "free" },
	{ FILTER_UNACCEPTED, "unaccepted" },
	{ FILTER_OFFLINE, "offline" },
	{ FILTER_POISONED, "hwpoison" },
};

/* Without these the pass does not see pages of that type. */
static void forget(struct page_layout *l, unsigned int off)
{
	if (off & DUMP_LEVEL_FREE)
		l->buddy.how = TEST_NONE;
	if (off & (DUMP_LEVEL_FREE | FILTER_UNACCEPTED))
		l->unaccepted.how = TEST_NONE;
	if (off & FILTER_OFFLINE)
		l->offline.how = TEST_NONE;
	if (off & FILTER_POISONED)
		l->poisoned = 0;
}

void page_filters_off(struct page_layout *l, struct page_scan *result, unsigned int off,
		      const char *why, ...)
{
	char names[128] = "", reason[256];
	unsigned int left = off & result->filters;
	va_list args;
	size_t i;

	if (!left)
		return;
	result->filters &= ~left;
	forget(l, left);
	if (left & DUMP_LEVEL_CACHE_PRIVATE)
		left &= ~DUMP_LEVEL_CACHE; /* the one name says it */
	if (left & DUMP_LEVEL_USER)
		left &= ~FILTER_HUGETLB;
	if (left & DUMP_LEVEL_FREE)
		left &= ~FILTER_UNACCEPTED;
	for (i = 0; i < sizeof(filters) / sizeof(filters[0]); i++) {
		if (!(left & filters[i].filter))
			continue;
		left &= ~filters[i].filter;
		if (*names)
			strcat(names, left ? ", " : " and ");
		strcat(names, filters[i].name);
	}
	va_start(args, why);
	vsnprintf(reason, sizeof(reason), why, args);
	va_end(args);
	page_scan_note(result, "%s pages are kept: %s", names, reason);
}

/* Without `have` those filters are off. */
static void need(struct finder *s, bool have, unsigned int off, const char *key)
{
	if (!have)
		page_filters_off(s->l, s->result, off, "VMCOREINFO has no usable %s", key);
}

/* ---- Keys that contradict each other ---- */

struct place {
	uint64_t *at;
	uint64_t size;
};

/* Two fields in one place: neither is believed. Only compound_head lies over
 * the list in page.lru. */
static void check_fields(const struct finder *s)
{
	struct page_layout *const l = s->l;
	const struct place places[] = {
		{ &l->flags, 8 },    { &l->mapping, 8 }, { &l->mapcount, 4 },
		{ &l->refcount, 4 }, { &l->private, 8 }, { &l->compound, 8 },
	};
	const size_t count = sizeof(places) / sizeof(places[0]);
	bool bad[sizeof(places) / sizeof(places[0])] = { false };
	const uint64_t lru = field(s, "page.lru", 8);
	size_t i, k;

	for (i = 0; i < count; i++) {
		if (lru != ABSENT && places[i].at != &l->compound &&
		    *places[i].at < lru + 16 && lru < *places[i].at + places[i].size)
			bad[i] = true;
		for (k = 0; k < i; k++)
			if (*places[i].at != ABSENT && *places[k].at != ABSENT &&
			    *places[i].at < *places[k].at + places[k].size &&
			    *places[k].at < *places[i].at + places[i].size)
				bad[i] = bad[k] = true;
	}
	for (i = 0; i < count; i++)
		if (bad[i])
			*places[i].at = ABSENT;
}

/* Does struct page end behind all its fields? Places that no struct page has
 * do not count. */
static bool size_fits(const struct finder *s)
{
	static const char *const names[] = {
		"page.flags", "page.mapping", "page._mapcount", "page._refcount",
		"page.private", "page.compound_info", "page.compound_head", "page.lru",
	};
	uint64_t at;
	size_t i;

	for (i = 0; i < sizeof(names) / sizeof(names[0]); i++)
		if (vmcoreinfo_offset(s->info, names[i], &at) && at < STRUCT_PAGE_MAX &&
		    at + 4 > s->l->size)
			return false;
	return true;
}

/* One bit for two flags: neither is believed. */
static void check_flags(struct page_layout *l)
{
	uint64_t *const flags[] = {
		&l->lru, &l->has_private, &l->swapcache, &l->swapbacked, &l->poisoned,
		&l->slab, &l->head,
	};
	const size_t count = sizeof(flags) / sizeof(flags[0]);
	uint64_t seen = 0, twice = 0;
	size_t i;

	for (i = 0; i < count; i++) {
		twice |= seen & *flags[i];
		seen |= *flags[i];
	}
	for (i = 0; i < count; i++)
		*flags[i] &= ~twice;
}

/* All types are told in one way, each by a value of its own. */
static void check_types(struct page_layout *l)
{
	struct type_test *const tests[] = {
		&l->buddy, &l->slab_type, &l->hugetlb, &l->offline, &l->unaccepted,
	};
	const size_t count = sizeof(tests) / sizeof(tests[0]);
	bool bad[sizeof(tests) / sizeof(tests[0])] = { false };
	size_t i, k;

	for (i = 0; i < count; i++)
		for (k = 0; k < i; k++)
			if (tests[i]->how && tests[k]->how &&
			    (tests[i]->how != tests[k]->how ||
			     tests[i]->value == tests[k]->value))
				bad[i] = bad[k] = true;
	for (i = 0; i < count; i++)
		if (bad[i])
			tests[i]->how = TEST_NONE;
}

/* Kernels that have no such pages have no key for them: only one that is there
 * and of no use is worth a word. */
static void need_if_said(struct finder *s, bool have, unsigned int off,
			 const char *const *keys)
{
	for (; *keys; keys++)
		if (vmcoreinfo_string(s->info, *keys))
			need(s, have, off, *keys);
}

/* Which filters lack what they need. */
static void check_needs(struct finder *s)
{
	const unsigned int cache = DUMP_LEVEL_CACHE | DUMP_LEVEL_CACHE_PRIVATE;
	static const char *const hugetlb_keys[] = {
		"NUMBER(PAGE_HUGETLB_MAPCOUNT_VALUE)", "NUMBER(PG_hugetlb)",
		"NUMBER(HUGETLB_PAGE_DTOR)", NULL
	};
	static const char *const unaccepted_keys[] = {
		"NUMBER(PAGE_UNACCEPTED_MAPCOUNT_VALUE)", NULL
	};
	static const char *const poisoned_keys[] = { "NUMBER(PG_hwpoison)", NULL };
	const struct page_layout *l = s->l;

	need(s, l->flags != ABSENT, cache | DUMP_LEVEL_USER | FILTER_POISONED,
	     "OFFSET(page.flags)");
	need(s, l->mapping != ABSENT, cache | DUMP_LEVEL_USER, "OFFSET(page.mapping)");
	need(s, l->compound != ABSENT, cache | DUMP_LEVEL_USER,
	     "OFFSET(page.compound_info) or (page.compound_head)");
	need(s, l->lru, cache, "NUMBER(PG_lru)");
	/* Then private cache cannot be told from other. */
	need(s, l->has_private, DUMP_LEVEL_CACHE, "NUMBER(PG_private)");
	need(s, l->mapcount != ABSENT, DUMP_LEVEL_USER | DUMP_LEVEL_FREE | FILTER_OFFLINE,
	     "OFFSET(page._mapcount)");
	/* Slab's own data lies over page.mapping. */
	need(s, l->slab || l->slab_type.how || l->buddy.how == TEST_BYTE,
	     DUMP_LEVEL_USER, "NUMBER(PAGE_SLAB_MAPCOUNT_VALUE) or (PG_slab)");
	need(s, l->private != ABSENT, DUMP_LEVEL_FREE, "OFFSET(page.private)");
	need(s, l->refcount != ABSENT, DUMP_LEVEL_FREE, "OFFSET(page._refcount)");
	need(s, l->offline.how, FILTER_OFFLINE, "NUMBER(PAGE_OFFLINE_MAPCOUNT_VALUE)");
	need_if_said(s, l->hugetlb.how || l->hugetlb_flag || l->dtor != ABSENT,
		     FILTER_HUGETLB, hugetlb_keys);
	need_if_said(s, l->unaccepted.how, FILTER_UNACCEPTED, unaccepted_keys);
	need_if_said(s, l->poisoned, FILTER_POISONED, poisoned_keys);
	if (s->result->filters & DUMP_LEVEL_CACHE_PRIVATE &&
	    (!l->swapbacked || !l->swapcache))
		page_scan_note(s->result, "swap cache on no list is kept: VMCOREINFO has no "
			       "usable NUMBER(PG_%s)",
			       l->swapbacked ? "swapcache" : "swapbacked");
}

bool page_layout_init(struct page_layout *l, const struct vmcoreinfo *info,
		      uint64_t section_shift, struct page_scan *result)
{
	struct finder finder = { info, l, result }, *s = &finder;

	if (!vmcoreinfo_size(s->info, "page", &l->size) || l->size < STRUCT_PAGE_MIN ||
	    l->size > STRUCT_PAGE_MAX || l->size % 8) {
		page_scan_note(result, "page types are not known: VMCOREINFO has no usable "
			       "SIZE(page)");
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
	check_fields(s);
	if (!size_fits(s)) {
		page_scan_note(result, "page types are not known: SIZE(page) is smaller than "
			       "fields of struct page say");
		return false;
	}
	l->lru = flag(s, "PG_lru");
	l->has_private = flag(s, "PG_private");
	l->swapcache = flag(s, "PG_swapcache");
	l->swapbacked = flag(s, "PG_swapbacked");
	l->poisoned = flag(s, "PG_hwpoison") & ~TAIL_ORDER;
	l->slab = flag(s, "PG_slab");
	l->head = mask(s, "PG_head_mask");
	check_flags(l);
	l->buddy = type_test(s, "PAGE_BUDDY_MAPCOUNT_VALUE");
	l->slab_type = type_test(s, "PAGE_SLAB_MAPCOUNT_VALUE");
	l->offline = type_test(s, "PAGE_OFFLINE_MAPCOUNT_VALUE");
	l->unaccepted = type_test(s, "PAGE_UNACCEPTED_MAPCOUNT_VALUE");
	find_hugetlb(s);
	check_types(l);
	if (!vmcoreinfo_length(s->info, "zone.free_area", &l->order_end) ||
	    l->order_end > section_shift + 1)
		l->order_end = section_shift + 1;
	check_needs(s);
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
	return l->dtor != ABSENT && page[l->dtor] == l->hugetlb_dtor;
}

static bool is_cache(const struct page_layout *l, uint64_t flags, uint64_t mapping)
{
	/* Swap cache has no mapping of its own. */
	if (flags & l->lru && (is_kernel_pointer(mapping) || flags & l->swapcache))
		return true;
	return l->swapbacked && l->swapcache && flags & l->swapbacked &&
	       flags & l->swapcache;
}

/* Others' data may lie over mapping; users' pages are on a list of the LRU or
 * swap-backed, and nearly always both. */
static bool is_users(const struct page_layout *l, uint64_t flags, uint64_t mapping)
{
	const uint64_t expected = l->lru | l->swapbacked;

	return is_kernel_pointer(mapping) && (!expected || flags & expected);
}

/* A pointer to private data without the flag is a doubt; swap cache keeps an
 * entry there, which is none. */
static bool has_private(const struct page_layout *l, const uint8_t *page, uint64_t flags)
{
	return flags & l->has_private ||
	       (l->private != ABSENT && !(flags & l->swapcache) &&
		is_kernel_pointer(get_le64(page + l->private)));
}

/* A page that is no tail. Whether a filter works does not matter here. */
enum page_type page_classify(const struct page_layout *l, const uint8_t *page, bool next)
{
	uint64_t flags = l->flags != ABSENT ? get_le64(page + l->flags) : 0;
	uint32_t mapcount = l->mapcount != ABSENT ? get_le32(page + l->mapcount) :
						    (uint32_t)PAGE_NO_MAPCOUNT;
	uint64_t mapping;

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
	if (page_has_type(l, page))
		return PAGE_TYPE_KERNEL;
	if (l->mapping == ABSENT || l->flags == ABSENT || l->compound == ABSENT)
		return PAGE_TYPE_KERNEL;
	mapping = get_le64(page + l->mapping);
	if (mapping & MAPPING_ANON)
		return is_users(l, flags, mapping) ? PAGE_TYPE_ANONYMOUS : PAGE_TYPE_KERNEL;
	if (!is_cache(l, flags, mapping))
		return PAGE_TYPE_KERNEL;
	return has_private(l, page, flags) ? PAGE_TYPE_CACHE_PRIVATE : PAGE_TYPE_CACHE;
}

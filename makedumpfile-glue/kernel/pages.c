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
#include "makedumpfile-glue/kernel/pages.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lib/bytes.h"
#include "lib/loongarch.h"
#include "makedumpfile-glue/kernel/tables.h"

/* Struct pages read at a time. */
#define BATCH_SIZE ((size_t)256 << 10)

/* It has been 56 to 96 bytes; debugging options add to it. */
#define STRUCT_PAGE_MIN 40
#define STRUCT_PAGE_MAX 512

#define ABSENT UINT64_MAX

/* Longer stretches of dropped pages stay dropped however many runs that makes. */
#define GAP_MAX ((uint64_t)1 << 20)

/* section_mem_map: flags below, the address above. Every section's struct
 * pages are a multiple of 4096 bytes, so the address ends in so many zeros. */
#define SECTION_FLAGS   ((uint64_t)0xfff)
#define SECTION_PRESENT ((uint64_t)1 << 0)
#define SECTION_HAS_MAP ((uint64_t)1 << 1)

#define MAPPING_ANON   1
#define TAIL           1
#define NO_MAPCOUNT    (-1)

struct type_test {
	enum { TEST_NONE, TEST_BYTE, TEST_BIT } how;
	uint32_t value;
};

/* struct page as this kernel has it. Offsets are ABSENT where not known,
 * flags 0. */
struct layout {
	uint64_t size;
	uint64_t flags, mapping, mapcount, refcount, private, compound;
	uint64_t lru, has_private, swapcache, swapbacked, poisoned, slab;
	struct type_test buddy, slab_type, hugetlb, offline, unaccepted;
	/* Before hugetlb was a type (d99e3140a4d3, 6.9): a flag of the first
	 * tail, or a number beside the head. */
	uint64_t hugetlb_flag;
	uint64_t dtor, hugetlb_dtor;
	uint64_t order_end; /* orders are below this */
};

struct sections {
	uint64_t shift; /* log2 of pages in a section */
	uint64_t table; /* virtual; of pointers if extreme, else of entries */
	uint64_t entry_size;
	uint64_t map_offset;
	uint64_t per_root; /* 0: not extreme */
	uint64_t vmemmap;  /* ABSENT: not that model */
};

struct scan {
	struct source *source;
	const struct vmcoreinfo *info;
	unsigned int page_shift;
	const struct extents *pages;
	size_t max_runs;
	struct extents poisoned; /* must not be read, not even to have fewer runs */
	struct page_scan *result;
	struct tables tables;
	struct layout layout;
	struct sections sections;
	uint8_t *batch;
	bool drop[PAGE_TYPES];

	/* Where the pass is. */
	uint64_t head;          /* address of the last page that is no tail */
	enum page_type head_type;
	uint64_t free_end;      /* frame after the free block we are in */
	enum page_type free_type;
	uint64_t contradictions;
	uint64_t bad_sections;
	uint64_t gap;           /* runs of fewer dropped pages are kept */
};

static const struct {
	const char *name;
	unsigned int level; /* bits that drop it; ~0: any level */
} types[PAGE_TYPES] = {
	[PAGE_TYPE_KERNEL] = { "kernel", 0 },
	[PAGE_TYPE_SLAB] = { "slab", 0 },
	[PAGE_TYPE_FREE] = { "free", DUMP_LEVEL_FREE },
	[PAGE_TYPE_UNACCEPTED] = { "unaccepted", DUMP_LEVEL_FREE },
	[PAGE_TYPE_CACHE] = { "cache", DUMP_LEVEL_CACHE | DUMP_LEVEL_CACHE_PRIVATE },
	[PAGE_TYPE_CACHE_PRIVATE] = { "cache-private", DUMP_LEVEL_CACHE_PRIVATE },
	[PAGE_TYPE_ANONYMOUS] = { "anonymous", DUMP_LEVEL_USER },
	[PAGE_TYPE_HUGETLB] = { "hugetlb", DUMP_LEVEL_USER },
	[PAGE_TYPE_OFFLINE] = { "offline", ~0u },
	[PAGE_TYPE_POISONED] = { "hwpoison", ~0u },
	[PAGE_TYPE_UNKNOWN] = { "unknown", 0 },
};

const char *page_type_name(enum page_type type)
{
	return types[type].name;
}

bool page_type_dropped(enum page_type type, unsigned int level)
{
	return types[type].level == ~0u || types[type].level & level;
}

void page_scan_deinit(struct page_scan *scan)
{
	size_t i;

	extents_deinit(&scan->kept);
	for (i = 0; i < scan->note_count; i++)
		free(scan->notes[i]);
	free(scan->notes);
	*scan = (struct page_scan){ 0 };
}

static void PRINTF_LIKE(2, 3) note(struct scan *s, const char *fmt, ...)
{
	struct page_scan *r = s->result;
	char **grown = reallocarray(r->notes, r->note_count + 1, sizeof(*grown));
	char *text;
	va_list args;
	int len;

	if (!grown)
		return;
	r->notes = grown;
	va_start(args, fmt);
	len = vasprintf(&text, fmt, args);
	va_end(args);
	if (len >= 0)
		r->notes[r->note_count++] = text;
}

/* ---- What the kernel says of its struct page ---- */

static uint64_t field(const struct scan *s, const char *name, uint64_t width)
{
	uint64_t value;

	if (!vmcoreinfo_offset(s->info, name, &value) || value > s->layout.size ||
	    s->layout.size - value < width || value % width)
		return ABSENT;
	return value;
}

static uint64_t flag(const struct scan *s, const char *name)
{
	int64_t bit;

	if (!vmcoreinfo_number(s->info, name, &bit) || bit < 0 || bit > 63)
		return 0;
	return (uint64_t)1 << bit;
}

static struct type_test type_test(const struct scan *s, const char *name)
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

static void find_hugetlb(struct scan *s)
{
	struct layout *l = &s->layout;
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
static void need(struct scan *s, bool have, unsigned int filters, const char *key)
{
	const bool cache = filters & DUMP_LEVEL_CACHE_PRIVATE;
	const bool clean_cache = filters & DUMP_LEVEL_CACHE && !cache;
	const bool user = filters & DUMP_LEVEL_USER, no_mans = filters & DUMP_LEVEL_FREE;

	if (have || !(filters & s->result->filters))
		return;
	s->result->filters &= ~filters;
	note(s, "%s%s%s%s%s pages are kept: VMCOREINFO has no usable %s",
	     cache ? "cache" : clean_cache ? "cache (level 2)" : "",
	     (cache || clean_cache) && user ? (no_mans ? ", " : " and ") : "",
	     user ? "user" : "", (cache || clean_cache || user) && no_mans ? " and " : "",
	     no_mans ? "free" : "", key);
}

/* False when nothing at all can be told. */
static bool find_layout(struct scan *s)
{
	const unsigned int cache = DUMP_LEVEL_CACHE | DUMP_LEVEL_CACHE_PRIVATE;
	struct layout *l = &s->layout;

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
	    l->order_end > s->sections.shift + 1)
		l->order_end = s->sections.shift + 1;

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
		note(s, "swap cache on no list is kept: VMCOREINFO has no usable "
			"NUMBER(PG_%s)", l->swapbacked ? "swapcache" : "swapbacked");
	return true;
}

/* ---- Where the struct pages are ---- */

static bool find_sections(struct scan *s)
{
	struct sections *c = &s->sections;
	int64_t section_bits, physmem_bits;
	uint64_t length, total, per_root;

	if (!vmcoreinfo_symbol(s->info, "mem_section", &c->table) ||
	    !vmcoreinfo_length(s->info, "mem_section", &length) ||
	    !vmcoreinfo_size(s->info, "mem_section", &c->entry_size) ||
	    !vmcoreinfo_offset(s->info, "mem_section.section_mem_map", &c->map_offset) ||
	    !vmcoreinfo_number(s->info, "SECTION_SIZE_BITS", &section_bits) ||
	    !vmcoreinfo_number(s->info, "MAX_PHYSMEM_BITS", &physmem_bits)) {
		note(s, "page types are not known: VMCOREINFO does not tell where the "
			"kernel has its memory sections (mem_section)");
		return false;
	}
	if (section_bits < 20 || section_bits > 40 || physmem_bits < section_bits ||
	    physmem_bits > 52 || section_bits <= s->page_shift || c->entry_size < 8 ||
	    c->entry_size > 256 || c->map_offset > c->entry_size - 8) {
		note(s, "page types are not known: VMCOREINFO contradicts itself about "
			"mem_section");
		return false;
	}
	c->shift = section_bits - s->page_shift;
	total = (uint64_t)1 << (physmem_bits - section_bits);
	per_root = ((uint64_t)1 << s->page_shift) / c->entry_size;
	if (length == (total + per_root - 1) / per_root) {
		c->per_root = per_root;
	} else if (length == total) {
		c->per_root = 0;
	} else {
		note(s, "page types are not known: LENGTH(mem_section) is %" PRIu64
			", neither %" PRIu64 " roots nor %" PRIu64 " sections",
		     length, (total + per_root - 1) / per_root, total);
		return false;
	}
	if (!vmcoreinfo_symbol(s->info, "vmemmap", &c->vmemmap))
		c->vmemmap = ABSENT;
	return true;
}

/* Address of the struct page of frame 0, were there one in this section. */
static bool section_map(struct scan *s, uint64_t section, uint64_t *ret)
{
	const struct sections *c = &s->sections;
	uint64_t at = c->table + section * c->entry_size, map;
	uint8_t raw[8];
	struct error *err = NULL;

	if (c->per_root) {
		err = tables_read(&s->tables, c->table + section / c->per_root * 8, raw, 8);
		if (!err) {
			at = get_le64(raw);
			if (!at)
				return false;
			at += section % c->per_root * c->entry_size;
		}
	}
	if (!err)
		err = tables_read(&s->tables, at + c->map_offset, raw, 8);
	if (err) {
		error_free(err);
		return false;
	}
	map = get_le64(raw);
	if (!(map & SECTION_PRESENT) || !(map & SECTION_HAS_MAP))
		return false;
	map &= ~SECTION_FLAGS;
	if (c->vmemmap != ABSENT && map != c->vmemmap)
		return false;
	*ret = map;
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
static bool is_old_hugetlb(const struct layout *l, const uint8_t *page, bool next)
{
	if (!next || l->compound == ABSENT ||
	    !(get_le64(page + l->size + l->compound) & TAIL))
		return false;
	if (l->hugetlb_flag && l->flags != ABSENT)
		return get_le64(page + l->size + l->flags) & l->hugetlb_flag;
	return l->dtor != ABSENT && l->hugetlb_dtor && page[l->dtor] == l->hugetlb_dtor;
}

static bool is_cache(const struct layout *l, uint64_t flags)
{
	if (flags & l->lru)
		return true;
	return l->swapbacked && l->swapcache && flags & l->swapbacked &&
	       flags & l->swapcache;
}

/* A page that is no tail. Whether a filter works does not matter here. */
static enum page_type classify(const struct layout *l, const uint8_t *page, bool next)
{
	uint64_t flags = l->flags != ABSENT ? get_le64(page + l->flags) : 0;
	uint32_t mapcount = l->mapcount != ABSENT ? get_le32(page + l->mapcount) :
						    (uint32_t)NO_MAPCOUNT;
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
	if ((int32_t)mapcount < NO_MAPCOUNT)
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

/* Does the tail at `virt` belong to the head seen last? */
static bool tail_of_head(const struct scan *s, uint64_t virt, uint64_t compound)
{
	const uint64_t link = compound & ~(uint64_t)TAIL;

	if (link == s->head)
		return true;
	return is_power_of_two(0 - link) && (virt & link) == s->head;
}

/* A free block that begins here; false when it cannot be one. */
static bool start_free(struct scan *s, uint64_t frame, const uint8_t *page,
		       enum page_type type)
{
	const struct layout *l = &s->layout;
	uint64_t order = l->order_end - 1;

	if (type == PAGE_TYPE_FREE)
		order = get_le64(page + l->private);
	if (order >= l->order_end || !is_aligned(frame, (uint64_t)1 << order)) {
		s->contradictions++;
		return false;
	}
	s->free_end = frame + ((uint64_t)1 << order);
	s->free_type = type;
	return true;
}

/* Inside a free block: is this page as unused as it must be? */
static bool is_unused(const struct layout *l, const uint8_t *page)
{
	return l->refcount != ABSENT && !get_le32(page + l->refcount) &&
	       get_le32(page + l->mapcount) == (uint32_t)NO_MAPCOUNT;
}

static enum page_type page_type(struct scan *s, uint64_t frame, uint64_t virt,
				const uint8_t *page, bool next)
{
	const struct layout *l = &s->layout;
	uint64_t compound = l->compound != ABSENT ? get_le64(page + l->compound) : 0;
	enum page_type type;

	if (l->poisoned && l->flags != ABSENT &&
	    get_le64(page + l->flags) & l->poisoned) {
		if (!(compound & TAIL)) {
			s->head = virt;
			s->head_type = PAGE_TYPE_KERNEL;
		}
		return PAGE_TYPE_POISONED;
	}
	if (frame < s->free_end) {
		if (is_unused(l, page))
			return s->free_type;
		/* Caught while it was changing, or damaged: not free any more. */
		s->free_end = 0;
		s->contradictions++;
	}
	if (compound & TAIL)
		return tail_of_head(s, virt, compound) ? s->head_type : PAGE_TYPE_KERNEL;
	type = classify(l, page, next);
	if ((type == PAGE_TYPE_FREE || type == PAGE_TYPE_UNACCEPTED) &&
	    !start_free(s, frame, page, type))
		type = PAGE_TYPE_KERNEL;
	s->head = virt;
	s->head_type = type == PAGE_TYPE_FREE ? PAGE_TYPE_KERNEL : type;
	return type;
}

/* ---- The pass ---- */

/* May what was dropped between two kept runs be kept after all? */
static bool may_spare(const struct scan *s, uint64_t start, uint64_t end)
{
	size_t i = extents_find(&s->poisoned, start);

	if (end - start >= s->gap || !extents_hold(s->pages, start, end))
		return false;
	return i == s->poisoned.count || s->poisoned.run[i].start >= end;
}

/* Too many runs: dropped stretches shorter than a limit, which rises until
 * it helps, are kept after all. */
static void thin_out(struct scan *s)
{
	struct extents *kept = &s->result->kept;

	while (kept->count >= s->max_runs && s->gap <= GAP_MAX) {
		size_t in, out = 0;

		s->gap = s->gap ? s->gap * 2 : 2;
		for (in = 1; in < kept->count; in++) {
			if (may_spare(s, kept->run[out].end, kept->run[in].start)) {
				s->result->spared += kept->run[in].start -
						     kept->run[out].end;
				kept->run[out].end = kept->run[in].end;
			} else {
				kept->run[++out] = kept->run[in];
			}
		}
		kept->count = out + 1;
	}
}

static struct error *keep(struct scan *s, uint64_t start, uint64_t end)
{
	struct extents *kept = &s->result->kept;
	struct error *err;

	if (!s->max_runs || start == end)
		return NULL;
	err = extents_add(kept, start, end);
	if (!err && kept->count >= s->max_runs)
		thin_out(s);
	return err;
}

static struct error *count_unknown(struct scan *s, uint64_t start, uint64_t end)
{
	s->result->count[PAGE_TYPE_UNKNOWN] += end - start;
	return keep(s, start, end);
}

/* The struct pages of [start, end), which are in s->batch; beyond: the one
 * after them is there too. */
static struct error *scan_batch(struct scan *s, uint64_t map, uint64_t start,
				uint64_t end, bool beyond)
{
	const uint64_t size = s->layout.size;
	uint64_t frame, kept_from = start;

	for (frame = start; frame < end; frame++) {
		const uint8_t *page = s->batch + (frame - start) * size;
		enum page_type type = page_type(s, frame, map + frame * size, page,
						beyond || frame + 1 < end);

		s->result->count[type]++;
		if (s->drop[type]) {
			struct error *err = keep(s, kept_from, frame);

			if (!err && type == PAGE_TYPE_POISONED)
				err = extents_add(&s->poisoned, frame, frame + 1);
			if (err)
				return err;
			kept_from = frame + 1;
		}
	}
	return keep(s, kept_from, end);
}

/* [start, end) inside one section whose struct pages are at map. */
static struct error *scan_section(struct scan *s, uint64_t map, uint64_t start,
				  uint64_t end, uint64_t section_end)
{
	const uint64_t size = s->layout.size;
	const uint64_t most = BATCH_SIZE / size - 1;
	uint64_t step = most;
	struct error *err = NULL;

	while (start < end && !err) {
		uint64_t n = end - start < step ? end - start : step;
		bool beyond = start + n < section_end;

		err = tables_read(&s->tables, map + start * size, s->batch,
				  (n + beyond) * size);
		if (err && beyond) {
			error_free(err);
			beyond = false;
			err = tables_read(&s->tables, map + start * size, s->batch, n * size);
		}
		if (!err) {
			err = scan_batch(s, map, start, start + n, beyond);
			step = most;
		} else if (n > 1) {
			/* Some of it is not there: come closer. */
			error_free(err);
			err = NULL;
			step = n / 2;
			continue;
		} else {
			error_free(err);
			err = count_unknown(s, start, start + n);
		}
		start += n;
	}
	return err;
}

static struct error *scan_all(struct scan *s, const struct extents *pages)
{
	struct error *err = NULL;
	size_t i;

	for (i = 0; i < pages->count && !err; i++) {
		uint64_t at = pages->run[i].start;

		while (at < pages->run[i].end && !err) {
			uint64_t section = at >> s->sections.shift, map;
			uint64_t section_end = (section + 1) << s->sections.shift;
			uint64_t end = section_end < pages->run[i].end ?
					       section_end : pages->run[i].end;

			if (section_map(s, section, &map)) {
				err = scan_section(s, map, at, end, section_end);
			} else {
				s->bad_sections++;
				err = count_unknown(s, at, end);
			}
			at = end;
		}
	}
	return err;
}

/* ---- Whether all that can be believed ---- */

/* Addresses of the kernel's own data: their pages cannot be free, cache or a
 * user's. */
static const char *const witnesses[] = {
	"_stext", "swapper_pg_dir", "init_uts_ns", "prb", "mem_section",
};

/* Is the struct page of this page of the kernel's as it must be? */
static bool witness_agrees(struct scan *s, uint64_t phys)
{
	const struct layout *l = &s->layout;
	uint64_t frame = phys >> s->page_shift, map;
	uint8_t page[STRUCT_PAGE_MAX];
	enum page_type type;
	struct error *err;

	if (!section_map(s, frame >> s->sections.shift, &map))
		return false;
	err = tables_read(&s->tables, map + frame * l->size, page, l->size);
	if (err) {
		error_free(err);
		return false;
	}
	if (l->refcount != ABSENT && !get_le32(page + l->refcount) &&
	    !(l->compound != ABSENT && get_le64(page + l->compound) & TAIL))
		return false;
	type = classify(l, page, false);
	return type == PAGE_TYPE_KERNEL || type == PAGE_TYPE_SLAB;
}

static bool all_witnesses_agree(struct scan *s, const char **ret)
{
	uint64_t virt, phys, len, map;
	size_t i, asked = 0;

	*ret = "nothing";
	for (i = 0; i < sizeof(witnesses) / sizeof(witnesses[0]); i++) {
		if (!vmcoreinfo_symbol(s->info, witnesses[i], &virt) ||
		    !loongarch_window_to_phys(virt, &phys))
			continue;
		*ret = witnesses[i];
		if (!witness_agrees(s, phys))
			return false;
		/* And the page its struct page lies in. */
		if (section_map(s, phys >> s->page_shift >> s->sections.shift, &map) &&
		    tables_translate(&s->tables,
				     map + (phys >> s->page_shift) * s->layout.size, &phys,
				     &len) &&
		    !witness_agrees(s, phys))
			return false;
		asked++;
	}
	return asked;
}

/* Tries each shape of page tables; s->tables is of the one that fits. */
static struct error *find_tables(struct scan *s, bool *ret_found)
{
	const unsigned int *shape = tables_shapes(s->page_shift);
	const char *witness = NULL;
	uint64_t root, zero = LOONGARCH_WINDOW_CACHED;
	bool have_root = vmcoreinfo_symbol(s->info, "swapper_pg_dir", &root);

	*ret_found = false;
	for (; *shape; shape++) {
		struct error *err = tables_init(&s->tables, s->source, s->page_shift,
						have_root ? root : zero, *shape);

		if (err && err->code == ERROR_NOMEM)
			return err;
		if (err) {
			note(s, "page types are not known: %s", err->message);
			error_free(err);
			return NULL;
		}
		if (all_witnesses_agree(s, &witness)) {
			s->result->levels = *shape;
			*ret_found = true;
			return NULL;
		}
		tables_deinit(&s->tables);
	}
	if (!have_root)
		note(s, "page types are not known: VMCOREINFO has no "
			"SYMBOL(swapper_pg_dir)");
	else
		note(s, "page types are not known: by its struct page the page of %s "
			"would not be the kernel's", witness);
	return NULL;
}

bool pages_always_dropped(const struct vmcoreinfo *info)
{
	int64_t value;

	return info && (vmcoreinfo_number(info, "PG_hwpoison", &value) ||
			vmcoreinfo_number(info, "PAGE_OFFLINE_MAPCOUNT_VALUE", &value));
}

static void note_results(struct scan *s)
{
	const uint64_t *count = s->result->count;

	if (s->contradictions)
		note(s, "%" PRIu64 " free blocks contradict their struct pages; what is "
			"in doubt is kept", s->contradictions);
	if (count[PAGE_TYPE_UNKNOWN])
		note(s, "%" PRIu64 " pages have no readable struct page and are kept",
		     count[PAGE_TYPE_UNKNOWN]);
	if (s->result->spared)
		note(s, "%" PRIu64 " pages are kept although the level drops them: fewer "
			"than %" PRIu64 " of them lie together", s->result->spared, s->gap);
}

/* All kept, nothing known. */
static struct error *keep_all(struct scan *s, const struct extents *pages)
{
	struct error *err = NULL;
	size_t i;

	s->result->filters = 0;
	for (i = 0; i < pages->count && !err; i++)
		err = count_unknown(s, pages->run[i].start, pages->run[i].end);
	return err;
}

struct error *pages_scan(struct source *source, const struct vmcoreinfo *info,
			 unsigned int page_shift, const struct extents *pages,
			 unsigned int level, size_t max_runs, struct page_scan *ret)
{
	struct scan s = { .source = source, .info = info, .page_shift = page_shift,
			  .pages = pages, .result = ret };
	struct error *err = NULL;
	unsigned int type;
	bool found = false;

	*ret = (struct page_scan){ .filters = DUMP_LEVEL_TYPES };
	s.max_runs = max_runs && max_runs < pages->count + 2 ? pages->count + 2 : max_runs;
	if (!info)
		note(&s, "page types are not known: there is no VMCOREINFO");
	else if (find_sections(&s) && find_layout(&s))
		err = find_tables(&s, &found);
	if (!err && !found)
		err = keep_all(&s, pages);
	if (!err && found) {
		ret->done = true;
		for (type = 0; type < PAGE_TYPES; type++)
			s.drop[type] = page_type_dropped(type, level & ret->filters);
		s.batch = malloc(BATCH_SIZE);
		err = s.batch ? scan_all(&s, pages) : error_nomem();
		free(s.batch);
		if (!err)
			note_results(&s);
	}
	tables_deinit(&s.tables);
	extents_deinit(&s.poisoned);
	if (err)
		page_scan_deinit(ret);
	return err;
}

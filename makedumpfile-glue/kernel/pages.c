/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "makedumpfile-glue/kernel/pages.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lib/bytes.h"
#include "makedumpfile-glue/kernel/free-lists.h"
#include "makedumpfile-glue/kernel/page-map.h"

/* Struct pages read at a time. */
#define BATCH_SIZE ((size_t)256 << 10)

/* Longer stretches of dropped pages stay dropped however many runs that makes. */
#define GAP_MAX ((uint64_t)1 << 20)

/* Fewer pages that look free are not worth a word. */
#define UNUSED_MIN 16

struct scan {
	const struct extents *pages;
	size_t max_runs;
	struct extents poisoned; /* must not be read, not even to have fewer runs */
	struct page_scan *result;
	struct page_map map;
	struct free_blocks blocks; /* none, where a type tells free pages */
	size_t next_block;
	uint8_t *batch;
	bool drop[PAGE_TYPES];

	/* Where the pass is. */
	uint64_t head;          /* address of the last page that is no tail */
	enum page_type head_type;
	uint64_t free_end;      /* frame after the free block we are in */
	enum page_type free_type;
	uint64_t contradictions;
	uint64_t unused;        /* pages that look free and are in no free block */
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

void page_scan_note(struct page_scan *r, const char *fmt, ...)
{
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

/* ---- What one page is ---- */

/* Struct pages of tails may be mapped to the page that holds the head's
 * (mm/hugetlb_vmemmap.c, before d50569612c29): what stands at the head's place
 * there looks like a head, but the next one is a tail of the true head. */
static bool is_fake_head(const struct scan *s, const uint8_t *page, bool next)
{
	return (s->head_type == PAGE_TYPE_HUGETLB || s->head_type == PAGE_TYPE_POISONED) &&
	       next &&
	       page_compound(&s->map.layout, page + s->map.layout.size) == (s->head | PAGE_TAIL);
}

/* A free block that begins here; false when it cannot be one. */
static bool start_free(struct scan *s, uint64_t frame, const uint8_t *page, uint64_t order,
		       enum page_type type)
{
	const struct page_layout *l = &s->map.layout;

	if (order >= l->order_end || !is_aligned(frame, (uint64_t)1 << order) ||
	    get_le32(page + l->refcount)) {
		s->contradictions++;
		return false;
	}
	s->free_end = frame + ((uint64_t)1 << order);
	s->free_type = type;
	return true;
}

/* Does one of the blocks that lists named begin here? */
static bool is_listed(struct scan *s, uint64_t frame, uint64_t *ret_order)
{
	while (s->next_block < s->blocks.count &&
	       s->blocks.block[s->next_block].frame < frame)
		s->next_block++;
	if (s->next_block == s->blocks.count ||
	    s->blocks.block[s->next_block].frame != frame)
		return false;
	*ret_order = s->blocks.block[s->next_block].order;
	return true;
}

static bool is_free(struct scan *s, uint64_t frame, const uint8_t *page,
		    enum page_type type)
{
	const struct page_layout *l = &s->map.layout;
	uint64_t order;

	if (type == PAGE_TYPE_FREE)
		return start_free(s, frame, page, get_le64(page + l->private), type);
	if (type == PAGE_TYPE_UNACCEPTED)
		return start_free(s, frame, page, l->order_end - 1, type);
	return is_listed(s, frame, &order) &&
	       start_free(s, frame, page, order, PAGE_TYPE_FREE);
}

/* A head is poisoned. With a hugetlb page it says so for all: which of its pages
 * it is only a list tells (folio_set_hugetlb_hwpoison()). */
static void start_poisoned(struct scan *s, uint64_t virt, enum page_type type)
{
	s->head = virt;
	s->head_type = type == PAGE_TYPE_HUGETLB ? PAGE_TYPE_POISONED : PAGE_TYPE_KERNEL;
}

static enum page_type page_type(struct scan *s, uint64_t frame, uint64_t virt,
				const uint8_t *page, bool next)
{
	const struct page_layout *l = &s->map.layout;
	const uint64_t compound = page_compound(l, page);
	enum page_type type;

	if (l->poisoned && l->flags != ABSENT &&
	    get_le64(page + l->flags) & l->poisoned) {
		if (!(compound & PAGE_TAIL) && !is_fake_head(s, page, next))
			start_poisoned(s, virt, page_classify(l, page, next));
		return PAGE_TYPE_POISONED;
	}
	if (frame < s->free_end) {
		if (page_is_unused(l, page))
			return s->free_type;
		/* Caught while it was changing, or damaged: not free any more. */
		s->free_end = 0;
		s->contradictions++;
	}
	if (compound & PAGE_TAIL)
		return page_names_head(virt, compound, s->head) ? s->head_type :
								 PAGE_TYPE_KERNEL;
	type = page_classify(l, page, next);
	if (type == PAGE_TYPE_HUGETLB && is_fake_head(s, page, next))
		return PAGE_TYPE_HUGETLB;
	if (is_free(s, frame, page, type))
		type = s->free_type;
	else if (type == PAGE_TYPE_FREE || type == PAGE_TYPE_UNACCEPTED)
		type = PAGE_TYPE_KERNEL;
	else if (type == PAGE_TYPE_KERNEL && page_is_unused(l, page))
		s->unused++;
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
	const uint64_t size = s->map.layout.size;
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
	const uint64_t size = s->map.layout.size;
	const uint64_t most = BATCH_SIZE / size - 1;
	uint64_t step = most;
	struct error *err = NULL;

	while (start < end && !err) {
		uint64_t n = end - start < step ? end - start : step;
		bool beyond = start + n < section_end;

		err = tables_read(&s->map.tables, map + start * size, s->batch,
				  (n + beyond) * size);
		if (err && beyond) {
			error_free(err);
			beyond = false;
			err = tables_read(&s->map.tables, map + start * size, s->batch, n * size);
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
			uint64_t section = at >> s->map.sections.shift, map;
			uint64_t section_end = (section + 1) << s->map.sections.shift;
			uint64_t end = section_end < pages->run[i].end ?
					       section_end : pages->run[i].end;

			if (sections_map(&s->map.sections, &s->map.tables, section, &map))
				err = scan_section(s, map, at, end, section_end);
			else
				err = count_unknown(s, at, end);
			at = end;
		}
	}
	return err;
}

/* ---- All of it ---- */

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
		page_scan_note(s->result, "%" PRIu64 " free blocks contradict their struct "
			       "pages; what is in doubt is kept", s->contradictions);
	/* A few are on lists of the CPUs. */
	if (s->result->filters & DUMP_LEVEL_FREE && s->unused > UNUSED_MIN &&
	    s->unused > count[PAGE_TYPE_FREE])
		page_scan_note(s->result, "%" PRIu64 " pages look free and are kept: by "
			       "NUMBER(PAGE_BUDDY_MAPCOUNT_VALUE) and OFFSET(page.private) "
			       "they are in no free block", s->unused);
	if (count[PAGE_TYPE_UNKNOWN])
		page_scan_note(s->result, "%" PRIu64 " pages have no readable struct page "
			       "and are kept", count[PAGE_TYPE_UNKNOWN]);
	if (s->result->spared)
		page_scan_note(s->result, "%" PRIu64 " pages are kept although the level "
			       "drops them: fewer than %" PRIu64 " of them lie together",
			       s->result->spared, s->gap);
}

/* Where no type tells free pages, lists may. */
static struct error *find_free(struct scan *s)
{
	const char *const key = "NUMBER(PAGE_BUDDY_MAPCOUNT_VALUE)";
	struct error *err;

	if (s->map.layout.buddy.how || !(s->result->filters & DUMP_LEVEL_FREE))
		return NULL;
	err = free_lists_read(&s->map, &s->blocks);
	if (err && err->code == ERROR_NOMEM)
		return err;
	if (err)
		page_filters_off(&s->map.layout, s->result, DUMP_LEVEL_FREE,
				 "VMCOREINFO has no usable %s, and by the lists of free "
				 "blocks they are not known: %s", key, err->message);
	else
		page_scan_note(s->result, "free pages are told by the zones' lists: "
			       "VMCOREINFO has no usable %s", key);
	error_free(err);
	return NULL;
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
	struct scan s = { .pages = pages, .result = ret };
	struct error *err = NULL;
	unsigned int type;
	bool found = false;

	*ret = (struct page_scan){ .filters = FILTERS_ALL };
	s.max_runs = max_runs && max_runs < pages->count + 2 ? pages->count + 2 : max_runs;
	if (!info)
		page_scan_note(ret, "page types are not known: there is no VMCOREINFO");
	else
		err = page_map_init(&s.map, source, info, page_shift, ret, &found);
	if (!err && !found)
		err = keep_all(&s, pages);
	if (!err && found) {
		ret->done = true;
		err = page_map_sample(&s.map, pages, ret);
		if (!err)
			err = find_free(&s);
		s.batch = malloc(BATCH_SIZE);
		if (!err && !s.batch)
			err = error_nomem();
		for (type = 0; type < PAGE_TYPES; type++)
			s.drop[type] = page_type_dropped(type, level & ret->filters);
		if (!err)
			err = scan_all(&s, pages);
		free(s.batch);
		if (!err)
			note_results(&s);
	}
	page_map_deinit(&s.map);
	free_blocks_deinit(&s.blocks);
	extents_deinit(&s.poisoned);
	if (err)
		page_scan_deinit(ret);
	return err;
}

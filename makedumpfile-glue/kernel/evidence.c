/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "makedumpfile-glue/kernel/evidence.h"

#include <inttypes.h>

#include "lib/bytes.h"

/* Fewer cases of something prove nothing. */
#define CASES_MIN 8

/* No machine runs on with more of its memory poisoned. */
#define POISONED_MAX_SHIFT 4

/* At the start of a page of struct pages stands a copy of a hugetlb page's head,
 * and behind it a tail of the true one, where tails share the head's page
 * (mm/hugetlb_vmemmap.c). */
static bool may_be_copy(const struct page_layout *l, uint64_t virt, const uint8_t *page)
{
	const uint64_t compound = page_compound(l, page + l->size);
	const uint64_t head = compound - PAGE_TAIL;

	return compound & PAGE_TAIL && is_aligned(virt, 4096) && is_aligned(head, 4096) &&
	       head < virt && (virt - head) % l->size == 0;
}

void evidence_add(struct evidence *e, const struct page_layout *l, uint64_t virt,
		  const uint8_t *page, bool next)
{
	const bool tail = page_compound(l, page) & PAGE_TAIL;
	uint64_t flags, mapping;
	enum page_type type;
	bool on_lru, mapped, users;

	e->pages++;
	if (l->flags == ABSENT)
		return;
	flags = get_le64(page + l->flags);
	e->poisoned += l->poisoned && flags & l->poisoned;
	if (tail)
		return;
	if (flags & l->head && next && !may_be_copy(l, virt, page)) {
		e->heads++;
		e->heads_named += page_names_head(virt + l->size,
						  page_compound(l, page + l->size), virt);
	}
	type = page_classify(l, page, next);
	if (l->mapping == ABSENT || type == PAGE_TYPE_SLAB || type == PAGE_TYPE_FREE ||
	    type == PAGE_TYPE_HUGETLB || page_has_type(l, page))
		return;
	mapping = get_le64(page + l->mapping);
	on_lru = flags & l->lru;
	mapped = is_kernel_pointer(mapping) || flags & l->swapcache;
	e->on_lru += on_lru;
	e->on_lru_mapped += on_lru && mapped;
	users = mapping & MAPPING_ANON && is_kernel_pointer(mapping) &&
		l->mapcount != ABSENT && (int32_t)get_le32(page + l->mapcount) >= 0;
	e->users += users;
	e->users_on_lru += users && on_lru;
}

/* Are there so many that fewer than half of them mean something? */
static bool fails(uint64_t all, uint64_t good)
{
	return all >= CASES_MIN && good * 2 < all;
}

void evidence_judge(const struct evidence *e, struct page_layout *l,
		    struct page_scan *result)
{
	const unsigned int cache = DUMP_LEVEL_CACHE | DUMP_LEVEL_CACHE_PRIVATE;

	if (fails(e->heads, e->heads_named))
		page_filters_off(l, result, cache | DUMP_LEVEL_USER,
				 "at OFFSET(page.compound_info) or (page.compound_head) the "
				 "tails of compound pages do not name their heads");
	if (fails(e->on_lru, e->on_lru_mapped))
		page_filters_off(l, result, cache | DUMP_LEVEL_USER,
				 "most pages with PG_lru have no OFFSET(page.mapping)");
	/* New ones wait for the LRU in batches of each CPU's: they may be all there
	 * are, but then others are on it. */
	if (l->lru && fails(e->users, e->users_on_lru) && e->on_lru_mapped < e->users)
		page_filters_off(l, result, cache | DUMP_LEVEL_USER,
				 "most pages of users are without PG_lru");
	if (e->poisoned >= CASES_MIN && e->poisoned > e->pages >> POISONED_MAX_SHIFT)
		page_filters_off(l, result, FILTER_POISONED,
				 "of %" PRIu64 " pages %" PRIu64 " would be poisoned", e->pages,
				 e->poisoned);
}

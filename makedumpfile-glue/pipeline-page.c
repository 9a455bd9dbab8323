/* SPDX-License-Identifier: GPL-2.0-or-later */
/* One page on its way: is it zeros, was it there before, does it pack? */
#include <string.h>

#include "makedumpfile-glue/page-tests.h"
#include "makedumpfile-glue/pipeline-worker.h"

/* Is the page that was put before the same? */
static bool is_same(struct worker *w, const struct repeat *before, const uint8_t *page)
{
	struct pipeline *p = w->pipeline;
	const bool alone = !p->plan.dump->source->ops->reads_in_parallel;
	struct error *err = NULL;
	bool lost;

	if (before->pattern)
		return true;
	if (before->pending)
		return !memcmp(w->in + before->place * p->page_size, page, p->page_size);
	if (alone)
		pthread_mutex_lock(&p->read_lock);
	dump_read_pages(p->plan.dump, before->frame, 1, w->twin, &lost, &err);
	if (alone)
		pthread_mutex_unlock(&p->read_lock);
	error_free(err);
	return !lost && !memcmp(w->twin, page, p->page_size);
}

/* Refers to an equal page if there is one; else *ret_key is what the page will
 * be known by. */
static bool pack_repeated(struct worker *w, size_t i, const uint8_t *page,
			  struct repeat *ret)
{
	struct pipeline *p = w->pipeline;
	struct packed_page *packed = &w->pages[i];
	struct repeat before;

	*ret = (struct repeat){ .frame = packed->frame, .place = i, .pending = true,
				.owner = w->number };
	ret->pattern = page_is_pattern(page, p->page_size);
	if (ret->pattern)
		memcpy(&ret->key, page, sizeof(ret->key));
	else
		ret->key = page_key(page, p->page_size);
	if (!repeats_find(p->repeats, ret->key, ret->pattern, &before) ||
	    (before.pending && before.owner != w->number) || !is_same(w, &before, page))
		return false;
	packed->kind = before.pending ? PAGE_DATA : PAGE_SHARED;
	packed->at = before.pending ? w->pages[before.place].at : before.place;
	packed->size = before.size;
	packed->codec = before.codec;
	w->counts.repeated++;
	w->counts.spared += before.size;
	return true;
}

static void add_repeat(struct worker *w, const struct packed_page *packed,
		       struct repeat *page)
{
	page->size = packed->size;
	page->codec = packed->codec;
	repeats_add(w->pipeline->repeats, page);
	w->added[w->added_count++] = *page;
}

void worker_pack_page(struct worker *w, size_t i)
{
	const struct pipeline *p = w->pipeline;
	const uint8_t *page = w->in + i * p->page_size;
	struct packed_page *packed = &w->pages[i];
	struct repeat repeat;
	size_t size = 0;

	packed->kind = PAGE_DATA;
	packed->codec = PAGE_RAW;
	packed->size = p->page_size;
	packed->at = w->out ? w->used : i * p->page_size;
	if (w->lost_map[i]) {
		packed->kind = PAGE_MISSING;
		w->counts.lost++;
		return;
	}
	if (w->hole_map[i] || page_is_zero(page, p->page_size)) {
		packed->kind = PAGE_ZERO;
		w->counts.zero++;
		return;
	}
	if (p->repeats && pack_repeated(w, i, page, &repeat))
		return;
	if (w->packer && page_looks_random(page, p->page_size))
		w->counts.unpacked++;
	else if (w->packer)
		size = packer_pack(w->packer, page, p->page_size, w->out + w->used);
	if (size) {
		packed->size = size;
		packed->codec = p->plan.codec;
		w->counts.packed++;
	} else {
		if (w->out)
			memcpy(w->out + w->used, page, p->page_size);
		w->counts.raw++;
	}
	w->used += packed->size;
	if (p->repeats)
		add_repeat(w, packed, &repeat);
}

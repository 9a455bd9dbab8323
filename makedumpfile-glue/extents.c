/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "makedumpfile-glue/extents.h"

#include <stdlib.h>

void extents_deinit(struct extents *e)
{
	free(e->run);
	*e = (struct extents){ 0 };
}

struct error *extents_add(struct extents *e, uint64_t start, uint64_t end)
{
	if (start >= end)
		return NULL;
	/* The usual source hands its runs over in order: merge at once, so that
	 * a list of single pages stays as short as its runs. */
	if (e->count && e->run[e->count - 1].end == start) {
		e->run[e->count - 1].end = end;
		return NULL;
	}
	if (e->count == e->room) {
		size_t room = e->room ? e->room * 2 : 16;
		struct extent *run = reallocarray(e->run, room, sizeof(*run));

		if (!run)
			return error_nomem();
		e->run = run;
		e->room = room;
	}
	e->run[e->count++] = (struct extent){ start, end };
	return NULL;
}

static int compare(const void *a, const void *b)
{
	const struct extent *x = a, *y = b;

	return x->start < y->start ? -1 : x->start > y->start;
}

void extents_normalize(struct extents *e)
{
	size_t in, out = 0;

	if (!e->count)
		return;
	qsort(e->run, e->count, sizeof(*e->run), compare);
	for (in = 1; in < e->count; in++) {
		if (e->run[in].start > e->run[out].end)
			e->run[++out] = e->run[in];
		else if (e->run[in].end > e->run[out].end)
			e->run[out].end = e->run[in].end;
	}
	e->count = out + 1;
}

uint64_t extents_total(const struct extents *e)
{
	uint64_t total = 0;
	size_t i;

	for (i = 0; i < e->count; i++)
		total += e->run[i].end - e->run[i].start;
	return total;
}

uint64_t extents_end(const struct extents *e)
{
	return e->count ? e->run[e->count - 1].end : 0;
}

size_t extents_find(const struct extents *e, uint64_t at)
{
	size_t low = 0, high = e->count;

	while (low < high) {
		size_t middle = low + (high - low) / 2;

		if (e->run[middle].end <= at)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

bool extents_hold(const struct extents *e, uint64_t start, uint64_t end)
{
	size_t i = extents_find(e, start);

	return i < e->count && e->run[i].start <= start && end <= e->run[i].end;
}

struct error *extents_cut(const struct extents *e, uint64_t start, uint64_t end,
			  struct extents *ret)
{
	struct extents cut = { 0 };
	size_t i;

	for (i = extents_find(e, start); i < e->count && e->run[i].start < end; i++) {
		uint64_t from = e->run[i].start > start ? e->run[i].start : start;
		uint64_t till = e->run[i].end < end ? e->run[i].end : end;
		struct error *err = extents_add(&cut, from, till);

		if (err) {
			extents_deinit(&cut);
			return err;
		}
	}
	extents_normalize(&cut);
	*ret = cut;
	return NULL;
}

struct error *extents_to_pages(const struct extents *bytes, unsigned int shift,
			       struct extents *ret)
{
	const uint64_t mask = ((uint64_t)1 << shift) - 1;
	struct extents pages = { 0 };
	size_t i;

	for (i = 0; i < bytes->count; i++) {
		struct error *err =
			extents_add(&pages, bytes->run[i].start >> shift,
				    (bytes->run[i].end >> shift) +
					    ((bytes->run[i].end & mask) != 0));

		if (err) {
			extents_deinit(&pages);
			return err;
		}
	}
	extents_normalize(&pages);
	*ret = pages;
	return NULL;
}

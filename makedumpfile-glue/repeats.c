/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "makedumpfile-glue/repeats.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>

/* Places where a page may be: neighbours, in one line of the CPU's cache. */
#define WAYS ((size_t)2)

/* Each guards every LOCKS-th of such pairs. */
#define LOCKS ((size_t)64)

struct repeats {
	struct repeat *entries;
	size_t mask;
	bool used;
	pthread_mutex_t locks[LOCKS];
};

struct error *repeats_create(size_t memory, struct repeats **ret)
{
	struct repeats *r;
	size_t count = LOCKS, i;

	*ret = NULL;
	while (count * 2 * sizeof(struct repeat) <= memory)
		count *= 2;
	if (count * sizeof(struct repeat) > memory)
		return NULL;
	r = calloc(1, sizeof(*r));
	if (!r)
		return error_nomem();
	r->entries = calloc(count, sizeof(*r->entries));
	if (!r->entries) {
		free(r);
		return error_nomem();
	}
	r->mask = count - 1;
	for (i = 0; i < LOCKS; i++)
		pthread_mutex_init(&r->locks[i], NULL);
	*ret = r;
	return NULL;
}

void repeats_destroy(struct repeats *r)
{
	size_t i;

	if (!r)
		return;
	for (i = 0; i < LOCKS; i++)
		pthread_mutex_destroy(&r->locks[i]);
	free(r->entries);
	free(r);
}

void repeats_clear(struct repeats *r)
{
	/* Memory that was never written to is not there. */
	if (r->used)
		memset(r->entries, 0, (r->mask + 1) * sizeof(*r->entries));
	r->used = true;
}

/* The two places where such a page may be, and their lock held. A word is no
 * key yet: few of its bits may differ from the next one's. */
static struct repeat *lock(struct repeats *r, uint64_t key, bool pattern,
			   pthread_mutex_t **ret)
{
	const size_t at = (pattern ? key * 0x9e3779b97f4a7c15 >> 32 : key) & r->mask;

	*ret = &r->locks[at / WAYS % LOCKS];
	pthread_mutex_lock(*ret);
	return &r->entries[at / WAYS * WAYS];
}

static struct repeat *look(struct repeat *places, uint64_t key, bool pattern)
{
	size_t i;

	for (i = 0; i < WAYS; i++)
		if (places[i].key == key && places[i].pattern == pattern)
			return &places[i];
	return NULL;
}

bool repeats_find(struct repeats *r, uint64_t key, bool pattern, struct repeat *ret)
{
	pthread_mutex_t *held;
	const struct repeat *entry = look(lock(r, key, pattern, &held), key, pattern);

	if (entry)
		*ret = *entry;
	pthread_mutex_unlock(held);
	return entry;
}

void repeats_add(struct repeats *r, const struct repeat *page)
{
	pthread_mutex_t *held;
	struct repeat *places = lock(r, page->key, page->pattern, &held);
	struct repeat *entry = look(places, page->key, page->pattern);

	if (!entry)
		entry = look(places, 0, false);
	if (!entry)
		entry = &places[page->frame % WAYS];
	*entry = *page;
	pthread_mutex_unlock(held);
}

void repeats_placed(struct repeats *r, uint64_t key, bool pattern, uint64_t frame,
		    uint64_t place)
{
	pthread_mutex_t *held;
	struct repeat *entry = look(lock(r, key, pattern, &held), key, pattern);

	if (entry && entry->pending && entry->frame == frame) {
		entry->place = place;
		entry->pending = false;
	}
	pthread_mutex_unlock(held);
}

/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "makedumpfile-glue/source/page-index.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include "lib/file.h"

#define WINDOW_COUNT 8192 /* numbers in a window */
#define WINDOWS_KEPT 256  /* 16 MiB */

struct window {
	uint64_t *numbers; /* NULL: in the file, or still all 0 */
	bool in_file;
	bool changed;
	uint64_t used; /* when */
};

struct page_index {
	struct window *windows;
	size_t window_count;
	size_t kept[WINDOWS_KEPT]; /* windows that are in memory */
	size_t kept_count;
	uint64_t clock;
	int fd; /* -1: not needed so far */
	pthread_mutex_t lock;
};

struct error *page_index_create(uint64_t count, struct page_index **ret)
{
	struct page_index *index = calloc(1, sizeof(*index));

	if (!index)
		return error_nomem();
	index->fd = -1;
	index->window_count = count / WINDOW_COUNT + 1;
	index->windows = calloc(index->window_count, sizeof(*index->windows));
	if (!index->windows) {
		free(index);
		return error_nomem();
	}
	pthread_mutex_init(&index->lock, NULL);
	*ret = index;
	return NULL;
}

void page_index_destroy(struct page_index *index)
{
	size_t i;

	if (!index)
		return;
	for (i = 0; i < index->kept_count; i++)
		free(index->windows[index->kept[i]].numbers);
	if (index->fd >= 0)
		close(index->fd);
	pthread_mutex_destroy(&index->lock);
	free(index->windows);
	free(index);
}

#define WINDOW_BYTES (WINDOW_COUNT * sizeof(uint64_t))

/* The room of the window that was used longest ago; its numbers go to the file
 * if they are not there already. *ret_slot: its place among the kept ones. */
static struct error *take_room(struct page_index *index, uint64_t **ret, size_t *ret_slot)
{
	size_t i, oldest = 0;
	struct window *window;
	struct error *err = NULL;

	for (i = 1; i < index->kept_count; i++)
		if (index->windows[index->kept[i]].used <
		    index->windows[index->kept[oldest]].used)
			oldest = i;
	window = &index->windows[index->kept[oldest]];
	if (window->changed && index->fd < 0)
		err = file_nameless(&index->fd);
	if (!err && window->changed)
		err = fd_pwrite(index->fd, "the index of pages", window->numbers,
				WINDOW_BYTES, index->kept[oldest] * WINDOW_BYTES);
	if (err)
		return err;
	window->in_file |= window->changed;
	window->changed = false;
	*ret = window->numbers;
	*ret_slot = oldest;
	window->numbers = NULL;
	return NULL;
}

/* Under the lock. */
static struct error *get_window(struct page_index *index, size_t number,
				struct window **ret)
{
	struct window *window = &index->windows[number];
	struct error *err = NULL;
	uint64_t *room = NULL;
	size_t slot = index->kept_count;

	window->used = ++index->clock;
	*ret = window;
	if (window->numbers)
		return NULL;
	if (index->kept_count < WINDOWS_KEPT) {
		room = malloc(WINDOW_BYTES);
		if (!room)
			err = error_nomem();
	} else {
		err = take_room(index, &room, &slot);
	}
	if (err)
		return err;
	index->kept[slot] = number;
	if (slot == index->kept_count)
		index->kept_count++;
	window->numbers = room;
	if (!window->in_file) {
		memset(room, 0, WINDOW_BYTES);
		return NULL;
	}
	err = fd_pread(index->fd, "the index of pages", room, WINDOW_BYTES,
		       number * WINDOW_BYTES);
	if (err)
		memset(room, 0, WINDOW_BYTES);
	return err;
}

static bool is_untouched(const struct window *window)
{
	return !window->numbers && !window->in_file;
}

uint64_t page_index_next(struct page_index *index, uint64_t i, uint64_t end)
{
	pthread_mutex_lock(&index->lock);
	while (i < end && is_untouched(&index->windows[i / WINDOW_COUNT]))
		i = (i / WINDOW_COUNT + 1) * WINDOW_COUNT;
	pthread_mutex_unlock(&index->lock);
	return i < end ? i : end;
}

struct error *page_index_get(struct page_index *index, uint64_t i, uint64_t *to, size_t n)
{
	struct error *err = NULL;

	pthread_mutex_lock(&index->lock);
	while (n && !err) {
		size_t skip = i % WINDOW_COUNT;
		size_t some = WINDOW_COUNT - skip < n ? WINDOW_COUNT - skip : n;
		struct window *window = &index->windows[i / WINDOW_COUNT];

		if (is_untouched(window)) {
			memset(to, 0, some * sizeof(*to));
		} else {
			err = get_window(index, i / WINDOW_COUNT, &window);
			if (err)
				break;
			memcpy(to, window->numbers + skip, some * sizeof(*to));
		}
		to += some;
		i += some;
		n -= some;
	}
	pthread_mutex_unlock(&index->lock);
	return err;
}

struct error *page_index_put(struct page_index *index, uint64_t i, uint64_t value)
{
	struct window *window = &index->windows[i / WINDOW_COUNT];
	struct error *err = NULL;

	if (!window->numbers)
		err = get_window(index, i / WINDOW_COUNT, &window);
	if (err)
		return err;
	window->used = ++index->clock;
	window->numbers[i % WINDOW_COUNT] = value;
	window->changed = true;
	return NULL;
}

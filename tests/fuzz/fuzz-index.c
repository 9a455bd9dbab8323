/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The index of pages beside an array: the input is a list of numbers put and
 * asked for, four bytes each. Far more windows than stay in memory.
 */
#include <string.h>

#include "makedumpfile-glue/source/page-index.h"
#include "tests/fuzz/fuzz.h"

#define COUNT  ((uint64_t)600 * 8192 + 77)
#define ASKED  300
#define ACTIONS 4096

static uint64_t model[COUNT];

static void check(struct page_index *index, uint64_t i, size_t n)
{
	static uint64_t got[ASKED];
	uint64_t next;

	if (n > COUNT - i)
		n = COUNT - i;
	if (page_index_get(index, i, got, n) || memcmp(got, model + i, n * sizeof(*got)))
		abort();
	next = page_index_next(index, i, i + n);
	if (next < i || next > i + n)
		abort();
	for (; i < next; i++)
		if (model[i])
			abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static uint64_t touched[ACTIONS];
	struct page_index *index;
	size_t at, count = 0;

	if (page_index_create(COUNT, &index))
		abort();
	for (at = 0; at + 4 <= size && count < ACTIONS; at += 4) {
		/* Near the ends of windows: 16 places each. */
		const uint64_t window = (data[at] | data[at + 1] << 8) % 600;
		const uint64_t i = (window * 8192 + data[at + 2] % 16 * 3 + 8192 - 24) % COUNT;

		if (data[at + 2] & 0x80) {
			check(index, i, data[at + 3] + 1);
			continue;
		}
		if (page_index_put(index, i, data[at + 3]))
			abort();
		model[i] = data[at + 3];
		touched[count++] = i;
	}
	for (at = 0; at < count; at++)
		check(index, touched[at], 1);
	while (count)
		model[touched[--count]] = 0;
	page_index_destroy(index);
	return 0;
}

/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "kexec/scan.h"

#include <stdlib.h>
#include <string.h>

#include "lib/bytes.h"
#include "lib/file.h"

/*
 * Wu and Manber's search: the last two bytes of a window tell how far it may
 * move before it could end in a needle's first SCAN_WINDOW bytes.
 */
#define PAIRS    65536
#define MAX_STEP (SCAN_WINDOW - 1)

static void fill_steps(uint8_t *steps, const struct needle *needles, size_t count)
{
	size_t i, pos;

	memset(steps, MAX_STEP, PAIRS);
	for (i = 0; i < count; i++)
		for (pos = 2; pos <= SCAN_WINDOW; pos++) {
			uint8_t *step = &steps[get_le16(needles[i].text + pos - 2)];

			if (SCAN_WINDOW - pos < *step)
				*step = SCAN_WINDOW - pos;
		}
}

struct error *scan(const uint8_t *data, size_t size, struct needle *needles, size_t count)
{
	uint8_t *steps cleanup_free = malloc(PAIRS);
	const uint8_t *end = data + size;
	const uint8_t *at;
	size_t i;

	if (!steps)
		return error_nomem();
	fill_steps(steps, needles, count);
	for (i = 0; i < count; i++)
		needles[i].found = NULL;
	if (size < SCAN_WINDOW)
		return NULL;
	for (at = data; (size_t)(end - at) >= SCAN_WINDOW;) {
		uint8_t step = steps[get_le16(at + SCAN_WINDOW - 2)];

		if (step) {
			at += step;
			continue;
		}
		for (i = 0; i < count; i++)
			if (!needles[i].found && (size_t)(end - at) >= needles[i].len &&
			    !memcmp(at, needles[i].text, needles[i].len))
				needles[i].found = at;
		at++;
	}
	return NULL;
}

/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Find several texts in one pass over an image. The pass looks at one place
 * in ten, so that it costs little beside unpacking.
 */
#ifndef KEXEC_SCAN_H
#define KEXEC_SCAN_H

#include <stddef.h>
#include <stdint.h>

#include "lib/error.h"

struct needle {
	const char *text;
	size_t len;           /* at least SCAN_WINDOW */
	const uint8_t *found; /* the first place, NULL when there is none */
};

#define SCAN_WINDOW 11

/* Sets found of every needle. */
struct error *scan(const uint8_t *data, size_t size, struct needle *needles, size_t count)
	MUST_CHECK;

#endif

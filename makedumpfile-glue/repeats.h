/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Pages put already, by what they hold, so that a page that comes again is
 * put as a reference to the first. The table has one size; what finds no room
 * displaces what was there, and is only written twice.
 */
#ifndef GLUE_REPEATS_H
#define GLUE_REPEATS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "lib/error.h"

struct repeat {
	uint64_t key;   /* page_key(), or the repeated word itself; 0: none */
	uint64_t frame; /* whose content it is */
	uint64_t place; /* in the file; until it is there: index in the batch */
	uint32_t size;
	uint16_t owner; /* who puts it */
	uint8_t codec;
	bool pattern : 1; /* the key says all: nothing needs to be compared */
	bool pending : 1; /* not in the file yet */
};

struct repeats;

/* About so many bytes; NULL in *ret, and no error, when that is too little. */
struct error *repeats_create(size_t memory, struct repeats **ret) MUST_CHECK;
void repeats_destroy(struct repeats *r);

/* Forgets all: a new file begins. */
void repeats_clear(struct repeats *r);

/* Several threads may call these. All that is known of such a page; whether it
 * is one the caller finds out by comparing. */
bool repeats_find(struct repeats *r, uint64_t key, bool pattern, struct repeat *ret);
void repeats_add(struct repeats *r, const struct repeat *page);

/* The page that was added as pending is in the file, at place. Nothing, when
 * another has displaced it. */
void repeats_placed(struct repeats *r, uint64_t key, bool pattern, uint64_t frame,
		    uint64_t place);

#endif

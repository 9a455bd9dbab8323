/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Physical memory as ranges, and /proc/iomem. Everywhere a range is
 * [start, end): end is the first byte after it.
 */
#ifndef KEXEC_MEMORY_H
#define KEXEC_MEMORY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "lib/error.h"

struct range {
	uint64_t start, end;
};

/* Zero value = empty. Sorted by start and disjoint, where nothing else is said. */
struct ranges {
	struct range *items;
	size_t count, room;
};

void ranges_deinit(struct ranges *ranges);
#define cleanup_ranges __attribute__((cleanup(ranges_deinit)))

/* Adds [start, end), joining it with what it touches or overlaps. */
struct error *ranges_add(struct ranges *ranges, uint64_t start, uint64_t end) MUST_CHECK;

/* Takes [start, end) away, wherever it overlaps. */
struct error *ranges_subtract(struct ranges *ranges, uint64_t start, uint64_t end)
	MUST_CHECK;

struct error *ranges_copy(const struct ranges *from, struct ranges *ret) MUST_CHECK;

uint64_t ranges_total(const struct ranges *ranges);

/*
 * Room for size bytes at a multiple of align (a power of two) inside
 * [min, max): the lowest, or the highest. False when there is none.
 */
bool ranges_find_low(const struct ranges *free, uint64_t size, uint64_t align,
		     uint64_t min, uint64_t max, uint64_t *ret);
bool ranges_find_high(const struct ranges *free, uint64_t size, uint64_t align,
		      uint64_t min, uint64_t max, uint64_t *ret);

/* One line of /proc/iomem. */
struct iomem_entry {
	struct range range;
	unsigned int depth; /* 0: not inside another */
	char *name;
};

struct iomem {
	struct iomem_entry *entries; /* in file order */
	size_t count;
	bool hidden; /* every address is 0: the reader was not root */
};

/* name is for messages. A line that is none is ERROR_FORMAT with its number. */
struct error *iomem_parse(const char *text, const char *name, struct iomem *ret)
	MUST_CHECK;
void iomem_deinit(struct iomem *iomem);
#define cleanup_iomem __attribute__((cleanup(iomem_deinit)))

#endif

/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "kexec/memory.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>

#include "lib/bytes.h"

void ranges_deinit(struct ranges *ranges)
{
	free(ranges->items);
	*ranges = (struct ranges){ 0 };
}

/* Make items[at] to items[at + old) a gap of `new` items. */
static struct error *resize(struct ranges *ranges, size_t at, size_t old, size_t new)
{
	size_t count = ranges->count - old + new;

	if (count > ranges->room) {
		size_t room = count < 16 ? 16 : count * 2;
		struct range *items = realloc(ranges->items, room * sizeof(*items));

		if (!items)
			return error_nomem();
		ranges->items = items;
		ranges->room = room;
	}
	if (ranges->count > at + old)
		memmove(ranges->items + at + new, ranges->items + at + old,
			(ranges->count - at - old) * sizeof(*ranges->items));
	ranges->count = count;
	return NULL;
}

/* The first item that ends at or after pos. */
static size_t first_reaching(const struct ranges *ranges, uint64_t pos)
{
	size_t low = 0, high = ranges->count;

	while (low < high) {
		size_t middle = low + (high - low) / 2;

		if (ranges->items[middle].end < pos)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

struct error *ranges_add(struct ranges *ranges, uint64_t start, uint64_t end)
{
	size_t at = first_reaching(ranges, start), touched = 0;
	struct error *err;

	if (start >= end)
		return NULL;
	for (; at + touched < ranges->count; touched++) {
		const struct range *item = &ranges->items[at + touched];

		if (item->start > end)
			break;
		if (item->start < start)
			start = item->start;
		if (item->end > end)
			end = item->end;
	}
	err = resize(ranges, at, touched, 1);
	if (err)
		return err;
	ranges->items[at] = (struct range){ start, end };
	return NULL;
}

struct error *ranges_subtract(struct ranges *ranges, uint64_t start, uint64_t end)
{
	size_t at = first_reaching(ranges, start);

	while (start < end && at < ranges->count && ranges->items[at].start < end) {
		struct range *item = &ranges->items[at];
		const struct range whole = *item;
		struct error *err;

		if (whole.end <= start) {
			at++;
		} else if (whole.start >= start && whole.end <= end) {
			err = resize(ranges, at, 1, 0);
			if (err)
				return err;
		} else if (whole.start < start && whole.end > end) {
			err = resize(ranges, at, 0, 1);
			if (err)
				return err;
			ranges->items[at] = (struct range){ whole.start, start };
			ranges->items[at + 1] = (struct range){ end, whole.end };
			return NULL;
		} else if (whole.start < start) {
			item->end = start;
			at++;
		} else {
			item->start = end;
			return NULL;
		}
	}
	return NULL;
}

struct error *ranges_copy(const struct ranges *from, struct ranges *ret)
{
	struct ranges copy = { 0 };
	struct error *err = resize(&copy, 0, 0, from->count);

	if (err)
		return err;
	if (from->count)
		memcpy(copy.items, from->items, from->count * sizeof(*copy.items));
	*ret = copy;
	return NULL;
}

uint64_t ranges_total(const struct ranges *ranges)
{
	uint64_t total = 0;
	size_t i;

	for (i = 0; i < ranges->count; i++)
		total += ranges->items[i].end - ranges->items[i].start;
	return total;
}

/* The part of item inside [min, max); empty when start >= end. */
static struct range clip(struct range item, uint64_t min, uint64_t max)
{
	if (item.start < min)
		item.start = min;
	if (item.end > max)
		item.end = max;
	return item;
}

bool ranges_find_low(const struct ranges *free, uint64_t size, uint64_t align,
		     uint64_t min, uint64_t max, uint64_t *ret)
{
	size_t i;

	for (i = 0; i < free->count; i++) {
		struct range part = clip(free->items[i], min, max);
		uint64_t start;

		if (part.start >= part.end || add_overflows(part.start, align - 1, &start))
			continue;
		start = align_down(start, align);
		if (start < part.end && part.end - start >= size) {
			*ret = start;
			return true;
		}
	}
	return false;
}

bool ranges_find_high(const struct ranges *free, uint64_t size, uint64_t align,
		      uint64_t min, uint64_t max, uint64_t *ret)
{
	size_t i;

	for (i = free->count; i-- > 0;) {
		struct range part = clip(free->items[i], min, max);
		uint64_t start;

		if (part.start >= part.end || part.end - part.start < size)
			continue;
		start = align_down(part.end - size, align);
		if (start >= part.start) {
			*ret = start;
			return true;
		}
	}
	return false;
}

/* Two blanks a level; a line is "START-END : NAME". END is the last byte. */
static bool parse_line(const char *line, size_t len, struct iomem_entry *ret)
{
	const char *end = line + len;
	uint64_t values[2];
	size_t indent = 0, i;

	while (line < end && *line == ' ') {
		line++;
		indent++;
	}
	for (i = 0; i < 2; i++) {
		const char *digits = line;

		values[i] = 0;
		for (; line < end && isxdigit((unsigned char)*line); line++) {
			int c = tolower((unsigned char)*line);

			values[i] = values[i] << 4 | (c <= '9' ? c - '0' : c - 'a' + 10);
		}
		if (line == digits || line - digits > 16)
			return false;
		if (i == 0 && (line == end || *line++ != '-'))
			return false;
	}
	if (end - line < 3 || memcmp(line, " : ", 3) != 0 || values[0] > values[1])
		return false;
	line += 3;
	ret->depth = indent / 2;
	/* The last byte of all is no memory; keeping it out keeps end in range. */
	ret->range.start = values[0];
	ret->range.end = values[1] == UINT64_MAX ? values[1] : values[1] + 1;
	ret->name = strndup(line, end - line);
	return true;
}

struct error *iomem_parse(const char *text, const char *name, struct iomem *ret)
{
	struct iomem iomem cleanup_iomem = { .hidden = true };
	unsigned int number = 0;
	size_t room = 0;

	while (*text) {
		size_t len = strcspn(text, "\n");
		struct iomem_entry *entry;

		number++;
		if (iomem.count == room) {
			struct iomem_entry *entries;

			room = room ? room * 2 : 64;
			entries = realloc(iomem.entries, room * sizeof(*entries));
			if (!entries)
				return error_nomem();
			iomem.entries = entries;
		}
		entry = &iomem.entries[iomem.count];
		if (!parse_line(text, len, entry))
			return error_new(ERROR_FORMAT,
					 "%s: line %u is not \"START-END : NAME\": %.*s", name,
					 number, len > 60 ? 60 : (int)len, text);
		iomem.count++;
		if (!entry->name)
			return error_nomem();
		if (entry->range.start || entry->range.end > 1)
			iomem.hidden = false;
		text += len;
		text += *text == '\n';
	}
	*ret = iomem;
	iomem = (struct iomem){ 0 };
	return NULL;
}

void iomem_deinit(struct iomem *iomem)
{
	size_t i;

	for (i = 0; i < iomem->count; i++)
		free(iomem->entries[i].name);
	free(iomem->entries);
	*iomem = (struct iomem){ 0 };
}

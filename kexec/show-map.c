/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The reservation, or all memory for a normal load, as a bar of 64 cells, and
 * as a list from the top down.
 */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "kexec/show-map.h"
#include "kexec/show.h"
#include "lib/units.h"

#define CELLS 64

static const char letters[ROLE_COUNT] = {
	[ROLE_CMDLINE] = 'c', [ROLE_KERNEL] = 'K', [ROLE_INITRD] = 'I', [ROLE_ELFCOREHDR] = 'e',
};

static int from_top(const void *a, const void *b)
{
	const struct block *x = a, *y = b;

	return x->range.start > y->range.start ? -1 : x->range.start < y->range.start;
}

/*
 * The cells of each block, from the top down. A block smaller than a cell
 * gets one all the same: it is pushed down, or up again at the bottom, so that
 * no two share a cell.
 */
static void fill_cells(const struct range *region, const struct block *blocks, size_t count,
		       char bar[CELLS])
{
	/* In double: a product with CELLS could leave 64 bits. */
	const double scale = (double)CELLS / (region->end - region->start);
	long first[PLAN_SEGMENTS + 1], last[PLAN_SEGMENTS + 1], limit = CELLS - 1;
	size_t i;

	for (i = 0; i < count; i++) {
		first[i] = (blocks[i].range.start - region->start) * scale;
		last[i] = (blocks[i].range.end - 1 - region->start) * scale;
		if (last[i] > limit)
			last[i] = limit;
		if (first[i] > last[i])
			first[i] = last[i];
		limit = first[i] - 1;
	}
	limit = 0;
	for (i = count; i-- > 0;) {
		if (first[i] < limit)
			first[i] = limit;
		if (last[i] < first[i])
			last[i] = first[i];
		limit = last[i] + 1;
		memset(bar + first[i], blocks[i].letter, last[i] - first[i] + 1);
	}
}

static void show_bar(FILE *out, const char *name, const struct range *region,
		     const struct block *blocks, size_t count)
{
	uint64_t size = region->end - region->start;
	char bar[CELLS + 1], text[UNITS_SIZE_TEXT];

	memset(bar, '.', CELLS);
	bar[CELLS] = 0;
	fill_cells(region, blocks, count, bar);
	fprintf(out, "%s 0x%" PRIx64 "-0x%" PRIx64 ", %s", name, region->start,
		region->end - 1, size_text(size, text));
	fprintf(out, ", a cell is %s\n|%s|\n", size_text(size / CELLS, text), bar);
}

static void show_row(FILE *out, const struct range *range, char letter, const char *name)
{
	char text[UNITS_SIZE_TEXT];

	fprintf(out, "  %c  0x%012" PRIx64 "-0x%012" PRIx64 "  %11s  %s\n", letter, range->start,
		range->end - 1, size_text(range->end - range->start, text), name);
}

size_t map_blocks(const struct plan *plan, struct block blocks[MAP_BLOCKS])
{
	struct block used[PLAN_SEGMENTS + 1];
	const char *unused = plan_is_crash(plan) ? "free" : "not used by this load";
	uint64_t top = plan->region.end;
	size_t used_count = 0, count = 0, i;

	for (i = 0; i < plan->count; i++) {
		const struct segment *segment = &plan->segments[i];

		used[used_count++] = (struct block){
			{ segment->mem, segment->mem + segment->memsz },
			segment_role_name(segment->role), letters[segment->role],
		};
	}
	if (plan_is_crash(plan))
		used[used_count++] = (struct block){
			plan->kernel_own, "control code and vmcoreinfo (the kernel's own)", 'x',
		};
	qsort(used, used_count, sizeof(*used), from_top);
	for (i = 0; i < used_count; i++) {
		if (used[i].range.end < top)
			blocks[count++] = (struct block){ { used[i].range.end, top }, unused,
							  MAP_UNUSED };
		blocks[count++] = used[i];
		top = used[i].range.start;
	}
	if (plan->region.start < top)
		blocks[count++] = (struct block){ { plan->region.start, top }, unused,
						  MAP_UNUSED };
	return count;
}

const char *map_title(const struct plan *plan)
{
	return plan_is_crash(plan) ? "Crash kernel" : "Memory";
}

void show_map(FILE *out, const struct plan *plan)
{
	struct block blocks[MAP_BLOCKS], used[MAP_BLOCKS];
	size_t count = map_blocks(plan, blocks), used_count = 0, i;

	for (i = 0; i < count; i++)
		if (blocks[i].letter != MAP_UNUSED)
			used[used_count++] = blocks[i];
	show_bar(out, map_title(plan), &plan->region, used, used_count);
	for (i = 0; i < count; i++)
		show_row(out, &blocks[i].range, blocks[i].letter, blocks[i].name);
}

/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "kexec/place.h"

#include <inttypes.h>

#include "lib/bytes.h"
#include "lib/loongarch.h"
#include "lib/units.h"

/* Pages the kernel takes inside the reservation: one for control code, one
 * for its copy of vmcoreinfo (rules 14 and 16). */
#define KERNEL_OWN_PAGES 2

/* An end no reservation reaches: for computing how much would be needed. */
#define UNLIMITED ((uint64_t)1 << 60)

static struct segment *find(struct plan *plan, enum segment_role role)
{
	return (struct segment *)plan_segment(plan, role);
}

enum layout {
	LAYOUT_ROOMY, /* all but the kernel as high as possible: KASLR's margin */
	LAYOUT_FULL,  /* the same, and nothing left free above: see PLACE_EARLY_TABLES */
	LAYOUT_TIGHT, /* everything as low as possible: fits if anything fits */
};

/* Tight: the small ones first, so that they fill the gap below the kernel. */
static const enum segment_role roomy_order[] = { ROLE_ELFCOREHDR, ROLE_INITRD, ROLE_CMDLINE };
static const enum segment_role tight_order[] = { ROLE_CMDLINE, ROLE_ELFCOREHDR, ROLE_INITRD };

static struct error *take(struct ranges *free, uint64_t start, uint64_t size)
{
	return ranges_subtract(free, start, start + size);
}

/*
 * The kernel as far above the window's start as it is linked above the start
 * of memory (its first 2 MiB are spared, as the kernel's own loaders do), at
 * a distance from its link address that is a multiple of 2 MiB.
 */
static uint64_t kernel_address(const struct image *image, uint64_t start)
{
	return align_up(start, LOONGARCH_LOAD_ALIGN) + image->text_offset;
}

/* The initrd goes above the kernel; where the other two lie is the same to
 * the capture kernel. *ret is false when something found no place. */
static struct error *place(struct plan *plan, const struct range *window,
			   const struct image *image, uint64_t page_size, enum layout layout,
			   bool *ret)
{
	const enum segment_role *order = layout == LAYOUT_TIGHT ? tight_order : roomy_order;
	struct segment *kernel = find(plan, ROLE_KERNEL);
	const uint64_t own = KERNEL_OWN_PAGES * page_size;
	struct ranges free cleanup_ranges = { 0 };
	uint64_t max = window->end;
	struct error *err;
	size_t i;

	*ret = false;
	if (layout == LAYOUT_ROOMY && max - window->start > PLACE_EARLY_TABLES)
		max -= PLACE_EARLY_TABLES;
	kernel->mem = kernel_address(image, window->start);
	if (kernel->mem > window->end || window->end - kernel->mem < kernel->memsz)
		return NULL;
	err = ranges_add(&free, window->start, window->end);
	if (!err)
		err = take(&free, kernel->mem, kernel->memsz);
	if (err)
		return err;
	if (!ranges_find_low(&free, own, page_size, 0, UINT64_MAX, &plan->kernel_own.start))
		return NULL;
	plan->kernel_own.end = plan->kernel_own.start + own;
	err = take(&free, plan->kernel_own.start, own);
	for (i = 0; i < sizeof(roomy_order) / sizeof(*roomy_order) && !err; i++) {
		struct segment *segment = find(plan, order[i]);
		uint64_t min;

		if (!segment)
			continue;
		min = segment->role == ROLE_INITRD ? kernel->mem + kernel->memsz : 0;
		if (!(layout == LAYOUT_TIGHT ? ranges_find_low : ranges_find_high)(
			    &free, segment->memsz, page_size, min, max, &segment->mem))
			return NULL;
		err = take(&free, segment->mem, segment->memsz);
	}
	*ret = err == NULL;
	return err;
}

uint64_t place_suggested_mib(const struct plan *plan, uint64_t needed)
{
	const struct segment *initrd = plan_segment(plan, ROLE_INITRD);
	uint64_t room = needed + 2 * PLACE_RUN_MINIMUM + (initrd ? 3 * initrd->memsz : 0);
	uint64_t step = (uint64_t)128 << 20;

	if (room < (uint64_t)256 << 20)
		room = (uint64_t)256 << 20;
	return align_up(room, step) >> 20;
}

static struct error *too_small(struct plan *plan, const struct range *window,
			       const struct image *image, uint64_t page_size)
{
	const struct range unlimited = { window->start, UNLIMITED };
	const bool whole = window->start == plan->region.start &&
			   window->end == plan->region.end;
	uint64_t needed = 0, there = window->end - window->start;
	struct error *err;
	bool placed;
	size_t i;

	err = place(plan, &unlimited, image, page_size, LAYOUT_TIGHT, &placed);
	if (err)
		return err;
	for (i = 0; i < plan->count && placed; i++) {
		const struct segment *segment = &plan->segments[i];

		if (segment->mem + segment->memsz - window->start > needed)
			needed = segment->mem + segment->memsz - window->start;
	}
	return error_remedy(
		error_new(ERROR_RULE,
			  "%s 0x%" PRIx64 "-0x%" PRIx64 " is too small: %" PRIu64
			  " bytes are needed, %" PRIu64 " are there, %" PRIu64 " are missing",
			  whole ? "the crash reservation" :
			  "what --mem-min and --mem-max leave of the crash reservation",
			  window->start, window->end - 1, needed, there,
			  needed - there),
		"Boot with crashkernel=%" PRIu64 "M on the kernel command line (segments and "
		"memory to run in), or use a smaller initrd.", place_suggested_mib(plan, needed));
}

struct error *place_segments(struct plan *plan, const struct image *image,
			     const struct machine *machine, const struct wishes *wishes)
{
	static const enum layout layouts[] = { LAYOUT_ROOMY, LAYOUT_FULL, LAYOUT_TIGHT };
	const bool apart = wishes->mem_min >= plan->region.end ||
			   wishes->mem_max < plan->region.start;
	struct range window = plan->region;
	struct error *err = NULL;
	bool placed = false;
	size_t i;

	if (!apart && window.start < wishes->mem_min)
		window.start = align_up(wishes->mem_min, machine->page_size);
	if (!apart && wishes->mem_max < window.end - 1)
		window.end = align_down(wishes->mem_max + 1, machine->page_size);
	if (apart || window.start >= window.end)
		return error_remedy(
			error_new(ERROR_USAGE, "--mem-min and --mem-max leave nothing of the "
				  "crash reservation 0x%" PRIx64 "-0x%" PRIx64,
				  plan->region.start, plan->region.end - 1),
			"Leave them out: a crash kernel always goes into the reservation.");
	for (i = 0; i < sizeof(layouts) / sizeof(*layouts) && !err && !placed; i++)
		err = place(plan, &window, image, machine->page_size, layouts[i], &placed);
	if (!err && !placed)
		err = too_small(plan, &window, image, machine->page_size);
	return err;
}

/* --- the next kernel: anywhere in free memory --- */

static struct error *no_room(enum segment_role role, uint64_t size, const struct ranges *free)
{
	char text[UNITS_SIZE_TEXT];
	uint64_t largest = 0;
	size_t i;

	for (i = 0; i < free->count; i++)
		if (free->items[i].end - free->items[i].start > largest)
			largest = free->items[i].end - free->items[i].start;
	return error_remedy(
		error_new(ERROR_RULE, "the %s needs %" PRIu64 " bytes (%s) in one piece; the "
			  "largest free piece of memory has %" PRIu64, segment_role_name(role),
			  size, size_text(size, text), largest),
		"What /proc/iomem calls Reserved is not used, nor what --mem-min and --mem-max "
		"leave out.");
}

/* Is the place at the link address free; if not, where is room? With the
 * margin for KASLR where there is any such place, without it otherwise. */
static struct error *place_kernel(struct segment *kernel, const struct image *image,
				  const struct ranges *free)
{
	const uint64_t margin = kernel->memsz + image->kaslr_max;
	uint64_t at;

	if (ranges_find_low(free, kernel->memsz, 1, image->text_offset,
			    image->text_offset + kernel->memsz, &kernel->mem))
		return NULL;
	if (image->relocatable.value == ANSWER_NO)
		return error_remedy(
			error_new(ERROR_RULE, "the kernel is not relocatable (%s) and needs 0x%"
				  PRIx64 "-0x%" PRIx64 ", which is not all free",
				  image->relocatable.evidence, image->text_offset,
				  image->text_offset + kernel->memsz - 1),
			"Use a kernel built with CONFIG_RELOCATABLE=y; /proc/iomem shows what "
			"lies there.");
	if (!ranges_find_low(free, kernel->memsz + margin, LOONGARCH_LOAD_ALIGN, 0, UINT64_MAX,
			     &at) &&
	    !ranges_find_low(free, kernel->memsz, LOONGARCH_LOAD_ALIGN, 0, UINT64_MAX, &at))
		return no_room(ROLE_KERNEL, kernel->memsz, free);
	kernel->mem = at;
	return NULL;
}

struct error *place_normal(struct plan *plan, const struct image *image,
			   const struct machine *machine, const struct wishes *wishes)
{
	static const enum segment_role order[] = { ROLE_INITRD, ROLE_CMDLINE };
	struct segment *kernel = find(plan, ROLE_KERNEL);
	struct ranges free cleanup_ranges = { 0 };
	struct error *err = ranges_copy(&machine->free, &free);
	uint64_t max = UINT64_MAX;
	size_t i;

	if (!err)
		err = ranges_subtract(&free, 0, wishes->mem_min);
	if (!err && wishes->mem_max != UINT64_MAX)
		err = ranges_subtract(&free, wishes->mem_max + 1, UINT64_MAX);
	if (!err)
		err = place_kernel(kernel, image, &free);
	if (!err)
		err = take(&free, kernel->mem, kernel->memsz);
	if (!err)
		ranges_find_high(&free, PLACE_EARLY_TABLES, machine->page_size, 0, UINT64_MAX,
				 &max);
	for (i = 0; i < sizeof(order) / sizeof(*order) && !err; i++) {
		struct segment *segment = find(plan, order[i]);

		if (!segment)
			continue;
		if (!ranges_find_high(&free, segment->memsz, machine->page_size, 0, max,
				      &segment->mem) &&
		    !ranges_find_high(&free, segment->memsz, machine->page_size, 0, UINT64_MAX,
				      &segment->mem))
			return no_room(order[i], segment->memsz, &free);
		err = take(&free, segment->mem, segment->memsz);
	}
	return err;
}

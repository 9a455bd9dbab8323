/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "makedumpfile-glue/source/quirks.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>

#include "lib/bytes.h"
#include "lib/elfcore.h"
#include "makedumpfile-glue/kdump-format.h"

/* crash looks through all segments for each page it reads. */
#define SEGMENTS_SLOW 65536

#define TEXT_SIZE 256

struct listener {
	void (*each)(const char *text, void *arg);
	void *arg;
};

static void PRINTF_LIKE(2, 3) say(const struct listener *to, const char *fmt, ...)
{
	char text[TEXT_SIZE];
	va_list args;

	va_start(args, fmt);
	vsnprintf(text, sizeof(text), fmt, args);
	va_end(args);
	to->each(text, to->arg);
}

static struct error *kdump_quirks(const struct input *input, const struct listener *to)
{
	uint8_t header[KDUMP_HEADER_SIZE];
	uint64_t bitmaps;
	struct error *err = input_read(input, header, sizeof(header), 0);

	if (err)
		return err;
	/* libkdumpfile tries a 32-bit header first, which has its block size
	 * where a 64-bit one has the microseconds. */
	if (get_le64(header + KDUMP_AT_TIME_USEC))
		say(to, "its time has microseconds: libkdumpfile may take it for a 32-bit "
		    "dump");
	bitmaps = (1 + (uint64_t)get_le32(header + KDUMP_AT_SUB_HDR_SIZE)) *
		  get_le32(header + KDUMP_AT_BLOCK_SIZE);
	if (!input->ops && bitmaps % KDUMP_BITMAP_ALIGN)
		say(to, "its bitmaps begin at 0x%" PRIx64 ": crash on a host with larger "
		    "pages cannot map them", bitmaps);
	return NULL;
}

static struct error *elf_quirks(const struct input *input, const struct listener *to)
{
	size_t i, notes = 0, aligned = 0, physical = 0;
	struct elfcore core;
	struct error *err = elfcore_read(input, &core);

	if (err)
		return err;
	for (i = 0; i < core.segment_count; i++) {
		const struct elf_segment *s = &core.segments[i];

		notes += s->type == PT_NOTE;
		aligned += s->type == PT_LOAD && s->align;
		physical += s->type == PT_LOAD && s->vaddr == s->paddr;
	}
	if (core.segments[0].type != PT_NOTE || notes != 1)
		say(to, "crash wants one PT_NOTE, as the first segment; here are %zu", notes);
	if (aligned)
		say(to, "%zu segments have p_align set: crash may take it for a netdump",
		    aligned);
	if (physical)
		say(to, "%zu segments have p_vaddr = p_paddr: drgn and gdb look for virtual "
		    "addresses there", physical);
	if (core.flags & ~1u)
		say(to, "e_flags is 0x%x: crash takes bit 0 for an incomplete dump",
		    core.flags);
	if (core.segment_count > SEGMENTS_SLOW)
		say(to, "%zu segments make crash slow", core.segment_count);
	elfcore_deinit(&core);
	return NULL;
}

struct error *source_quirks(const struct source *source,
			    void (*each)(const char *text, void *arg), void *arg)
{
	const struct listener to = { each, arg };

	if (!source->input)
		return NULL;
	if (source->ops == &source_kdump)
		return kdump_quirks(source->input, &to);
	if (source->ops == &source_elf)
		return elf_quirks(source->input, &to);
	return NULL;
}

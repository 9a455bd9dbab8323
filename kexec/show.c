/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "kexec/show.h"

#include <inttypes.h>

#include "lib/units.h"

static void show_fact(FILE *out, const char *name, const struct fact *fact)
{
	fprintf(out, "%-14s%s%s%s%s\n", name, answer_name(fact->value),
		fact->evidence ? " (" : "", fact->evidence ? fact->evidence : "",
		fact->evidence ? ")" : "");
}

void show_image(FILE *out, const char *path, const struct image *image)
{
	char text[UNITS_SIZE_TEXT];

	fprintf(out, "%-14s%s\n", "file", path);
	fprintf(out, "%-14s%s", "type", image_type_name(image->type));
	if (image->type == IMAGE_ZBOOT)
		fprintf(out, ", %s inside, compressed with %s", image_type_name(image->inner),
			image->compression);
	if (image->wrapper != CODEC_NONE)
		fprintf(out, ", packed as a whole with %s", codec_name(image->wrapper));
	if (image->inner == IMAGE_PE)
		fprintf(out, ", %s", image->header_magic ? "kernel header magic at 0x38" :
							   "no kernel header magic (old kernel)");
	fprintf(out, "\n%-14s%s%s%s%s\n", "version", image->version ? image->version : "unknown",
		image->version ? " (" : "", image->version ? image->version_evidence : "",
		image->version ? ")" : "");
	fprintf(out, "%-14s0x%" PRIx64 " (%s), 0x%" PRIx64 " of it from the file\n", "memory size",
		image->image_size, size_text(image->image_size, text), image->payload_size);
	fprintf(out, "%-14s0x%" PRIx64 "\n", "text offset", image->text_offset);
	fprintf(out, "%-14s0x%" PRIx64 "\n", "link entry", image->entry);
	if (image->page_size)
		fprintf(out, "%-14s%" PRIu64 " (%s)\n", "page size", image->page_size,
			image->page_size_evidence);
	else
		fprintf(out, "%-14sunknown (%s)\n", "page size", image->page_size_evidence);
	show_fact(out, "relocatable", &image->relocatable);
	show_fact(out, "KASLR", &image->kaslr);
	show_fact(out, "crash dump", &image->crash_dump);
}

void show_plan(FILE *out, const struct plan *plan, const struct machine *machine)
{
	size_t i;

	fprintf(out, "system: %s, %" PRIu64 " byte pages, %zu pieces of RAM",
		*machine->release ? machine->release : "unknown release", machine->page_size,
		machine->ram.count);
	/* Their notes are read for a crash load only. */
	if (plan_is_crash(plan))
		fprintf(out, ", %zu CPUs", machine->note_count);
	fputc('\n', out);
	for (i = 0; i < machine->crash.count && plan_is_crash(plan); i++)
		fprintf(out, "Crash kernel: 0x%" PRIx64 "-0x%" PRIx64 "%s\n",
			machine->crash.items[i].start, machine->crash.items[i].end - 1,
			i + 1 < machine->crash.count ? " (low, for DMA only)" : "");
	fprintf(out, "kexec_load: entry = 0x%" PRIx64 " flags = 0x%" PRIx64 "\n", plan->entry,
		plan->flags);
	fprintf(out, "nr_segments = %zu\n", plan->count);
	for (i = 0; i < plan->count; i++) {
		const struct segment *segment = &plan->segments[i];

		fprintf(out, "segment[%zu]  %-11s mem 0x%-12" PRIx64 " memsz 0x%-9" PRIx64
			" bufsz 0x%" PRIx64 "\n", i, segment_role_name(segment->role),
			segment->mem, segment->memsz, segment->bufsz);
	}
	fprintf(out, "command line: %s\n", plan->command_line);
}

void show_rules(FILE *out, const struct rule_result results[RULE_COUNT])
{
	static const char *const words[] = { "ok", "BROKEN", "-" };
	size_t i;

	fprintf(out, "the kernel's rules:\n");
	for (i = 0; i < RULE_COUNT; i++)
		fprintf(out, "%4u  %-7s%s%s%s\n", rules[i].number, words[results[i].state],
			rules[i].name, results[i].detail[0] ? ": " : "", results[i].detail);
}

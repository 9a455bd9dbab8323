/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <inttypes.h>
#include <stdio.h>
#include <time.h>

#include "lib/units.h"
#include "makedumpfile-glue/info.h"

/* Runs of memory shown on the screen; --json has them all. */
#define RUNS_SHOWN 8

/* Crash's built-in SECTION_SIZE_BITS for LOONGARCH64, up to 9.0.2 at least. */
#define CRASH_SECTION_SIZE_BITS 28

/* "2, 4": the bits of a level that drop such pages. */
static const char *type_levels(enum page_type type, unsigned int filters)
{
	if (page_type_dropped(type, 0))
		return "any";
	if (page_type_dropped(type, DUMP_LEVEL_TYPES) &&
	    !page_type_dropped(type, DUMP_LEVEL_TYPES & filters))
		return "nothing: the filter is off";
	if (page_type_dropped(type, DUMP_LEVEL_CACHE & filters))
		return "2, 4";
	if (page_type_dropped(type, DUMP_LEVEL_CACHE_PRIVATE))
		return "4";
	if (page_type_dropped(type, DUMP_LEVEL_USER))
		return "8";
	return page_type_dropped(type, DUMP_LEVEL_FREE) ? "16" : "never";
}

static void print_types(const struct info_facts *f)
{
	static const unsigned int levels[] = { 1, 17, 31 };
	const unsigned int shift = f->dump->page_shift;
	char size[UNITS_SIZE_TEXT];
	unsigned int type;
	size_t i;

	if (f->scan.done)
		printf("Page types:         pages        size  dropped by -d\n");
	for (type = 0; type < PAGE_TYPES && f->scan.done; type++)
		if (f->scan.count[type])
			printf("  %-13s %9" PRIu64 "  %10s  %s\n", page_type_name(type),
			       f->scan.count[type],
			       size_text(f->scan.count[type] << shift, size),
			       type_levels(type, f->scan.filters));
	for (i = 0; i < sizeof(levels) / sizeof(*levels) && f->scan.done; i++)
		printf("  -d %-2u keeps   %9" PRIu64 "  %10s%s\n", levels[i],
		       info_kept_pages(f, levels[i]),
		       size_text(info_kept_pages(f, levels[i]) << shift, size),
		       i ? "" : "  and of these no pages of zeros");
	for (i = 0; i < f->scan.note_count; i++)
		printf("%s%s\n", i ? "              " : "Filters:      ",
		       f->scan.notes[i]);
}

static const char *time_text(uint64_t seconds, char buffer[INFO_TEXT_SIZE])
{
	time_t time = seconds;
	struct tm tm;

	if (!seconds || !gmtime_r(&time, &tm) ||
	    !strftime(buffer, INFO_TEXT_SIZE, "%Y-%m-%d %H:%M:%S UTC", &tm))
		return "not known";
	return buffer;
}

static void print_memory(const struct dump *dump)
{
	const struct extents *memory = &dump->source->memory;
	char size[UNITS_SIZE_TEXT];
	size_t i;

	if (dump->source->dump_level)
		printf("Dump level:   %u, %s of the machine's memory left out\n",
		       dump->source->dump_level,
		       size_text((extents_total(&dump->present) -
				  extents_total(&dump->pages)) << dump->page_shift, size));
	printf("Memory:       %s (%" PRIu64 " bytes) in %zu runs, %" PRIu64 " pages\n",
	       size_text(extents_total(memory), size), extents_total(memory),
	       memory->count, extents_total(&dump->pages));
	for (i = 0; i < memory->count && i < RUNS_SHOWN; i++)
		printf("              0x%012" PRIx64 " - 0x%012" PRIx64 "  %s\n",
		       memory->run[i].start, memory->run[i].end - 1,
		       size_text(memory->run[i].end - memory->run[i].start, size));
	if (memory->count > RUNS_SHOWN)
		printf("              and %zu more\n", memory->count - RUNS_SHOWN);
	if (dump_missing(dump))
		printf("Missing:      %s that the headers speak of\n",
		       size_text(dump_missing(dump), size));
}

static void print_needs(const struct info_facts *f)
{
	const size_t cpus = f->dump->registers.count;

	printf("To open it:   %s\n", f->command);
	printf("              The vmlinux is the kernel's own, with debug information%s%s.\n",
	       f->build_id ? ", BUILD-ID\n              " : "",
	       f->build_id ? f->build_id : "");
	if (f->section_bits && f->section_bits != CRASH_SECTION_SIZE_BITS)
		printf("              Crash must take SECTION_SIZE_BITS (%" PRId64
		       ") from VMCOREINFO; one that\n              does not stops at "
		       "\"memory section\", and only --minimal works.\n",
		       f->section_bits);
	if (cpus > 1 && registers_of_guest(&f->dump->registers) && !f->dump->displacement.cpus_online)
		printf("              Where not all CPUs were online, as after a panic, it wants "
		       "--cpus %zu, too;\n              with --vmlinux that is known here.\n",
		       cpus);
}

void info_print_text(const struct info_facts *f)
{
	const struct dump *d = f->dump;
	char text[INFO_TEXT_SIZE];

	printf("File:         %s\n", d->path);
	printf("Format:       %s", d->source->ops->format);
	if (info_flattened(d->source))
		printf(", flattened");
	if (d->source->files)
		printf(", split, %zu files", d->source->file_count);
	puts(d->source->marked_incomplete ? ", not finished by its writer" : "");
	printf("Kernel:       %s\n", f->release ? f->release : "not known");
	printf("Version:      %s\n", f->version ? f->version : "not known");
	printf("Host:         %s\n", f->host ? f->host : "not known");
	printf("BUILD-ID:     %s\n", f->build_id ? f->build_id : "not known");
	printf("Page size:    %" PRIu64 "%s\n", f->page_size,
	       d->page_size_known ? "" : " (assumed)");
	if (d->displacement.known && d->displacement.value)
		printf("Displacement: 0x%" PRIx64 " (%s)\n", d->displacement.value,
		       d->displacement.how);
	else if (d->displacement.known)
		printf("Displacement: none (%s)\n", d->displacement.how);
	printf("Crash time:   %s\n", time_text(d->crash_time, text));
	printf("Panic:        %s\n", f->panic ? f->panic : "no such line in the log");
	if (f->log_error)
		printf("Log:          %s\n", f->log_error->message);
	else if (d->vmcoreinfo)
		printf("Log:          %" PRIu64 " records\n", f->log.records);
	if (d->registers.count)
		printf("CPUs:         %zu, registers from %s\n", d->registers.count,
		       registers_from_text(d->registers.from));
	else
		printf("CPUs:         no registers in the file\n");
	print_memory(d);
	print_types(f);
	print_needs(f);
}

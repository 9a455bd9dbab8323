/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "makedumpfile-glue/dump.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include "lib/elfcore.h"
#include "lib/loongarch.h"
#include "lib/text.h"
#include "lib/units.h"
#include "makedumpfile-glue/dump-kernel.h"
#include "makedumpfile-glue/kernel/find.h"
#include "makedumpfile-glue/notes.h"

/* What nearly every loongarch64 kernel is built with. */
#define DEFAULT_PAGE_SIZE 16384

void dump_warn(struct dump *dump, const char *fmt, ...)
{
	char **grown = reallocarray(dump->warnings, dump->warning_count + 1,
				    sizeof(*dump->warnings));
	char *text;
	va_list args;
	int len;

	if (!grown)
		return;
	dump->warnings = grown;
	va_start(args, fmt);
	len = vasprintf(&text, fmt, args);
	va_end(args);
	if (len < 0)
		return;
	text_make_printable(text);
	dump->warnings[dump->warning_count++] = text;
}

void dump_print_warnings(const struct dump *dump)
{
	size_t i;

	for (i = 0; i < dump->warning_count; i++)
		fprintf(stderr, "vmcore: warning: %s\n", dump->warnings[i]);
}

uint64_t dump_missing(const struct dump *dump)
{
	uint64_t there = extents_total(&dump->source->memory);

	return dump->source->promised > there ? dump->source->promised - there : 0;
}

bool dump_incomplete(const struct dump *dump)
{
	return dump_missing(dump) || dump->source->marked_incomplete;
}

bool dump_lacks_pages(const struct dump *dump)
{
	return dump_missing(dump) ||
	       (dump->source->marked_incomplete && !dump->source->pages_tell);
}

size_t dump_crash_cpus(const struct dump *dump)
{
	const uint32_t online = dump->displacement.cpus_online;

	return online && online < dump->registers.count ? dump->registers.count : 0;
}

static struct error *find_page_size(struct dump *dump, uint64_t wanted)
{
	uint64_t said = 0;

	if (dump->vmcoreinfo && vmcoreinfo_string(dump->vmcoreinfo, "PAGESIZE") &&
	    !vmcoreinfo_page_size(dump->vmcoreinfo, &said))
		dump_warn(dump, "%s: VMCOREINFO says PAGESIZE=%s, which no loongarch64 has",
		     dump->path, vmcoreinfo_string(dump->vmcoreinfo, "PAGESIZE"));
	if (!said && !dump->source->page_size_of_qemu)
		said = dump->source->page_size;
	dump->page_size_known = said || wanted;
	if (said && wanted && said != wanted)
		return error_remedy(error_new(ERROR_USAGE,
					      "%s: its page size is %" PRIu64
					      ", not %" PRIu64, dump->path, said, wanted),
				    "leave --page-size away");
	if (!said)
		said = wanted;
	if (!said) {
		said = DEFAULT_PAGE_SIZE;
		dump_warn(dump, "%s: the page size is not known, %d is taken; "
		     "--page-size says it", dump->path, DEFAULT_PAGE_SIZE);
	}
	dump->page_shift = __builtin_ctzll(said);
	return NULL;
}

static void find_identity(struct dump *dump)
{
	const char *release = NULL, *time = NULL;

	if (dump->vmcoreinfo) {
		release = vmcoreinfo_string(dump->vmcoreinfo, "OSRELEASE");
		time = vmcoreinfo_string(dump->vmcoreinfo, "CRASHTIME");
	}
	if (time && !parse_size(time, &dump->crash_time))
		dump_warn(dump, "%s: VMCOREINFO says CRASHTIME=%s, which is no time",
		     dump->path, time);
	dump->utsname_from_memory = dump->vmcoreinfo &&
				    find_utsname(dump->source, dump->vmcoreinfo,
						 dump->utsname);
	if (!dump->utsname_from_memory) {
		strcpy(dump->utsname[UTSNAME_SYSNAME], "Linux");
		if (release)
			snprintf(dump->utsname[UTSNAME_RELEASE], UTSNAME_FIELD_SIZE, "%s",
				 release);
	}
	/* A process of another personality does not change what the machine is;
	 * crash opens the dump by this word. */
	memset(dump->utsname[UTSNAME_MACHINE], 0, UTSNAME_FIELD_SIZE);
	strcpy(dump->utsname[UTSNAME_MACHINE], "loongarch64");
}

/* All that the file and the user say of the CPUs. */
static struct error *find_registers(struct dump *dump, const char *file)
{
	struct error *err = registers_from_notes(&dump->source->notes, &dump->registers);
	struct registers said;

	if (!err && dump->source->registers_of_stream)
		dump->registers.from = REGISTERS_STREAM;
	if (err || !file)
		return err;
	err = registers_from_file(file, &said);
	if (err)
		return error_add(err, "--registers");
	if (dump->registers.count && said.count != dump->registers.count)
		dump_warn(dump, "%s: registers of %zu CPUs; %s has those of %zu", file, said.count,
		     dump->path, dump->registers.count);
	said.foreign = dump->registers.foreign;
	registers_deinit(&dump->registers);
	dump->registers = said;
	return NULL;
}

/* The first whose place among the notes is not its number; crash goes by the place. */
static const struct cpu_registers *misplaced_cpu(const struct registers *registers)
{
	size_t i;

	for (i = 0; i < registers->count && registers_of_guest(registers); i++)
		if (registers->cpus[i].pid != i + 1)
			return &registers->cpus[i];
	return NULL;
}

static void warn_of_gaps(struct dump *dump)
{
	char missing[UNITS_SIZE_TEXT], promised[UNITS_SIZE_TEXT];

	if (dump->registers.foreign)
		dump_warn(dump, "%s: %zu NT_PRSTATUS notes are not of loongarch64's %d bytes",
		     dump->path, dump->registers.foreign, LOONGARCH_PRSTATUS_SIZE);
	if (dump->registers.from == REGISTERS_PRSTATUS_NO_PC)
		dump_warn(dump, "%s: QEMU did not write the CPUs' program counters into this file; "
		     "the stacks of the tasks that were running are a guess. "
		     "--registers takes them from the text of `info registers -a`", dump->path);
	if (misplaced_cpu(&dump->registers))
		dump_warn(dump, "%s: crash takes the registers of CPU %u for those of CPU %zu: "
			  "CPUs were not plugged in one after the other", dump->path,
			  misplaced_cpu(&dump->registers)->pid - 1,
			  misplaced_cpu(&dump->registers) - dump->registers.cpus);
	if (dump_crash_cpus(dump))
		dump_warn(dump, "%s: %u of %zu CPUs were online; crash shows their registers only "
			  "with --cpus %zu", dump->path, dump->displacement.cpus_online,
			  dump->registers.count, dump_crash_cpus(dump));
	if (dump_missing(dump))
		dump_warn(dump, dump->source->files ?
			   "%s: of this split dump %s of %s of memory are in files that are "
			   "not here" :
			   "%s: the file was cut: %s of %s of memory are missing",
		     dump->source->path, size_text(dump_missing(dump), missing),
		     size_text(dump->source->promised, promised));
	if (dump->source->flaw)
		dump_warn(dump, "%s", dump->source->flaw->message);
	if (dump->source->input && dump->source->input->incomplete)
		dump_warn(dump, "%s: its flattened records end early", dump->path);
	else if (dump->source->marked_incomplete)
		dump_warn(dump, "%s: its writer marked it as incomplete", dump->path);
}

static struct error *open_source(const char *path, const struct dump_options *options,
				 struct source **ret)
{
	struct error *err = raw_open(path, options->ram, options->ram_count, ret);
	struct source *source;

	if (!err || err->code != ERROR_NOT_MINE)
		return err;
	error_free(err);
	err = source_open(path, options->parts, options->part_count, &source);
	if (err)
		return err;
	if (source->ops->add_ram)
		err = source->ops->add_ram(source, options->ram, options->ram_count);
	else if (options->ram_count)
		err = error_new(ERROR_USAGE, "--ram %s: %s holds all of its memory itself (%s)",
				options->ram[0], path, source->ops->format);
	if (err) {
		source_close(source);
		return err;
	}
	*ret = source;
	return NULL;
}

struct error *dump_open(const char *path, const struct dump_options *options,
			struct dump **ret)
{
	struct dump *dump = calloc(1, sizeof(*dump));
	struct error *err;

	if (!dump)
		return error_nomem();
	dump->path = path;
	err = open_source(path, options, &dump->source);
	if (err)
		goto fail;
	err = find_registers(dump, options->registers);
	if (err)
		goto fail;
	err = dump_find_kernel(dump, options);
	if (err)
		goto fail;
	err = find_page_size(dump, options->page_size);
	if (err)
		goto fail;
	err = extents_to_pages(&dump->source->memory, dump->page_shift, &dump->pages);
	if (!err)
		err = extents_to_pages(dump->source->machine.count ? &dump->source->machine :
								     &dump->source->memory,
				       dump->page_shift, &dump->present);
	if (err)
		goto fail;
	err = notes_build(&dump->source->notes,
			  dump->registers.from == REGISTERS_TEXT ? &dump->registers : NULL,
			  dump->vmcoreinfo, &dump->notes);
	if (err)
		goto fail;
	find_identity(dump);
	warn_of_gaps(dump);
	*ret = dump;
	return NULL;
fail:
	dump_close(dump);
	return err;
}

void dump_close(struct dump *dump)
{
	size_t i;

	if (!dump)
		return;
	source_close(dump->source);
	vmcoreinfo_destroy(dump->vmcoreinfo);
	extents_deinit(&dump->pages);
	extents_deinit(&dump->present);
	registers_deinit(&dump->registers);
	blob_deinit(&dump->notes);
	for (i = 0; i < dump->warning_count; i++)
		free(dump->warnings[i]);
	free(dump->warnings);
	free(dump);
}

static struct error *read_range(const struct dump *dump, uint64_t start, uint64_t len,
				uint8_t *to)
{
	const struct extents *memory = &dump->source->memory;
	uint64_t end = start + len;
	size_t i = extents_find(memory, start);

	if (!extents_hold(memory, start, end))
		memset(to, 0, len);
	for (; i < memory->count && memory->run[i].start < end; i++) {
		uint64_t from = memory->run[i].start > start ? memory->run[i].start : start;
		uint64_t till = memory->run[i].end < end ? memory->run[i].end : end;
		struct error *err = source_read(dump->source, from, to + (from - start),
						till - from);

		if (err)
			return err;
	}
	return NULL;
}

size_t dump_read_pages(const struct dump *dump, uint64_t first, size_t count, void *to,
		       bool *lost, struct error **why)
{
	uint64_t size = (uint64_t)1 << dump->page_shift;
	struct error *err;
	size_t i, lost_count = 0;

	memset(lost, 0, count * sizeof(*lost));
	err = read_range(dump, first * size, count * size, to);
	if (!err)
		return 0;
	/* One bad page fails the whole read: find out which ones they are. */
	for (i = 0; i < count; i++) {
		error_free(err);
		err = read_range(dump, (first + i) * size, size, (uint8_t *)to + i * size);
		if (!err)
			continue;
		lost[i] = true;
		lost_count++;
		if (!*why) {
			*why = err;
			err = NULL;
		}
	}
	error_free(err);
	return lost_count;
}

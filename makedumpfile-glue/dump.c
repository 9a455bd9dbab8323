/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "makedumpfile-glue/dump.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include "lib/elfcore.h"
#include "lib/loongarch.h"
#include "lib/units.h"
#include "makedumpfile-glue/kernel/find.h"
#include "makedumpfile-glue/kernel/vmlinux.h"
#include "makedumpfile-glue/notes.h"

/* What nearly every loongarch64 kernel is built with. */
#define DEFAULT_PAGE_SIZE 16384

/* A warning lost to lack of memory is no reason to fail. */
static void PRINTF_LIKE(2, 3) warn(struct dump *dump, const char *fmt, ...)
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
	if (len >= 0)
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

/* The note in the file; a broken one is as good as none. */
static void take_vmcoreinfo(struct dump *dump)
{
	struct elf_note note;
	struct reader r;

	reader_init(&r, dump->source->notes.data, dump->source->notes.size, 0, dump->path);
	while (elf_note_next(&r, &note)) {
		struct error *err;

		if (strcmp(note.name, ELF_NOTE_VMCOREINFO))
			continue;
		err = vmcoreinfo_create((const char *)note.desc, note.desc_size,
					&dump->vmcoreinfo);
		if (!err)
			return;
		warn(dump, "%s: %s", dump->path, err->message);
		error_free(err);
	}
}

/* Program counters and return addresses tell in which kernel the CPUs were. */
static struct error *search_memory(struct dump *dump)
{
	const struct registers *registers = &dump->registers;
	uint64_t *text cleanup_free = calloc(registers->count + 1, 2 * sizeof(*text));
	struct find_hints hints = { .text = text };
	struct find_result found;
	struct error *err;
	size_t i;

	if (!text)
		return error_nomem();
	for (i = 0; i < registers->count; i++) {
		text[hints.text_count++] = registers->cpus[i].era;
		text[hints.text_count++] = registers->cpus[i].reg[LOONGARCH_REG_RA];
	}
	err = find_vmcoreinfo(dump->source, &hints, &found);
	if (err)
		return error_add(err, "%s: looking for VMCOREINFO in memory", dump->path);
	dump->vmcoreinfo = found.info;
	dump->vmcoreinfo_phys = found.phys;
	dump->vmcoreinfo_found = found.info;
	found.info = NULL;
	if (!dump->vmcoreinfo)
		warn(dump, "%s: no VMCOREINFO, neither in the file nor in its memory: it does "
		     "not say what its kernel is", dump->path);
	else if (!found.checked)
		warn(dump, "%s: the VMCOREINFO found in memory at 0x%" PRIx64 " does not agree "
		     "with that memory; it may be of another kernel", dump->path, found.phys);
	if (found.other)
		warn(dump, "%s: kernel %s with its VMCOREINFO at 0x%" PRIx64 " is taken; another "
		     "one, %s, is in memory too, with its VMCOREINFO at 0x%" PRIx64,
		     dump->path, vmcoreinfo_string(dump->vmcoreinfo, "OSRELEASE"),
		     found.phys, vmcoreinfo_string(found.other, "OSRELEASE"),
		     found.other_phys);
	find_result_deinit(&found);
	return NULL;
}

/* What the user gives must not contradict what the dump itself says. */
static struct error *read_vmcoreinfo(struct dump *dump, const char *path)
{
	const char *const keys[] = { "OSRELEASE", "BUILD-ID" };
	struct vmcoreinfo *own = dump->vmcoreinfo;
	struct blob text cleanup_blob = { 0 };
	struct error *err;
	size_t i;

	err = file_read(path, VMCOREINFO_SIZE_MAX, &text);
	if (err)
		return err;
	dump->vmcoreinfo = NULL;
	err = vmcoreinfo_create((const char *)text.data, text.size, &dump->vmcoreinfo);
	for (i = 0; i < sizeof(keys) / sizeof(keys[0]) && !err && own; i++) {
		const char *ours = vmcoreinfo_string(own, keys[i]);
		const char *said = vmcoreinfo_string(dump->vmcoreinfo, keys[i]);

		if (ours && said && strcmp(ours, said))
			err = error_new(ERROR_MISMATCH, "%s is of kernel %s, the dump of %s",
					path, said, ours);
	}
	vmcoreinfo_destroy(own);
	return error_add(err, "--vmcoreinfo");
}

static struct error *find_kernel(struct dump *dump, const struct dump_options *options)
{
	take_vmcoreinfo(dump);
	if (options->vmcoreinfo)
		return read_vmcoreinfo(dump, options->vmcoreinfo);
	return dump->vmcoreinfo ? NULL : search_memory(dump);
}

static struct error *check_vmlinux(struct dump *dump, const char *path)
{
	struct vmlinux vmlinux;
	struct error *err;

	if (!path)
		return NULL;
	err = vmlinux_read(path, &vmlinux);
	if (!err)
		err = vmlinux_check(path, &vmlinux, dump->vmcoreinfo,
				    &dump->vmlinux_checked);
	if (!err && !dump->vmlinux_checked)
		warn(dump, "%s: nothing tells whether it is the kernel in the dump", path);
	return error_add(err, "--vmlinux");
}

static struct error *find_page_size(struct dump *dump, uint64_t wanted)
{
	uint64_t said = 0;

	if (dump->vmcoreinfo && vmcoreinfo_string(dump->vmcoreinfo, "PAGESIZE") &&
	    !vmcoreinfo_page_size(dump->vmcoreinfo, &said))
		warn(dump, "%s: VMCOREINFO says PAGESIZE=%s, which no loongarch64 has",
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
		warn(dump, "%s: the page size is not known, %d is taken; "
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
		warn(dump, "%s: VMCOREINFO says CRASHTIME=%s, which is no time",
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
		warn(dump, "%s: registers of %zu CPUs; %s has those of %zu", file, said.count,
		     dump->path, dump->registers.count);
	said.foreign = dump->registers.foreign;
	registers_deinit(&dump->registers);
	dump->registers = said;
	return NULL;
}

static void warn_of_gaps(struct dump *dump)
{
	char missing[UNITS_SIZE_TEXT], promised[UNITS_SIZE_TEXT];

	if (dump->registers.foreign)
		warn(dump, "%s: %zu NT_PRSTATUS notes are not of loongarch64's %d bytes",
		     dump->path, dump->registers.foreign, LOONGARCH_PRSTATUS_SIZE);
	if (dump->registers.from == REGISTERS_PRSTATUS_NO_PC)
		warn(dump, "%s: QEMU did not write the CPUs' program counters into this file; "
		     "the stacks of the tasks that were running are a guess. "
		     "--registers takes them from the text of `info registers -a`", dump->path);
	if (dump_missing(dump))
		warn(dump, dump->source->files ?
			   "%s: of this split dump %s of %s of memory are in files that are "
			   "not here" :
			   "%s: the file was cut: %s of %s of memory are missing",
		     dump->source->path, size_text(dump_missing(dump), missing),
		     size_text(dump->source->promised, promised));
	if (dump->source->flaw)
		warn(dump, "%s", dump->source->flaw->message);
	if (dump->source->input && dump->source->input->incomplete)
		warn(dump, "%s: its flattened records end early", dump->path);
	else if (dump->source->marked_incomplete)
		warn(dump, "%s: its writer marked it as incomplete", dump->path);
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
	err = find_kernel(dump, options);
	if (!err)
		err = check_vmlinux(dump, options->vmlinux);
	if (err)
		goto fail;
	err = find_page_size(dump, options->page_size);
	if (err)
		goto fail;
	err = extents_to_pages(&dump->source->memory, dump->page_shift, &dump->pages);
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

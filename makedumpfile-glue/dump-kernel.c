/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "makedumpfile-glue/dump-kernel.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "lib/elfcore.h"
#include "makedumpfile-glue/kernel/find.h"
#include "makedumpfile-glue/kernel/layout.h"
#include "makedumpfile-glue/kernel/vmlinux.h"
#include "makedumpfile-glue/kernel/witness.h"

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
		dump_warn(dump, "%s: %s", dump->path, err->message);
		error_free(err);
	}
}

/* What was found belongs to the layout it was found in; the kernel's image may
 * lie above 256 MiB and then shows in one layout alone. */
static struct error *look_in_layouts(struct source *source, const struct find_hints *hints,
				     struct find_result *found, bool *ret_sure)
{
	struct error *err = find_vmcoreinfo(source, hints, found);
	size_t at = 0, layout;

	while (!err && !found->checked && at + 1 < source->layouts) {
		find_result_deinit(found);
		err = source->ops->lay_out(source, ++at);
		if (!err)
			err = find_vmcoreinfo(source, hints, found);
	}
	if (!err)
		err = layout_choose(source, found->info, &layout, ret_sure);
	if (!err && layout != at) {
		find_result_deinit(found);
		err = find_vmcoreinfo(source, hints, found);
	}
	return err;
}

static void warn_of_doubt(struct dump *dump, const struct find_result *found, bool sure)
{
	if (!found->info)
		dump_warn(dump, "%s: no VMCOREINFO, neither in the file nor in its memory: it "
			  "does not say what its kernel is", dump->path);
	else if (!found->checked)
		dump_warn(dump, "%s: the VMCOREINFO found in memory at 0x%" PRIx64 " does not "
			  "agree with that memory; it may be of another kernel", dump->path,
			  found->phys);
	if (found->other)
		dump_warn(dump, "%s: kernel %s with its VMCOREINFO at 0x%" PRIx64 " is taken; "
			  "another one, %s, is in memory too, with its VMCOREINFO at 0x%" PRIx64,
			  dump->path, vmcoreinfo_string(found->info, "OSRELEASE"), found->phys,
			  vmcoreinfo_string(found->other, "OSRELEASE"), found->other_phys);
	if (!sure)
		dump_warn(dump, "%s: nothing in it tells where the memory beyond 256 MiB lies; "
			  "0x80000000 is taken, QEMU before 9.0 put it to 0x90000000",
			  dump->path);
}

/* Program counters and return addresses tell in which kernel the CPUs were. */
static struct error *search_memory(struct dump *dump, const char *build_id)
{
	const struct registers *registers = &dump->registers;
	uint64_t *text cleanup_free = calloc(registers->count + 1, 2 * sizeof(*text));
	struct find_hints hints = { .build_id = build_id, .text = text };
	struct find_result found = { 0 };
	char *doubt cleanup_free = NULL;
	struct error *err = NULL;
	bool sure = true;
	size_t i;

	if (!text)
		return error_nomem();
	for (i = 0; i < registers->count; i++) {
		text[hints.text_count++] = registers->cpus[i].era;
		text[hints.text_count++] = registers->cpus[i].reg[LOONGARCH_REG_RA];
	}
	if (dump->source->several_stretches)
		err = witness_settle(dump->source, &doubt);
	if (!err)
		err = look_in_layouts(dump->source, &hints, &found, &sure);
	/* The kernel's tables may lie below 256 MiB, all of them. */
	if (!err && !sure && !dump->source->several_stretches && dump->source->ops->testify) {
		find_result_deinit(&found);
		err = witness_settle(dump->source, &doubt);
		if (!err)
			err = look_in_layouts(dump->source, &hints, &found, &sure);
	}
	if (doubt)
		dump_warn(dump, "%s: nothing in it tells where %s", dump->path, doubt);
	if (err) {
		find_result_deinit(&found);
		return error_add(err, "%s: looking for VMCOREINFO in memory", dump->path);
	}
	warn_of_doubt(dump, &found, sure);
	dump->vmcoreinfo = found.info;
	dump->vmcoreinfo_phys = found.phys;
	dump->vmcoreinfo_found = found.info;
	found.info = NULL;
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

static struct error *check_vmlinux(struct dump *dump, const char *path,
				   const struct vmlinux *vmlinux)
{
	struct error *err = vmlinux_check(path, vmlinux, dump->vmcoreinfo,
					  &dump->vmlinux_checked);

	if (!err && !dump->vmlinux_checked)
		dump_warn(dump, "%s: nothing tells whether it is the kernel in the dump", path);
	return error_add(err, "--vmlinux");
}

/* A text of VMCOREINFO with lines at its end. */
static struct error *add_lines(struct dump *dump, const char *lines)
{
	struct vmcoreinfo *longer;
	struct error *err;
	char *text;
	size_t size;
	const char *own = vmcoreinfo_text(dump->vmcoreinfo, &size);
	const bool ended = size && own[size - 1] == '\n';

	if (asprintf(&text, "%s%s%s", own, ended ? "" : "\n", lines) < 0)
		return error_nomem();
	err = vmcoreinfo_create(text, strlen(text), &longer);
	free(text);
	if (err)
		return err;
	vmcoreinfo_destroy(dump->vmcoreinfo);
	dump->vmcoreinfo = longer;
	return NULL;
}

/* A dump that says all of itself is left as it is. */
static struct error *find_displacement(struct dump *dump, const char *vmlinux)
{
	char *lines cleanup_free = NULL;
	struct error *err = displacement_find(dump->source, dump->vmcoreinfo, vmlinux,
					      &dump->displacement);

	if (err || !dump->vmcoreinfo || (!dump->vmcoreinfo_found && !vmlinux))
		return err;
	err = displacement_lines(&dump->displacement, dump->vmcoreinfo, &lines);
	return !err && lines ? add_lines(dump, lines) : err;
}

struct error *dump_find_kernel(struct dump *dump, const struct dump_options *options)
{
	struct vmlinux vmlinux = { 0 };
	struct error *err = NULL;

	if (options->vmlinux)
		err = error_add(vmlinux_read(options->vmlinux, &vmlinux), "--vmlinux");
	if (err)
		return err;
	take_vmcoreinfo(dump);
	if (options->vmcoreinfo)
		err = read_vmcoreinfo(dump, options->vmcoreinfo);
	else if (!dump->vmcoreinfo)
		err = search_memory(dump, *vmlinux.build_id ? vmlinux.build_id : NULL);
	if (!err && options->vmlinux)
		err = check_vmlinux(dump, options->vmlinux, &vmlinux);
	return err ? err : find_displacement(dump, options->vmlinux);
}

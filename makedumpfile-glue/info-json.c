/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <stdio.h>

#include "lib/json-text.h"
#include "makedumpfile-glue/commands.h"
#include "makedumpfile-glue/info.h"

static struct json_object *hex(uint64_t value)
{
	char text[32];

	snprintf(text, sizeof(text), "0x%" PRIx64, value);
	return json_text(text);
}

static struct json_object *string_or_null(const char *text)
{
	return text && *text ? json_text(text) : NULL;
}

static struct json_object *memory_json(const struct dump *dump)
{
	const struct extents *memory = &dump->source->memory;
	struct json_object *list = json_object_new_array();
	size_t i;

	for (i = 0; i < memory->count; i++) {
		struct json_object *run = json_object_new_object();

		json_object_object_add(run, "start", hex(memory->run[i].start));
		json_object_object_add(run, "size",
				       json_object_new_uint64(memory->run[i].end -
							      memory->run[i].start));
		json_object_array_add(list, run);
	}
	return list;
}

static struct json_object *cpus_json(const struct dump *dump)
{
	struct json_object *list = json_object_new_array();
	size_t i;

	for (i = 0; i < dump->registers.count; i++) {
		struct json_object *cpu = json_object_new_object();

		json_object_object_add(cpu, "pid",
				       json_object_new_int64(dump->registers.cpus[i].pid));
		json_object_object_add(cpu, "era", hex(dump->registers.cpus[i].era));
		json_object_object_add(cpu, "sp", hex(dump->registers.cpus[i].sp));
		json_object_array_add(list, cpu);
	}
	return list;
}

/* A word for each kind, for machines. */
static struct json_object *registers_json(const struct dump *dump)
{
	static const char *const names[] = {
		[REGISTERS_PRSTATUS] = "NT_PRSTATUS",
		[REGISTERS_PRSTATUS_NO_PC] = "NT_PRSTATUS without PC",
		[REGISTERS_STREAM] = "stream",
		[REGISTERS_TEXT] = "info registers",
	};

	return string_or_null(names[dump->registers.from]);
}

static struct json_object *warnings_json(const struct dump *dump)
{
	struct json_object *list = json_object_new_array();
	size_t i;

	for (i = 0; i < dump->warning_count; i++)
		json_object_array_add(list, json_text(dump->warnings[i]));
	return list;
}

static struct json_object *types_json(const struct info_facts *f)
{
	struct json_object *list;
	unsigned int type;

	if (!f->scan.done)
		return NULL;
	list = json_object_new_object();
	for (type = 0; type < PAGE_TYPES; type++) {
		struct json_object *o = json_object_new_object();
		uint64_t count = f->scan.count[type];

		json_object_object_add(o, "pages", json_object_new_uint64(count));
		json_object_object_add(o, "bytes",
				       json_object_new_uint64(count << f->dump->page_shift));
		json_object_object_add(list, page_type_name(type), o);
	}
	return list;
}

/* Pages kept at each level, without regard to zeros. */
static struct json_object *levels_json(const struct info_facts *f)
{
	struct json_object *list;
	unsigned int level;

	if (!f->scan.done)
		return NULL;
	list = json_object_new_array();
	for (level = 0; level <= DUMP_LEVEL_MAX; level++)
		json_object_array_add(list, json_object_new_uint64(info_kept_pages(f, level)));
	return list;
}

static struct json_object *notes_json(const struct page_scan *scan)
{
	struct json_object *list = json_object_new_array();
	size_t i;

	for (i = 0; i < scan->note_count; i++)
		json_object_array_add(list, json_text(scan->notes[i]));
	return list;
}

static struct json_object *files_json(const struct dump *dump)
{
	struct json_object *list = json_object_new_array();
	size_t i;

	if (!dump->source->files)
		json_object_array_add(list, json_text(dump->path));
	for (i = 0; i < dump->source->file_count; i++)
		json_object_array_add(list,
				      json_text(dump->source->files[i]));
	return list;
}

void info_print_json(const struct info_facts *f)
{
	const struct dump *d = f->dump;
	struct json_object *o = json_object_new_object();

	json_object_object_add(o, "file", json_text(d->path));
	json_object_object_add(o, "format", json_text(d->source->ops->format));
	json_object_object_add(o, "flattened",
			       json_object_new_boolean(info_flattened(d->source)));
	json_object_object_add(o, "files", files_json(d));
	json_object_object_add(o, "complete",
			       json_object_new_boolean(dump_status(d) == EXIT_DONE));
	json_object_object_add(o, "dump_level",
			       json_object_new_int64(d->source->dump_level));
	json_object_object_add(o, "release", string_or_null(f->release));
	json_object_object_add(o, "version", string_or_null(f->version));
	json_object_object_add(o, "host", string_or_null(f->host));
	json_object_object_add(o, "build_id", string_or_null(f->build_id));
	json_object_object_add(o, "page_size", json_object_new_uint64(f->page_size));
	json_object_object_add(o, "page_size_known",
			       json_object_new_boolean(d->page_size_known));
	json_object_object_add(o, "displacement",
			       d->displacement.known ? hex(d->displacement.value) : NULL);
	json_object_object_add(o, "displacement_sure",
			       json_object_new_boolean(d->displacement.sure));
	json_object_object_add(o, "vmcoreinfo_found",
			       d->vmcoreinfo_found ? hex(d->vmcoreinfo_phys) : NULL);
	json_object_object_add(o, "crash_time",
			       d->crash_time ? json_object_new_uint64(d->crash_time) :
					       NULL);
	json_object_object_add(o, "panic", string_or_null(f->panic));
	json_object_object_add(o, "log_records", json_object_new_uint64(f->log.records));
	json_object_object_add(o, "registers_from",
			       registers_json(d));
	json_object_object_add(o, "cpus", cpus_json(d));
	json_object_object_add(o, "cpus_online",
			       d->displacement.cpus_online ?
			       json_object_new_int64(d->displacement.cpus_online) : NULL);
	json_object_object_add(o, "pages",
			       json_object_new_uint64(extents_total(&d->pages)));
	json_object_object_add(o, "machine_pages",
			       json_object_new_uint64(extents_total(&d->present)));
	json_object_object_add(o, "memory_bytes",
			       json_object_new_uint64(extents_total(&d->source->memory)));
	json_object_object_add(o, "missing_bytes",
			       json_object_new_uint64(dump_missing(d)));
	json_object_object_add(o, "memory", memory_json(d));
	json_object_object_add(o, "page_types", types_json(f));
	json_object_object_add(o, "pages_kept_by_level", levels_json(f));
	json_object_object_add(o, "filter_notes", notes_json(&f->scan));
	json_object_object_add(o, "page_table_levels",
			       f->scan.levels ? json_object_new_int64(f->scan.levels) :
						NULL);
	json_object_object_add(o, "section_size_bits",
			       f->section_bits ? json_object_new_int64(f->section_bits) :
						 NULL);
	json_object_object_add(o, "crash_command", json_text(f->command));
	json_object_object_add(o, "warnings", warnings_json(d));
	json_print(stdout, o);
}

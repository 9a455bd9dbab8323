/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Addresses are hexadecimal strings (JSON numbers lose bits above 2^53),
 * sizes are numbers, what is not known is null or "unknown".
 */
#include <inttypes.h>
#include <json.h>

#include "kexec/show.h"
#include "lib/json-text.h"

/* json-c takes ownership and copes with NULL; a NULL object means no memory. */
static void put(json_object *to, const char *key, json_object *value)
{
	json_object_object_add(to, key, value);
}

static void put_text(json_object *to, const char *key, const char *value)
{
	put(to, key, json_text(value));
}

static void put_size(json_object *to, const char *key, uint64_t value)
{
	put(to, key, json_object_new_uint64(value));
}

static void put_hex(json_object *to, const char *key, uint64_t value)
{
	char text[24];

	snprintf(text, sizeof(text), "0x%" PRIx64, value);
	put_text(to, key, text);
}

static json_object *image_json(const struct image *image)
{
	json_object *object = json_object_new_object();
	json_object *evidence = json_object_new_object();

	put_text(object, "type", image_type_name(image->type));
	put_text(object, "inner",
		 image->type == IMAGE_ZBOOT ? image_type_name(image->inner) : NULL);
	put_text(object, "compression", image->compression);
	put_text(object, "wrapper",
		 image->wrapper == CODEC_NONE ? NULL : codec_name(image->wrapper));
	put_size(object, "image_size", image->image_size);
	put_size(object, "payload_size", image->payload_size);
	put_hex(object, "text_offset", image->text_offset);
	put_hex(object, "entry", image->entry);
	put_text(object, "relocatable", answer_name(image->relocatable.value));
	put_text(object, "kaslr", answer_name(image->kaslr.value));
	put_text(object, "crash_dump", answer_name(image->crash_dump.value));
	put_text(object, "version", image->version);
	put(object, "page_size",
	    image->page_size ? json_object_new_uint64(image->page_size) : NULL);
	put_text(evidence, "relocatable", image->relocatable.evidence);
	put_text(evidence, "kaslr", image->kaslr.evidence);
	put_text(evidence, "crash_dump", image->crash_dump.evidence);
	put_text(evidence, "version", image->version_evidence);
	put_text(evidence, "page_size", image->page_size_evidence);
	put(object, "evidence", evidence);
	return object;
}

static json_object *range_json(const struct range *range)
{
	json_object *object = json_object_new_object();

	put_hex(object, "start", range->start);
	put_hex(object, "end", range->end);
	put_size(object, "size", range->end - range->start);
	return object;
}

static json_object *machine_json(const struct machine *machine)
{
	json_object *object = json_object_new_object();
	json_object *regions = json_object_new_array();
	size_t i;

	for (i = 0; i < machine->crash.count; i++)
		json_object_array_add(regions, range_json(&machine->crash.items[i]));
	put_text(object, "release", machine->release);
	put_size(object, "page_size", machine->page_size);
	put(object, "crash_regions", regions);
	put_size(object, "cmdline_limit", machine->cmdline_limit);
	put_text(object, "cmdline_limit_evidence", machine->cmdline_limit_evidence);
	put_size(object, "cpus", machine->note_count);
	put_size(object, "ram_ranges", machine->ram.count);
	return object;
}

static json_object *load_json(const struct plan *plan)
{
	json_object *object = json_object_new_object();
	json_object *segments = json_object_new_array();
	size_t i;

	for (i = 0; i < plan->count; i++) {
		const struct segment *segment = &plan->segments[i];
		json_object *item = json_object_new_object();

		put_text(item, "role", segment_role_name(segment->role));
		put_hex(item, "mem", segment->mem);
		put_size(item, "memsz", segment->memsz);
		put_size(item, "bufsz", segment->bufsz);
		json_object_array_add(segments, item);
	}
	put_text(object, "kind", plan->flags & KEXEC_FLAG_ON_CRASH ? "crash" : "normal");
	put_text(object, "syscall", "kexec_load");
	put_hex(object, "flags", plan->flags);
	put_hex(object, "entry", plan->entry);
	put(object, "segments", segments);
	put_text(object, "command_line", plan->command_line);
	return object;
}

static json_object *checks_json(const struct rule_result results[RULE_COUNT])
{
	json_object *array = json_object_new_array();
	size_t i;

	for (i = 0; i < RULE_COUNT; i++) {
		json_object *item;

		if (results[i].state == RULE_UNCHECKED)
			continue;
		item = json_object_new_object();
		put_size(item, "rule", rules[i].number);
		put_text(item, "name", rules[i].name);
		put(item, "ok", json_object_new_boolean(results[i].state == RULE_KEPT));
		put_text(item, "detail", results[i].detail);
		json_object_array_add(array, item);
	}
	return array;
}

static json_object *warnings_json(const struct plan *plan)
{
	json_object *array = json_object_new_array();
	size_t i;

	for (i = 0; i < plan->warning_count; i++)
		json_object_array_add(array, json_text(plan->warnings[i]));
	return array;
}

struct error *show_json(FILE *out, const struct image *image, const struct machine *machine,
			const struct plan *plan, const struct rule_result *results)
{
	json_object *document = json_object_new_object();
	const char *text;

	if (!document)
		return error_nomem();
	put(document, "image", image_json(image));
	if (machine)
		put(document, "machine", machine_json(machine));
	if (plan)
		put(document, "load", load_json(plan));
	if (results)
		put(document, "checks", checks_json(results));
	if (plan)
		put(document, "warnings", warnings_json(plan));
	text = json_object_to_json_string_ext(document, JSON_C_TO_STRING_PRETTY |
						JSON_C_TO_STRING_SPACED |
						JSON_C_TO_STRING_NOSLASHESCAPE);
	if (text)
		fprintf(out, "%s\n", text);
	json_object_put(document);
	return text ? NULL : error_nomem();
}

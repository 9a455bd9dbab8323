/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "makedumpfile-glue/save-summary.h"

#include <inttypes.h>

#include "lib/json-text.h"
#include "lib/units.h"
#include "makedumpfile-glue/destination.h"

static uint64_t dropped_pages(const struct save_counts *c)
{
	uint64_t dropped = 0;
	unsigned int type;

	for (type = 0; type < PAGE_TYPES; type++)
		dropped += c->dropped[type];
	return dropped;
}

static const char *codec_text(const struct save_options *options)
{
	return options->output->takes_packed ? page_codec_name(options->codec) :
					       "not packed";
}

static void print_dropped(FILE *out, const struct save_counts *c)
{
	const char *comma = "";
	unsigned int type;

	if (!dropped_pages(c))
		return;
	fprintf(out, "left out: %" PRIu64 " (", dropped_pages(c));
	for (type = 0; type < PAGE_TYPES; type++)
		if (c->dropped[type]) {
			fprintf(out, "%s%" PRIu64 " %s", comma, c->dropped[type],
				page_type_name(type));
			comma = ", ";
		}
	fputs(")\n", out);
}

static void print_dry_run(FILE *out, const struct save_counts *c)
{
	char in[UNITS_SIZE_TEXT];

	fprintf(out, "would write: %" PRIu64 " pages, %s before packing", c->pages,
		size_text(c->bytes_in, in));
	fprintf(out, "; pages of zeros are not told from others yet\n");
	fprintf(out, "time: %.2f s; nothing was written\n", c->seconds);
}

/* What the codec and the disk did not have to do. */
static void print_spared(FILE *out, const struct save_counts *c)
{
	char spared[UNITS_SIZE_TEXT];

	fprintf(out, "spared: %" PRIu64 " pages equal earlier ones, %s less to write; %"
		PRIu64 " look random, no codec was tried\n", c->repeated,
		size_text(c->spared, spared), c->unpacked);
	if (c->seen)
		fprintf(out, "mapped: %" PRIu64 " pages, of which those of zeros were not "
			"copied\n", c->seen);
}

void summary_text(FILE *out, const struct dump *dump, const struct save_options *options,
		  const struct save_counts *c)
{
	char in[UNITS_SIZE_TEXT], out_size[UNITS_SIZE_TEXT], rate[UNITS_SIZE_TEXT];

	fprintf(out, "%s: %s, %s%s\n", destination_name(options->destination),
		options->output->format, codec_text(options),
		options->flatten ? ", flattened" : "");
	if (options->part_count > 1)
		fprintf(out, "files: %zu\n", options->part_count);
	if (options->stats)
		summary_types(out, dump, options, c);
	else
		print_dropped(out, c);
	if (options->dry_run) {
		print_dry_run(out, c);
		return;
	}
	fprintf(out, "pages: %" PRIu64 " (%" PRIu64 " zero, %" PRIu64 " repeated, %" PRIu64
		" packed, %" PRIu64 " as they are, %" PRIu64 " unreadable)\n",
		c->pages, c->zero, c->repeated, c->packed, c->raw, c->lost);
	if (options->stats)
		print_spared(out, c);
	fprintf(out, "bytes: %" PRIu64 " in (%s), %" PRIu64 " out (%s), ratio %.2f\n",
		c->bytes_in, size_text(c->bytes_in, in), c->bytes_out,
		size_text(c->bytes_out, out_size),
		c->bytes_out ? (double)c->bytes_in / c->bytes_out : 0);
	fprintf(out, "time: %.2f s, %s/s\n", c->seconds,
		size_text(c->seconds > 0 ? c->bytes_in / c->seconds : 0, rate));
}

void summary_types(FILE *out, const struct dump *dump, const struct save_options *options,
		   const struct save_counts *c)
{
	char size[UNITS_SIZE_TEXT];
	unsigned int type;

	(void)options;
	if (!c->types_known) {
		fprintf(out, "page types: not known, every page is kept\n");
		return;
	}
	fprintf(out, "page types:        pages        size\n");
	for (type = 0; type < PAGE_TYPES; type++)
		if (c->types[type])
			fprintf(out, "  %-13s %9" PRIu64 "  %10s  %s\n",
				page_type_name(type), c->types[type],
				size_text(c->types[type] << dump->page_shift, size),
				c->dropped[type] ? "left out" : "kept");
}

static struct json_object *types_json(const struct save_counts *c)
{
	struct json_object *list = json_object_new_object();
	unsigned int type;

	for (type = 0; type < PAGE_TYPES; type++) {
		struct json_object *o = json_object_new_object();

		json_object_object_add(o, "pages", json_object_new_uint64(c->types[type]));
		json_object_object_add(o, "dropped",
				       json_object_new_uint64(c->dropped[type]));
		json_object_object_add(list, page_type_name(type), o);
	}
	return list;
}

void summary_json(FILE *out, const struct dump *dump, const struct save_options *options,
		  const struct save_counts *c)
{
	const struct {
		const char *name;
		uint64_t value;
	} numbers[] = {
		{ "level", options->level },
		{ "page_size", (uint64_t)1 << dump->page_shift },
		{ "pages", c->pages },
		{ "zero", c->zero },
		{ "repeated", c->repeated },
		{ "repeated_bytes", c->spared },
		{ "packed", c->packed },
		{ "raw", c->raw },
		{ "looks_random", c->unpacked },
		{ "unreadable", c->lost },
		{ "mapped", c->seen },
		{ "left_out", dropped_pages(c) },
		{ "bytes_in", c->bytes_in },
		{ "bytes_out", c->bytes_out },
	};
	struct json_object *o = json_object_new_object();
	struct json_object *files = json_object_new_array();
	size_t i;

	for (i = 0; i < options->part_count; i++)
		json_object_array_add(files, json_text(options->parts[i]));
	json_object_object_add(o, "source", json_text(dump->path));
	json_object_object_add(o, "files", files);
	json_object_object_add(o, "format", json_text(options->output->format));
	json_object_object_add(o, "codec",
			       options->output->takes_packed ?
				       json_text(codec_text(options)) : NULL);
	json_object_object_add(o, "flattened", json_object_new_boolean(options->flatten));
	json_object_object_add(o, "dry_run", json_object_new_boolean(options->dry_run));
	for (i = 0; i < sizeof(numbers) / sizeof(numbers[0]); i++)
		json_object_object_add(o, numbers[i].name,
				       json_object_new_uint64(numbers[i].value));
	json_object_object_add(o, "seconds", json_object_new_double(c->seconds));
	json_object_object_add(o, "page_types", c->types_known ? types_json(c) : NULL);
	json_print(out, o);
}

/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lib/file.h"
#include "lib/json-text.h"
#include "makedumpfile-glue/commands.h"
#include "makedumpfile-glue/destination.h"
#include "makedumpfile-glue/kernel/log.h"
#include "makedumpfile-glue/open-options.h"

static const char help[] =
	"Usage: vmcore dmesg [OPTION]... SOURCE [DEST]\n"
	"Print the kernel's log out of the dump SOURCE, or write it to a new file DEST\n"
	"(mode 0600; - is standard output). Times are seconds since the kernel started;\n"
	"bytes that are not printable are shown as \\xNN.\n"
	"\n"
	"      --partial        only what came after the last dmesg --clear\n"
	"      --json           a list of records; time is in nanoseconds\n"
	OPEN_OPTIONS_HELP
	"  -f, --force          replace DEST\n"
	"  -h, --help           this text\n"
	"\n" EXIT_HELP
	"Records that contradict themselves count as places that could not be read.\n";

enum { OPTION_PARTIAL = 256, OPTION_JSON };

static const struct option long_options[] = {
	{ "partial", no_argument, NULL, OPTION_PARTIAL },
	{ "json", no_argument, NULL, OPTION_JSON },
	{ "force", no_argument, NULL, 'f' },
	{ 0 },
};

struct arguments {
	struct dump_options open;
	const char *source;
	const char *destination; /* NULL: stdout */
	bool force;
	bool partial;
	bool json;
};

static struct error *take(int option, void *arguments)
{
	struct arguments *a = arguments;

	switch (option) {
	case OPTION_PARTIAL: a->partial = true; return NULL;
	case OPTION_JSON: a->json = true; return NULL;
	default: a->force = true; return NULL;
	}
}

struct sink {
	FILE *file;
	const char *name;
	uint64_t first; /* records with lower numbers are passed over */
	bool json;
	const char *between;
};

static struct error *print_json(const struct log_record *record, struct sink *sink)
{
	char *text cleanup_free = NULL;
	struct json_object *o;
	struct error *err = log_text(record, &text);

	if (err)
		return err;
	o = json_object_new_object();
	json_object_object_add(o, "seq", json_object_new_uint64(record->seq));
	json_object_object_add(o, "time", json_object_new_uint64(record->ts_nsec));
	json_object_object_add(o, "text", json_text(text));
	if (fprintf(sink->file, "%s%s", sink->between,
		    json_object_to_json_string_ext(o, JSON_C_TO_STRING_PLAIN |
						   JSON_C_TO_STRING_NOSLASHESCAPE)) < 0)
		err = error_errno(errno, "writing %s", sink->name);
	json_object_put(o);
	sink->between = ",\n";
	return err;
}

static struct error *print_record(const struct log_record *record, void *arg)
{
	struct sink *sink = arg;
	char *text cleanup_free = NULL;
	size_t len;
	struct error *err;

	if (record->seq < sink->first)
		return NULL;
	if (sink->json)
		return print_json(record, sink);
	err = log_format(record, &text, &len);
	if (!err && fwrite(text, 1, len, sink->file) != len)
		err = error_errno(errno, "writing %s", sink->name);
	return err;
}

static struct error *print_log(const struct dump *dump, const struct arguments *a,
			       struct sink *sink, struct log_counts *counts)
{
	struct error *err = NULL;

	if (!dump->vmcoreinfo)
		return error_remedy(error_new(ERROR_UNSUPPORTED,
					      "%s: without VMCOREINFO the log cannot be found",
					      dump->path),
				    "crash with the right vmlinux may still find it");
	sink->json = a->json;
	sink->between = "[\n";
	if (a->partial)
		err = log_cleared(dump->source, dump->vmcoreinfo, &sink->first);
	if (!err)
		err = log_read(dump->source, dump->vmcoreinfo, print_record, sink, counts);
	if (!err && a->json)
		fputs(*sink->between == ',' ? "\n]\n" : "[]\n",
		      sink->file);
	if (err)
		return error_add(err, "log of %s", dump->path);
	if (fflush(sink->file))
		return error_errno(errno, "writing %s", sink->name);
	return NULL;
}

static struct error *print_to_file(const struct dump *dump, const struct arguments *a,
				   struct log_counts *counts)
{
	struct new_file file = { .fd = -1 };
	struct sink sink = { 0 };
	struct error *err;
	int fd;

	err = new_file_create(a->destination, 0600, !a->force, &file);
	if (err)
		return err;
	sink.name = file.partial_path;
	fd = dup(file.fd);
	sink.file = fd < 0 ? NULL : fdopen(fd, "w");
	if (!sink.file) {
		err = error_errno(errno, "writing %s", sink.name);
		if (fd >= 0)
			close(fd);
	} else {
		err = print_log(dump, a, &sink, counts);
		if (fclose(sink.file) && !err)
			err = error_errno(errno, "writing %s", sink.name);
	}
	if (!err)
		err = new_file_commit(&file);
	if (err && new_file_abandon(&file, counts->records > 0))
		err = error_remedy(err, "what was read so far is in %s-incomplete",
				   a->destination);
	return err;
}

static int dmesg(void *arguments, char **operands, int count)
{
	struct arguments *a = arguments;
	struct log_counts counts = { 0 };
	struct sink out = { .file = stdout, .name = "standard output" };
	struct dump *dump;
	struct error *err = NULL;
	int status;

	a->source = operands[0];
	a->destination = count > 1 && strcmp(operands[1], DESTINATION_STDOUT) ? operands[1] :
										NULL;
	if (a->destination)
		err = destination_check(a->destination, a->source, &a->open, a->force);
	if (!err)
		err = dump_open(a->source, &a->open, &dump);
	if (err)
		return fail(err);
	dump_print_warnings(dump);
	err = a->destination ? print_to_file(dump, a, &counts) :
			       print_log(dump, a, &out, &counts);
	status = dump_status(dump);
	dump_close(dump);
	if (err)
		return fail(err);
	if (counts.damaged) {
		fprintf(stderr, "vmcore: warning: %" PRIu64 " of the log's records could "
			"not be read\n", counts.damaged);
		status = EXIT_INCOMPLETE;
	}
	return status;
}

static const struct command command = {
	.name = "dmesg",
	.help = help,
	.letters = "f",
	.options = long_options,
	.take = take,
	.operands = "SOURCE",
	.operands_min = 1,
	.operands_max = 2,
	.run = dmesg,
};

int cmd_dmesg(int argc, char **argv)
{
	struct arguments a = { 0 };

	return command_run(&command, argc, argv, &a, &a.open);
}

/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lib/json-text.h"
#include "lib/loongarch.h"
#include "lib/text.h"
#include "lib/units.h"
#include "makedumpfile-glue/commands.h"
#include "makedumpfile-glue/kernel/log.h"
#include "makedumpfile-glue/kernel/pages.h"
#include "makedumpfile-glue/open-options.h"
#include "makedumpfile-glue/progress.h"
#include "makedumpfile-glue/source/quirks.h"

static const char help[] =
	"Usage: vmcore check [OPTION]... SOURCE\n"
	"Read all of the dump SOURCE and say whether it is whole: its structure, each\n"
	"page, its notes, the kernel's own data that readers begin with, the log. With\n"
	"--vmlinux also whether it is of that kernel.\n"
	"\n"
	"      --json           the same as JSON\n"
	OPEN_OPTIONS_HELP
	"  -q, --quiet          no progress; only what is not right\n"
	"  -h, --help           this text\n"
	"\n"
	"Exit status: 0 whole; 1 of no use; 2 of another kernel than --vmlinux or\n"
	"--vmcoreinfo says; 3 it can be read, but is not complete.\n";

enum { OPTION_JSON = 256 };

static const struct option long_options[] = {
	{ "json", no_argument, NULL, OPTION_JSON },
	{ "quiet", no_argument, NULL, 'q' },
	{ 0 },
};

struct arguments {
	struct dump_options open;
	bool json;
	bool quiet;
};

static struct error *take(int option, void *arguments)
{
	struct arguments *a = arguments;

	if (option == OPTION_JSON)
		a->json = true;
	else
		a->quiet = true;
	return NULL;
}

#define CHUNK_SIZE ((size_t)1 << 20)

/* The first pages that cannot be read are named; these are enough. */
#define NAMED_PAGES 5

enum verdict {
	VERDICT_GOOD,
	VERDICT_NOTE,   /* worth knowing, and nothing is missing */
	VERDICT_BAD,    /* something is missing or wrong */
};
static const char *const verdict_names[] = { "ok", "note", "BAD" };

struct check {
	const struct arguments *arguments;
	const struct dump *dump;
	struct json_object *list;
	size_t bad;
	uint64_t pages, lost;
};

static void PRINTF_LIKE(4, 5) say(struct check *c, enum verdict verdict, const char *what,
				  const char *fmt, ...)
{
	char *text cleanup_free = NULL;
	va_list args;
	int len;

	c->bad += verdict == VERDICT_BAD;
	va_start(args, fmt);
	len = vasprintf(&text, fmt, args);
	va_end(args);
	if (len < 0) {
		text = NULL;
		return;
	}
	text_make_printable(text);
	if (c->list) {
		struct json_object *o = json_object_new_object();

		json_object_object_add(o, "check", json_text(what));
		json_object_object_add(o, "verdict",
				       json_text(verdict_names[verdict]));
		json_object_object_add(o, "text", json_text(text));
		json_object_array_add(c->list, o);
	} else if (verdict != VERDICT_GOOD || !c->arguments->quiet) {
		printf("%-4s  %-10s %s\n", verdict_names[verdict], what, text);
	}
}

static void say_quirk(const char *text, void *arg)
{
	say(arg, VERDICT_NOTE, "layout", "%s", text);
}

static void check_layout(struct check *c)
{
	const struct source *source = c->dump->source;
	char missing[UNITS_SIZE_TEXT], all[UNITS_SIZE_TEXT];
	struct error *err;

	size_text(source->promised, all);
	if (dump_missing(c->dump))
		say(c, VERDICT_BAD, "layout", "%s of %s of memory are missing",
		    size_text(dump_missing(c->dump), missing), all);
	if (source->input && source->input->incomplete)
		say(c, VERDICT_BAD, "layout", "its flattened records end early");
	else if (source->marked_incomplete)
		say(c, VERDICT_BAD, "layout", "its writer did not finish it, or left pages out");
	if (source->flaw)
		say(c, VERDICT_BAD, "layout", "%s", source->flaw->message);
	else if (!dump_incomplete(c->dump))
		say(c, VERDICT_GOOD, "layout", "%s, %s of memory in %zu runs",
		    source->ops->format, all, source->memory.count);
	err = source_quirks(source, say_quirk, c);
	if (err)
		say(c, VERDICT_BAD, "layout", "%s", err->message);
	error_free(err);
}

static void check_kernel(struct check *c)
{
	const struct vmcoreinfo *info = c->dump->vmcoreinfo;
	const char *release, *build_id;

	if (!info) {
		say(c, VERDICT_BAD, "kernel", "there is no VMCOREINFO");
		return;
	}
	release = vmcoreinfo_string(info, "OSRELEASE");
	build_id = vmcoreinfo_string(info, "BUILD-ID");
	if (!c->dump->utsname_from_memory)
		say(c, VERDICT_BAD, "kernel", "VMCOREINFO says it is %s; the kernel's own name "
		    "is not in memory where it should be", release);
	else
		say(c, VERDICT_GOOD, "kernel", "%s%s%s", release, build_id ? ", BUILD-ID " : "",
		    build_id ? build_id : "");
	if (c->dump->vmcoreinfo_found)
		say(c, VERDICT_NOTE, "kernel", "VMCOREINFO is not in the notes; it was found in "
		    "memory at 0x%" PRIx64 ", which vmcore save writes into a dump",
		    c->dump->vmcoreinfo_phys);
	if (c->arguments->open.vmlinux && c->dump->vmlinux_checked)
		say(c, VERDICT_GOOD, "vmlinux", "%s is of this kernel",
		    c->arguments->open.vmlinux);
	else if (c->arguments->open.vmlinux)
		say(c, VERDICT_NOTE, "vmlinux", "nothing tells whether %s is of this kernel",
		    c->arguments->open.vmlinux);
}

static void check_registers(struct check *c)
{
	const struct registers *registers = &c->dump->registers;

	if (registers->foreign)
		say(c, VERDICT_BAD, "registers", "%zu NT_PRSTATUS notes are not of "
		    "loongarch64's %d bytes", registers->foreign, LOONGARCH_PRSTATUS_SIZE);
	if (!registers->count)
		say(c, VERDICT_NOTE, "registers", "none: backtraces of running tasks are a "
		    "guess");
	else
		say(c, registers->from == REGISTERS_PRSTATUS_NO_PC ? VERDICT_NOTE : VERDICT_GOOD,
		    "registers", "of %zu CPUs, from %s", registers->count,
		    registers_from_text(registers->from));
}

/* Data that readers begin with; a filter that dropped one has made the dump
 * useless. vmalloc addresses are left to page tables. */
static void check_symbols(struct check *c)
{
	static const char begin[] = "SYMBOL(";
	size_t size, known = 0, absent = 0;
	const char *text, *line, *next;

	if (!c->dump->vmcoreinfo)
		return;
	text = vmcoreinfo_text(c->dump->vmcoreinfo, &size);
	for (line = text; line && *line; line = next ? next + 1 : NULL) {
		char name[64] = "";
		uint64_t virt, phys;

		next = strchr(line, '\n');
		if (strncmp(line, begin, strlen(begin)) ||
		    sscanf(line + strlen(begin), "%63[^)]", name) != 1 ||
		    !vmcoreinfo_symbol(c->dump->vmcoreinfo, name, &virt) ||
		    !loongarch_window_to_phys(virt, &phys))
			continue;
		known++;
		if (extents_hold(&c->dump->source->memory, phys, phys + 8))
			continue;
		absent++;
		say(c, VERDICT_BAD, "data", "the kernel's %s, at 0x%" PRIx64 ", is not in the "
		    "dump", name, phys);
	}
	if (!absent)
		say(c, VERDICT_GOOD, "data", "all %zu things VMCOREINFO names are in it", known);
}

static struct error *count_record(const struct log_record *record, void *arg)
{
	(void)record;
	(void)arg;
	return NULL;
}

static void check_log(struct check *c)
{
	struct log_counts counts = { 0 };
	struct error *err;

	if (!c->dump->vmcoreinfo)
		return;
	err = log_read(c->dump->source, c->dump->vmcoreinfo, count_record, NULL, &counts);
	if (err)
		say(c, VERDICT_BAD, "log", "%s", err->message);
	else if (counts.damaged)
		say(c, VERDICT_BAD, "log", "%" PRIu64 " records, and %" PRIu64 " that cannot be "
		    "read", counts.records, counts.damaged);
	else
		say(c, VERDICT_GOOD, "log", "%" PRIu64 " records", counts.records);
	error_free(err);
}

static struct error *check_types(struct check *c)
{
	const struct dump *dump = c->dump;
	struct page_scan scan;
	struct error *err;
	size_t i;

	err = pages_scan(dump->source, dump->vmcoreinfo, dump->page_shift, &dump->pages,
			 DUMP_LEVEL_MAX, 0, &scan);
	if (err)
		return err;
	for (i = 0; i < scan.note_count; i++)
		say(c, VERDICT_NOTE, "types", "%s", scan.notes[i]);
	if (scan.done && scan.count[PAGE_TYPE_UNKNOWN])
		say(c, VERDICT_NOTE, "types", "%" PRIu64 " pages have no record of what they "
		    "are", scan.count[PAGE_TYPE_UNKNOWN]);
	if (scan.done)
		say(c, VERDICT_GOOD, "types", "the kernel's records of its pages can be read");
	page_scan_deinit(&scan);
	return NULL;
}

static void name_lost_page(struct check *c, uint64_t frame, void *page)
{
	struct error *why = NULL;
	bool lost;

	dump_read_pages(c->dump, frame, 1, page, &lost, &why);
	/* Most sources name the frame themselves. */
	if (why && strstr(why->message, "page frame"))
		say(c, VERDICT_BAD, "pages", "%s", why->message);
	else
		say(c, VERDICT_BAD, "pages", "page frame 0x%" PRIx64 ": %s", frame,
		    why ? why->message : "could not be read at first");
	error_free(why);
}

/* Each page goes through the unpacker; its content is nobody's business. */
static struct error *check_pages(struct check *c)
{
	const struct dump *dump = c->dump;
	const size_t chunk = CHUNK_SIZE >> dump->page_shift;
	uint8_t *pages cleanup_free = malloc(CHUNK_SIZE);
	bool *lost cleanup_free = calloc(chunk, sizeof(*lost));
	struct progress progress;
	size_t i, k;

	if (!pages || !lost)
		return error_nomem();
	progress_start(&progress, "checking", extents_total(&dump->pages) << dump->page_shift,
		       c->arguments->quiet);
	for (i = 0; i < dump->pages.count; i++) {
		uint64_t at = dump->pages.run[i].start, end = dump->pages.run[i].end;

		while (at < end) {
			size_t count = end - at < chunk ? end - at : chunk;
			struct error *why = NULL;

			dump_read_pages(dump, at, count, pages, lost, &why);
			error_free(why);
			for (k = 0; k < count; k++)
				if (lost[k] && c->lost++ < NAMED_PAGES)
					name_lost_page(c, at + k, pages);
			c->pages += count;
			at += count;
			progress_step(&progress, c->pages << dump->page_shift);
		}
	}
	progress_end(&progress);
	if (c->lost)
		say(c, VERDICT_BAD, "pages", "%" PRIu64 " of %" PRIu64 " cannot be read",
		    c->lost, c->pages);
	else
		say(c, VERDICT_GOOD, "pages", "all %" PRIu64 " can be read", c->pages);
	return NULL;
}

static int conclude(struct check *c)
{
	static const char *const words[] = {
		[EXIT_DONE] = "whole",
		[EXIT_FAILED] = "of no use",
		[EXIT_INCOMPLETE] = "readable, not complete",
	};
	int status = c->lost == c->pages ? EXIT_FAILED :
		     c->bad ? EXIT_INCOMPLETE : EXIT_DONE;
	struct json_object *o;

	if (!c->list) {
		if (!c->arguments->quiet || status)
			printf("%s: %s\n", c->dump->path, words[status]);
		return status;
	}
	o = json_object_new_object();
	json_object_object_add(o, "file", json_text(c->dump->path));
	json_object_object_add(o, "verdict", json_text(words[status]));
	json_object_object_add(o, "exit_status", json_object_new_int(status));
	json_object_object_add(o, "pages", json_object_new_uint64(c->pages));
	json_object_object_add(o, "pages_lost", json_object_new_uint64(c->lost));
	json_object_object_add(o, "checks", c->list);
	json_print(stdout, o);
	c->list = NULL;
	return status;
}

static int check(void *arguments, char **operands, int count)
{
	struct check c = { .arguments = arguments };
	struct dump *dump;
	struct error *err;
	int status;

	(void)count;
	err = dump_open(operands[0], &c.arguments->open, &dump);
	if (err)
		return fail(err);
	c.dump = dump;
	if (c.arguments->json)
		c.list = json_object_new_array();
	check_layout(&c);
	check_kernel(&c);
	check_registers(&c);
	check_symbols(&c);
	check_log(&c);
	err = check_types(&c);
	if (!err)
		err = check_pages(&c);
	status = err ? fail(err) : conclude(&c);
	json_object_put(c.list);
	dump_close(dump);
	return status;
}

static const struct command command = {
	.name = "check",
	.help = help,
	.letters = "q",
	.options = long_options,
	.take = take,
	.operands = "SOURCE",
	.operands_min = 1,
	.operands_max = 1,
	.run = check,
};

int cmd_check(int argc, char **argv)
{
	struct arguments a = { 0 };

	return command_run(&command, argc, argv, &a, &a.open);
}

/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <errno.h>
#include <inttypes.h>
#include <json-c/json.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "lib/units.h"
#include "makedumpfile-glue/commands.h"
#include "makedumpfile-glue/kernel/log.h"
#include "makedumpfile-glue/kernel/pages.h"
#include "makedumpfile-glue/open-options.h"

static const char help[] =
	"Usage: vmcore info [OPTION]... SOURCE\n"
	"One screen about the dump SOURCE: what it is, which kernel it is of, what memory\n"
	"and registers it holds, and the command that opens it with crash.\n"
	"\n"
	"      --json           the same as JSON; addresses are strings in hexadecimal,\n"
	"                       sizes are bytes, times are seconds since 1970 (UTC)\n"
	"      --print-vmcoreinfo\n"
	"                       only the text of its VMCOREINFO\n"
	OPEN_OPTIONS_HELP
	"  -h, --help           this text\n"
	"\n" EXIT_HELP;

enum { OPTION_JSON = 256, OPTION_VMCOREINFO };

static const struct option long_options[] = {
	{ "json", no_argument, NULL, OPTION_JSON },
	{ "print-vmcoreinfo", no_argument, NULL, OPTION_VMCOREINFO },
	{ 0 },
};

struct arguments {
	struct dump_options open;
	bool json;
	bool vmcoreinfo;
};

static struct error *take(int option, void *arguments)
{
	struct arguments *a = arguments;

	if (option == OPTION_JSON)
		a->json = true;
	else
		a->vmcoreinfo = true;
	return NULL;
}

/* Runs of memory shown on the screen; --json has them all. */
#define RUNS_SHOWN 8

#define TEXT_SIZE 512

/* Crash's built-in SECTION_SIZE_BITS for LOONGARCH64, up to 9.0.2 at least. */
#define CRASH_SECTION_SIZE_BITS 28

struct facts {
	const struct dump *dump;
	const char *release;  /* NULL: not known */
	const char *build_id; /* NULL: not known */
	uint64_t page_size;
	char *panic;          /* the line of the log, or NULL */
	struct log_counts log;
	struct error *log_error;
	char vmlinux[TEXT_SIZE];
	char *command;
	int64_t section_bits; /* 0: not known */
	struct page_scan scan;
};

/* How the kernel begins the line that says why it died, the plainest first
 * (kernel/panic.c; arch/loongarch/kernel/traps.c and mm/fault.c). */
static const char *const last_words[] = {
	"Kernel panic - not syncing:",
	"Oops",
	"CPU 0 Unable to handle kernel",
	"Unable to handle kernel",
	"Kernel bug detected",
};

struct search {
	char *found;
	size_t rank; /* index into last_words of what was found */
};

static struct error *look_for_panic(const struct log_record *record, void *arg)
{
	struct search *search = arg;
	size_t i;

	for (i = 0; i < search->rank; i++) {
		size_t len = strlen(last_words[i]);

		if (record->text_len < len || memcmp(record->text, last_words[i], len))
			continue;
		free(search->found);
		search->found = strndup(record->text, record->text_len);
		search->rank = i;
		break;
	}
	return NULL;
}

/* Only its first line, and nothing a terminal would act on. */
static void make_printable(char *text)
{
	for (; text && *text; text++) {
		if (*text == '\n')
			*text = 0;
		else if ((unsigned char)*text < 0x20 || (unsigned char)*text >= 0x7f)
			*text = '?';
	}
}

/* In a kdump-compressed file crash finds the page size itself; for ELF it takes
 * that of the host it runs on. */
/* What crash does not read, or not without the note that was found. */
static bool needs_saving(const struct dump *dump)
{
	return dump->vmcoreinfo_found || dump->source->layouts || !dump->source->input;
}

/* Those the user gave may be needed again. */
static const char *saving_options(const struct dump *dump)
{
	return dump->registers.from == REGISTERS_TEXT ? " --registers FILE" : "";
}

static struct error *find_command(struct facts *f)
{
	const struct displacement *displacement = &f->dump->displacement;
	const struct source *source = f->dump->source;
	size_t size, i;
	FILE *to;

	snprintf(f->vmlinux, sizeof(f->vmlinux), "vmlinux%s%s", f->release ? "-" : "",
		 f->release ? f->release : "");
	to = open_memstream(&f->command, &size);
	if (!to)
		return error_nomem();
	if (needs_saving(f->dump))
		fprintf(to, "vmcore save %s%s dump && ", f->dump->path, saving_options(f->dump));
	fputs("crash ", to);
	if (source->ops == &source_elf && !needs_saving(f->dump))
		fprintf(to, "-p %" PRIu64 " ", f->page_size);
	/* crash does not look for a displacement itself on loongarch64; auto takes
	 * _stext of the note. */
	if (displacement->sure && displacement->value)
		fprintf(to, "--kaslr 0x%" PRIx64 " ", displacement->value);
	else if (displacement->known && displacement->value)
		fputs("--kaslr auto ", to);
	fputs(f->vmlinux, to);
	if (!source->files)
		fprintf(to, " %s", needs_saving(f->dump) ? "dump" : f->dump->path);
	for (i = 0; i < source->file_count; i++)
		fprintf(to, " %s", source->files[i]);
	return fclose(to) ? error_nomem() : NULL;
}

static struct error *gather(const struct dump *dump, struct facts *f)
{
	struct search search = {
		.rank = sizeof(last_words) / sizeof(last_words[0]),
	};
	struct error *err;

	*f = (struct facts){ .dump = dump };
	f->page_size = (uint64_t)1 << dump->page_shift;
	if (dump->vmcoreinfo) {
		f->release = vmcoreinfo_string(dump->vmcoreinfo, "OSRELEASE");
		f->build_id = vmcoreinfo_string(dump->vmcoreinfo, "BUILD-ID");
		vmcoreinfo_number(dump->vmcoreinfo, "SECTION_SIZE_BITS", &f->section_bits);
		f->log_error = log_read(dump->source, dump->vmcoreinfo, look_for_panic,
					&search, &f->log);
	}
	make_printable(search.found);
	f->panic = search.found;
	err = find_command(f);
	if (err)
		return err;
	return pages_scan(dump->source, dump->vmcoreinfo, dump->page_shift, &dump->pages,
			  DUMP_LEVEL_MAX, 0, &f->scan);
}

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

/* Pages that a dump of that level holds; zero pages are told only by reading
 * all of them, and count as kept. */
static uint64_t kept_pages(const struct facts *f, unsigned int level)
{
	uint64_t kept = 0;
	unsigned int type;

	for (type = 0; type < PAGE_TYPES; type++)
		if (!page_type_dropped(type, level & f->scan.filters))
			kept += f->scan.count[type];
	return kept;
}

static void print_types(const struct facts *f)
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
		       kept_pages(f, levels[i]),
		       size_text(kept_pages(f, levels[i]) << shift, size),
		       i ? "" : "  and of these no pages of zeros");
	for (i = 0; i < f->scan.note_count; i++)
		printf("%s%s\n", i ? "              " : "Filters:      ",
		       f->scan.notes[i]);
}

static const char *time_text(uint64_t seconds, char buffer[TEXT_SIZE])
{
	time_t time = seconds;
	struct tm tm;

	if (!seconds || !gmtime_r(&time, &tm) ||
	    !strftime(buffer, TEXT_SIZE, "%Y-%m-%d %H:%M:%S UTC", &tm))
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

static void print_needs(const struct facts *f)
{
	printf("To open it:   %s\n", f->command);
	printf("              The vmlinux is the kernel's own, with debug information%s%s.\n",
	       f->build_id ? ", BUILD-ID\n              " : "",
	       f->build_id ? f->build_id : "");
	if (f->section_bits && f->section_bits != CRASH_SECTION_SIZE_BITS)
		printf("              Crash must take SECTION_SIZE_BITS (%" PRId64
		       ") from VMCOREINFO; one that\n              does not stops at "
		       "\"memory section\", and only --minimal works.\n",
		       f->section_bits);
}

static bool is_flattened(const struct source *source)
{
	return source->input && source->input->ops;
}

static int print_text(const struct facts *f)
{
	const struct dump *d = f->dump;
	char text[TEXT_SIZE];

	printf("File:         %s\n", d->path);
	printf("Format:       %s", d->source->ops->format);
	if (is_flattened(d->source))
		printf(", flattened");
	if (d->source->files)
		printf(", split, %zu files", d->source->file_count);
	puts(d->source->marked_incomplete ? ", not finished by its writer" : "");
	printf("Kernel:       %s\n", f->release ? f->release : "not known");
	printf("Version:      %s\n", *d->utsname[3] ? d->utsname[3] : "not known");
	printf("Host:         %s\n", *d->utsname[1] ? d->utsname[1] : "not known");
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
	return dump_status(d);
}

static struct json_object *hex(uint64_t value)
{
	char text[32];

	snprintf(text, sizeof(text), "0x%" PRIx64, value);
	return json_object_new_string(text);
}

static struct json_object *string_or_null(const char *text)
{
	return text && *text ? json_object_new_string(text) : NULL;
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
		json_object_array_add(list, json_object_new_string(dump->warnings[i]));
	return list;
}

static struct json_object *types_json(const struct facts *f)
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
static struct json_object *levels_json(const struct facts *f)
{
	struct json_object *list;
	unsigned int level;

	if (!f->scan.done)
		return NULL;
	list = json_object_new_array();
	for (level = 0; level <= DUMP_LEVEL_MAX; level++)
		json_object_array_add(list, json_object_new_uint64(kept_pages(f, level)));
	return list;
}

static struct json_object *notes_json(const struct page_scan *scan)
{
	struct json_object *list = json_object_new_array();
	size_t i;

	for (i = 0; i < scan->note_count; i++)
		json_object_array_add(list, json_object_new_string(scan->notes[i]));
	return list;
}

static struct json_object *files_json(const struct dump *dump)
{
	struct json_object *list = json_object_new_array();
	size_t i;

	if (!dump->source->files)
		json_object_array_add(list, json_object_new_string(dump->path));
	for (i = 0; i < dump->source->file_count; i++)
		json_object_array_add(list,
				      json_object_new_string(dump->source->files[i]));
	return list;
}

static int print_json(const struct facts *f)
{
	const struct dump *d = f->dump;
	struct json_object *o = json_object_new_object();

	json_object_object_add(o, "file", json_object_new_string(d->path));
	json_object_object_add(o, "format", json_object_new_string(d->source->ops->format));
	json_object_object_add(o, "flattened",
			       json_object_new_boolean(is_flattened(d->source)));
	json_object_object_add(o, "files", files_json(d));
	json_object_object_add(o, "complete",
			       json_object_new_boolean(dump_status(d) == EXIT_DONE));
	json_object_object_add(o, "dump_level",
			       json_object_new_int64(d->source->dump_level));
	json_object_object_add(o, "release", string_or_null(f->release));
	json_object_object_add(o, "version", string_or_null(d->utsname[3]));
	json_object_object_add(o, "host", string_or_null(d->utsname[1]));
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
	json_object_object_add(o, "crash_command", json_object_new_string(f->command));
	json_object_object_add(o, "warnings", warnings_json(d));
	puts(json_object_to_json_string_ext(o, JSON_C_TO_STRING_PRETTY |
						       JSON_C_TO_STRING_NOSLASHESCAPE));
	json_object_put(o);
	return dump_status(d);
}

static int print_vmcoreinfo(const struct dump *dump)
{
	const char *text;
	size_t size;

	if (!dump->vmcoreinfo)
		return fail(error_new(ERROR_UNSUPPORTED, "%s: there is no VMCOREINFO",
				      dump->path));
	text = vmcoreinfo_text(dump->vmcoreinfo, &size);
	if (fwrite(text, 1, size, stdout) != size || fflush(stdout))
		return fail(error_errno(errno, "writing standard output"));
	return EXIT_DONE;
}

static int info(void *arguments, char **operands, int count)
{
	const struct arguments *a = arguments;
	struct facts facts;
	struct dump *dump;
	struct error *err;
	int status;

	(void)count;
	err = dump_open(operands[0], &a->open, &dump);
	if (err)
		return fail(err);
	if (a->vmcoreinfo) {
		status = print_vmcoreinfo(dump);
		dump_close(dump);
		return status;
	}
	err = gather(dump, &facts);
	if (!a->json)
		dump_print_warnings(dump);
	if (err)
		status = fail(err);
	else
		status = a->json ? print_json(&facts) : print_text(&facts);
	page_scan_deinit(&facts.scan);
	free(facts.panic);
	free(facts.command);
	error_free(facts.log_error);
	dump_close(dump);
	return status;
}

static const struct command command = {
	.name = "info",
	.help = help,
	.letters = "",
	.options = long_options,
	.take = take,
	.operands = "SOURCE",
	.operands_min = 1,
	.operands_max = 1,
	.run = info,
};

int cmd_info(int argc, char **argv)
{
	struct arguments a = { 0 };

	return command_run(&command, argc, argv, &a, &a.open);
}

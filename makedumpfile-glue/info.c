/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lib/text.h"
#include "makedumpfile-glue/info.h"

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

/* Its first line. NULL also for an empty one, or for lack of memory: it is shown as
 * not known then. */
static char *printable_line(const char *text)
{
	char *line = text && *text ? strndup(text, strcspn(text, "\n")) : NULL;

	if (line)
		text_make_printable(line);
	return line;
}

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

/* As a shell reads one word. */
static void put_word(FILE *to, const char *word)
{
	static const char plain[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
				    "0123456789%+,-./:=@_";

	if (*word && !word[strspn(word, plain)]) {
		fputs(word, to);
		return;
	}
	putc('\'', to);
	for (; *word; word++)
		if (*word == '\'')
			fputs("'\\''", to);
		else
			putc(*word, to);
	putc('\'', to);
}

static struct error *find_command(struct info_facts *f)
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
	if (needs_saving(f->dump)) {
		fputs("vmcore save ", to);
		put_word(to, f->dump->path);
		fprintf(to, "%s dump && ", saving_options(f->dump));
	}
	fputs("crash ", to);
	/* In a kdump-compressed file crash finds the page size itself; for ELF it
	 * takes that of the host it runs on. */
	if (source->ops == &source_elf && !needs_saving(f->dump))
		fprintf(to, "-p %" PRIu64 " ", f->page_size);
	/* crash does not look for a displacement itself on loongarch64; auto takes
	 * _stext of the note. */
	if (displacement->sure && displacement->value)
		fprintf(to, "--kaslr 0x%" PRIx64 " ", displacement->value);
	else if (displacement->known && displacement->value)
		fputs("--kaslr auto ", to);
	if (dump_crash_cpus(f->dump))
		fprintf(to, "--cpus %zu ", dump_crash_cpus(f->dump));
	put_word(to, f->vmlinux);
	if (!source->files) {
		putc(' ', to);
		put_word(to, needs_saving(f->dump) ? "dump" : f->dump->path);
	}
	for (i = 0; i < source->file_count; i++) {
		putc(' ', to);
		put_word(to, source->files[i]);
	}
	return fclose(to) ? error_nomem() : NULL;
}

struct error *info_facts(const struct dump *dump, struct info_facts *f)
{
	struct search search = {
		.rank = sizeof(last_words) / sizeof(last_words[0]),
	};
	struct error *err;

	*f = (struct info_facts){ .dump = dump };
	f->page_size = (uint64_t)1 << dump->page_shift;
	if (dump->vmcoreinfo) {
		f->release = printable_line(vmcoreinfo_string(dump->vmcoreinfo,
							      "OSRELEASE"));
		f->build_id = printable_line(vmcoreinfo_string(dump->vmcoreinfo,
							       "BUILD-ID"));
		vmcoreinfo_number(dump->vmcoreinfo, "SECTION_SIZE_BITS", &f->section_bits);
		f->log_error = log_read(dump->source, dump->vmcoreinfo, look_for_panic,
					&search, &f->log);
	}
	f->version = printable_line(dump->utsname[UTSNAME_VERSION]);
	f->host = printable_line(dump->utsname[UTSNAME_NODENAME]);
	f->panic = printable_line(search.found);
	free(search.found);
	err = find_command(f);
	if (err)
		return err;
	return pages_scan(dump->source, dump->vmcoreinfo, dump->page_shift, &dump->pages,
			  DUMP_LEVEL_MAX, 0, &f->scan);
}

void info_facts_deinit(struct info_facts *f)
{
	page_scan_deinit(&f->scan);
	free(f->release);
	free(f->version);
	free(f->host);
	free(f->build_id);
	free(f->panic);
	free(f->command);
	error_free(f->log_error);
}

uint64_t info_kept_pages(const struct info_facts *f, unsigned int level)
{
	uint64_t kept = 0;
	unsigned int type;

	for (type = 0; type < PAGE_TYPES; type++)
		if (!page_type_dropped(type, level & f->scan.filters))
			kept += f->scan.count[type];
	return kept;
}

bool info_flattened(const struct source *source)
{
	return source->input && source->input->ops;
}

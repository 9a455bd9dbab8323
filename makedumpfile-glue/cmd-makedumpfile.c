/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * vmcore by the name of makedumpfile: what is asked for in its words, done in
 * ours.
 */
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>

#include "lib/units.h"
#include "makedumpfile-glue/commands.h"
#include "makedumpfile-glue/destination.h"
#include "makedumpfile-glue/makedumpfile-options.h"
#include "makedumpfile-glue/makedumpfile-report.h"

/* Our own command line as it grows. */
struct line {
	char **word;
	int count;
};

/* With room for the words an option list can come to, and these operands. */
static struct error *line_init(struct line *line, int operands)
{
	*line = (struct line){ .word = calloc(40 + 2 * operands, sizeof(char *)) };
	return line->word ? NULL : error_nomem();
}

static void add(struct line *line, const char *word)
{
	line->word[line->count++] = (char *)word;
}

static void add_value(struct line *line, const char *option, const char *value)
{
	if (!value)
		return;
	add(line, option);
	add(line, value);
}

static void add_source(struct line *line, const struct wishes *w)
{
	add_value(line, "--vmlinux", w->vmlinux);
	add_value(line, "--vmcoreinfo", w->vmcoreinfo);
	if (w->force)
		add(line, "-f");
}

static int run_save(const struct wishes *w, char **files, int count)
{
	save_summary *summary = w->stats || w->messages & MESSAGE_REPORT ?
					makedumpfile_report :
				w->messages & MESSAGE_COMMON ? makedumpfile_done : NULL;
	char parts[16], block[32];
	struct line line;
	struct error *err = line_init(&line, count);
	int i, status;

	if (err)
		return fail(err);
	add(&line, "save");
	add_value(&line, "-d", w->level);
	add_value(&line, "--size-limit", w->limit);
	if (w->elf)
		add_value(&line, "--format", "elf");
	else
		add(&line, w->codec ? w->codec : "--raw");
	add_value(&line, "--threads", w->threads);
	if (w->no_mmap)
		add(&line, "--no-mmap");
	if (w->work == WORK_SPLIT) {
		snprintf(parts, sizeof(parts), "%d", count - 1);
		add_value(&line, "--split", parts);
	}
	if (w->split_block) {
		snprintf(block, sizeof(block), "%lluK", (unsigned long long)w->split_block);
		add_value(&line, "--split-block", block);
	}
	if (w->dry_run)
		add(&line, "--dry-run");
	if (!(w->messages & MESSAGE_PROGRESS))
		add(&line, "--no-progress");
	add_source(&line, w);
	add(&line, "--");
	for (i = 0; i < count; i++)
		add(&line, files[i]);
	if (w->flatten)
		add(&line, DESTINATION_STDOUT);
	optind = 0;
	status = w->check ? save_check(line.count, line.word) :
			    save_command(line.count, line.word, summary);
	free(line.word);
	return status;
}

/* How the pages of a split dump are packed, as an option of save, when all of its
 * files are there. */
static struct error *look_at_parts(char **files, int count, const char **ret_codec)
{
	char missing[UNITS_SIZE_TEXT];
	struct source *parts;
	struct error *err = source_open(files[0], (const char *const *)files + 1, count - 1,
					&parts);
	uint64_t there;

	if (err)
		return error_add(err, "--reassemble");
	there = extents_total(&parts->memory);
	if (there < parts->promised)
		err = error_remedy(error_new(ERROR_USAGE, "--reassemble: %s of memory are in "
					     "files that are not named",
					     size_text(parts->promised - there, missing)),
				   "name all files of the split dump; vmcore save makes a dump "
				   "of some of them");
	*ret_codec = parts->codec & PAGE_ZSTD	? "-z" :
		     parts->codec & PAGE_SNAPPY ? "-p" :
		     parts->codec & PAGE_LZO	? "-l" :
		     parts->codec & PAGE_ZLIB	? "-c" : "--raw";
	source_close(parts);
	return err;
}

/* All pages of all files, packed as they are now. */
static int run_reassemble(const struct wishes *w, char **files, int count)
{
	const char *codec = "--raw";
	struct line line;
	struct error *err = look_at_parts(files, count - 1, &codec);
	int i, status;

	if (!err)
		err = line_init(&line, count);
	if (err)
		return fail(err);
	add(&line, "save");
	add_value(&line, "-d", "0");
	add(&line, codec);
	add_value(&line, "--size-limit", w->limit);
	for (i = 1; i < count - 1; i++)
		add_value(&line, "--part", files[i]);
	if (!(w->messages & MESSAGE_PROGRESS))
		add(&line, "--no-progress");
	add_source(&line, w);
	add(&line, "--");
	add(&line, files[0]);
	add(&line, files[count - 1]);
	optind = 0;
	status = save_command(line.count, line.word,
			      w->messages & MESSAGE_COMMON ? makedumpfile_done : NULL);
	free(line.word);
	return status;
}

/* A stream that breaks off is no success for whoever waits for it. */
static int run_rebuild(const struct wishes *w, char **files)
{
	struct line line;
	struct error *err = line_init(&line, 2);
	int status;

	if (err)
		return fail(err);
	add(&line, "rebuild");
	if (!(w->messages & MESSAGE_COMMON))
		add(&line, "-q");
	if (w->force)
		add(&line, "-f");
	add(&line, "--");
	add(&line, "-");
	add(&line, files[0]);
	optind = 0;
	status = cmd_rebuild(line.count, line.word);
	free(line.word);
	return status == EXIT_INCOMPLETE ? EXIT_FAILED : status;
}

static int run_dmesg(const struct wishes *w, char **files, int count)
{
	struct line line;
	struct error *err = line_init(&line, count);
	int i, status;

	if (err)
		return fail(err);
	add(&line, "dmesg");
	if (w->partial)
		add(&line, "--partial");
	add_source(&line, w);
	add(&line, "--");
	for (i = 0; i < count; i++)
		add(&line, files[i]);
	optind = 0;
	status = cmd_dmesg(line.count, line.word);
	free(line.word);
	return status;
}

static struct error *write_vmcoreinfo(const struct dump *dump, const struct wishes *w,
				      const struct dump_options *open)
{
	struct destination to = { .file.fd = -1 };
	const char *text;
	size_t size;
	struct error *err;

	if (!dump->vmcoreinfo)
		return error_new(ERROR_UNSUPPORTED, "%s: there is no VMCOREINFO",
				 dump->path);
	text = vmcoreinfo_text(dump->vmcoreinfo, &size);
	err = destination_check(w->write_vmcoreinfo, dump->path, open, w->force);
	if (!err)
		err = destination_open(w->write_vmcoreinfo, w->force, false, 0, &to);
	if (!err)
		err = target_write(&to.target, text, size, 0);
	if (!err)
		err = destination_settle(&to);
	if (!err)
		err = destination_commit(&to);
	return destination_close(&to, false, err);
}

static int run_on_dump(const struct wishes *w, const char *file)
{
	const struct dump_options options = {
		.vmlinux = w->vmlinux, .vmcoreinfo = w->vmcoreinfo,
	};
	struct dump *dump;
	struct error *err = dump_open(file, &options, &dump);

	if (err)
		return fail(err);
	dump_print_warnings(dump);
	err = w->work == WORK_MEM_USAGE ? makedumpfile_mem_usage(dump) :
					  write_vmcoreinfo(dump, w, &options);
	dump_close(dump);
	return err ? fail(err) : EXIT_DONE;
}

static int run(const struct wishes *w, char **files, int count)
{
	/* What else could be wrong with a dump's parameters save_check() says. */
	if (w->check && w->work != WORK_DUMP && w->work != WORK_SPLIT)
		return EXIT_DONE;
	switch (w->work) {
	case WORK_REASSEMBLE: return run_reassemble(w, files, count);
	case WORK_REBUILD: return run_rebuild(w, files);
	case WORK_DMESG: return run_dmesg(w, files, count);
	case WORK_MEM_USAGE:
	case WORK_VMCOREINFO: return run_on_dump(w, files[0]);
	case WORK_HELP: fputs(makedumpfile_help, stdout); return EXIT_DONE;
	case WORK_VERSION: print_version(); return EXIT_DONE;
	default: return run_save(w, files, count);
	}
}

int cmd_makedumpfile(int argc, char **argv)
{
	struct wishes w;
	struct error *err = makedumpfile_options(argc, argv, &w);
	int status;

	if (err)
		return fail(err);
	status = run(&w, argv + optind, argc - optind);
	/* makedumpfile knows success and failure; what is missing was said. */
	return status == EXIT_INCOMPLETE ? EXIT_DONE : status;
}

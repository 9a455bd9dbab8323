/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <errno.h>
#include <inttypes.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "lib/units.h"
#include "makedumpfile-glue/commands.h"
#include "makedumpfile-glue/destination.h"
#include "makedumpfile-glue/open-options.h"
#include "makedumpfile-glue/save.h"
#include "makedumpfile-glue/save-summary.h"

static const char help[] =
	"Usage: vmcore save [OPTION]... SOURCE DEST\n"
	"       vmcore save --split N [OPTION]... SOURCE DEST1 ... DESTN\n"
	"Write the dump in SOURCE as a new file DEST, mode 0600. DEST - is standard\n"
	"output, flattened: vmcore rebuild, or makedumpfile -R, makes the dump of it.\n"
	"\n"
	"  -d, --level LEVEL[,LEVEL]...\n"
	"                       what to leave out, a sum of: 1 pages of zeros; 2 page\n"
	"                       cache; 4 page cache with private data too; 8 user\n"
	"                       memory; 16 free pages. 0: every page. Default: 1.\n"
	"                       31,1 means: 31, and 1 where 31 finds no room; not for\n"
	"                       standard output, which cannot be begun anew\n"
	"  -c                   pack pages as zlib streams (default for kdump)\n"
	"  -l, -p, -z           pack them with lzo, snappy or zstd\n"
	"      --raw            do not pack pages\n"
	"      --threads N      work in N threads; default: one for each CPU\n"
	"      --no-mmap        read all of /proc/vmcore, map nothing of it\n"
	"      --memory-budget SIZE\n"
	"                       take no more memory for buffers; fewer threads, then\n"
	"                       smaller buffers. Default: half of what is available\n"
	"      --format FORMAT  kdump (kdump-compressed, default), elf, or flat, which\n"
	"                       is kdump with --flatten\n"
	"  -F, --flatten        write DEST flattened\n"
	"      --split N        write N files of about as many pages each; one DEST\n"
	"                       stands for DEST.1 to DEST.N\n"
	"      --split-block SIZE\n"
	"                       cut only where this much memory ends\n"
	"  -L, --size-limit SIZE\n"
	"                       DEST must not become larger; the next LEVEL is tried\n"
	OPEN_OPTIONS_HELP
	"  -f, --force          replace DEST, once the new dump is whole\n"
	"      --dry-run        write nothing; say what would be, by page types\n"
	"      --show-stats     all page types in the summary, kept and left out; what\n"
	"                       repeated pages and such that look random spared, and\n"
	"                       how many were mapped\n"
	"      --json           the summary as JSON\n"
	"      --no-progress    only the summary\n"
	"  -q, --quiet          no progress, no summary\n"
	"  -h, --help           this text\n"
	"\n"
	"While it is written the dump is DEST-incomplete. If saving breaks off, that\n"
	"file stays and can be read as far as it got; nothing appears under DEST.\n"
	"Pages that cannot be read are marked as missing, not filled with zeros.\n"
	"In kdump-compressed files all pages of zeros share one, at level 0 too.\n"
	"SOURCE may itself be a filtered dump; what it lacks stays missing.\n"
	"\n" EXIT_HELP
	"Stopped by SIGINT, SIGTERM or SIGHUP it ends by that signal.\n";

enum {
	OPTION_RAW = 256, OPTION_THREADS, OPTION_FORMAT, OPTION_SPLIT, OPTION_SPLIT_BLOCK,
	OPTION_DRY_RUN, OPTION_STATS, OPTION_JSON, OPTION_NO_PROGRESS, OPTION_BUDGET,
	OPTION_NO_MMAP,
};

static const struct option long_options[] = {
	{ "level", required_argument, NULL, 'd' },
	{ "raw", no_argument, NULL, OPTION_RAW },
	{ "threads", required_argument, NULL, OPTION_THREADS },
	{ "no-mmap", no_argument, NULL, OPTION_NO_MMAP },
	{ "memory-budget", required_argument, NULL, OPTION_BUDGET },
	{ "format", required_argument, NULL, OPTION_FORMAT },
	{ "flatten", no_argument, NULL, 'F' },
	{ "split", required_argument, NULL, OPTION_SPLIT },
	{ "split-block", required_argument, NULL, OPTION_SPLIT_BLOCK },
	{ "size-limit", required_argument, NULL, 'L' },
	{ "dry-run", no_argument, NULL, OPTION_DRY_RUN },
	{ "show-stats", no_argument, NULL, OPTION_STATS },
	{ "json", no_argument, NULL, OPTION_JSON },
	{ "force", no_argument, NULL, 'f' },
	{ "no-progress", no_argument, NULL, OPTION_NO_PROGRESS },
	{ "quiet", no_argument, NULL, 'q' },
	{ 0 },
};

#define LEVELS_MAX 32
#define SPLIT_MAX  1024

struct arguments {
	struct dump_options open;
	const char *source;
	unsigned int levels[LEVELS_MAX]; /* in the order they are tried */
	size_t level_count;
	struct save_options save;
	uint64_t split;     /* files; 0: one, not split */
	char **part_names;  /* made up for a split dump of one name */
	bool codec_given;
	save_summary *summary; /* NULL: none */
	bool check;            /* only the command line */
};

/* "31" or "31,1": the next is tried where a dump finds no room. */
static struct error *parse_levels(const char *text, struct arguments *a)
{
	char *copy cleanup_free = strdup(text), *rest = copy, *word;
	uint64_t level;

	if (!copy)
		return error_nomem();
	a->level_count = 0;
	while ((word = strsep(&rest, ","))) {
		if (!parse_size(word, &level) || level > DUMP_LEVEL_MAX)
			return error_new(ERROR_USAGE, "-d %s: a dump level is 0 to 31",
					 text);
		if (a->level_count == LEVELS_MAX)
			return error_new(ERROR_USAGE, "-d %s: more than %d levels", text,
					 LEVELS_MAX);
		a->levels[a->level_count++] = level;
	}
	return NULL;
}

static struct error *parse_threads(const char *text, unsigned int *ret)
{
	uint64_t threads;

	if (!parse_size(text, &threads) || !threads || threads > SAVE_THREADS_MAX)
		return error_new(ERROR_USAGE, "--threads %s: must be 1 to %d", text,
				 SAVE_THREADS_MAX);
	*ret = threads;
	return NULL;
}

static struct error *parse_format(const char *text, struct save_options *save)
{
	const struct output_ops *output = output_find(text);

	if (!strcmp(text, "flat")) {
		output = &output_kdump;
		save->flatten = true;
	}
	if (!output)
		return error_new(ERROR_USAGE, "--format %s: must be kdump, elf or flat",
				 text);
	save->output = output;
	return NULL;
}

static struct error *parse_amount(const char *option, const char *text, uint64_t *ret)
{
	if (!parse_size(text, ret) || !*ret)
		return error_new(ERROR_USAGE, "%s %s: must be a number of bytes, also as "
				 "in 512M or 2G", option, text);
	return NULL;
}

static struct error *parse_split(const char *text, uint64_t *ret)
{
	if (parse_size(text, ret) && *ret >= 2 && *ret <= SPLIT_MAX)
		return NULL;
	return error_new(ERROR_USAGE, "--split %s: must be 2 to %d", text, SPLIT_MAX);
}

static struct error *parse_codec(int option, struct arguments *a)
{
	enum page_codec codec = option == OPTION_RAW ? PAGE_RAW :
				option == 'l'	     ? PAGE_LZO :
				option == 'p'	     ? PAGE_SNAPPY :
				option == 'z'	     ? PAGE_ZSTD :
						       PAGE_ZLIB;

	if (!page_codec_built(codec))
		return error_remedy(error_new(ERROR_UNSUPPORTED,
					      "-%c: %s is not in this build", option,
					      page_codec_name(codec)), "use -c");
	if (a->codec_given && a->save.codec != codec)
		return error_new(ERROR_USAGE, "-c, -l, -p, -z and --raw exclude each other");
	a->save.codec = codec;
	a->codec_given = true;
	return NULL;
}

static struct error *take(int option, void *arguments)
{
	struct arguments *a = arguments;

	switch (option) {
	case 'd': return parse_levels(optarg, a);
	case OPTION_NO_MMAP: a->save.no_mmap = true; return NULL;
	case OPTION_THREADS: return parse_threads(optarg, &a->save.threads);
	case OPTION_FORMAT: return parse_format(optarg, &a->save);
	case 'F': a->save.flatten = true; return NULL;
	case OPTION_SPLIT: return parse_split(optarg, &a->split);
	case OPTION_SPLIT_BLOCK:
		return parse_amount("--split-block", optarg, &a->save.split_block);
	case OPTION_BUDGET:
		return parse_amount("--memory-budget", optarg, &a->save.memory_budget);
	case 'L': return parse_amount("--size-limit", optarg, &a->save.size_limit);
	case OPTION_DRY_RUN: a->save.dry_run = a->save.stats = true; return NULL;
	case OPTION_STATS: a->save.stats = true; return NULL;
	case OPTION_JSON: a->summary = summary_json; return NULL;
	case 'f': a->save.force = true; return NULL;
	case OPTION_NO_PROGRESS: a->save.quiet = true; return NULL;
	case 'q':
		a->save.quiet = true;
		a->summary = NULL;
		return NULL;
	default: return parse_codec(option, a);
	}
}

static const struct command command;

/* Ends as the signal asked, now that everything is put in order. */
static int die_of(int number)
{
	signal(number, SIG_DFL);
	raise(number);
	return EXIT_FAILED;
}

static bool no_room(const struct error *err)
{
	return err->sys_errno == ENOSPC || err->sys_errno == EDQUOT ||
	       err->sys_errno == EFBIG;
}

/* What went into a pipe cannot be taken back. */
static bool is_in_a_pipe(const struct arguments *a, const struct save_counts *counts)
{
	return counts->bytes_out && !strcmp(a->save.destination, DESTINATION_STDOUT);
}

/* Level by level, until one finds room. */
static struct error *save_at_levels(const struct dump *dump, struct arguments *a,
				    struct save_counts *counts, struct error **lost,
				    int *number)
{
	struct error *err;
	size_t i;

	for (i = 0;; i++) {
		a->save.level = a->levels[i];
		err = save_run(dump, &a->save, counts, lost, number);
		if (!err || i + 1 == a->level_count || !no_room(err) || is_in_a_pipe(a, counts))
			return err;
		fprintf(stderr, "vmcore: warning: level %u: %s; trying level %u\n",
			a->levels[i], err->message, a->levels[i + 1]);
		error_free(err);
		error_free(*lost);
	}
}

/* The summary does not mix with a dump on standard output. */
static FILE *summary_file(const struct save_options *options)
{
	return !options->dry_run && !strcmp(options->destination, DESTINATION_STDOUT) ?
		       stderr : stdout;
}

/* open: NULL, or what was said of the source. */
static struct error *check_parts(const struct save_options *options, const char *source,
				 const struct dump_options *open)
{
	struct error *err = NULL;
	size_t i;

	for (i = 0; i < options->part_count && !err && !options->dry_run; i++)
		err = destination_check(options->parts[i], source, open, options->force);
	return err;
}

/* Once more, now that the other files of a split source are known. */
static struct error *check_files(const struct save_options *options,
				 const struct source *source)
{
	struct error *err = NULL;
	size_t i;

	for (i = 0; i < source->file_count && !err; i++)
		err = check_parts(options, source->files[i], NULL);
	return err;
}

static int save(struct arguments *a)
{
	struct save_counts counts;
	struct error *lost, *err;
	struct dump *dump;
	int number, status;

	err = check_parts(&a->save, a->source, &a->open);
	if (!err)
		err = dump_open(a->source, &a->open, &dump);
	if (err)
		return fail(err);
	err = check_files(&a->save, dump->source);
	if (err) {
		dump_close(dump);
		return fail(err);
	}
	dump_print_warnings(dump);
	status = dump_status(dump);
	err = save_at_levels(dump, a, &counts, &lost, &number);
	if (!err && a->summary)
		a->summary(summary_file(&a->save), dump, &a->save, &counts);
	if (a->summary != summary_json && !a->save.dry_run)
		release_output();
	dump_close(dump);
	if (err) {
		error_free(lost);
		fail(err);
		return number ? die_of(number) : EXIT_FAILED;
	}
	if (counts.lost) {
		fprintf(stderr, "vmcore: warning: %" PRIu64 " of %" PRIu64 " pages could "
			"not be read and are marked as missing; the first: %s\n",
			counts.lost, counts.pages, lost ? lost->message : "unknown");
		status = EXIT_INCOMPLETE;
	}
	error_free(lost);
	return status;
}

/* DEST.1 to DEST.N */
static struct error *name_parts(struct arguments *a)
{
	size_t i;

	a->part_names = calloc(a->split, sizeof(*a->part_names));
	if (!a->part_names)
		return error_nomem();
	for (i = 0; i < a->split; i++)
		if (asprintf(&a->part_names[i], "%s.%zu", a->save.destination, i + 1) < 0) {
			a->part_names[i] = NULL;
			return error_nomem();
		}
	a->save.parts = (const char *const *)a->part_names;
	a->save.part_count = a->split;
	return NULL;
}

/* Is one the name under which the other is written? */
static bool is_incomplete(const char *one, const char *other)
{
	const size_t len = strlen(other);

	return !strncmp(one, other, len) && !strcmp(one + len, "-incomplete");
}

/* Each file of a split dump must be one of its own. */
static struct error *check_names(const struct save_options *save)
{
	size_t i, k;

	for (i = 1; i < save->part_count; i++)
		for (k = 0; k < i; k++) {
			const char *a = save->parts[i], *b = save->parts[k];

			if (!strcmp(a, b))
				return error_new(ERROR_USAGE, "--split: %s is named twice", a);
			if (is_incomplete(a, b) || is_incomplete(b, a))
				return error_new(ERROR_USAGE, "--split: %s is what %s is called "
						 "while it is written",
						 is_incomplete(a, b) ? a : b,
						 is_incomplete(a, b) ? b : a);
		}
	return NULL;
}

/* What no option alone is wrong about. */
static struct error *check_together(struct arguments *a, int destinations)
{
	struct save_options *save = &a->save;
	size_t i;

	if (a->codec_given && save->codec != PAGE_RAW && !save->output->takes_packed)
		return error_new(ERROR_USAGE, "packing does not go with --format %s: its "
				 "pages are not packed", save->output->name);
	if (!save->output->takes_packed)
		save->codec = PAGE_RAW;
	if (destinations != 1 && (uint64_t)destinations != a->split)
		return error_new(ERROR_USAGE, "save needs one DEST, or with --split N one "
				 "or N; %d are given", destinations);
	if (!strcmp(save->destination, DESTINATION_STDOUT))
		save->flatten = true;
	for (i = 0; i < save->part_count && a->split; i++)
		if (!strcmp(save->parts[i], DESTINATION_STDOUT))
			return error_new(ERROR_USAGE, "--split needs files to write to");
	if (a->split && save->output != &output_kdump)
		return error_new(ERROR_USAGE, "--split goes with --format kdump only");
	return a->split && destinations == 1 ? name_parts(a) : check_names(save);
}

static int run(void *arguments, char **operands, int count)
{
	struct arguments *a = arguments;
	struct error *err;
	uint64_t i;
	int status;

	a->source = operands[0];
	a->save.destination = operands[1];
	a->save.parts = (const char *const *)operands + 1;
	a->save.part_count = count - 1;
	err = check_together(a, count - 1);
	status = err ? command_misused(&command, err) : a->check ? EXIT_DONE : save(a);
	for (i = 0; a->part_names && i < a->split; i++)
		free(a->part_names[i]);
	free(a->part_names);
	return status;
}

static const struct command command = {
	.name = "save",
	.help = help,
	.letters = "d:clpzFL:fq",
	.options = long_options,
	.take = take,
	.operands = "SOURCE and DEST",
	.operands_min = 2,
	.operands_max = 1 + SPLIT_MAX,
	.run = run,
};

static int go(int argc, char **argv, save_summary *summary, bool check)
{
	struct arguments a = {
		.save = { .output = &output_kdump, .codec = PAGE_ZLIB },
		.levels = { DUMP_LEVEL_ZERO },
		.level_count = 1,
		.summary = summary,
		.check = check,
	};

	return command_run(&command, argc, argv, &a, &a.open);
}

int save_command(int argc, char **argv, save_summary *summary)
{
	return go(argc, argv, summary, false);
}

int save_check(int argc, char **argv)
{
	return go(argc, argv, NULL, true);
}

int cmd_save(int argc, char **argv)
{
	return save_command(argc, argv, summary_text);
}

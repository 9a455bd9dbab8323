/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <errno.h>
#include <inttypes.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "lib/units.h"
#include "makedumpfile-glue/commands.h"
#include "makedumpfile-glue/open-options.h"
#include "makedumpfile-glue/save.h"

static const char help[] =
	"Usage: vmcore save [OPTION]... SOURCE DEST\n"
	"Write the dump in SOURCE as a new file DEST, mode 0600.\n"
	"\n"
	"  -d, --level LEVEL[,LEVEL]...\n"
	"                       what to leave out, a sum of: 1 pages of zeros; 2 page\n"
	"                       cache; 4 page cache with private data too; 8 user\n"
	"                       memory; 16 free pages. 0: every page. Default: 1.\n"
	"                       31,1 means: 31, and 1 where 31 finds no room\n"
	"  -c                   pack pages as zlib streams (default for kdump)\n"
	"  -l, -p, -z           pack them with lzo, snappy or zstd\n"
	"      --raw            do not pack pages\n"
	"      --threads N      work in N threads; default: one for each CPU\n"
	"      --format FORMAT  kdump (kdump-compressed, default) or elf\n"
	OPEN_OPTIONS_HELP
	"  -f, --force          replace DEST, once the new dump is whole\n"
	"  -q, --quiet          no progress, no summary\n"
	"  -h, --help           this text\n"
	"\n"
	"While it is written the dump is DEST-incomplete. If saving breaks off, that\n"
	"file stays and can be read as far as it got; nothing appears under DEST.\n"
	"Pages that cannot be read are marked as missing, not filled with zeros.\n"
	"In kdump-compressed files all pages of zeros share one, at level 0 too.\n"
	"\n" EXIT_HELP
	"Stopped by SIGINT, SIGTERM or SIGHUP it ends by that signal.\n";

enum { OPTION_RAW = 256, OPTION_THREADS, OPTION_FORMAT };

static const struct option long_options[] = {
	{ "level", required_argument, NULL, 'd' },
	{ "raw", no_argument, NULL, OPTION_RAW },
	{ "threads", required_argument, NULL, OPTION_THREADS },
	{ "format", required_argument, NULL, OPTION_FORMAT },
	{ "force", no_argument, NULL, 'f' },
	{ "quiet", no_argument, NULL, 'q' },
	{ 0 },
};

#define LEVELS_MAX 32

struct arguments {
	struct dump_options open;
	const char *source;
	unsigned int levels[LEVELS_MAX]; /* in the order they are tried */
	size_t level_count;
	struct save_options save;
	bool codec_given;
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

static struct error *parse_format(const char *text, const struct output_ops **ret)
{
	const struct output_ops *output = output_find(text);

	if (!output)
		return error_new(ERROR_USAGE, "--format %s: must be kdump or elf", text);
	*ret = output;
	return NULL;
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
	case OPTION_THREADS: return parse_threads(optarg, &a->save.threads);
	case OPTION_FORMAT: return parse_format(optarg, &a->save.output);
	case 'f': a->save.force = true; return NULL;
	case 'q': a->save.quiet = true; return NULL;
	default: return parse_codec(option, a);
	}
}

static const struct command command = {
	.name = "save",
	.help = help,
	.letters = "d:clpzfq",
	.options = long_options,
	.take = take,
	.operands = "SOURCE and DEST",
	.operands_min = 2,
	.operands_max = 2,
};

static void print_summary(const struct save_options *options, const struct save_counts *c)
{
	char in[UNITS_SIZE_TEXT], out[UNITS_SIZE_TEXT], rate[UNITS_SIZE_TEXT];
	const char *comma = "";
	uint64_t dropped = 0;
	unsigned int type;

	printf("%s: %s, %s\n", options->destination, options->output->format,
	       options->output->takes_packed ? page_codec_name(options->codec) :
					       "not packed");
	for (type = 0; type < PAGE_TYPES; type++)
		dropped += c->dropped[type];
	if (dropped) {
		printf("left out: %" PRIu64 " (", dropped);
		for (type = 0; type < PAGE_TYPES; type++)
			if (c->dropped[type]) {
				printf("%s%" PRIu64 " %s", comma, c->dropped[type],
				       page_type_name(type));
				comma = ", ";
			}
		puts(")");
	}
	printf("pages: %" PRIu64 " (%" PRIu64 " zero, %" PRIu64 " packed, %" PRIu64
	       " as they are, %" PRIu64 " unreadable)\n",
	       c->pages, c->zero, c->packed, c->raw, c->lost);
	printf("bytes: %" PRIu64 " in (%s), %" PRIu64 " out (%s), ratio %.2f\n",
	       c->bytes_in, size_text(c->bytes_in, in), c->bytes_out,
	       size_text(c->bytes_out, out),
	       c->bytes_out ? (double)c->bytes_in / c->bytes_out : 0);
	printf("time: %.2f s, %s/s\n", c->seconds,
	       size_text(c->seconds > 0 ? c->bytes_in / c->seconds : 0, rate));
}

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
		if (!err || i + 1 == a->level_count || !no_room(err))
			return err;
		fprintf(stderr, "vmcore: warning: level %u: %s; trying level %u\n",
			a->levels[i], err->message, a->levels[i + 1]);
		error_free(err);
		error_free(*lost);
	}
}

static int save(struct arguments *a)
{
	struct save_counts counts;
	struct error *lost, *err;
	struct dump *dump;
	int number, status;

	err = save_check_destination(a->save.destination, a->save.force);
	if (!err)
		err = dump_open(a->source, &a->open, &dump);
	if (err)
		return fail(err);
	dump_print_warnings(dump);
	status = dump_status(dump);
	err = save_at_levels(dump, a, &counts, &lost, &number);
	dump_close(dump);
	if (err) {
		error_free(lost);
		fail(err);
		return number ? die_of(number) : EXIT_FAILED;
	}
	if (!a->save.quiet)
		print_summary(&a->save, &counts);
	if (counts.lost) {
		fprintf(stderr, "vmcore: warning: %" PRIu64 " of %" PRIu64 " pages could "
			"not be read and are marked as missing; the first: %s\n",
			counts.lost, counts.pages, lost ? lost->message : "unknown");
		status = EXIT_INCOMPLETE;
	}
	error_free(lost);
	return status;
}

int cmd_save(int argc, char **argv)
{
	struct arguments a = {
		.save = { .output = &output_kdump, .codec = PAGE_ZLIB },
		.levels = { DUMP_LEVEL_ZERO },
		.level_count = 1,
	};
	int status;

	if (!command_parse(&command, argc, argv, &a, &a.open, &status))
		return status;
	if (a.codec_given && a.save.codec != PAGE_RAW && !a.save.output->takes_packed)
		return command_misused(&command,
				       error_new(ERROR_USAGE, "packing does not go with "
						 "--format %s: its pages are not packed",
						 a.save.output->name));
	a.source = argv[optind];
	a.save.destination = argv[optind + 1];
	if (!a.save.output->takes_packed)
		a.save.codec = PAGE_RAW;
	return save(&a);
}

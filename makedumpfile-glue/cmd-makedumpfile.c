/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * vmcore by the name of makedumpfile: its options, turned into ours. What
 * there is no equivalent for is named and refused, never passed over.
 */
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lib/units.h"
#include "makedumpfile-glue/commands.h"

static const char help[] =
	"Usage: makedumpfile [OPTION]... VMCORE DUMPFILE\n"
	"       makedumpfile --dump-dmesg [OPTION]... VMCORE LOGFILE\n"
	"This is vmcore, which takes these options of makedumpfile:\n"
	"\n"
	"  -c, -l, -p, -z       pack pages with zlib, lzo, snappy, zstd (default: raw)\n"
	"  -d LEVEL[,LEVEL]...  what to leave out, 0 to 31 (default 0); the next level\n"
	"                       is tried where the disk has no room\n"
	"  -E                   write an ELF core\n"
	"  -f                   replace DUMPFILE\n"
	"  --num-threads N      work in N threads\n"
	"  --dump-dmesg         write the kernel's log\n"
	"  --message-level N    bit 1: progress; bit 2 or 16: the summary\n"
	"  --non-mmap           taken and without effect, as are --cyclic-buffer,\n"
	"                       --work-dir, -b and -D: nothing here needs them\n"
	"  -v, -h               version, this text\n"
	"\n"
	"Exit status: 0 done; 1 failed.\n";

enum {
	OPTION_THREADS = 256, OPTION_DMESG, OPTION_LEVEL, OPTION_NOTHING, OPTION_UNKNOWN,
};

static const struct option long_options[] = {
	{ "num-threads", required_argument, NULL, OPTION_THREADS },
	{ "dump-dmesg", no_argument, NULL, OPTION_DMESG },
	{ "message-level", required_argument, NULL, OPTION_LEVEL },
	{ "non-mmap", no_argument, NULL, OPTION_NOTHING },
	{ "cyclic-buffer", required_argument, NULL, OPTION_NOTHING },
	{ "work-dir", required_argument, NULL, OPTION_NOTHING },
	{ "help", no_argument, NULL, 'h' },
	{ "version", no_argument, NULL, 'v' },
	{ 0 },
};

#define MESSAGE_PROGRESS 1
#define MESSAGE_COMMON   2
#define MESSAGE_REPORT   16

/* Our own command line as it grows; the longest is that of save. */
struct line {
	char *word[24];
	int count;
};

static void add(struct line *line, const char *word)
{
	line->word[line->count++] = (char *)word;
}

struct wishes {
	const char *codec; /* NULL: raw */
	const char *level;
	const char *threads;
	uint64_t messages;
	bool elf, force, dmesg;
};

static struct error *unsupported(const char *option)
{
	return error_remedy(error_new(ERROR_UNSUPPORTED,
				      "makedumpfile's option %s is not supported", option),
			    "makedumpfile -h lists those that are; vmcore save --help "
			    "says what else there is");
}

static struct error *take(int option, char **argv, struct wishes *w)
{
	switch (option) {
	case 'c': w->codec = "-c"; return NULL;
	case 'l': w->codec = "-l"; return NULL;
	case 'p': w->codec = "-p"; return NULL;
	case 'z': w->codec = "-z"; return NULL;
	case 'd': w->level = optarg; return NULL;
	case 'E': w->elf = true; return NULL;
	case 'f': w->force = true; return NULL;
	case 'b':
	case 'D':
	case OPTION_NOTHING: return NULL;
	case OPTION_DMESG: w->dmesg = true; return NULL;
	case OPTION_THREADS: w->threads = optarg; return NULL;
	case OPTION_LEVEL:
		if (parse_size(optarg, &w->messages) && w->messages < 32)
			return NULL;
		return error_new(ERROR_USAGE, "--message-level %s: must be 0 to 31",
				 optarg);
	case ':':
		return error_new(ERROR_USAGE, "%s needs a value", argv[optind - 1]);
	default:
		if (optopt > 0 && optopt < 256) {
			const char name[] = { '-', optopt, 0 };

			return unsupported(name);
		}
		return unsupported(argv[optind - 1]);
	}
}

static int run_save(const struct wishes *w, char **files)
{
	struct line line = { .count = 0 };

	add(&line, "save");
	add(&line, "-d");
	add(&line, w->level);
	if (w->elf) {
		add(&line, "--format");
		add(&line, "elf");
	} else {
		add(&line, w->codec ? w->codec : "--raw");
	}
	/* Zero means: no threads beside the main one. */
	if (w->threads) {
		add(&line, "--threads");
		add(&line, strcmp(w->threads, "0") ? w->threads : "1");
	}
	if (w->force)
		add(&line, "-f");
	if (!(w->messages & (MESSAGE_PROGRESS | MESSAGE_COMMON | MESSAGE_REPORT)))
		add(&line, "-q");
	add(&line, "--");
	add(&line, files[0]);
	add(&line, files[1]);
	optind = 0;
	return cmd_save(line.count, line.word);
}

static int run_dmesg(const struct wishes *w, char **files)
{
	struct line line = { .count = 0 };

	add(&line, "dmesg");
	if (w->force)
		add(&line, "-f");
	add(&line, "--");
	add(&line, files[0]);
	add(&line, files[1]);
	optind = 0;
	return cmd_dmesg(line.count, line.word);
}

int cmd_makedumpfile(int argc, char **argv)
{
	struct wishes w = { .level = "0", .messages = 7 };
	struct error *err = NULL;
	int option, status;

	opterr = 0;
	while (!err && (option = getopt_long(argc, argv, ":clpzd:EfDb:vh", long_options,
					     NULL)) != -1) {
		if (option == 'h') {
			fputs(help, stdout);
			return EXIT_DONE;
		}
		if (option == 'v') {
			print_version();
			return EXIT_DONE;
		}
		err = take(option, argv, &w);
	}
	if (!err && w.elf && w.codec)
		err = error_new(ERROR_USAGE, "-E does not go with %s", w.codec);
	if (!err && argc - optind != 2)
		err = error_remedy(error_new(ERROR_USAGE, "VMCORE and DUMPFILE are needed"),
				   "makedumpfile -h says what it takes");
	if (err)
		return fail(err);
	status = w.dmesg ? run_dmesg(&w, argv + optind) : run_save(&w, argv + optind);
	/* makedumpfile knows success and failure; what is missing was said. */
	return status == EXIT_INCOMPLETE ? EXIT_DONE : status;
}

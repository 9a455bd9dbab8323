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
#include "makedumpfile-glue/destination.h"
#include "makedumpfile-glue/makedumpfile-report.h"

static const char help[] =
	"Usage: makedumpfile [OPTION]... VMCORE DUMPFILE\n"
	"       makedumpfile -F [OPTION]... VMCORE > FLATFILE\n"
	"       makedumpfile -R [-f] DUMPFILE < FLATFILE\n"
	"       makedumpfile --split [OPTION]... VMCORE DUMPFILE1 DUMPFILE2 [DUMPFILE3]...\n"
	"       makedumpfile --reassemble DUMPFILE1 DUMPFILE2 [DUMPFILE3]... DUMPFILE\n"
	"       makedumpfile --dump-dmesg [--partial-dmesg] [OPTION]... VMCORE LOGFILE\n"
	"       makedumpfile --mem-usage VMCORE\n"
	"       makedumpfile -g FILE [-x VMLINUX] VMCORE\n"
	"This is vmcore, which takes these options of makedumpfile:\n"
	"\n"
	"  -c, -l, -p, -z       pack pages with zlib, lzo, snappy, zstd (default: raw)\n"
	"  -d LEVEL[,LEVEL]...  what to leave out, 0 to 31 (default 0); the next level\n"
	"                       is tried where the disk has no room, or with -L\n"
	"  -E                   write an ELF core\n"
	"  -F, -R               flattened to standard output; from standard input\n"
	"  -L SIZE              DUMPFILE must not become larger than SIZE bytes\n"
	"  -f                   replace DUMPFILE\n"
	"  -x VMLINUX           end with status 2 when VMCORE is of another kernel\n"
	"  -i FILE, -g FILE     use, or write, the text of VMCOREINFO\n"
	"  --split, --reassemble\n"
	"                       write, or join, a dump in several files\n"
	"  --splitblock-size KB cut files only where so much memory ends\n"
	"  --num-threads N      work in N threads\n"
	"  --dump-dmesg         write the kernel's log\n"
	"  --partial-dmesg      with it: only since it was cleared\n"
	"  --mem-usage          count pages by type\n"
	"  --show-stats         print what was left out\n"
	"  --dry-run            write nothing\n"
	"  --check-params       only look whether the command line is right\n"
	"  --message-level N    bit 1: progress; 2: messages; 16: what was left out.\n"
	"                       Errors are always printed. Default: 7\n"
	"  --non-mmap           taken and without effect, as are --cyclic-buffer,\n"
	"                       --work-dir, -b and -D: nothing here needs them\n"
	"  -v, -h               version, this text\n"
	"\n"
	"Exit status: 0 done; 1 failed; 2 VMLINUX or the VMCOREINFO of -i is of another\n"
	"kernel than VMCORE.\n";

enum {
	OPTION_THREADS = 256, OPTION_DMESG, OPTION_LEVEL, OPTION_NOTHING, OPTION_PARTIAL,
	OPTION_SPLIT, OPTION_SPLIT_BLOCK, OPTION_REASSEMBLE, OPTION_MEM_USAGE,
	OPTION_STATS, OPTION_DRY_RUN, OPTION_CHECK,
};

static const struct option long_options[] = {
	{ "num-threads", required_argument, NULL, OPTION_THREADS },
	{ "dump-dmesg", no_argument, NULL, OPTION_DMESG },
	{ "partial-dmesg", no_argument, NULL, OPTION_PARTIAL },
	{ "message-level", required_argument, NULL, OPTION_LEVEL },
	{ "split", no_argument, NULL, OPTION_SPLIT },
	{ "splitblock-size", required_argument, NULL, OPTION_SPLIT_BLOCK },
	{ "reassemble", no_argument, NULL, OPTION_REASSEMBLE },
	{ "mem-usage", no_argument, NULL, OPTION_MEM_USAGE },
	{ "show-stats", no_argument, NULL, OPTION_STATS },
	{ "dry-run", no_argument, NULL, OPTION_DRY_RUN },
	{ "check-params", no_argument, NULL, OPTION_CHECK },
	{ "non-mmap", no_argument, NULL, OPTION_NOTHING },
	{ "cyclic-buffer", required_argument, NULL, OPTION_NOTHING },
	{ "work-dir", required_argument, NULL, OPTION_NOTHING },
	{ "help", no_argument, NULL, 'h' },
	{ "version", no_argument, NULL, 'v' },
	{ 0 },
};

/* What makedumpfile takes and vmcore does not, with what comes nearest. */
static const struct {
	const char *option;
	const char *instead;
} refused[] = {
	{ "-e", "it leaves out unused parts of the memory map on x86_64 alone; without it "
		"the dump is a little larger" },
	{ "-X", "there is no Xen on loongarch64" },
	{ "--xen-syms", "there is no Xen on loongarch64" },
	{ "--xen-vmcoreinfo", "there is no Xen on loongarch64" },
	{ "--xen_phys_start", "there is no Xen on loongarch64" },
	{ "--config", "nothing erases data in pages that are kept; -d 31 keeps the fewest" },
	{ "--eppic", "nothing erases data in pages that are kept; -d 31 keeps the fewest" },
	{ "--extension", "nothing erases data in pages that are kept; -d 31 keeps the "
			 "fewest" },
	{ "--diskset", "sadump files are of x86 machines" },
	{ "--vtop", "crash's vtop translates addresses" },
};

#define MESSAGE_PROGRESS 1
#define MESSAGE_COMMON   2
#define MESSAGE_REPORT   16

struct wishes {
	const char *codec; /* NULL: raw */
	const char *level;
	const char *threads;
	const char *limit;
	const char *vmlinux;
	const char *vmcoreinfo;
	const char *write_vmcoreinfo;
	uint64_t split_block;
	uint64_t messages;
	bool elf, flatten, rebuild, force, dmesg, partial, split, reassemble, mem_usage;
	bool stats, dry_run, check;
};

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

static struct error *unsupported(const char *option)
{
	struct error *err = error_new(ERROR_UNSUPPORTED,
				      "makedumpfile's option %s is not supported", option);
	size_t i, len = strcspn(option, "=");

	for (i = 0; i < sizeof(refused) / sizeof(refused[0]); i++)
		if (strlen(refused[i].option) == len &&
		    !strncmp(refused[i].option, option, len))
			return error_remedy(err, "%s", refused[i].instead);
	return error_remedy(err, "makedumpfile -h lists those that are; vmcore save --help "
			    "says what else there is");
}

static struct error *take_number(const char *option, uint64_t limit, uint64_t *ret)
{
	if (parse_size(optarg, ret) && *ret <= limit)
		return NULL;
	return error_new(ERROR_USAGE, "%s %s: must be 0 to %llu", option, optarg,
			 (unsigned long long)limit);
}

static struct error *take_flag(int option, char **argv, struct wishes *w)
{
	switch (option) {
	case 'E': w->elf = true; return NULL;
	case 'F': w->flatten = true; return NULL;
	case 'R': w->rebuild = true; return NULL;
	case 'f': w->force = true; return NULL;
	case OPTION_DMESG: w->dmesg = true; return NULL;
	case OPTION_PARTIAL: w->partial = true; return NULL;
	case OPTION_SPLIT: w->split = true; return NULL;
	case OPTION_REASSEMBLE: w->reassemble = true; return NULL;
	case OPTION_MEM_USAGE: w->mem_usage = true; return NULL;
	case OPTION_STATS: w->stats = true; return NULL;
	case OPTION_DRY_RUN: w->dry_run = true; return NULL;
	case OPTION_CHECK: w->check = true; return NULL;
	case 'b':
	case 'D':
	case OPTION_NOTHING: return NULL;
	case ':': return error_new(ERROR_USAGE, "%s needs a value", argv[optind - 1]);
	default:
		if (optopt > 0 && optopt < 256) {
			const char name[] = { '-', optopt, 0 };

			return unsupported(name);
		}
		return unsupported(argv[optind - 1]);
	}
}

static struct error *take(int option, char **argv, struct wishes *w)
{
	switch (option) {
	case 'c': w->codec = "-c"; return NULL;
	case 'l': w->codec = "-l"; return NULL;
	case 'p': w->codec = "-p"; return NULL;
	case 'z': w->codec = "-z"; return NULL;
	case 'd': w->level = optarg; return NULL;
	case 'L': w->limit = optarg; return NULL;
	case 'x': w->vmlinux = optarg; return NULL;
	case 'i': w->vmcoreinfo = optarg; return NULL;
	case 'g': w->write_vmcoreinfo = optarg; return NULL;
	case OPTION_THREADS: w->threads = optarg; return NULL;
	case OPTION_LEVEL: return take_number("--message-level", 31, &w->messages);
	case OPTION_SPLIT_BLOCK:
		return take_number("--splitblock-size", UINT32_MAX, &w->split_block);
	default: return take_flag(option, argv, w);
	}
}

/* What a run is asked for beside a dump or in its place, and its operands. */
static struct error *check_operands(const struct wishes *w, int count)
{
	static const char reminder[] = "makedumpfile -h says what it takes";
	int least = 2, most = 2;
	const char *needed = "VMCORE and DUMPFILE are";

	if (w->elf && w->codec)
		return error_new(ERROR_USAGE, "-E does not go with %s", w->codec);
	if (w->split && (w->elf || w->flatten))
		return error_new(ERROR_USAGE, "--split does not go with -%c",
				 w->elf ? 'E' : 'F');
	if (w->partial && !w->dmesg)
		return error_new(ERROR_USAGE, "--partial-dmesg needs --dump-dmesg");
	if (w->vmlinux && w->vmcoreinfo)
		return error_new(ERROR_USAGE, "-x does not go with -i");
	if (w->dry_run && (w->dmesg || w->reassemble || w->write_vmcoreinfo))
		return error_new(ERROR_USAGE, "--dry-run is for dumps alone");
	if (w->rebuild) {
		least = most = 1;
		needed = "DUMPFILE alone is";
	} else if (w->split) {
		least = 3;
		most = INT32_MAX;
		needed = "VMCORE and two DUMPFILEs or more are";
	} else if (w->reassemble) {
		least = 3;
		most = INT32_MAX;
		needed = "two DUMPFILEs or more and the one to make of them are";
	} else if (w->flatten || w->mem_usage || w->write_vmcoreinfo) {
		least = most = 1;
		needed = "VMCORE alone is";
	} else if (w->dmesg) {
		needed = "VMCORE and LOGFILE are";
	}
	if (!count && w->write_vmcoreinfo && w->vmlinux)
		return error_remedy(error_new(ERROR_UNSUPPORTED,
					      "-g cannot make a VMCOREINFO of a VMLINUX alone"),
				    "name a dump of that kernel, or /proc/vmcore: it holds "
				    "the VMCOREINFO the kernel itself made");
	if (count < least || count > most)
		return error_remedy(error_new(ERROR_USAGE, "%s needed", needed), reminder);
	return NULL;
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
	/* Zero means: no threads beside the main one. */
	if (w->threads)
		add_value(&line, "--threads", strcmp(w->threads, "0") ? w->threads : "1");
	if (w->split) {
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
	status = save_command(line.count, line.word, summary);
	free(line.word);
	return status;
}

/* All pages of all files, packed as they are now. */
static int run_reassemble(const struct wishes *w, char **files, int count)
{
	struct wishes as_it_is = *w;
	struct source *first;
	struct line line;
	struct error *err = source_open_file(files[0], &first);
	int i, status;

	if (!err && !first->split)
		err = error_new(ERROR_USAGE, "--reassemble: %s is no part of a split dump",
				files[0]);
	if (!err)
		err = line_init(&line, count);
	if (err)
		return fail(err);
	as_it_is.codec = first->codec & PAGE_ZSTD   ? "-z" :
			 first->codec & PAGE_SNAPPY ? "-p" :
			 first->codec & PAGE_LZO    ? "-l" :
			 first->codec & PAGE_ZLIB   ? "-c" : "--raw";
	source_close(first);
	add(&line, "save");
	add_value(&line, "-d", "0");
	add(&line, as_it_is.codec);
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

static int run_other(const struct wishes *w, char **files)
{
	struct line line;
	struct error *err = line_init(&line, 2);
	int status;

	if (err)
		return fail(err);
	add(&line, w->rebuild ? "rebuild" : "dmesg");
	if (w->rebuild && !(w->messages & MESSAGE_COMMON))
		add(&line, "-q");
	if (w->partial)
		add(&line, "--partial");
	add_source(&line, w);
	add(&line, "--");
	add(&line, w->rebuild ? "-" : files[0]);
	add(&line, files[w->rebuild ? 0 : 1]);
	optind = 0;
	status = w->rebuild ? cmd_rebuild(line.count, line.word) :
			      cmd_dmesg(line.count, line.word);
	free(line.word);
	/* A stream that breaks off is no success for whoever waits for it. */
	return w->rebuild && status == EXIT_INCOMPLETE ? EXIT_FAILED : status;
}

static struct error *write_vmcoreinfo(const struct dump *dump, const struct wishes *w)
{
	struct destination to = { .file.fd = -1 };
	const char *text;
	size_t size;
	struct error *err;

	if (!dump->vmcoreinfo)
		return error_new(ERROR_UNSUPPORTED, "%s: there is no VMCOREINFO",
				 dump->path);
	text = vmcoreinfo_text(dump->vmcoreinfo, &size);
	err = destination_check(w->write_vmcoreinfo, dump->path, w->force);
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
	err = w->mem_usage ? makedumpfile_mem_usage(dump) : write_vmcoreinfo(dump, w);
	dump_close(dump);
	return err ? fail(err) : EXIT_DONE;
}

static int run(const struct wishes *w, char **files, int count)
{
	if (w->rebuild || w->dmesg)
		return run_other(w, files);
	if (w->mem_usage || w->write_vmcoreinfo)
		return run_on_dump(w, files[0]);
	if (w->reassemble)
		return run_reassemble(w, files, count);
	return run_save(w, files, count);
}

int cmd_makedumpfile(int argc, char **argv)
{
	struct wishes w = { .level = "0", .messages = 7 };
	struct error *err = NULL;
	int option, status;

	opterr = 0;
	while (!err && (option = getopt_long(argc, argv, ":clpzd:EFRL:x:i:g:fDb:vh",
					     long_options, NULL)) != -1) {
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
	if (!err)
		err = check_operands(&w, argc - optind);
	if (err)
		return fail(err);
	if (w.check)
		return EXIT_DONE;
	status = run(&w, argv + optind, argc - optind);
	/* makedumpfile knows success and failure; what is missing was said. */
	return status == EXIT_INCOMPLETE ? EXIT_DONE : status;
}

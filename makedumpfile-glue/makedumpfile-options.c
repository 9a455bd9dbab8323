/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "makedumpfile-glue/makedumpfile-options.h"

#include <getopt.h>
#include <string.h>

#include "lib/units.h"
#include "makedumpfile-glue/save.h"

const char makedumpfile_help[] =
	"Usage: makedumpfile [OPTION]... VMCORE DUMPFILE\n"
	"       makedumpfile -F [OPTION]... VMCORE > FLATFILE\n"
	"       makedumpfile -R [-f] DUMPFILE < FLATFILE\n"
	"       makedumpfile --split [OPTION]... VMCORE DUMPFILE1 DUMPFILE2 [DUMPFILE3]...\n"
	"       makedumpfile --reassemble DUMPFILE1 DUMPFILE2 [DUMPFILE3]... DUMPFILE\n"
	"       makedumpfile --dump-dmesg [--partial-dmesg] [OPTION]... VMCORE LOGFILE\n"
	"       makedumpfile --dump-dmesg -F [OPTION]... VMCORE > LOGFILE\n"
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
	"  --non-mmap           read all of /proc/vmcore, map nothing of it\n"
	"  --cyclic-buffer N    taken and without effect, as are --work-dir, -b and -D:\n"
	"                       nothing here needs them\n"
	"  -v, -h               version, this text\n"
	"\n"
	"Exit status: 0 done; 1 failed; 2 VMLINUX or the VMCOREINFO of -i is of another\n"
	"kernel than VMCORE.\n";

enum {
	OPTION_THREADS = 256, OPTION_DMESG, OPTION_LEVEL, OPTION_NOTHING, OPTION_PARTIAL,
	OPTION_SPLIT, OPTION_SPLIT_BLOCK, OPTION_REASSEMBLE, OPTION_MEM_USAGE,
	OPTION_STATS, OPTION_DRY_RUN, OPTION_CHECK, OPTION_NO_MMAP,
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
	{ "non-mmap", no_argument, NULL, OPTION_NO_MMAP },
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

/* The option that asks for a work, and its operands. */
static const struct {
	const char *option;
	int least, most;
	const char *needed;
} works[] = {
	[WORK_DUMP] = { "", 2, 2, "VMCORE and DUMPFILE are" },
	[WORK_SPLIT] = { "--split", 3, INT32_MAX, "VMCORE and two DUMPFILEs or more are" },
	[WORK_REASSEMBLE] = { "--reassemble", 3, INT32_MAX,
			      "two DUMPFILEs or more and the one to make of them are" },
	[WORK_REBUILD] = { "-R", 1, 1, "DUMPFILE alone is" },
	[WORK_DMESG] = { "--dump-dmesg", 2, 2, "VMCORE and LOGFILE are" },
	[WORK_MEM_USAGE] = { "--mem-usage", 1, 1, "VMCORE alone is" },
	[WORK_VMCOREINFO] = { "-g", 1, 1, "VMCORE alone is" },
};

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

static struct error *take_work(enum work work, struct wishes *w)
{
	if (w->work && w->work != work)
		return error_new(ERROR_USAGE, "%s does not go with %s", works[work].option,
				 works[w->work].option);
	w->work = work;
	return NULL;
}

static struct error *take_threads(struct wishes *w)
{
	uint64_t threads = 0;
	struct error *err = take_number("--num-threads", SAVE_THREADS_MAX, &threads);

	/* Zero means: no threads beside the main one. */
	w->threads = threads ? optarg : "1";
	return err;
}

static struct error *take_limit(struct wishes *w)
{
	uint64_t limit;

	w->limit = optarg;
	if (parse_size(optarg, &limit) && limit)
		return NULL;
	return error_new(ERROR_USAGE, "-L %s: must be a number of bytes, also as in 512M or 2G",
			 optarg);
}

static struct error *take_flag(int option, char **argv, struct wishes *w)
{
	switch (option) {
	case 'E': w->elf = true; return NULL;
	case 'F': w->flatten = true; return NULL;
	case 'R': return take_work(WORK_REBUILD, w);
	case 'f': w->force = true; return NULL;
	case OPTION_DMESG: return take_work(WORK_DMESG, w);
	case OPTION_PARTIAL: w->partial = true; return NULL;
	case OPTION_SPLIT: return take_work(WORK_SPLIT, w);
	case OPTION_REASSEMBLE: return take_work(WORK_REASSEMBLE, w);
	case OPTION_MEM_USAGE: return take_work(WORK_MEM_USAGE, w);
	case OPTION_STATS: w->stats = true; return NULL;
	case OPTION_DRY_RUN: w->dry_run = true; return NULL;
	case OPTION_CHECK: w->check = true; return NULL;
	case OPTION_NO_MMAP: w->no_mmap = true; return NULL;
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
	case 'L': return take_limit(w);
	case 'x': w->vmlinux = optarg; return NULL;
	case 'i': w->vmcoreinfo = optarg; return NULL;
	case 'g':
		w->write_vmcoreinfo = optarg;
		return take_work(WORK_VMCOREINFO, w);
	case OPTION_THREADS: return take_threads(w);
	case OPTION_LEVEL: return take_number("--message-level", 31, &w->messages);
	case OPTION_SPLIT_BLOCK:
		return take_number("--splitblock-size", UINT32_MAX, &w->split_block);
	default: return take_flag(option, argv, w);
	}
}

/* What no option alone is wrong about. */
static struct error *check_together(const struct wishes *w)
{
	const char *work = works[w->work].option;

	if (w->elf && w->codec)
		return error_new(ERROR_USAGE, "-E does not go with %s", w->codec);
	if (w->work == WORK_SPLIT && w->elf)
		return error_new(ERROR_USAGE, "--split does not go with -E");
	if (w->flatten && w->work != WORK_DUMP && w->work != WORK_DMESG)
		return error_new(ERROR_USAGE, "%s does not go with -F", work);
	if (w->limit && w->work > WORK_REASSEMBLE)
		return error_new(ERROR_USAGE, "%s does not go with -L", work);
	if (w->partial && w->work != WORK_DMESG)
		return error_new(ERROR_USAGE, "--partial-dmesg needs --dump-dmesg");
	if (w->vmlinux && w->vmcoreinfo)
		return error_new(ERROR_USAGE, "-x does not go with -i");
	if (w->dry_run && w->work > WORK_SPLIT)
		return error_new(ERROR_USAGE, "--dry-run is for dumps alone");
	return NULL;
}

static struct error *check_operands(const struct wishes *w, int count)
{
	const char *needed = works[w->work].needed;
	int least = works[w->work].least, most = works[w->work].most;

	/* To standard output. */
	if (w->flatten) {
		least = most = 1;
		needed = "VMCORE alone is";
	}
	if (!count && w->work == WORK_VMCOREINFO && w->vmlinux)
		return error_remedy(error_new(ERROR_UNSUPPORTED,
					      "-g cannot make a VMCOREINFO of a VMLINUX alone"),
				    "name a dump of that kernel, or /proc/vmcore: it holds "
				    "the VMCOREINFO the kernel itself made");
	if (count < least || count > most)
		return error_remedy(error_new(ERROR_USAGE, "%s needed", needed),
				    "makedumpfile -h says what it takes");
	return NULL;
}

struct error *makedumpfile_options(int argc, char **argv, struct wishes *ret)
{
	struct error *err = NULL;
	int option;

	*ret = (struct wishes){ .level = "0", .messages = 7 };
	opterr = 0;
	while (!err && (option = getopt_long(argc, argv, ":clpzd:EFRL:x:i:g:fDb:vh",
					     long_options, NULL)) != -1) {
		if (option == 'h' || option == 'v') {
			*ret = (struct wishes){ .work = option == 'h' ? WORK_HELP :
									WORK_VERSION };
			return NULL;
		}
		err = take(option, argv, ret);
	}
	if (!err)
		err = check_together(ret);
	return err ? err : check_operands(ret, argc - optind);
}

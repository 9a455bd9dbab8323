/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "kexec/options.h"

#include <getopt.h>
#include <string.h>

#include "kexec/image.h"
#include "lib/units.h"

enum {
	OPT_INITRD = 0x100,
	OPT_APPEND,
	OPT_REUSE_CMDLINE,
	OPT_PRINT_CKR_SIZE,
	OPT_DRY_RUN,
	OPT_JSON,
	OPT_MAP,
	OPT_SYSTEM,
	OPT_SNAPSHOT,
	OPT_INSPECT,
	OPT_MEM_MIN,
	OPT_MEM_MAX,
	OPT_ENTRY,
	OPT_DROP_CRASH,
	OPT_HOTPLUG,
	OPT_NO_CMA,
	OPT_PREPARE_EXEC,
	OPT_REFUSED, /* + index into refused[] */
};

/* Known to kexec-tools' users and not done here: why. */
struct refused {
	const char *name;
	int has_arg;
	int letter;
	const char *why;
};

static const struct refused refused[] = {
	{ "load-preserve-context", 0, 0, "loongarch64 kernels cannot return from a kexec" },
	{ "load-jump-back-helper", 0, 0, "loongarch64 kernels cannot return from a kexec" },
	{ "load-live-update", 0, 0, "this is for Xen, which does not run on loongarch64" },
	{ "exec-live-update", 0, 0, "this is for Xen, which does not run on loongarch64" },
	{ "reuseinitrd", 0, 0, "loongarch64 kernels do not keep their initrd; use --initrd=" },
	{ "dtb", 1, 0, "loongarch64 kernels take the device tree from the firmware" },
	{ "force-dtb", 0, 0, "loongarch64 kernels take the device tree from the firmware" },
};
#define REFUSED_COUNT (sizeof(refused) / sizeof(*refused))

static const struct option accepted[] = {
	{ "help", no_argument, NULL, 'h' },
	{ "version", no_argument, NULL, 'v' },
	{ "debug", no_argument, NULL, 'd' },
	{ "load", no_argument, NULL, 'l' },
	{ "load-panic", no_argument, NULL, 'p' },
	{ "exec", no_argument, NULL, 'e' },
	{ "force", no_argument, NULL, 'f' },
	{ "unload", no_argument, NULL, 'u' },
	{ "status", no_argument, NULL, 'S' },
	{ "no-checks", no_argument, NULL, 'i' },
	{ "no-ifdown", no_argument, NULL, 'x' },
	{ "no-sync", no_argument, NULL, 'y' },
	{ "kexec-file-syscall", no_argument, NULL, 's' },
	{ "kexec-syscall", no_argument, NULL, 'c' },
	{ "kexec-syscall-auto", no_argument, NULL, 'a' },
	{ "type", required_argument, NULL, 't' },
	{ "initrd", required_argument, NULL, OPT_INITRD },
	{ "ramdisk", required_argument, NULL, OPT_INITRD },
	{ "append", required_argument, NULL, OPT_APPEND },
	{ "command-line", required_argument, NULL, OPT_APPEND },
	{ "reuse-cmdline", no_argument, NULL, OPT_REUSE_CMDLINE },
	{ "print-ckr-size", no_argument, NULL, OPT_PRINT_CKR_SIZE },
	{ "dry-run", no_argument, NULL, OPT_DRY_RUN },
	{ "json", no_argument, NULL, OPT_JSON },
	{ "map", optional_argument, NULL, OPT_MAP },
	{ "system", required_argument, NULL, OPT_SYSTEM },
	{ "snapshot", required_argument, NULL, OPT_SNAPSHOT },
	{ "inspect", no_argument, NULL, OPT_INSPECT },
	{ "mem-min", required_argument, NULL, OPT_MEM_MIN },
	{ "mem-max", required_argument, NULL, OPT_MEM_MAX },
	{ "entry", required_argument, NULL, OPT_ENTRY },
	{ "drop-crash", no_argument, NULL, OPT_DROP_CRASH },
	{ "hotplug", no_argument, NULL, OPT_HOTPLUG },
	{ "no-cma", no_argument, NULL, OPT_NO_CMA },
	{ "prepare-exec", no_argument, NULL, OPT_PREPARE_EXEC },
};
#define ACCEPTED_COUNT (sizeof(accepted) / sizeof(*accepted))

/* What was asked for, before it is known whether it makes sense together. */
struct asked {
	bool load_panic, load, exec, prepare_exec, force, unload, status, crash_size, inspect;
	bool help, version;
	int refused; /* index, -1: none */
};

static struct error *usage(struct error *err)
{
	return error_remedy(err, "kexec --help lists the options.");
}

static struct error *set_address(const char *name, const char *text, uint64_t *ret)
{
	if (parse_size(text, ret))
		return NULL;
	return usage(error_new(ERROR_USAGE, "--%s=%s: not an address (0x..., or a number "
			       "with K, M or G)", name, text));
}

/* 0 stands for none. */
static struct error *set_entry(const char *text, uint64_t *ret)
{
	struct error *err = set_address("entry", text, ret);

	return err || *ret ? err : usage(error_new(ERROR_USAGE, "--entry=%s: no kernel starts "
						   "there", text));
}

static void make_table(struct option table[ACCEPTED_COUNT + REFUSED_COUNT + 1])
{
	size_t i;

	memcpy(table, accepted, sizeof(accepted));
	for (i = 0; i < REFUSED_COUNT; i++)
		table[ACCEPTED_COUNT + i] = (struct option){
			refused[i].name, refused[i].has_arg, NULL,
			refused[i].letter ? refused[i].letter : OPT_REFUSED + (int)i,
		};
	table[ACCEPTED_COUNT + REFUSED_COUNT] = (struct option){ 0 };
}

static int find_refused(int option)
{
	size_t i;

	for (i = 0; i < REFUSED_COUNT; i++)
		if (option == refused[i].letter || option == OPT_REFUSED + (int)i)
			return i;
	return -1;
}

static struct error *take(int option, struct options *o, struct asked *asked)
{
	int index = find_refused(option);

	if (index >= 0) {
		if (asked->refused < 0)
			asked->refused = index;
		return NULL;
	}
	switch (option) {
	case 'h': asked->help = true; break;
	case 'v': asked->version = true; break;
	case 'd': o->debug = true; break;
	case 'p': asked->load_panic = true; break;
	case 'l': asked->load = true; break;
	case 'e': asked->exec = true; break;
	case 'f': asked->force = true; break;
	case 'x': o->no_ifdown = true; break;
	case 'y': o->no_sync = true; break;
	case 'u': asked->unload = true; break;
	case 'S': asked->status = true; break;
	case 't': o->type = optarg; break;
	case 's': o->call = CALL_FILE; break;
	case 'c': o->call = CALL_KEXEC_LOAD; break;
	case 'a': o->call = CALL_AUTO; break;
	case 'i': break; /* there is no purgatory to check */
	case OPT_INITRD: o->initrd = optarg; break;
	case OPT_APPEND: o->append = optarg; break;
	case OPT_REUSE_CMDLINE: o->reuse_cmdline = true; break;
	case OPT_PRINT_CKR_SIZE: asked->crash_size = true; break;
	case OPT_DRY_RUN: o->dry_run = true; break;
	case OPT_JSON: o->json = true; break;
	case OPT_HOTPLUG: o->hotplug = true; break;
	case OPT_NO_CMA: o->no_cma = true; break;
	case OPT_PREPARE_EXEC: asked->prepare_exec = true; break;
	case OPT_SYSTEM: o->system = optarg; break;
	case OPT_SNAPSHOT: o->snapshot = optarg; break;
	case OPT_INSPECT: asked->inspect = true; break;
	case OPT_MEM_MIN: return set_address("mem-min", optarg, &o->mem_min);
	case OPT_MEM_MAX: return set_address("mem-max", optarg, &o->mem_max);
	case OPT_ENTRY: return set_entry(optarg, &o->entry);
	case OPT_DROP_CRASH: o->drop_crash = true; break;
	case OPT_MAP:
		if (!optarg || !strcmp(optarg, "text"))
			o->map = MAP_TEXT;
		else if (!strcmp(optarg, "svg"))
			o->map = MAP_SVG;
		else
			return usage(error_new(ERROR_USAGE, "--map=%s: text or svg", optarg));
		break;
	default:
		return usage(error_new(ERROR_USAGE, "unknown option, or one without its value"));
	}
	return NULL;
}

static struct error *refuse(int index)
{
	const struct refused *r = &refused[index];
	char letter[8] = "";

	if (r->letter)
		snprintf(letter, sizeof(letter), "-%c, ", r->letter);
	return error_new(ERROR_USAGE, "%s--%s: %s", letter, r->name, r->why);
}

/* Which of the things asked for is to be done; two at once is a mistake. */
static struct error *choose_action(const struct asked *asked, struct options *o)
{
	o->crash = asked->load_panic || (asked->status && !asked->load);
	if (asked->help || asked->version) {
		o->action = asked->help ? ACTION_HELP : ACTION_VERSION;
		return NULL;
	}
	if (asked->refused >= 0)
		return refuse(asked->refused);
	if (asked->status + asked->unload + asked->crash_size + asked->inspect + asked->exec +
		    asked->prepare_exec + asked->force + (o->snapshot != NULL) > 1)
		return usage(error_new(ERROR_USAGE, "more than one of --status, --unload, --exec, "
				       "--prepare-exec, --force, --print-ckr-size, --inspect and "
				       "--snapshot"));
	if (asked->load_panic && (asked->load || asked->exec || asked->force))
		return usage(error_new(ERROR_USAGE, "--load-panic with --load, --exec or --force: "
				       "a crash kernel is started by a panic only"));
	if (asked->exec && asked->load)
		return usage(error_new(ERROR_USAGE, "--load and --exec together: --force does "
				       "both"));
	if (asked->status)
		o->action = ACTION_STATUS;
	else if (asked->unload)
		o->action = ACTION_UNLOAD;
	else if (asked->crash_size)
		o->action = ACTION_CRASH_SIZE;
	else if (asked->inspect)
		o->action = ACTION_INSPECT;
	else if (o->snapshot)
		o->action = ACTION_SNAPSHOT;
	else if (asked->exec)
		o->action = ACTION_EXEC;
	else if (asked->prepare_exec)
		o->action = ACTION_PREPARE_EXEC;
	else if (asked->load_panic || asked->load || asked->force || o->kernel)
		o->action = ACTION_LOAD;
	else
		return usage(error_new(ERROR_USAGE, "nothing to do"));
	o->then_exec = asked->force;
	o->then_shutdown = o->action == ACTION_LOAD && !asked->load_panic && !asked->load &&
			   !asked->force;
	return NULL;
}

const char *options_against_file(const struct options *o)
{
	if (o->entry || o->mem_min || o->mem_max != UINT64_MAX)
		return "with kexec_file_load the running kernel chooses the places: --mem-min, "
		       "--mem-max and --entry cannot be obeyed";
	if (o->hotplug)
		return "with kexec_file_load the running kernel keeps a crash image up to date "
		       "without being asked, where it can: --hotplug is for kexec_load";
	return o->json || o->map ? "with kexec_file_load the running kernel chooses the places: "
				   "there is nothing for --json and --map to show" : NULL;
}

static struct error *check_together(const struct options *o)
{
	bool needs_file = o->action == ACTION_LOAD || o->action == ACTION_INSPECT;

	if (needs_file && !o->kernel)
		return usage(error_new(ERROR_USAGE, "no kernel file is given"));
	if (!needs_file && o->kernel && o->action != ACTION_HELP &&
	    o->action != ACTION_VERSION)
		return usage(error_new(ERROR_USAGE, "%s: no file is expected with this option",
				       o->kernel));
	if (o->type && !image_type_known(o->type))
		return error_remedy(error_new(ERROR_USAGE, "--type=%s: unknown type", o->type),
				    "Types: zboot (pez-loongarch), pe (pei-loongarch), elf "
				    "(elf-loongarch).");
	if (o->action == ACTION_LOAD && o->call == CALL_FILE && options_against_file(o))
		return error_remedy(error_new(ERROR_USAGE, "-s: %s", options_against_file(o)),
				    "Leave -s out: kexec_load does what is planned here.");
	if (o->hotplug && !o->crash)
		return usage(error_new(ERROR_USAGE, "--hotplug: only a loaded crash kernel is kept "
				       "up to date, use it with -p"));
	if (o->json && o->map)
		return usage(error_new(ERROR_USAGE, "--json and --map: one of them is printed"));
	if (o->mem_min > o->mem_max)
		return usage(error_new(ERROR_USAGE, "--mem-min is above --mem-max"));
	if (strcmp(o->system, "/") != 0 && !o->dry_run &&
	    (o->action == ACTION_LOAD || o->action == ACTION_EXEC ||
	     o->action == ACTION_PREPARE_EXEC || o->action == ACTION_UNLOAD))
		return error_remedy(error_new(ERROR_USAGE, "--system=%s describes another "
					      "system: nothing can be loaded into it",
					      o->system),
				    "Add --dry-run.");
	return NULL;
}

#define SHORT_OPTIONS ":hvdpuSixycat:lefs"

/* In a word of several letters getopt's place is still before it. */
static struct error *unknown_option(char *const *argv)
{
	if (!optopt)
		return usage(error_new(ERROR_USAGE, "%s: unknown option", argv[optind - 1]));
	if (optopt < OPT_INITRD && !strchr(SHORT_OPTIONS, optopt))
		return usage(error_new(ERROR_USAGE, "-%c: unknown option", optopt));
	return usage(error_new(ERROR_USAGE, "%s: this option takes no value", argv[optind - 1]));
}

struct error *options_parse(int argc, char **argv, struct options *ret)
{
	struct option table[ACCEPTED_COUNT + REFUSED_COUNT + 1];
	struct options o = { .system = "/", .mem_max = UINT64_MAX };
	struct asked asked = { .refused = -1 };
	struct error *err = NULL;
	int option;

	make_table(table);
	opterr = 0;
	while (!err && (option = getopt_long(argc, argv, SHORT_OPTIONS, table, NULL)) != -1) {
		if (option == '?')
			err = unknown_option(argv);
		else if (option == ':')
			err = usage(error_new(ERROR_USAGE, "%s: its value is missing",
					      argv[optind - 1]));
		else
			err = take(option, &o, &asked);
	}
	if (err)
		return err;
	if (argc - optind > 1)
		return usage(error_new(ERROR_USAGE, "%s: one kernel file is enough",
				       argv[optind + 1]));
	o.kernel = argv[optind];
	err = choose_action(&asked, &o);
	if (!err)
		err = check_together(&o);
	if (!err)
		*ret = o;
	return err;
}

void options_help(FILE *out)
{
	fputs("kexec - load a crash kernel, or the next kernel, on loongarch64\n"
	      "\n"
	      "  kexec -p KERNEL [--initrd=FILE] [--command-line=TEXT | --reuse-cmdline]\n"
	      "  kexec -l KERNEL [the same]; then kexec -e, or reboot through systemctl kexec\n"
	      "  kexec [-p] -u\n"
	      "  kexec --inspect KERNEL\n"
	      "\n"
	      "KERNEL is a vmlinuz (EFI zboot), vmlinux.efi or vmlinux, as it is or packed\n"
	      "as a whole: gzip, xz, lzma, zstd; bzip2, lz4 and lzo where the build has them.\n"
	      "\n"
	      "What to do\n"
	      "  -p, --load-panic       load KERNEL as the kernel to start after a panic\n"
	      "  -l, --load             load KERNEL as the next kernel; a loaded crash image\n"
	      "                         stays armed\n"
	      "  -e, --exec             start the loaded kernel now, without a shutdown\n"
	      "      --prepare-exec     make the next kernel ready for a start by somebody else,\n"
	      "                         as systemd-shutdown's: a hook does this\n"
	      "  -f, --force            load KERNEL and start it now, without a shutdown\n"
	      "                         (none of these: load KERNEL, then shutdown -r now)\n"
	      "  -u, --unload           drop the loaded image; with -p the crash image\n"
	      "  -S, --status           exit 1 when a crash image is loaded, 0 when not;\n"
	      "                         with -l the same for the next kernel; 255 on failure\n"
	      "      --print-ckr-size   print the size of the crash reservation in bytes\n"
	      "      --inspect          say what KERNEL is and how that is known\n"
	      "      --snapshot=DIR     record what this program reads of /proc and /sys\n"
	      "  -h, --help             this text\n"
	      "  -v, --version          print the version\n"
	      "\n"
	      "How to load\n"
	      "      --initrd=FILE      (--ramdisk=) loaded as it is, packed or not\n"
	      "      --command-line=TEXT (--append=) kernel command line\n"
	      "      --reuse-cmdline    the running kernel's, without BOOT_IMAGE, kexec,\n"
	      "                         kexec_file, initrd and elfcorehdr, and with -p without\n"
	      "                         crashkernel and mem; --command-line is added to it\n"
	      "  -t, --type=TYPE        accept only zboot, pe or elf\n"
	      "      --mem-min=ADDRESS  use no memory below ADDRESS\n"
	      "      --mem-max=ADDRESS  use no memory above ADDRESS\n"
	      "      --entry=ADDRESS    start there, not where the image's header says\n"
	      "      --drop-crash       go on where the crash image cannot be kept armed\n"
	      "  -x, --no-ifdown        -e, -f: leave network interfaces up\n"
	      "  -y, --no-sync          -e, -f: do not write file systems back first\n"
	      "  -c, --kexec-syscall    use kexec_load (the default): planned and checked here\n"
	      "  -s, --kexec-file-syscall\n"
	      "                         use kexec_file_load: the kernel reads the image\n"
	      "  -a, --kexec-syscall-auto\n"
	      "                         as -s; where the kernel cannot do that as -c\n"
	      "      --no-cma           -s: do not use memory set aside for contiguous\n"
	      "                         allocations (kernels since 6.17); kexec_load never does\n"
	      "      --hotplug          -p: the kernel updates the crash image after a CPU or\n"
	      "                         memory change, where it can (up to 7.2 it cannot)\n"
	      "  -i, --no-checks        accepted, without effect: there is no purgatory\n"
	      "\n"
	      "How to look\n"
	      "      --dry-run          plan, check against the kernel's rules, print; change\n"
	      "                         nothing. Needs root only to read /proc/iomem\n"
	      "      --system=DIR       plan for the system recorded in DIR\n"
	      "  -d, --debug            print the plan before loading\n"
	      "      --json             print the plan, or what --inspect finds, as JSON\n"
	      "      --map[=text|svg]   draw the memory used and what lies in it, to scale; svg:\n"
	      "                         print the picture and nothing else\n"
	      "\n"
	      "Numbers are decimal, or hexadecimal behind 0x, with K, M, G or T for powers of\n"
	      "1024. Exit status: 0 done, 1 refused or failed; see -S for its own.\n",
	      out);
}

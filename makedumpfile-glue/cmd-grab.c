/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A guest of libvirt's, dumped by virsh and made into a dump for crash. Which
 * virsh command does it is tried, not looked up in a table of versions: the
 * migration stream first, since it holds the CPUs' program counters.
 */
#include "config.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include "lib/units.h"
#include "makedumpfile-glue/commands.h"
#include "makedumpfile-glue/open-options.h"
#include "makedumpfile-glue/progress.h"
#include "makedumpfile-glue/source/domain.h"
#include "makedumpfile-glue/virsh.h"

static const char help[] =
	"Usage: vmcore grab [OPTION]... DOMAIN DEST\n"
	"Dump the memory of a running guest of libvirt's and make of it a dump that crash\n"
	"opens. DEST is a directory, mode 0700; what it gets is readable by you alone:\n"
	"\n"
	"  vmcore               the dump, as vmcore save writes it\n"
	"  registers.txt        the CPUs' registers, as QEMU's monitor tells them\n"
	"  domain.xml           the guest as libvirt knows it\n"
	"  versions.txt         of libvirt and QEMU, and what state the guest was in\n"
	"  guest.dump           the file QEMU wrote; removed when vmcore is good\n"
	"\n"
	"The guest stands still while QEMU writes its memory, and goes on then.\n"
	"\n"
	"      --live           leave it running meanwhile\n"
	"  -C, --connect URI    the libvirt it is a guest of, as virsh -c takes it; it must\n"
	"                       be on this machine\n"
	"      --keep           keep guest.dump\n"
	"  -d, -c, -l, -p, -z, --raw, --format, --threads, --vmlinux\n"
	"                       as vmcore save takes them\n"
	"  -q, --quiet          no progress, no summary\n"
	"  -h, --help           this text\n"
	"\n" EXIT_HELP
	"Stopped by SIGINT, SIGTERM or SIGHUP it lets the guest go on and ends by that\n"
	"signal.\n";

enum { OPTION_LIVE = 256, OPTION_KEEP, OPTION_RAW, OPTION_FORMAT, OPTION_THREADS,
       OPTION_VMLINUX };

static const struct option long_options[] = {
	{ "live", no_argument, NULL, OPTION_LIVE },
	{ "keep", no_argument, NULL, OPTION_KEEP },
	{ "connect", required_argument, NULL, 'C' },
	{ "level", required_argument, NULL, 'd' },
	{ "raw", no_argument, NULL, OPTION_RAW },
	{ "format", required_argument, NULL, OPTION_FORMAT },
	{ "threads", required_argument, NULL, OPTION_THREADS },
	{ "vmlinux", required_argument, NULL, OPTION_VMLINUX },
	{ "quiet", no_argument, NULL, 'q' },
	{ 0 },
};

#define SAVE_WORDS_MAX 64
#define DISKS_MAX      256

struct grab {
	const char *domain;
	const char *connect;
	bool live, keep, quiet;

	/* vmcore save's command line, with room for what is put behind. */
	const char *save[SAVE_WORDS_MAX + 8];
	size_t save_count;

	struct virsh virsh;
	char *dir; /* absolute: libvirtd works in another directory */
	char *xml;
	char *dump, *vmcore, *registers;
	uint64_t memory;
	bool running;
	bool registers_of_dump; /* registers.txt is of the dump's moment */
};

static struct error *add_word(struct grab *g, const char *word)
{
	if (g->save_count == SAVE_WORDS_MAX)
		return error_new(ERROR_USAGE, "too many options");
	g->save[g->save_count++] = word;
	return NULL;
}

static struct error *add_value(struct grab *g, const char *option)
{
	struct error *err = add_word(g, option);

	return err ? err : add_word(g, optarg);
}

static struct error *take(int option, void *arguments)
{
	struct grab *g = arguments;

	switch (option) {
	case OPTION_LIVE: g->live = true; return NULL;
	case OPTION_KEEP: g->keep = true; return NULL;
	case 'C': g->connect = optarg; return NULL;
	case 'd': return add_value(g, "-d");
	case 'c': return add_word(g, "-c");
	case 'l': return add_word(g, "-l");
	case 'p': return add_word(g, "-p");
	case 'z': return add_word(g, "-z");
	case OPTION_RAW: return add_word(g, "--raw");
	case OPTION_FORMAT: return add_value(g, "--format");
	case OPTION_THREADS: return add_value(g, "--threads");
	case OPTION_VMLINUX:
		if (access(optarg, R_OK) < 0)
			return error_errno(errno, "opening %s", optarg);
		return add_value(g, "--vmlinux");
	default: g->quiet = true; return add_word(g, "-q");
	}
}

/* virsh writes the file on libvirtd's machine. qemu+unix:///system is here,
 * qemu+ssh://host/system is not. */
static struct error *check_here(struct grab *g)
{
	char *uri cleanup_free = NULL;
	struct error *err = virsh_run(&g->virsh, &uri, "uri", NULL);
	const char *host = err ? NULL : strstr(uri, "://");

	if (err)
		return error_remedy(err, "is libvirtd (virtqemud) running? --connect URI "
				    "names another one");
	if (host && host[3] && host[3] != '/')
		return error_remedy(error_new(ERROR_USAGE, "%s is of another machine: its "
					      "libvirtd would write the dump there", uri),
				    "run vmcore grab on that machine");
	return NULL;
}

static struct error *check_guest(struct grab *g)
{
	char *state cleanup_free = NULL, arch[64] = "";
	struct error *err = virsh_run(&g->virsh, &state, "domstate", "--domain", g->domain,
				      NULL);

	if (err)
		return error_remedy(err, "virsh list --all names the guests there are; "
				    "--connect URI asks another libvirt");
	if (!strcmp(state, "shut off"))
		return error_remedy(error_new(ERROR_USAGE, "it is shut off and has no memory"),
				    "what virsh save or managed save wrote of it can be given "
				    "to vmcore save as it is");
	g->running = !strcmp(state, "running");
	err = virsh_run(&g->virsh, &g->xml, "dumpxml", "--domain", g->domain, NULL);
	if (err)
		return err;
	g->memory = domain_memory(g->xml);
	if (domain_attribute(g->xml, "type", "arch", arch, sizeof(arch)) &&
	    strcmp(arch, "loongarch64"))
		return error_new(ERROR_UNSUPPORTED, "a guest of %s, not of loongarch64", arch);
	return NULL;
}

/* A directory of an earlier try will do, one with a dump in it will not. */
static struct error *make_directory(struct grab *g, const char *dest)
{
	struct error *err;

	if (mkdir(dest, 0700) < 0 && errno != EEXIST)
		return error_errno(errno, "making the directory %s", dest);
	g->dir = realpath(dest, NULL);
	if (!g->dir)
		return error_errno(errno, "looking at %s", dest);
	err = path_join(g->dir, "guest.dump", &g->dump);
	if (!err)
		err = path_join(g->dir, "vmcore", &g->vmcore);
	if (!err)
		err = path_join(g->dir, "registers.txt", &g->registers);
	if (!err && (access(g->dump, F_OK) == 0 || access(g->vmcore, F_OK) == 0))
		err = error_remedy(error_errno(EEXIST, "%s", access(g->dump, F_OK) ?
					       g->vmcore : g->dump),
				   "name another directory");
	return err;
}

static struct error *write_text(const struct grab *g, const char *name, const char *text)
{
	char *path cleanup_free = NULL;
	struct new_file file;
	struct error *err = path_join(g->dir, name, &path);

	if (!err)
		err = new_file_create(path, 0600, false, &file);
	if (err)
		return err;
	err = fd_write(file.fd, path, text, strlen(text));
	if (!err)
		err = fd_write(file.fd, path, "\n", 1);
	if (!err)
		err = new_file_commit(&file);
	new_file_abandon(&file, false);
	return err;
}

/* The dump matters more than this. */
static void warn(struct error *err)
{
	if (err)
		fprintf(stderr, "vmcore: warning: %s\n", err->message);
	error_free(err);
}

/* True when they were had. */
static bool save_registers(struct grab *g)
{
	char *text cleanup_free = NULL;
	struct error *err = virsh_run(&g->virsh, &text, "qemu-monitor-command", "--hmp",
				      "--domain", g->domain, "info registers -a", NULL);

	if (!err)
		err = write_text(g, "registers.txt", text);
	if (!err)
		return true;
	warn(err);
	return false;
}

static void add_answer(struct grab *g, FILE *to, const char *const *words)
{
	char *text cleanup_free = NULL;
	struct error *err = virsh_run_words(&g->virsh, &text, words);
	size_t i;

	fputs("$ virsh", to);
	for (i = 0; words[i]; i++)
		fprintf(to, strchr(words[i], ' ') ? " '%s'" : " %s", words[i]);
	fprintf(to, "\n%s\n\n", err ? err->message : text);
	error_free(err);
}

static struct error *save_versions(struct grab *g)
{
	char *text cleanup_free = NULL;
	size_t size;
	FILE *to = open_memstream(&text, &size);

	if (!to)
		return error_nomem();
	add_answer(g, to, (const char *[]){ "version", "--daemon", NULL });
	add_answer(g, to, (const char *[]){ "domstate", "--reason", "--domain", g->domain,
					    NULL });
	add_answer(g, to, (const char *[]){ "qemu-monitor-command", "--hmp", "--domain",
					    g->domain, "info version", NULL });
	fprintf(to, "%s %s", PACKAGE_NAME, PACKAGE_VERSION);
	return fclose(to) ? error_nomem() : write_text(g, "versions.txt", text);
}

static void say(const struct grab *g, const char *text)
{
	if (g->quiet)
		return;
	puts(text);
	fflush(stdout);
}

/* virsh dump: the guest's migration stream, registers and all. */
static struct error *dump_stream(struct grab *g)
{
	struct error *err;

	say(g, "virsh dump: the guest stands still meanwhile");
	g->virsh.abort = g->domain;
	err = virsh_run(&g->virsh, NULL, "dump", "--domain", g->domain, "--file", g->dump,
			NULL);
	g->virsh.abort = NULL;
	return err;
}

/* The migration stream of a guest that runs on: a snapshot of its memory, and of
 * none of its disks. libvirt has no dump that does this. */
static struct error *dump_live(struct grab *g)
{
	static const char none[] = ",snapshot=no";
	const char *words[16 + 2 * DISKS_MAX] = {
		"snapshot-create-as", "--domain", g->domain, "--live", "--no-metadata",
		"--memspec",
	};
	char *disks cleanup_free = NULL, *specs cleanup_free = NULL, *line, *rest, *to;
	char *memory cleanup_free = malloc(2 * strlen(g->dump) + 32);
	size_t count = 6;
	const char *from;
	struct error *err = virsh_run(&g->virsh, &disks, "domblklist", "--details",
				      "--domain", g->domain, NULL);

	if (err)
		return err;
	/* A disk's name is a word of its line, and a line holds three others. */
	specs = malloc(strlen(disks) * sizeof(none) + 1);
	if (!memory || !specs)
		return error_nomem();
	to = stpcpy(memory, "snapshot=external,file=");
	/* In such a list two commas stand for one. */
	for (from = g->dump; *from; from++) {
		if (*from == ',')
			*to++ = ',';
		*to++ = *from;
	}
	*to = 0;
	words[count++] = memory;
	to = specs;
	for (rest = disks; (line = strsep(&rest, "\n"));) {
		char name[256];

		if (sscanf(line, "%*s %*s %255s", name) != 1)
			continue;
		if (count + 3 > sizeof(words) / sizeof(words[0]))
			return error_new(ERROR_LIMIT, "it has more than %d disks", DISKS_MAX);
		words[count++] = "--diskspec";
		words[count++] = to;
		to = stpcpy(stpcpy(to, name), none) + 1;
	}
	say(g, "virsh snapshot-create-as --live: the guest runs on meanwhile");
	g->virsh.abort = g->domain;
	err = virsh_run_words(&g->virsh, NULL, words);
	g->virsh.abort = NULL;
	return error_remedy(err, "without --live the guest stands still for as long as QEMU "
			    "writes, and goes on then");
}

/* dump-guest-memory, for guests that cannot be migrated. The file lacks the
 * program counters, so the guest must not move until they are told. */
static struct error *dump_memory_only(struct grab *g)
{
	struct error *err, *resumed = NULL;

	say(g, "virsh dump --memory-only: the guest stands still meanwhile");
	if (g->running) {
		err = virsh_run(&g->virsh, NULL, "suspend", "--domain", g->domain, NULL);
		if (err)
			return err;
	}
	g->registers_of_dump = save_registers(g);
	/* Nothing ends such a dump before its time, so it is waited for. */
	err = virsh_run(&g->virsh, NULL, "dump", "--memory-only", "--domain", g->domain,
			"--file", g->dump, NULL);
	if (g->running)
		resumed = virsh_run(&g->virsh, NULL, "resume", "--domain", g->domain, NULL);
	if (resumed)
		fprintf(stderr, "vmcore: warning: the guest stands still: %s; virsh resume "
			"%s lets it go on\n", resumed->message, g->domain);
	error_free(resumed);
	return err;
}

static uint64_t room_left(const struct grab *g)
{
	struct statvfs fs;

	return statvfs(g->dir, &fs) < 0 ? UINT64_MAX : (uint64_t)fs.f_bavail * fs.f_frsize;
}

/* libvirt removes what it could not finish, so that the disk looks emptier than
 * it was; QEMU's own words for it come through libvirt. */
static bool was_no_room(const struct error *err)
{
	return strstr(err->message, "No space left on device") != NULL;
}

static struct error *explain_no_room(const struct grab *g, struct error *err)
{
	char needs[UNITS_SIZE_TEXT], left[UNITS_SIZE_TEXT];
	const uint64_t room = room_left(g);

	if (!was_no_room(err) && room >= g->memory)
		return err;
	return error_remedy(err, "the guest has %s of memory; where %s is, %s are free: name a "
			    "directory with more", size_text(g->memory, needs), g->dir,
			    size_text(room, left));
}

static struct error *take_dump(struct grab *g)
{
	char size[UNITS_SIZE_TEXT];
	const double started = progress_now();
	struct error *err = g->live ? dump_live(g) : dump_stream(g);
	struct stat st;

	if (err && !g->live && !g->virsh.caught && !was_no_room(err)) {
		fprintf(stderr, "vmcore: warning: %s; trying --memory-only\n", err->message);
		error_free(err);
		err = dump_memory_only(g);
	}
	if (err)
		return explain_no_room(g, err);
	if (stat(g->dump, &st) < 0)
		return error_remedy(error_errno(errno, "looking at %s, which libvirt says "
						"to have written", g->dump),
				    "libvirtd sees other files than you do (a container?): run "
				    "vmcore grab where it runs");
	if (access(g->dump, R_OK) < 0)
		return error_remedy(error_errno(errno, "reading %s", g->dump),
				    "libvirtd wrote it as another user: run vmcore grab as root");
	if (chmod(g->dump, 0600) < 0 && errno != EPERM)
		return error_errno(errno, "changing the mode of %s", g->dump);
	if (!g->quiet)
		printf("%s: %s in %.1f s\n", g->dump, size_text(st.st_size, size),
		       progress_now() - started);
	return NULL;
}

/* Everything that is asked of libvirt; the guest goes on afterwards. */
static struct error *ask_libvirt(struct grab *g, const char *dest)
{
	struct error *err = check_here(g);

	if (!err)
		err = check_guest(g);
	if (!err)
		err = make_directory(g, dest);
	if (!err)
		err = write_text(g, "domain.xml", g->xml);
	if (!err)
		err = save_versions(g);
	if (err)
		return err;
	save_registers(g);
	return take_dump(g);
}

/* NULL when what was saved needs nothing any more of what QEMU wrote. */
static struct error *check_result(const struct grab *g)
{
	const struct dump_options options = { 0 };
	struct dump *dump;
	struct error *err = dump_open(g->vmcore, &options, &dump);

	if (err)
		return err;
	if (!dump->vmcoreinfo)
		err = error_new(ERROR_FORMAT, "no VMCOREINFO was found in it");
	else if (!dump->registers.count)
		err = error_new(ERROR_FORMAT, "there are no registers of any CPU in it");
	dump_close(dump);
	return err;
}

/* vmcore save with what was given for it, and these operands. */
static int call_save(struct grab *g, int (*run)(int argc, char **argv), const char *from,
		     const char *to)
{
	size_t count = g->save_count;

	if (g->registers_of_dump) {
		g->save[count++] = "--registers";
		g->save[count++] = g->registers;
	}
	g->save[count++] = "--";
	g->save[count++] = from;
	g->save[count++] = to;
	optind = 0;
	return run(count, (char **)g->save);
}

static int convert(struct grab *g)
{
	struct error *err = NULL;
	int status = call_save(g, cmd_save, g->dump, g->vmcore);

	if (status == EXIT_DONE)
		err = check_result(g);
	if (status != EXIT_DONE || err) {
		fprintf(stderr, "vmcore: warning: %s%s%s, as QEMU wrote it, is kept\n",
			err ? err->message : "", err ? ": " : "", g->dump);
		error_free(err);
		return status;
	}
	if (!g->keep && unlink(g->dump) < 0)
		warn(error_errno(errno, "removing %s", g->dump));
	if (!g->quiet)
		printf("vmcore info %s says how crash opens it\n", g->vmcore);
	release_output();
	return EXIT_DONE;
}

static int grab(void *arguments, char **operands, int count)
{
	struct grab *g = arguments;
	struct error *err;
	int status;

	(void)count;
	/* Before a guest has to stand still for it. */
	status = call_save(g, save_check, operands[0], operands[1]);
	if (status != EXIT_DONE)
		return status;
	g->domain = operands[0];
	virsh_init(g->connect, &g->virsh);
	err = ask_libvirt(g, operands[1]);
	virsh_deinit(&g->virsh);
	if (err)
		status = fail(error_add(err, "grabbing %s", g->domain));
	else if (g->virsh.caught)
		status = EXIT_FAILED;
	else
		status = convert(g);
	free(g->xml);
	free(g->dir);
	free(g->dump);
	free(g->vmcore);
	free(g->registers);
	if (g->virsh.caught)
		raise(g->virsh.caught);
	return status;
}

static const struct command command = {
	.name = "grab",
	.help = help,
	.letters = "C:d:clpzq",
	.options = long_options,
	.take = take,
	.operands = "DOMAIN and DEST",
	.operands_min = 2,
	.operands_max = 2,
	.run = grab,
};

int cmd_grab(int argc, char **argv)
{
	struct grab g = { .save = { "save" }, .save_count = 1 };

	return command_run(&command, argc, argv, &g, NULL);
}

/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "config.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>

#include "lib/file.h"
#include "makedumpfile-glue/commands.h"
#include "makedumpfile-glue/compress.h"

static const char help[] =
	"Usage: vmcore COMMAND [OPTION]... SOURCE [DEST]\n"
	"Crash dumps of loongarch64 kernels.\n"
	"\n"
	"  save SOURCE DEST     write the dump as kdump-compressed or ELF, filtered, also\n"
	"                       flattened into a pipe, or split\n"
	"  info SOURCE          one screen about a dump, and how to open it with crash\n"
	"  dmesg SOURCE [DEST]  the kernel's log\n"
	"  check SOURCE         read all of a dump and say whether it is whole\n"
	"  rebuild SOURCE DEST  a plain dump of a flattened one\n"
	"  grab DOMAIN DEST     a dump of a running guest of libvirt's\n"
	"  sftp ACTION DIR      bring dumps to a server that gives sftp and no shell\n"
	"\n"
	"SOURCE is /proc/vmcore, a copy of it (ELF), or a kdump-compressed dump; plain,\n"
	"flattened or split; a file of virsh dump or virsh save, a QEMU migration stream\n"
	"or mapped-ram file; or bare memory, as FILE@ADDRESS.\n"
	"vmcore COMMAND --help says more; vmcore --version names the libraries.\n"
	"\n" EXIT_HELP;

static const struct {
	const char *name;
	int (*run)(int argc, char **argv);
} commands[] = {
	{ "save", cmd_save },
	{ "info", cmd_info },
	{ "dmesg", cmd_dmesg },
	{ "check", cmd_check },
	{ "rebuild", cmd_rebuild },
	{ "grab", cmd_grab },
	{ "sftp", cmd_sftp },
};

int fail(struct error *err)
{
	const int status = err->code == ERROR_MISMATCH ? EXIT_MISMATCH : EXIT_FAILED;

	error_print(stderr, "vmcore", err);
	error_free(err);
	return status;
}

int finish_output(int status)
{
	const bool lost = ferror(stdout);

	/* Why it failed was said. */
	if (status == EXIT_FAILED)
		return status;
	if (fflush(stdout))
		return fail(error_errno(errno, "writing standard output"));
	return lost ? fail(error_new(ERROR_SYSTEM, "writing standard output: some of it was "
				     "lost")) : status;
}

void release_output(void)
{
	fflush(stdout);
	clearerr(stdout);
}

int dump_status(const struct dump *dump)
{
	const struct error *flaw = dump->source->flaw;

	return dump_incomplete(dump) || (flaw && flaw->code == ERROR_SYSTEM) ?
		       EXIT_INCOMPLETE : EXIT_DONE;
}

void print_version(void)
{
	char codecs[64];

	printf("vmcore (%s) %s\n", PACKAGE_NAME, PACKAGE_VERSION);
	snprintf(codecs, sizeof(codecs), "zlib,%s%s zstd, raw",
		 page_codec_built(PAGE_LZO) ? " lzo," : "",
		 page_codec_built(PAGE_SNAPPY) ? " snappy," : "");
	printf("writes: kdump-compressed (%s), also split; ELF; both also flattened; "
	       "dump levels 0 to 31\n", codecs);
	printf("reads: ELF, kdump-compressed (%s), also flattened and split; QEMU's migration "
	       "streams and mapped-ram files; libvirt's save images; bare memory\n", codecs);
	printf("zlib streams: %s\n", compress_library());
}

static int run(int argc, char **argv)
{
	const char *slash = argc ? strrchr(argv[0], '/') : NULL;
	size_t i;

	if (argc && !strcmp(slash ? slash + 1 : argv[0], "makedumpfile"))
		return cmd_makedumpfile(argc, argv);
	if (argc < 2) {
		fputs(help, stderr);
		return EXIT_FAILED;
	}
	if (!strcmp(argv[1], "--help") || !strcmp(argv[1], "-h") ||
	    !strcmp(argv[1], "help")) {
		fputs(help, stdout);
		return EXIT_DONE;
	}
	if (!strcmp(argv[1], "--version")) {
		print_version();
		return EXIT_DONE;
	}
	for (i = 0; i < sizeof(commands) / sizeof(commands[0]); i++)
		if (!strcmp(argv[1], commands[i].name))
			return commands[i].run(argc - 1, argv + 1);
	return fail(error_remedy(error_new(ERROR_USAGE, "%s: no such command", argv[1]),
				 "vmcore --help lists them"));
}

int main(int argc, char **argv)
{
	file_reserve_standard();
	/* A limit of the size of files shall be an error of write(), not the end. */
	signal(SIGXFSZ, SIG_IGN);
	return finish_output(run(argc, argv));
}

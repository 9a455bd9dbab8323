/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <errno.h>
#include <getopt.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lib/file.h"
#include "makedumpfile-glue/commands.h"
#include "makedumpfile-glue/kernel/log.h"
#include "makedumpfile-glue/save.h"

static const char help[] =
	"Usage: vmcore dmesg [OPTION]... SOURCE [DEST]\n"
	"Print the kernel's log out of the dump SOURCE, or write it to a new file DEST\n"
	"(mode 0600). Times are seconds since the kernel started; bytes that are not\n"
	"printable are shown as \\xNN.\n"
	"\n"
	"      --page-size SIZE 4K, 16K or 64K, for a SOURCE that does not say it\n"
	"  -f, --force          replace DEST\n"
	"  -h, --help           this text\n"
	"\n" EXIT_HELP
	"Records that contradict themselves count as places that could not be read.\n";

enum { OPTION_PAGE_SIZE = 256 };

static const struct option long_options[] = {
	{ "page-size", required_argument, NULL, OPTION_PAGE_SIZE },
	{ "force", no_argument, NULL, 'f' },
	{ "help", no_argument, NULL, 'h' },
	{ 0 },
};

struct arguments {
	const char *source;
	const char *destination; /* NULL: stdout */
	uint64_t page_size;
	bool force;
	bool help;
};

static struct error *parse(int argc, char **argv, struct arguments *a)
{
	struct error *err = NULL;
	int option;

	*a = (struct arguments){ 0 };
	opterr = 0;
	while (!err && (option = getopt_long(argc, argv, ":fh", long_options, NULL)) != -1) {
		switch (option) {
		case OPTION_PAGE_SIZE: err = parse_page_size(optarg, &a->page_size); break;
		case 'f': a->force = true; break;
		case 'h': a->help = true; return NULL;
		default:  err = bad_option(option, argv);
		}
	}
	if (!err && argc - optind != 1 && argc - optind != 2)
		err = error_new(ERROR_USAGE, "dmesg needs SOURCE");
	if (err)
		return error_remedy(err, "vmcore dmesg --help says what it takes");
	a->source = argv[optind];
	if (argc - optind == 2)
		a->destination = argv[optind + 1];
	return NULL;
}

struct sink {
	FILE *file;
	const char *name;
};

static struct error *print_record(const struct log_record *record, void *arg)
{
	struct sink *sink = arg;
	char *text cleanup_free = NULL;
	size_t len;
	struct error *err = log_format(record, &text, &len);

	if (!err && fwrite(text, 1, len, sink->file) != len)
		err = error_errno(errno, "writing %s", sink->name);
	return err;
}

static struct error *print_log(const struct dump *dump, struct sink *sink,
			       struct log_counts *counts)
{
	struct error *err;

	if (!dump->vmcoreinfo)
		return error_remedy(error_new(ERROR_UNSUPPORTED,
					      "%s: without VMCOREINFO the log cannot be found",
					      dump->path),
				    "crash with the right vmlinux may still find it");
	err = log_read(dump->source, dump->vmcoreinfo, print_record, sink, counts);
	if (err)
		return error_add(err, "log of %s", dump->path);
	if (fflush(sink->file))
		return error_errno(errno, "writing %s", sink->name);
	return NULL;
}

static struct error *print_to_file(const struct dump *dump, const struct arguments *a,
				   struct log_counts *counts)
{
	struct new_file file = { .fd = -1 };
	struct sink sink;
	struct error *err;
	int fd;

	err = new_file_create(a->destination, 0600, !a->force, &file);
	if (err)
		return err;
	sink.name = file.partial_path;
	fd = dup(file.fd);
	sink.file = fd < 0 ? NULL : fdopen(fd, "w");
	if (!sink.file) {
		err = error_errno(errno, "writing %s", sink.name);
		if (fd >= 0)
			close(fd);
	} else {
		err = print_log(dump, &sink, counts);
		if (fclose(sink.file) && !err)
			err = error_errno(errno, "writing %s", sink.name);
	}
	if (!err)
		err = new_file_commit(&file);
	if (err && new_file_abandon(&file, counts->records > 0))
		err = error_remedy(err, "what was read so far is in %s-incomplete",
				   a->destination);
	return err;
}

static int dmesg(const struct arguments *a)
{
	struct log_counts counts = { 0 };
	struct sink out = { .file = stdout, .name = "standard output" };
	struct dump *dump;
	struct error *err = NULL;
	int status;

	if (a->destination)
		err = save_check_destination(a->destination, a->force);
	if (!err)
		err = dump_open(a->source, a->page_size, &dump);
	if (err)
		return fail(err);
	dump_print_warnings(dump);
	err = a->destination ? print_to_file(dump, a, &counts) :
			       print_log(dump, &out, &counts);
	status = dump_status(dump);
	dump_close(dump);
	if (err)
		return fail(err);
	if (counts.damaged) {
		fprintf(stderr, "vmcore: warning: %" PRIu64 " of the log's records could "
			"not be read\n", counts.damaged);
		status = EXIT_INCOMPLETE;
	}
	return status;
}

int cmd_dmesg(int argc, char **argv)
{
	struct arguments a;
	struct error *err = parse(argc, argv, &a);

	if (err)
		return fail(err);
	if (a.help) {
		fputs(help, stdout);
		return EXIT_DONE;
	}
	return dmesg(&a);
}

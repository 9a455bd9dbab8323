/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "lib/units.h"
#include "makedumpfile-glue/commands.h"
#include "makedumpfile-glue/destination.h"
#include "makedumpfile-glue/open-options.h"
#include "makedumpfile-glue/source/flat.h"

static const char help[] =
	"Usage: vmcore rebuild [OPTION]... SOURCE DEST\n"
	"Write the plain dump that is flattened in SOURCE as a new file DEST, mode 0600.\n"
	"SOURCE is read once from its beginning to its end; - is standard input.\n"
	"\n"
	"  -f, --force          replace DEST, once the new dump is whole\n"
	"  -q, --quiet          no summary\n"
	"  -h, --help           this text\n"
	"\n"
	"The other commands read a flattened file as it is.\n"
	"\n" EXIT_HELP;

static const struct option long_options[] = {
	{ "force", no_argument, NULL, 'f' },
	{ "quiet", no_argument, NULL, 'q' },
	{ 0 },
};

struct arguments {
	bool force;
	bool quiet;
};

static struct error *take(int option, void *arguments)
{
	struct arguments *a = arguments;

	if (option == 'f')
		a->force = true;
	else
		a->quiet = true;
	return NULL;
}

static struct error *open_stream(const char *path, int *ret_fd, const char **ret_name)
{
	bool standard = !strcmp(path, "-");

	*ret_name = standard ? "standard input" : path;
	if (!standard)
		return file_open(path, O_RDONLY, 0, ret_fd);
	*ret_fd = dup(STDIN_FILENO);
	return *ret_fd < 0 ? error_errno(EBADF, "reading %s", *ret_name) : NULL;
}

static struct error *write_there(void *to, const void *data, size_t size, uint64_t offset)
{
	const struct new_file *file = to;

	return fd_pwrite(file->fd, file->partial_path, data, size, offset);
}

static struct error *to_file(const char *source, const char *destination, bool force,
			     struct flat_copy *ret)
{
	struct destination to = { .file.fd = -1 };
	int from cleanup_close = -1;
	const char *name;
	struct error *err;

	*ret = (struct flat_copy){ 0 };
	err = destination_check(destination, strcmp(source, "-") ? source : "/dev/stdin",
				NULL, force);
	if (!err)
		err = open_stream(source, &from, &name);
	if (!err)
		err = destination_open(destination, force, false, 0, &to);
	if (!err)
		err = flat_copy(from, name, false, write_there, &to.file, ret);
	if (!err && !ret->written)
		err = error_new(ERROR_FORMAT, "%s: flattened, without a single record",
				name);
	if (err && err->code == ERROR_NOT_MINE)
		err = error_remedy(err, "a plain dump needs no rebuilding");
	if (!err)
		err = destination_settle(&to);
	if (!err)
		err = destination_commit(&to);
	return destination_close(&to, ret->written > 0, err);
}

static int rebuild(void *arguments, char **operands, int count)
{
	const struct arguments *a = arguments;
	char size[UNITS_SIZE_TEXT];
	struct flat_copy copy;
	struct error *err;

	(void)count;
	if (!strcmp(operands[1], DESTINATION_STDOUT))
		return fail(error_new(ERROR_USAGE, "rebuilding to standard output: records "
				      "come in any order, a pipe takes them in one"));
	err = to_file(operands[0], operands[1], a->force, &copy);
	if (err)
		return fail(error_add(err, "rebuilding %s", operands[1]));
	if (!a->quiet)
		printf("%s: %" PRIu64 " bytes written (%s)\n", operands[1], copy.written,
		       size_text(copy.written, size));
	release_output();
	if (copy.whole)
		return EXIT_DONE;
	fprintf(stderr, "vmcore: warning: %s breaks off: the end of the flattened records is "
		"missing\n", operands[0]);
	return EXIT_INCOMPLETE;
}

static const struct command command = {
	.name = "rebuild",
	.help = help,
	.letters = "fq",
	.options = long_options,
	.take = take,
	.operands = "SOURCE and DEST",
	.operands_min = 2,
	.operands_max = 2,
	.run = rebuild,
};

int cmd_rebuild(int argc, char **argv)
{
	struct arguments a = { 0 };

	return command_run(&command, argc, argv, &a, NULL);
}

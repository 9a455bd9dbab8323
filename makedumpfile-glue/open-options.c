/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "makedumpfile-glue/open-options.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lib/loongarch.h"
#include "lib/units.h"
#include "makedumpfile-glue/commands.h"

enum { OPEN_PAGE_SIZE = 512, OPEN_REGISTERS, OPEN_HELP };

static const struct option shared[] = {
	{ "page-size", required_argument, NULL, OPEN_PAGE_SIZE },
	{ "registers", required_argument, NULL, OPEN_REGISTERS },
	{ "help", no_argument, NULL, OPEN_HELP },
};
#define SHARED_COUNT (sizeof(shared) / sizeof(shared[0]))

static struct error *take_page_size(const char *text, uint64_t *ret)
{
	if (parse_size(text, ret) && loongarch_page_size_valid(*ret))
		return NULL;
	return error_new(ERROR_USAGE, "--page-size %s: must be 4K, 16K or 64K", text);
}

static struct error *take_shared(int option, struct dump_options *open)
{
	switch (option) {
	case OPEN_PAGE_SIZE: return take_page_size(optarg, &open->page_size);
	case OPEN_REGISTERS: open->registers = optarg; return NULL;
	default: return error_new(ERROR_USAGE, "option %d is not known", option);
	}
}

/* What getopt_long() answered ':' or '?' for is the option before optind. */
static struct error *bad_option(int option, char **argv)
{
	return error_new(ERROR_USAGE, option == ':' ? "%s needs a value" : "%s: no such option",
			 argv[optind - 1]);
}

static struct error *join_options(const struct option *own, struct option **ret)
{
	size_t count = 0;

	while (own[count].name)
		count++;
	*ret = calloc(count + SHARED_COUNT + 1, sizeof(**ret));
	if (!*ret)
		return error_nomem();
	memcpy(*ret, own, count * sizeof(*own));
	memcpy(*ret + count, shared, sizeof(shared));
	return NULL;
}

static struct error *go_over(const struct command *c, const char *letters,
			     const struct option *options, int argc, char **argv,
			     void *arguments, struct dump_options *open, bool *ret_help)
{
	struct error *err = NULL;
	int option;

	opterr = 0;
	while (!err && (option = getopt_long(argc, argv, letters, options, NULL)) != -1) {
		if (option == 'h' || option == OPEN_HELP) {
			*ret_help = true;
			return NULL;
		}
		if (option == ':' || option == '?')
			err = bad_option(option, argv);
		else if (option >= OPEN_PAGE_SIZE)
			err = take_shared(option, open);
		else
			err = c->take(option, arguments);
	}
	if (!err && (argc - optind < c->operands_min || argc - optind > c->operands_max))
		err = error_new(ERROR_USAGE, "%s needs %s", c->name, c->operands);
	return err;
}

int command_misused(const struct command *command, struct error *err)
{
	return fail(error_remedy(err, "vmcore %s --help says what it takes",
				 command->name));
}

bool command_parse(const struct command *command, int argc, char **argv,
		   void *arguments, struct dump_options *open, int *ret_status)
{
	struct option *options cleanup_free = NULL;
	char letters[64];
	bool help = false;
	struct error *err = join_options(command->options, &options);

	*open = (struct dump_options){ 0 };
	snprintf(letters, sizeof(letters), ":h%s", command->letters);
	if (!err)
		err = go_over(command, letters, options, argc, argv, arguments, open,
			      &help);
	if (err) {
		*ret_status = command_misused(command, err);
		return false;
	}
	if (help) {
		fputs(command->help, stdout);
		*ret_status = EXIT_DONE;
	}
	return !help;
}

/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "makedumpfile-glue/open-options.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lib/loongarch.h"
#include "lib/units.h"
#include "makedumpfile-glue/commands.h"

enum {
	OPEN_HELP = 512, OPEN_PAGE_SIZE, OPEN_PART, OPEN_RAM, OPEN_REGISTERS,
	OPEN_VMLINUX, OPEN_VMCOREINFO,
};

/* The first is for all commands, the others for those that open a dump. */
static const struct option shared[] = {
	{ "help", no_argument, NULL, OPEN_HELP },
	{ "page-size", required_argument, NULL, OPEN_PAGE_SIZE },
	{ "part", required_argument, NULL, OPEN_PART },
	{ "ram", required_argument, NULL, OPEN_RAM },
	{ "registers", required_argument, NULL, OPEN_REGISTERS },
	{ "vmlinux", required_argument, NULL, OPEN_VMLINUX },
	{ "vmcoreinfo", required_argument, NULL, OPEN_VMCOREINFO },
};
#define SHARED_COUNT (sizeof(shared) / sizeof(shared[0]))

static struct error *take_page_size(const char *text, uint64_t *ret)
{
	if (parse_size(text, ret) && loongarch_page_size_valid(*ret))
		return NULL;
	return error_new(ERROR_USAGE, "--page-size %s: must be 4K, 16K or 64K", text);
}

static struct error *add_to_list(const char *text, const char ***list, size_t *count)
{
	const char **grown = reallocarray(*list, *count + 1, sizeof(*grown));

	if (!grown)
		return error_nomem();
	*list = grown;
	grown[(*count)++] = text;
	return NULL;
}

static struct error *take_shared(int option, struct dump_options *open)
{
	switch (option) {
	case OPEN_PAGE_SIZE: return take_page_size(optarg, &open->page_size);
	case OPEN_REGISTERS: open->registers = optarg; return NULL;
	case OPEN_VMLINUX: open->vmlinux = optarg; return NULL;
	case OPEN_VMCOREINFO: open->vmcoreinfo = optarg; return NULL;
	case OPEN_PART: return add_to_list(optarg, &open->parts, &open->part_count);
	case OPEN_RAM: return add_to_list(optarg, &open->ram, &open->ram_count);
	default: return error_new(ERROR_USAGE, "option %d is not known", option);
	}
}

static void open_deinit(struct dump_options *open)
{
	free(open->parts);
	free(open->ram);
}

/* What getopt_long() answered ':' or '?' for is the option before optind. */
static struct error *bad_option(int option, char **argv)
{
	return error_new(ERROR_USAGE, option == ':' ? "%s needs a value" : "%s: no such option",
			 argv[optind - 1]);
}

static struct error *join_options(const struct option *own, bool opens,
				  struct option **ret)
{
	size_t count = 0;

	while (own[count].name)
		count++;
	*ret = calloc(count + SHARED_COUNT + 1, sizeof(**ret));
	if (!*ret)
		return error_nomem();
	memcpy(*ret, own, count * sizeof(*own));
	memcpy(*ret + count, shared, opens ? sizeof(shared) : sizeof(shared[0]));
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
		else if (option >= OPEN_HELP)
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

int command_run(const struct command *command, int argc, char **argv, void *arguments,
		struct dump_options *open)
{
	struct option *options cleanup_free = NULL;
	char letters[64];
	bool help = false;
	int status = EXIT_DONE;
	struct error *err = join_options(command->options, open != NULL, &options);

	snprintf(letters, sizeof(letters), ":h%s", command->letters);
	if (!err)
		err = go_over(command, letters, options, argc, argv, arguments, open,
			      &help);
	if (err)
		status = command_misused(command, err);
	else if (help)
		fputs(command->help, stdout);
	else
		status = command->run(arguments, argv + optind, argc - optind);
	if (open)
		open_deinit(open);
	return status;
}

/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <stdio.h>

#include "makedumpfile-glue/commands.h"
#include "makedumpfile-glue/info.h"
#include "makedumpfile-glue/open-options.h"

static const char help[] =
	"Usage: vmcore info [OPTION]... SOURCE\n"
	"One screen about the dump SOURCE: what it is, which kernel it is of, what memory\n"
	"and registers it holds, and the command that opens it with crash.\n"
	"\n"
	"      --json           the same as JSON; addresses are strings in hexadecimal,\n"
	"                       sizes are bytes, times are seconds since 1970 (UTC)\n"
	"      --print-vmcoreinfo\n"
	"                       only the text of its VMCOREINFO\n"
	OPEN_OPTIONS_HELP
	"  -h, --help           this text\n"
	"\n" EXIT_HELP;

enum { OPTION_JSON = 256, OPTION_VMCOREINFO };

static const struct option long_options[] = {
	{ "json", no_argument, NULL, OPTION_JSON },
	{ "print-vmcoreinfo", no_argument, NULL, OPTION_VMCOREINFO },
	{ 0 },
};

struct arguments {
	struct dump_options open;
	bool json;
	bool vmcoreinfo;
};

static struct error *take(int option, void *arguments)
{
	struct arguments *a = arguments;

	if (option == OPTION_JSON)
		a->json = true;
	else
		a->vmcoreinfo = true;
	return NULL;
}

static int print_vmcoreinfo(const struct dump *dump)
{
	const char *text;
	size_t size;

	if (!dump->vmcoreinfo)
		return fail(error_new(ERROR_UNSUPPORTED, "%s: there is no VMCOREINFO",
				      dump->path));
	text = vmcoreinfo_text(dump->vmcoreinfo, &size);
	fwrite(text, 1, size, stdout);
	return EXIT_DONE;
}

static int info(void *arguments, char **operands, int count)
{
	const struct arguments *a = arguments;
	struct info_facts facts;
	struct dump *dump;
	struct error *err;
	int status;

	(void)count;
	err = dump_open(operands[0], &a->open, &dump);
	if (err)
		return fail(err);
	if (a->vmcoreinfo) {
		status = print_vmcoreinfo(dump);
		dump_close(dump);
		return status;
	}
	err = info_facts(dump, &facts);
	if (!a->json)
		dump_print_warnings(dump);
	status = err ? fail(err) : dump_status(dump);
	if (!err && a->json)
		info_print_json(&facts);
	else if (!err)
		info_print_text(&facts);
	info_facts_deinit(&facts);
	dump_close(dump);
	return status;
}

static const struct command command = {
	.name = "info",
	.help = help,
	.letters = "",
	.options = long_options,
	.take = take,
	.operands = "SOURCE",
	.operands_min = 1,
	.operands_max = 1,
	.run = info,
};

int cmd_info(int argc, char **argv)
{
	struct arguments a = { 0 };

	return command_run(&command, argc, argv, &a, &a.open);
}

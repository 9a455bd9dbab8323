/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The command line of a command that opens a dump: its own options, and here,
 * once, those that all such commands share.
 */
#ifndef GLUE_OPEN_OPTIONS_H
#define GLUE_OPEN_OPTIONS_H

#include <getopt.h>
#include <stdbool.h>

#include "lib/error.h"
#include "makedumpfile-glue/dump.h"

/* For the command's --help: what open-options.c takes. */
#define OPEN_OPTIONS_HELP                                                              \
	"      --page-size SIZE 4K, 16K or 64K, for a SOURCE that does not say it\n" \
	"      --ram [NAME=]FILE\n"                                                       \
	"                       memory that is not in SOURCE: of the memory backend NAME,\n" \
	"                       or FILE@ADDRESS where SOURCE is FILE@ADDRESS, bare memory\n" \
	"      --registers FILE the CPUs' registers, as text of QEMU's info registers -a\n" \
	"      --vmlinux FILE   the kernel SOURCE must be of; another one is an error\n" \
	"      --vmcoreinfo FILE\n" \
	"                       the text of its VMCOREINFO, where SOURCE has none\n" \
	"      --part FILE      another file of the split dump SOURCE, for each of them;\n" \
	"                       without it they are looked for beside SOURCE\n"

struct command {
	const char *name;             /* "dmesg" */
	const char *help;             /* the whole text */
	const char *letters;          /* its own one-letter options, for getopt() */
	const struct option *options; /* its own long ones, val below 512; ended by { 0 } */

	/* One of its own options; optarg is its value. */
	struct error *(*take)(int option, void *arguments);

	const char *operands;         /* "SOURCE and DEST", for messages */
	int operands_min, operands_max;

	/* The work, with as many operands as are wanted; the exit status. */
	int (*run)(void *arguments, char **operands, int count);
};

/*
 * Goes over argv, runs the command and returns its exit status. Own options go
 * to command->take, the shared ones to *open, which is NULL for a command that
 * opens no dump; --help is answered. What *open points to lasts until run()
 * returns.
 */
int command_run(const struct command *command, int argc, char **argv, void *arguments,
		struct dump_options *open);

/* Prints the error with "vmcore COMMAND --help" as remedy, returns the status:
 * for what run() finds wrong with them. */
int command_misused(const struct command *command, struct error *err);

#endif

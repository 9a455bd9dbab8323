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
	"      --registers FILE the CPUs' registers, as text of QEMU's info registers -a\n"

struct command {
	const char *name;             /* "dmesg" */
	const char *help;             /* the whole text */
	const char *letters;          /* its own one-letter options, for getopt() */
	const struct option *options; /* its own long ones, val below 512; ended by { 0 } */

	/* One of its own options; optarg is its value. */
	struct error *(*take)(int option, void *arguments);

	const char *operands;         /* "SOURCE and DEST", for messages */
	int operands_min, operands_max;
};

/*
 * Goes over argv. Own options go to command->take, the shared ones to *open,
 * --help is answered. True: argv[optind] and what follows are operands, as
 * many as are wanted. False: *ret_status is the command's exit status, and
 * what was wrong has been printed.
 */
bool command_parse(const struct command *command, int argc, char **argv,
		   void *arguments, struct dump_options *open, int *ret_status);

/* Prints the error with "vmcore COMMAND --help" as remedy, returns the status:
 * for what a command finds wrong after command_parse(). */
int command_misused(const struct command *command, struct error *err);

#endif

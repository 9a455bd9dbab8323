/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * vmcore's subcommands. Each takes its own argc and argv, argv[0] being its
 * name, and returns the exit status.
 */
#ifndef GLUE_COMMANDS_H
#define GLUE_COMMANDS_H

#include "lib/error.h"
#include "makedumpfile-glue/dump.h"
#include "makedumpfile-glue/save-summary.h"

enum exit_status {
	EXIT_DONE = 0,
	EXIT_FAILED = 1,
	EXIT_MISMATCH = 2,   /* what the user says it is of is another kernel */
	EXIT_INCOMPLETE = 3, /* done, but the input did not hold all it should */
};

#define EXIT_HELP                                                                    \
	"Exit status: 0 done; 1 failed; 2 what --vmlinux or --vmcoreinfo names is of\n" \
	"another kernel; 3 done, but the input was cut, marked as incomplete by its\n" \
	"writer, or could not be read in places.\n"

int cmd_save(int argc, char **argv);
/* cmd_save() with another summary than its own, or none. */
int save_command(int argc, char **argv, save_summary *summary);
/* Only says what is wrong with the command line. */
int save_check(int argc, char **argv);
int cmd_grab(int argc, char **argv);
int cmd_info(int argc, char **argv);
int cmd_dmesg(int argc, char **argv);
int cmd_check(int argc, char **argv);
int cmd_rebuild(int argc, char **argv);
int cmd_sftp(int argc, char **argv);
int cmd_makedumpfile(int argc, char **argv); /* argv[0] is of no matter */

void print_version(void);

/* Prints the error, frees it, returns the exit status for it. */
int fail(struct error *err);

/* What was printed must have arrived: else that is an error, and EXIT_FAILED comes
 * back instead of the status. */
int finish_output(int status);

/* Lines that only accompany what was done: if they do not arrive it is done all the
 * same. */
void release_output(void);

/* EXIT_INCOMPLETE when the dump's file is cut or marked, or its notes could not be
 * read, else EXIT_DONE. */
int dump_status(const struct dump *dump);

#endif

/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The command line of this program: kexec-tools' options as far as they mean
 * something on loongarch64, the others refused by name.
 */
#ifndef KEXEC_OPTIONS_H
#define KEXEC_OPTIONS_H

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

#include "lib/error.h"

enum action {
	ACTION_LOAD,
	ACTION_EXEC,
	ACTION_PREPARE_EXEC,
	ACTION_UNLOAD,
	ACTION_STATUS,
	ACTION_CRASH_SIZE,
	ACTION_INSPECT,
	ACTION_SNAPSHOT,
	ACTION_HELP,
	ACTION_VERSION,
};

/* Which of the kernel's two calls loads. */
enum load_call {
	CALL_KEXEC_LOAD,
	CALL_FILE,
	CALL_AUTO, /* CALL_FILE, and where the kernel cannot do that the other */
};

/* Texts are borrowed from argv. */
struct options {
	enum action action;
	enum load_call call;
	bool crash;           /* for load, unload and status: which image */
	bool then_exec;       /* start what was loaded at once */
	bool then_shutdown;   /* have init shut down, which starts it in the end */
	bool drop_crash;      /* a normal load may cost the loaded crash image */
	bool no_sync, no_ifdown; /* for exec */
	const char *kernel;   /* also the file to inspect */
	const char *initrd;   /* NULL: none */
	const char *append;   /* NULL: none */
	bool reuse_cmdline;
	const char *type;     /* NULL: what the file says */
	uint64_t mem_min, mem_max;
	uint64_t entry;       /* 0: not given */
	const char *system;   /* "/" unless --system */
	const char *snapshot;
	bool hotplug;         /* the kernel may update a loaded crash image */
	bool no_cma;          /* for kexec_file_load */
	bool dry_run, json, debug;
	enum { MAP_NONE, MAP_TEXT, MAP_SVG } map;
};

/* ERROR_USAGE says which option and why. */
struct error *options_parse(int argc, char **argv, struct options *ret) MUST_CHECK;

/* Why what is asked for cannot be done by kexec_file_load; NULL: it can. */
const char *options_against_file(const struct options *o);

void options_help(FILE *out);

#endif

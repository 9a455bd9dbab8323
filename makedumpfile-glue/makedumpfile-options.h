/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What a command line of makedumpfile's asks for. What there is no equivalent
 * for is named and refused, never passed over.
 */
#ifndef GLUE_MAKEDUMPFILE_OPTIONS_H
#define GLUE_MAKEDUMPFILE_OPTIONS_H

#include <stdbool.h>
#include <stdint.h>

#include "lib/error.h"

#define MESSAGE_PROGRESS 1
#define MESSAGE_COMMON   2
#define MESSAGE_REPORT   16

/* What is made: a dump, unless an option asks for something else. */
enum work {
	WORK_DUMP, WORK_SPLIT, WORK_REASSEMBLE, WORK_REBUILD, WORK_DMESG, WORK_MEM_USAGE,
	WORK_VMCOREINFO, WORK_HELP, WORK_VERSION,
};

struct wishes {
	enum work work;
	const char *codec; /* NULL: raw */
	const char *level;
	const char *threads; /* NULL: as many as there are CPUs */
	const char *limit;
	const char *vmlinux;
	const char *vmcoreinfo;
	const char *write_vmcoreinfo;
	uint64_t split_block; /* KiB */
	uint64_t messages;
	bool elf, flatten, force, partial, stats, dry_run, check, no_mmap;
};

/* Goes over argv and leaves optind at the operands, of which there are as many as
 * the work wants. */
struct error *makedumpfile_options(int argc, char **argv, struct wishes *ret) MUST_CHECK;

extern const char makedumpfile_help[];

#endif

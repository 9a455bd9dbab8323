/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A dump as every command opens it: the source of its memory, what the kernel
 * said of itself, and the CPUs' registers.
 */
#ifndef GLUE_DUMP_H
#define GLUE_DUMP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "lib/error.h"
#include "lib/file.h"
#include "lib/vmcoreinfo.h"
#include "makedumpfile-glue/extents.h"
#include "makedumpfile-glue/kdump-format.h"
#include "makedumpfile-glue/kernel/displace.h"
#include "makedumpfile-glue/registers.h"
#include "makedumpfile-glue/source/source.h"

struct dump {
	const char *path; /* borrowed */
	struct source *source;
	struct vmcoreinfo *vmcoreinfo; /* NULL when there is none, also not in memory */
	bool vmcoreinfo_found;         /* in memory, at vmcoreinfo_phys: not in the file */
	uint64_t vmcoreinfo_phys;
	struct displacement displacement;
	unsigned int page_shift;
	bool page_size_known;          /* said by the file or the user */
	struct extents pages;          /* frames of which any byte is there */
	struct extents present;        /* those, and what an earlier filter left out */
	struct registers registers;
	bool vmlinux_checked;          /* it is of the kernel the user named */
	struct blob notes;             /* what a dump of this dump carries */
	uint64_t crash_time;           /* seconds since 1970; 0 = not known */
	char utsname[UTSNAME_FIELDS][UTSNAME_FIELD_SIZE];
	bool utsname_from_memory;

	/* What the user should know although the dump opened. */
	char **warnings;
	size_t warning_count;
};

/* What the user says of a dump that does not say it itself. Zeroed: nothing. */
struct dump_options {
	uint64_t page_size;
	const char *vmlinux;    /* the kernel it must be of */
	const char *vmcoreinfo; /* file with the text of one, instead of the dump's */
	const char *registers; /* file with the text of `info registers -a` */
	const char **ram;   /* files with memory, as --ram says them */
	size_t ram_count;
	const char **parts; /* the other files of a split dump */
	size_t part_count;
};

/* options stay the caller's; what they point to outlives the dump. */
struct error *dump_open(const char *path, const struct dump_options *options,
			struct dump **ret) MUST_CHECK;
void dump_close(struct dump *dump);

/* For those who open it. A warning lost to lack of memory is no reason to fail. */
void dump_warn(struct dump *dump, const char *fmt, ...) PRINTF_LIKE(2, 3);

/* "vmcore: warning: ..." for each warning. */
void dump_print_warnings(const struct dump *dump);

/* Bytes the file's headers promise and the file does not hold. */
uint64_t dump_missing(const struct dump *dump);

/* Some are missing, or its writer says that it left some out. */
bool dump_incomplete(const struct dump *dump);

/* So that what is saved of it lacks them too; pages that turn out to be unreadable
 * are not known yet. */
bool dump_lacks_pages(const struct dump *dump);

/*
 * The number crash is to be given with --cpus, or 0. Crash (up to 9.0.2) counts the
 * CPUs that were online and, where that is not the number of notes, takes none of
 * them: a guest's dump has those of all CPUs. A panic takes the others offline, too.
 */
size_t dump_crash_cpus(const struct dump *dump);

/*
 * count whole pages from frame `first`, all in one run of dump->pages. Bytes
 * of a page that are not in the source are zero. Pages that cannot be read
 * are marked in lost[], the others are good; the number of lost ones comes
 * back, and *why is the first one's error if it was NULL.
 */
size_t dump_read_pages(const struct dump *dump, uint64_t first, size_t count, void *to,
		       bool *lost, struct error **why);

#endif

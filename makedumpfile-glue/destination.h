/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Where a dump is saved: a new file that gets its name when it is whole, or
 * standard output.
 */
#ifndef GLUE_DESTINATION_H
#define GLUE_DESTINATION_H

#include <stdbool.h>
#include <stdint.h>

#include "lib/error.h"
#include "lib/file.h"
#include "makedumpfile-glue/dump.h"
#include "makedumpfile-glue/output/target.h"

#define DESTINATION_STDOUT "-"

struct destination {
	const char *path; /* borrowed */
	struct new_file file;
	struct target target;
	bool opened;
};

/* "DEST", or "standard output". */
const char *destination_name(const char *path);

/*
 * What would make destination_open() fail, to be said before work begins; and
 * never is a dump written over the one it is made of, `source`, or over another
 * file that is read with it (open, unless NULL), nor is that removed as the
 * unfinished file of an earlier run.
 */
struct error *destination_check(const char *path, const char *source,
				const struct dump_options *open, bool force) MUST_CHECK;

/* Standard output is always flattened. limit as in struct target. */
struct error *destination_open(const char *path, bool force, bool flatten,
			       uint64_t limit, struct destination *ret) MUST_CHECK;

/* All is written: it is brought to the disk, and the file is closed. */
struct error *destination_settle(struct destination *d) MUST_CHECK;

/* Settled, it gets its name. */
struct error *destination_commit(struct destination *d) MUST_CHECK;

/*
 * Safe on a zeroed or committed one. What is there stays as PATH-incomplete
 * if `useful`, and then the remedy of err says so. Takes err and returns it.
 */
struct error *destination_close(struct destination *d, bool useful, struct error *err)
	MUST_CHECK;

#endif

/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * From an open dump to a new file, or several: which pages a level keeps, and
 * what becomes of the file when all goes well and when it does not. With one
 * thread the same dump gives the same file; with more, data may lie in another
 * order.
 */
#ifndef GLUE_SAVE_H
#define GLUE_SAVE_H

#include <stdbool.h>
#include <stdint.h>

#include "lib/error.h"
#include "makedumpfile-glue/dump.h"
#include "makedumpfile-glue/kernel/pages.h"
#include "makedumpfile-glue/output/output.h"

#define SAVE_THREADS_MAX 1024

struct save_options {
	const char *destination;   /* for messages */
	const char *const *parts;  /* the files; more than one: a split dump */
	size_t part_count;
	uint64_t split_block;      /* bytes of memory they are cut between; 0: any page */
	bool flatten;
	uint64_t size_limit;       /* bytes of each file; 0: none */
	bool dry_run;              /* only counts what would be written */
	bool stats;                /* counts types also where the level needs none */
	const struct output_ops *output;
	enum page_codec codec;
	unsigned int level;
	unsigned int threads; /* 0: one for each CPU */
	bool no_mmap;         /* also what need not be copied is read */
	uint64_t memory_budget; /* bytes for buffers; 0: half of what is available */
	bool force; /* an existing destination is replaced, once the dump is whole */
	bool quiet; /* no progress */
};

struct save_counts {
	uint64_t dropped[PAGE_TYPES]; /* left out for their type */
	uint64_t types[PAGE_TYPES];   /* all pages, if types_known */
	bool types_known;
	uint64_t pages;   /* the others */
	uint64_t zero;    /* of these: shared or holes */
	uint64_t repeated; /* equal to an earlier one, and refer to it */
	uint64_t spared;  /* bytes that were not written for these */
	uint64_t packed;  /* made smaller */
	uint64_t raw;     /* as they are */
	uint64_t unpacked; /* of these: look random, no codec was asked */
	uint64_t lost;    /* could not be read */
	uint64_t seen;    /* looked at where they lie, not read */
	uint64_t bytes_in;
	uint64_t bytes_out; /* without holes */
	double seconds;
};

/*
 * Writes PART-incomplete and renames it when all is whole. On failure and on
 * signals_to_end() nothing under the final name has changed; PART-incomplete
 * stays when it can be of use, and the error's remedy says so. A signal comes
 * back in *ret_signal (else 0) beside the error.
 * *ret_lost is the reason why the first lost page was lost, or NULL.
 */
struct error *save_run(const struct dump *dump, const struct save_options *options,
		       struct save_counts *ret, struct error **ret_lost,
		       int *ret_signal) MUST_CHECK;

#endif

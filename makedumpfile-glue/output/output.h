/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What a dump is written as: one contract for every format. An output knows
 * its file's layout and nothing of kernels; it is told all it needs before
 * the first page.
 */
#ifndef GLUE_OUTPUT_OUTPUT_H
#define GLUE_OUTPUT_OUTPUT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "lib/error.h"
#include "lib/file.h"
#include "makedumpfile-glue/compress.h"
#include "makedumpfile-glue/extents.h"
#include "makedumpfile-glue/kdump-format.h"
#include "makedumpfile-glue/output/target.h"

/* All pointers stay valid until the output is closed. */
struct output_plan {
	unsigned int page_shift;
	const struct extents *present; /* frames the machine has */
	const struct extents *kept;    /* those the dump holds, a part of present */
	const struct extents *part;    /* those this file gets; kept, unless split */
	const struct blob *notes;      /* as struct source has them */
	size_t cpu_count;
	const char (*utsname)[UTSNAME_FIELD_SIZE]; /* UTSNAME_FIELDS of them */
	uint64_t crash_time;
	unsigned int dump_level;
	bool incomplete; /* the source lacks pages: the file stays marked */
	enum page_codec codec;

	/* One file of several: part is what of kept lies in
	 * [split_start, split_end). */
	bool split;
	uint64_t split_start, split_end;
};

enum page_kind {
	PAGE_DATA,    /* at, size, codec say it; in the batch's data */
	PAGE_SHARED,  /* likewise, but data that is in the file already */
	PAGE_ZERO,    /* all zeros; no data */
	PAGE_MISSING, /* could not be read: must not read back as zeros */
};

struct packed_page {
	enum page_kind kind;
	enum page_codec codec;
	uint32_t size;
	uint64_t at; /* offset in the data; of a shared page in the file */
	uint64_t frame;
};

/* Pages in the order of their frames, with none between them that the file
 * also gets. Where takes_packed is false, page i is at i << page_shift. */
struct page_batch {
	uint64_t rank; /* of the first among the pages of the file */
	const struct packed_page *pages;
	size_t count;
	const uint8_t *data; /* borrowed for the call */
	size_t size;
	uint64_t place; /* set by put: where the data is in the file */
};

struct output;

struct output_ops {
	const char *name;       /* as after --format */
	const char *format;     /* for people */
	bool takes_packed;      /* false: put is only given raw pages */
	bool shares_pages;      /* several pages may have the same data */
	size_t max_runs;        /* more runs of kept pages would cost too much */

	/*
	 * open: writes everything that comes before the pages, marked as
	 * incomplete, so that from here on a file that breaks off can still
	 * be read as far as it got. target stays the caller's.
	 */
	struct error *(*open)(const struct output_plan *plan, struct target *target,
			      struct output **ret);

	/*
	 * put: each page of the part is put exactly once. Several threads call
	 * it, in any order. When it returns the data is in the file, and a
	 * description of it that breaks off never precedes it.
	 */
	struct error *(*put)(struct output *output, struct page_batch *batch);

	/* finish: writes what is still held back and takes the mark away, unless
	 * the plan says otherwise or a page was put as missing. target_finish()
	 * is the caller's. */
	struct error *(*finish)(struct output *output);

	/* close: frees; writes nothing. */
	void (*close)(struct output *output);
};

/* The common part; each format embeds it as its first member. */
struct output {
	const struct output_ops *ops;
};

extern const struct output_ops output_kdump;
extern const struct output_ops output_elf;

/* NULL when there is none of that name. */
const struct output_ops *output_find(const char *name);

#endif

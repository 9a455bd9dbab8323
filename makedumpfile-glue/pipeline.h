/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Pages on their way from a dump to a file: read, tested, packed and put, in
 * chunks of a quarter of a megabyte, so that the memory needed does not depend on the dump.
 * Several threads take chunks in turn, and none waits for another: where a
 * chunk's data lies in the file is settled when it is put.
 */
#ifndef GLUE_PIPELINE_H
#define GLUE_PIPELINE_H

#include <signal.h>
#include <stdint.h>

#include "lib/error.h"
#include "makedumpfile-glue/dump.h"
#include "makedumpfile-glue/output/output.h"
#include "makedumpfile-glue/progress.h"

/* All pointers stay valid until the pipeline is destroyed. */
struct pipeline_plan {
	const struct dump *dump;
	const struct output_ops *output;
	enum page_codec codec;
	unsigned int threads;   /* 0: one for each CPU */
	bool read_only;         /* no page is seen where it lies, all are read */
	uint64_t memory_budget; /* for buffers and codecs; 0: half of what is available */
	uint64_t pages;         /* in all files; there are no more workers than work */
	const sigset_t *signals; /* blocked by the caller; each ends the work */
	struct progress *progress;
};

struct pipeline_counts {
	uint64_t pages;
	uint64_t zero;     /* of these: shared or holes */
	uint64_t repeated; /* equal to one put before, and put as a reference to it */
	uint64_t spared;   /* bytes of data that these would have been */
	uint64_t packed;   /* made smaller */
	uint64_t raw;      /* as they are */
	uint64_t unpacked; /* of these: no codec was asked, they look random */
	uint64_t lost;     /* could not be read */
	uint64_t seen;     /* where they lie: zeros of these were never copied */
};

struct pipeline;

/*
 * Never fails for lack of memory while there is room for one worker with
 * chunks of one page: there are fewer workers then, smaller chunks, no search
 * for repeated pages, and in the end no codec.
 */
struct error *pipeline_create(const struct pipeline_plan *plan, struct pipeline **ret)
	MUST_CHECK;
void pipeline_destroy(struct pipeline *p);

/* False when no codec was asked for, and when there is no memory for it. */
bool pipeline_packs(const struct pipeline *p);

/* Puts all of `pages` to output; once for each file of a dump. */
struct error *pipeline_run(struct pipeline *p, const struct extents *pages,
			   struct output *output) MUST_CHECK;

/* Of all runs so far. */
const struct pipeline_counts *pipeline_counts(const struct pipeline *p);

/* Why the first lost page was lost, or NULL; the caller frees it. */
struct error *pipeline_take_lost(struct pipeline *p);

/* The signal that ended the work; 0: none. */
int pipeline_signal(const struct pipeline *p);

#endif

/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What the pipeline's own files share: its workers, each with a chunk of pages
 * in hand.
 */
#ifndef GLUE_PIPELINE_WORKER_H
#define GLUE_PIPELINE_WORKER_H

#include <pthread.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "makedumpfile-glue/compress.h"
#include "makedumpfile-glue/pipeline.h"
#include "makedumpfile-glue/repeats.h"

/* Pages that one worker takes at once, gathered over runs. */
struct chunk {
	uint64_t rank; /* of the first page in the file */
	size_t run;
	uint64_t at; /* the first page, in pages->run[run] */
	size_t count;
};

struct worker {
	struct pipeline *pipeline;
	uint16_t number;
	pthread_t thread;
	struct packer *packer; /* NULL: pages stay as they are */
	uint8_t *in;
	uint8_t *out; /* NULL: they are put from where they were read to */
	size_t used;  /* of out */
	uint8_t *twin; /* one page, for comparing */
	bool *lost_map;
	bool *hole_map; /* zeros, and not read: in a hole of the file, or seen */
	struct input_window window;
	struct packed_page *pages;
	struct repeat *added; /* what the repeats were told of this chunk */
	size_t added_count;
	struct pipeline_counts counts; /* of the chunk in hand */
	struct error *lost;
};

struct pipeline {
	struct pipeline_plan plan;
	size_t page_size;
	size_t chunk_pages;
	struct repeats *repeats; /* NULL: not looked for */
	struct worker *workers;
	size_t worker_count;

	const struct extents *pages;
	struct output *output;

	pthread_mutex_t read_lock; /* for sources that one thread reads */
	pthread_mutex_t lock;      /* for all below */
	struct chunk next;
	struct pipeline_counts counts;
	struct error *lost;
	struct error *err; /* the first */
	bool stop;
	int signal;
};

/* Page i of the chunk in hand, which was read: what it is, and its data into
 * w->out. */
void worker_pack_page(struct worker *w, size_t i);

#endif

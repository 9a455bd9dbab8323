/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Where an output's bytes go: each to its place in a file, or, flattened, one
 * record after the other into something that takes bytes only in order.
 */
#ifndef GLUE_OUTPUT_TARGET_H
#define GLUE_OUTPUT_TARGET_H

#include <pthread.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "lib/error.h"

struct target {
	int fd;            /* the caller's */
	const char *path;  /* borrowed */
	bool flat;
	uint64_t limit;    /* of written; 0: none */
	uint64_t written;  /* bytes handed to the file so far, without holes */
	uint64_t end;      /* flat: the highest offset written */
	pthread_mutex_t lock;
};

/* Writes nothing unless flat. target_deinit() writes nothing. */
struct error *target_init(struct target *target, int fd, const char *path, bool flat,
			  uint64_t limit) MUST_CHECK;
void target_deinit(struct target *target);

/*
 * Several threads may write at once. Beyond the limit nothing is written, and
 * the error carries EFBIG.
 */
struct error *target_write(struct target *target, const void *data, size_t size,
			   uint64_t offset) MUST_CHECK;

/* The file reaches to size, with a hole at its end if need be. */
struct error *target_set_size(struct target *target, uint64_t size) MUST_CHECK;

/* Once, after everything else. */
struct error *target_finish(struct target *target) MUST_CHECK;

#endif

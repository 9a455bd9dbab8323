/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A stream of bytes to one place of a file, gathered into large writes.
 */
#ifndef GLUE_OUTPUT_WRITER_H
#define GLUE_OUTPUT_WRITER_H

#include <stddef.h>
#include <stdint.h>

#include "lib/error.h"
#include "makedumpfile-glue/output/target.h"

struct writer {
	struct target *target;
	uint64_t offset; /* where buffer[0] will go */
	uint8_t *buffer;
	size_t used;
	size_t room;
};

struct error *writer_init(struct writer *w, struct target *target, uint64_t offset,
			  size_t room) MUST_CHECK;
void writer_deinit(struct writer *w);

/* File offset of the next byte put. */
static inline uint64_t writer_position(const struct writer *w)
{
	return w->offset + w->used;
}

struct error *writer_put(struct writer *w, const void *data, size_t size) MUST_CHECK;
struct error *writer_flush(struct writer *w) MUST_CHECK;

#endif

/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Flattened files: read in any order as if they were the plain file, or turned
 * into it.
 */
#ifndef GLUE_SOURCE_FLAT_H
#define GLUE_SOURCE_FLAT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "lib/error.h"
#include "lib/input.h"

/*
 * The plain file inside the flattened one. ERROR_NOT_MINE when it does not
 * begin with the mark. On success fd is the input's. One that breaks off is
 * opened as far as it goes and marked incomplete. The index of its records
 * grows with their number, up to FLAT_RECORDS_MAX; more are ERROR_LIMIT.
 */
struct error *flat_open(const char *path, int fd, struct input **ret) MUST_CHECK;

/* 24 bytes of memory for each, three times that while the file is opened. */
#define FLAT_RECORDS_MAX ((size_t)8 << 20)

/* Takes the bytes of a plain file, each piece for its offset. */
typedef struct error *flat_write(void *to, const void *data, size_t size,
				 uint64_t offset);

struct flat_copy {
	bool whole;       /* the end was there; of a plain stream: not known */
	bool plain;       /* the stream is not flattened */
	uint64_t written; /* bytes handed over */
};

/*
 * From a flattened stream, read once from its beginning to its end, to the
 * plain file: what could be read is handed over, also when the end is missing; a
 * kdump-compressed dump is then marked as incomplete.
 * A stream that does not begin with the mark is ERROR_NOT_MINE, or, with
 * take_plain, handed over as it is.
 */
struct error *flat_copy(int from, const char *from_path, bool take_plain,
			flat_write *write, void *to, struct flat_copy *ret) MUST_CHECK;

#endif

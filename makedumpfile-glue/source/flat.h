/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Flattened files: read in any order as if they were the plain file, or turned
 * into it.
 */
#ifndef GLUE_SOURCE_FLAT_H
#define GLUE_SOURCE_FLAT_H

#include <stdbool.h>
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

/*
 * From a flattened stream, read once from its beginning to its end, to the
 * plain file `to`. *ret_whole: the end was there; if not, what could be read
 * has been written. *ret_written counts bytes.
 */
struct error *flat_rebuild(int from, const char *from_path, int to, const char *to_path,
			   bool *ret_whole, uint64_t *ret_written) MUST_CHECK;

#endif

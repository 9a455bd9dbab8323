/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The initrd: known by its size until a plan has been made with it. One that
 * does not fit is refused before its first byte is read.
 */
#ifndef KEXEC_INITRD_H
#define KEXEC_INITRD_H

#include <stdbool.h>
#include <stdint.h>

#include "lib/error.h"
#include "lib/file.h"

/* Larger ones are refused. */
#define INITRD_LIMIT ((uint64_t)2 << 30)

/* Close with initrd_deinit(); INITRD_NONE is one that is not there. */
struct initrd {
	int fd;
	uint64_t size;
	bool has_bytes;
	struct blob bytes; /* size bytes; what they are initrd_read() says */
};
#define INITRD_NONE { .fd = -1 }

/* ERROR_FORMAT for an empty one, ERROR_LIMIT for one that is too large. A
 * pipe has no size: it is read here. */
struct error *initrd_open(const char *path, struct initrd *ret) MUST_CHECK;

/* For kexec_file_load, which reads it itself: a regular file, or ERROR_USAGE. */
struct error *initrd_open_file(const char *path, struct initrd *ret) MUST_CHECK;

/* Its bytes, unless they are there. Those of a file that has become shorter
 * since it was opened are ERROR_FORMAT. */
struct error *initrd_read(const char *path, struct initrd *initrd) MUST_CHECK;

void initrd_deinit(struct initrd *initrd);
#define cleanup_initrd __attribute__((cleanup(initrd_deinit)))

#endif

/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What the fuzz targets share. Each target is one file with
 * LLVMFuzzerTestOneInput(); its first lines say how the input is used.
 */
#ifndef TESTS_FUZZ_H
#define TESTS_FUZZ_H

#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>

#include "lib/error.h"
#include "lib/file.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define FUZZ_PATH_SIZE 40

/* The input as a file in memory: *path opens it, close(fd) ends it. */
static inline int fuzz_file(const uint8_t *data, size_t size, char path[FUZZ_PATH_SIZE])
{
	int fd = memfd_create("input", MFD_CLOEXEC);

	if (fd < 0)
		abort();
	snprintf(path, FUZZ_PATH_SIZE, "/proc/self/fd/%d", fd);
	/* Errors here are the harness's own. */
	struct error *err = fd_write(fd, path, data, size);

	if (err)
		abort();
	return fd;
}

#endif

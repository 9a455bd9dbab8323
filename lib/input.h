/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * An open file as a reader of its format sees it: bytes at offsets. They may
 * lie in the file as they are, or be wrapped (a flattened dump); the reader
 * need not know.
 */
#ifndef LIB_INPUT_H
#define LIB_INPUT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "lib/error.h"

struct input;

/* Of a wrapped file. Several threads may call read_some and next_data at once. */
struct input_ops {
	/* Up to len bytes at offset; fewer only at the end. */
	struct error *(*read_some)(const struct input *input, void *to, size_t len,
				   uint64_t offset, size_t *ret);
	/* As input_next_data(). */
	uint64_t (*next_data)(const struct input *input, uint64_t offset);
	/* Frees; the file descriptor is closed by the caller. */
	void (*close)(struct input *input);
};

struct input {
	const struct input_ops *ops; /* NULL: plain, fd may be read and mapped directly */
	const char *path;            /* borrowed */
	int fd;
	uint64_t size;
	bool incomplete;             /* wrapped, and the end of the wrapping is missing */
	bool mappable;               /* for input_see() */
};

/* A part of an input where it lies. One thread's own; all zeros at first. */
struct input_window {
	void *map;
	uint64_t start; /* offset in the file */
	size_t size;
	bool refused; /* the kernel does not map it */
};

/* A plain one; fd becomes its own, unless it fails. */
struct error *input_create(const char *path, int fd, struct input **ret) MUST_CHECK;
/* Also NULL. */
void input_close(struct input *input);

/* Exactly len bytes at offset; the end of the file before that is ERROR_FORMAT. */
struct error *input_read(const struct input *input, void *to, size_t len,
			 uint64_t offset) MUST_CHECK;

/* Up to len bytes at offset; fewer only at the end of the file. */
struct error *input_read_some(const struct input *input, void *to, size_t len,
			      uint64_t offset, size_t *ret) MUST_CHECK;

/* The first offset from `offset` on that may hold anything but zeros, or
 * UINT64_MAX: until there lies a hole. */
uint64_t input_next_data(const struct input *input, uint64_t offset);

/*
 * The bytes themselves, until the window is used again or closed, where they need
 * not be copied: in /proc/vmcore, of which the kernel maps all when it is asked
 * (fs/proc/vmcore.c, mmap_vmcore), so that nothing can fail afterwards. Of a file on
 * a disk that could, by a signal. NULL: they are to be read.
 */
const uint8_t *input_see(const struct input *input, struct input_window *window,
			 uint64_t offset, size_t len);
void input_window_close(struct input_window *window);

#endif

/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A file with memory in it: opened, and read as its reader promises. Memory
 * that it says are zeros must be zeros; what is read in pieces must be the same.
 */
#ifndef TESTS_FUZZ_SOURCE_H
#define TESTS_FUZZ_SOURCE_H

#include <string.h>

#include "makedumpfile-glue/source/source.h"
#include "tests/fuzz/fuzz.h"

#define FUZZ_PIECE ((size_t)64 << 10)
#define FUZZ_RUNS  16

/* The piece [at, at + n) of one run of memory. */
static inline void fuzz_read(struct source *source, uint64_t at, size_t n)
{
	static uint8_t one[FUZZ_PIECE], two[FUZZ_PIECE];
	struct error *err = source_read(source, at, one, n);
	const uint64_t data = source_next_data(source, at);
	size_t i;

	if (data < at)
		abort();
	if (err) {
		error_free(err);
		return;
	}
	for (i = 0; i < n && at + i < data; i++)
		if (one[i])
			abort();
	err = source_read(source, at + n / 3, two, n - n / 3);
	if (err || memcmp(one + n / 3, two, n - n / 3))
		abort();
}

static inline void fuzz_memory(struct source *source)
{
	size_t i;

	for (i = 0; i < source->memory.count && i < FUZZ_RUNS; i++) {
		const struct extent *run = &source->memory.run[i];
		const uint64_t size = run->end - run->start;
		const size_t n = size < FUZZ_PIECE ? size : FUZZ_PIECE;

		if (run->end <= run->start || (i && run->start < run[-1].end))
			abort();
		fuzz_read(source, run->start, n);
		fuzz_read(source, run->end - n, n);
	}
}

/* Memory that speaks of its own address, many times at a time: the input has where
 * and what. */
static inline struct error *fuzz_settle(struct source *source, const uint8_t *data,
					size_t size)
{
	char *doubt = NULL;
	struct error *err;
	size_t i, n;

	for (i = 0; i + 4 <= size && i < 256 && source->memory.count; i += 4) {
		const struct extent *run = &source->memory.run[data[i] % source->memory.count];
		const uint64_t phys = run->start + (data[i + 1] << 12) % (run->end - run->start);
		const uint64_t said = (uint64_t)data[i + 2] << 24 | (uint64_t)data[i + 3] << 12;

		for (n = 0; n < 10; n++) {
			uint64_t next;

			err = source->ops->testify(source, phys, said, &next);
			if (err)
				return err;
			if (next < phys)
				abort();
		}
	}
	err = source->ops->settle(source, &doubt);
	free(doubt);
	return err;
}

/* start, of start_size bytes, stands before the input. */
static inline int fuzz_source(const void *start, size_t start_size, const uint8_t *data,
			      size_t size)
{
	char path[FUZZ_PATH_SIZE];
	struct source *source;
	struct error *err;
	size_t layout;
	int fd = fuzz_file(start, start_size, path);

	if (fd_pwrite(fd, path, data, size, start_size))
		abort();
	err = source_open_file(path, &source);
	if (!err && source->ops->add_ram) {
		err = source->ops->add_ram(source, NULL, 0);
		if (err)
			source_close(source);
	}
	if (!err) {
		fuzz_memory(source);
		for (layout = 1; layout < source->layouts && !err; layout++) {
			err = source->ops->lay_out(source, layout);
			if (!err)
				fuzz_memory(source);
		}
		if (!err && source->ops->testify)
			err = fuzz_settle(source, data, size);
		if (!err)
			fuzz_memory(source);
		source_close(source);
	}
	error_free(err);
	close(fd);
	return 0;
}

#endif

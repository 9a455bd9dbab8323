/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Records of a flattened file (the block before them is put in front): read in
 * any order and rebuilt as a stream must come to the same bytes.
 */
#include <string.h>

#include "lib/bytes.h"
#include "makedumpfile-glue/flat-format.h"
#include "makedumpfile-glue/kdump-format.h"
#include "makedumpfile-glue/source/flat.h"
#include "tests/fuzz/fuzz.h"

/* Beyond this the two are not compared, only run. */
#define COMPARED (1 << 20)

/* Without its end a dump is marked as incomplete. */
static void unmark(const uint8_t *one, uint8_t *two, uint64_t size)
{
	if (size > KDUMP_AT_STATUS && one[KDUMP_AT_STATUS] != two[KDUMP_AT_STATUS] &&
	    (one[KDUMP_AT_STATUS] | KDUMP_STATUS_INCOMPLETE) == two[KDUMP_AT_STATUS])
		two[KDUMP_AT_STATUS] = one[KDUMP_AT_STATUS];
}

static void compare(const struct input *input, int rebuilt)
{
	static uint8_t one[COMPARED], two[COMPARED];
	uint64_t size = input->size, at;
	size_t got, there;

	if (size > COMPARED)
		return;
	if (input_read_some(input, one, size, 0, &got) || got != size)
		abort();
	if (fd_pread_some(rebuilt, "rebuilt", two, sizeof(two), 0, &there) ||
	    there != size)
		abort();
	if (input->incomplete)
		unmark(one, two, size);
	if (memcmp(one, two, size))
		abort();
	/* And in pieces, from the end; holes hold nothing but zeros. */
	for (at = size; at;) {
		uint64_t n = at % 97 + 1 < at ? at % 97 + 1 : at;

		at -= n;
		if (input_read_some(input, one, n, at, &got) || got != n ||
		    memcmp(one, two + at, n))
			abort();
	}
	for (at = 0; at < size; at++) {
		uint64_t data = input_next_data(input, at);

		for (; at < data && at < size; at++)
			if (two[at])
				abort();
	}
}

static struct error *write_there(void *to, const void *data, size_t size, uint64_t offset)
{
	return fd_pwrite(*(int *)to, "rebuilt", data, size, offset);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	uint8_t header[FLAT_HEADER_SIZE] = FLAT_MARK;
	char path[FUZZ_PATH_SIZE], rebuilt_path[FUZZ_PATH_SIZE];
	struct flat_copy copy;
	struct input *input = NULL;
	struct error *err, *rebuild_err;
	int fd, rebuilt;

	put_be64(header + FLAT_AT_TYPE, FLAT_TYPE);
	put_be64(header + FLAT_AT_VERSION, FLAT_VERSION);
	fd = fuzz_file(header, sizeof(header), path);
	if (fd_pwrite(fd, path, data, size, sizeof(header)))
		abort();
	rebuilt = fuzz_file(NULL, 0, rebuilt_path);
	err = flat_open(path, fd, &input);
	if (!err && input->size > COMPARED * 64ULL) {
		/* A stream would fill the machine's memory. */
		input_close(input);
		close(rebuilt);
		return 0;
	}
	lseek(fd, 0, SEEK_SET);
	rebuild_err = flat_copy(fd, path, false, write_there, &rebuilt, &copy);
	if (!err && !rebuild_err && (copy.whole == input->incomplete || !copy.written))
		abort();
	if (!err && !rebuild_err)
		compare(input, rebuilt);
	error_free(rebuild_err);
	if (err)
		close(fd);
	error_free(err);
	input_close(input);
	close(rebuilt);
	return 0;
}

/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "lib/input.h"

#include <errno.h>
#include <inttypes.h>
#include <unistd.h>

#include "lib/file.h"

struct error *input_create(const char *path, int fd, struct input **ret)
{
	off_t size = lseek(fd, 0, SEEK_END);
	struct input *input;

	if (size < 0)
		return error_errno(errno, "finding the size of %s", path);
	input = calloc(1, sizeof(*input));
	if (!input)
		return error_nomem();
	*input = (struct input){ .path = path, .fd = fd, .size = size };
	*ret = input;
	return NULL;
}

void input_close(struct input *input)
{
	int fd;

	if (!input)
		return;
	fd = input->fd;
	if (input->ops)
		input->ops->close(input);
	else
		free(input);
	if (fd >= 0)
		close(fd);
}

struct error *input_read_some(const struct input *input, void *to, size_t len,
			      uint64_t offset, size_t *ret)
{
	if (input->ops)
		return input->ops->read_some(input, to, len, offset, ret);
	return fd_pread_some(input->fd, input->path, to, len, offset, ret);
}

struct error *input_read(const struct input *input, void *to, size_t len,
			 uint64_t offset)
{
	size_t got;
	struct error *err = input_read_some(input, to, len, offset, &got);

	if (!err && got < len)
		err = error_new(ERROR_FORMAT,
				"reading %s at offset 0x%" PRIx64
				": needs %zu bytes, %zu are there",
				input->path, offset, len, got);
	return err;
}

uint64_t input_next_data(const struct input *input, uint64_t offset)
{
	off_t data;

	if (input->ops)
		return input->ops->next_data(input, offset);
	if (offset > INT64_MAX)
		return UINT64_MAX;
	data = lseek(input->fd, (off_t)offset, SEEK_DATA);
	/* ENXIO: only hole is left. Whoever cannot tell has data everywhere. */
	if (data < 0)
		return errno == ENXIO ? UINT64_MAX : offset;
	return (uint64_t)data > offset ? (uint64_t)data : offset;
}

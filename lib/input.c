/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "lib/input.h"

#include <errno.h>
#include <inttypes.h>
#include <linux/magic.h>
#include <sys/mman.h>
#include <sys/vfs.h>
#include <unistd.h>

#include "lib/file.h"

/* Few calls, and tables for it that are small. */
#define WINDOW_SIZE ((uint64_t)4 << 20)

static bool is_of_proc(int fd)
{
	struct statfs fs;

	return !fstatfs(fd, &fs) && fs.f_type == PROC_SUPER_MAGIC;
}

struct error *input_create(const char *path, int fd, struct input **ret)
{
	off_t size = lseek(fd, 0, SEEK_END);
	struct input *input;

	if (size < 0)
		return error_errno(errno, "finding the size of %s", path);
	input = calloc(1, sizeof(*input));
	if (!input)
		return error_nomem();
	*input = (struct input){ .path = path, .fd = fd, .size = size,
				 .mappable = is_of_proc(fd) };
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

const uint8_t *input_see(const struct input *input, struct input_window *window,
			 uint64_t offset, size_t len)
{
	const uint64_t page = sysconf(_SC_PAGESIZE);
	uint64_t start, size;

	if (input->ops || !input->mappable || window->refused || offset > input->size ||
	    len > input->size - offset || len > WINDOW_SIZE - page)
		return NULL;
	if (!window->map || offset < window->start ||
	    offset + len > window->start + window->size) {
		input_window_close(window);
		start = offset & ~(page - 1);
		size = input->size - start < WINDOW_SIZE ? input->size - start : WINDOW_SIZE;
		window->map = mmap(NULL, size, PROT_READ, MAP_PRIVATE, input->fd,
				   (off_t)start);
		if (window->map == MAP_FAILED) {
			*window = (struct input_window){ .refused = true };
			return NULL;
		}
		window->start = start;
		window->size = size;
	}
	return (const uint8_t *)window->map + (offset - window->start);
}

void input_window_close(struct input_window *window)
{
	if (window->map)
		munmap(window->map, window->size);
	*window = (struct input_window){ .refused = window->refused };
}

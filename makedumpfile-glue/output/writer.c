/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "makedumpfile-glue/output/writer.h"

#include <stdlib.h>
#include <string.h>

#include "lib/file.h"

struct error *writer_init(struct writer *w, int fd, const char *path, uint64_t offset,
			  size_t room, uint64_t *written)
{
	*w = (struct writer){
		.fd = fd, .path = path, .offset = offset, .room = room, .written = written,
	};
	w->buffer = malloc(room);
	return w->buffer ? NULL : error_nomem();
}

void writer_deinit(struct writer *w)
{
	free(w->buffer);
	*w = (struct writer){ .fd = -1 };
}

static struct error *write_out(struct writer *w, const void *data, size_t size)
{
	struct error *err = fd_pwrite(w->fd, w->path, data, size, w->offset);

	if (err)
		return err;
	w->offset += size;
	*w->written += size;
	return NULL;
}

struct error *writer_flush(struct writer *w)
{
	struct error *err;

	if (!w->used)
		return NULL;
	err = write_out(w, w->buffer, w->used);
	if (!err)
		w->used = 0;
	return err;
}

struct error *writer_put(struct writer *w, const void *data, size_t size)
{
	const uint8_t *from = data;

	while (size) {
		size_t n = w->room - w->used;

		if (!w->used && size >= w->room)
			return write_out(w, from, size);
		if (n > size)
			n = size;
		memcpy(w->buffer + w->used, from, n);
		w->used += n;
		from += n;
		size -= n;
		if (w->used == w->room) {
			struct error *err = writer_flush(w);

			if (err)
				return err;
		}
	}
	return NULL;
}

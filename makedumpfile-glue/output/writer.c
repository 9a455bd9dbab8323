/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "makedumpfile-glue/output/writer.h"

#include <stdlib.h>
#include <string.h>


struct error *writer_init(struct writer *w, struct target *target, uint64_t offset,
			  size_t room)
{
	*w = (struct writer){ .target = target, .offset = offset, .room = room };
	w->buffer = malloc(room);
	return w->buffer ? NULL : error_nomem();
}

void writer_deinit(struct writer *w)
{
	free(w->buffer);
	*w = (struct writer){ 0 };
}

static struct error *write_out(struct writer *w, const void *data, size_t size)
{
	struct error *err = target_write(w->target, data, size, w->offset);

	if (!err)
		w->offset += size;
	return err;
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

/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "lib/unpack-file.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "lib/file.h"
#include "lib/unpack-decoder.h"

/* lzop's blocks, of up to 256 KiB, are taken whole. */
#define IN_SIZE  ((size_t)1 << 20)
#define OUT_SIZE ((size_t)1 << 20)

struct unpacking {
	enum codec codec;
	const struct input *in;
	uint64_t at;  /* of what was read last */
	uint8_t *in_room;
	uint8_t *out_room;
	struct flow flow;
	int fd;
};

static struct error *refill(struct unpacking *u)
{
	size_t kept = u->flow.in_left, got;
	struct error *err;

	if (kept)
		memmove(u->in_room, u->flow.in, kept);
	err = input_read_some(u->in, u->in_room + kept, IN_SIZE - kept, u->at, &got);
	if (err)
		return err;
	u->at += got;
	u->flow.in = u->in_room;
	u->flow.in_left = kept + got;
	return NULL;
}

static struct error *flush(struct unpacking *u)
{
	struct error *err = fd_write(u->fd, "a temporary file", u->out_room,
				     OUT_SIZE - u->flow.out_left);

	u->flow.out = u->out_room;
	u->flow.out_left = OUT_SIZE;
	if (err && err->sys_errno == ENOSPC)
		return error_remedy(err, "what is packed in the file is unpacked to a temporary "
				    "file; name a directory with more room with TMPDIR");
	return err;
}

/* One stream. *ret_why: it is not whole. */
static struct error *unpack_one(struct unpacking *u, const struct decoder *decoder,
				struct error **ret_why)
{
	const char *why = "damaged data";
	enum step step = STEP_MORE;
	struct error *err;
	void *state;

	err = decoder->open(&state);
	if (err)
		return err;
	while (!err && step == STEP_MORE) {
		const size_t in_left = u->flow.in_left, out_left = u->flow.out_left;

		bool moved;

		step = decoder->step(state, &u->flow, &why);
		moved = u->flow.in_left != in_left || u->flow.out_left != out_left;
		if (!u->flow.out_left)
			err = flush(u);
		if (err || step != STEP_MORE || moved)
			continue;
		/* It wants more: input, unless there is none. */
		err = refill(u);
		if (!err && u->flow.in_left == in_left) {
			*ret_why = error_new(ERROR_FORMAT, "the stream ends early");
			break;
		}
	}
	decoder->close(state);
	if (!err && step == STEP_NOMEM)
		err = error_nomem();
	if (!err && step == STEP_BAD)
		*ret_why = error_new(ERROR_FORMAT, "%s", why);
	return err;
}

static struct error *unpack_all(struct unpacking *u, const struct decoder *decoder,
				struct error **ret_why)
{
	struct error *err = refill(u);

	while (!err && !*ret_why && codec_detect(u->flow.in, u->flow.in_left) == u->codec) {
		err = unpack_one(u, decoder, ret_why);
		if (!err && !*ret_why)
			err = refill(u);
	}
	return err ? err : flush(u);
}

struct error *unpack_file(enum codec codec, const struct input *in, uint64_t at,
			  struct input **ret, struct error **ret_why)
{
	int fd cleanup_close = -1;
	uint8_t *in_room cleanup_free = malloc(IN_SIZE);
	uint8_t *out_room cleanup_free = malloc(OUT_SIZE);
	struct unpacking u = {
		.codec = codec, .in = in, .at = at, .in_room = in_room,
		.out_room = out_room, .flow = { .out = out_room, .out_left = OUT_SIZE },
	};
	struct error *err;

	*ret_why = NULL;
	if (!in_room || !out_room)
		return error_nomem();
	if (!codec_available(codec))
		return error_remedy(error_new(ERROR_UNSUPPORTED,
					      "%s: packed with %s, which this build cannot unpack",
					      in->path, codec_name(codec)),
				    "unpack it by hand, or use a build with that library");
	err = file_nameless(&fd);
	if (err)
		return err;
	u.fd = fd;
	err = unpack_all(&u, codec_decoder(codec), ret_why);
	if (!err)
		err = input_create(in->path, fd, ret);
	if (err) {
		error_free(*ret_why);
		return error_add(err, "%s: unpacking the %s stream", in->path,
				 codec_name(codec));
	}
	fd = -1;
	*ret_why = error_add(*ret_why, "%s: unpacking the %s stream", in->path,
			     codec_name(codec));
	return NULL;
}

/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "lib/unpack.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "config.h"
#include "lib/bytes.h"
#include "lib/unpack-decoder.h"

static const struct {
	const char *name;
	const struct decoder *decoder; /* NULL: not in this build */
} codecs[] = {
	[CODEC_NONE] = { "none", NULL },
	[CODEC_GZIP] = { "gzip", &decoder_gzip },
	[CODEC_XZ] = { "xz", &decoder_xz },
	[CODEC_LZMA] = { "lzma", &decoder_lzma },
	[CODEC_ZSTD] = { "zstd", &decoder_zstd },
#ifdef HAVE_LZ4
	[CODEC_LZ4] = { "lz4", &decoder_lz4_frame },
	[CODEC_LZ4_LEGACY] = { "lz4 (legacy frame)", &decoder_lz4_legacy },
#else
	[CODEC_LZ4] = { "lz4", NULL },
	[CODEC_LZ4_LEGACY] = { "lz4 (legacy frame)", NULL },
#endif
#ifdef HAVE_LZO
	[CODEC_LZO] = { "lzo", &decoder_lzop },
#else
	[CODEC_LZO] = { "lzo", NULL },
#endif
#ifdef HAVE_BZIP2
	[CODEC_BZIP2] = { "bzip2", &decoder_bzip2 },
#else
	[CODEC_BZIP2] = { "bzip2", NULL },
#endif
};
#define CODEC_COUNT (sizeof(codecs) / sizeof(*codecs))

const char *codec_name(enum codec codec)
{
	return (size_t)codec < CODEC_COUNT ? codecs[codec].name : "unknown";
}

bool codec_available(enum codec codec)
{
	return (size_t)codec < CODEC_COUNT && codecs[codec].decoder;
}

const struct decoder *codec_decoder(enum codec codec)
{
	return codec_available(codec) ? codecs[codec].decoder : NULL;
}

enum codec codec_detect(const uint8_t *data, size_t size)
{
	static const struct {
		enum codec codec;
		size_t size;
		const char *magic;
	} magics[] = {
		{ CODEC_GZIP, 2, "\x1f\x8b" },
		{ CODEC_XZ, 6, "\xfd" "7zXZ\0" },
		{ CODEC_ZSTD, 4, "\x28\xb5\x2f\xfd" },
		{ CODEC_LZ4, 4, "\x04\x22\x4d\x18" },
		{ CODEC_LZ4_LEGACY, 4, "\x02\x21\x4c\x18" },
		{ CODEC_LZO, 9, "\x89" "LZO\0\r\n\x1a\n" },
		{ CODEC_BZIP2, 3, "BZh" },
	};
	size_t i;

	for (i = 0; i < sizeof(magics) / sizeof(*magics); i++)
		if (size >= magics[i].size &&
		    !memcmp(data, magics[i].magic, magics[i].size))
			return magics[i].codec;
	/* .lzma has no magic: properties lc=3 lp=0 pb=2, a dictionary size
	 * that is a power of two, and a size that is unknown or below 2^40. */
	if (size >= 13 && data[0] == 0x5d && is_power_of_two(get_le32(data + 1)) &&
	    (get_le64(data + 5) == UINT64_MAX || get_le64(data + 5) >> 40 == 0))
		return CODEC_LZMA;
	return CODEC_NONE;
}

static struct error *over_limit(size_t limit)
{
	return error_new(ERROR_LIMIT, "more than the limit of %zu MiB unpacked",
			 limit >> 20);
}

/* Room for at least one more byte, never beyond limit. */
static struct error *grow(struct blob *out, size_t used, size_t limit)
{
	size_t wanted;
	uint8_t *data;

	if (used >= limit)
		return over_limit(limit);
	wanted = out->size < limit / 2 ? out->size * 2 : limit;
	data = realloc(out->data, wanted + 1);
	if (!data)
		return error_nomem();
	out->data = data;
	out->size = wanted;
	return NULL;
}

static struct error *run(const struct decoder *decoder, void *state, struct flow *flow,
			 size_t limit, struct blob *out, size_t *ret_used)
{
	size_t in_size = flow->in_left, used = 0;

	for (;;) {
		const char *why = "damaged data";
		size_t in_before = flow->in_left, out_before;
		enum step step;

		if (used == out->size) {
			/* An end marker may still follow a full buffer: offer
			 * one byte of room before giving the limit's verdict. */
			struct error *err = grow(out, used, limit + 1);

			if (err)
				return err;
		}
		flow->out = out->data + used;
		flow->out_left = out_before = out->size - used;
		step = decoder->step(state, flow, &why);
		used += out_before - flow->out_left;
		if (step == STEP_NOMEM)
			return error_nomem();
		if (step == STEP_BAD)
			return error_new(ERROR_FORMAT, "%s after %zu of %zu bytes", why,
					 in_size - flow->in_left, in_size);
		if (used > limit)
			return over_limit(limit);
		if (step == STEP_END) {
			*ret_used = used;
			return NULL;
		}
		if (flow->in_left == in_before && flow->out_left == out_before)
			return error_new(ERROR_FORMAT,
					 "the stream ends early: %zu bytes gave %zu "
					 "and more should follow", in_size, used);
	}
}

/*
 * The stream in one piece, when its length is known: declared by itself, or
 * expected by the caller. A wrong expectation is no error: *ret_done stays
 * false, and the stream is to be taken step by step.
 */
static struct error *run_whole(const struct decoder *decoder, void *state,
			       const struct flow *flow, size_t expected, size_t limit,
			       struct blob *out, size_t *ret_used, bool *ret_done)
{
	const char *why = "damaged data";
	uint64_t declared;
	struct error *err;
	size_t packed, room;

	*ret_done = false;
	if (!decoder->whole ||
	    !decoder->whole_size(flow->in, flow->in_left, &packed, &declared))
		return NULL;
	if (declared > limit)
		return over_limit(limit);
	room = declared ? declared : expected;
	if (!room || room > limit)
		return NULL;
	err = blob_init(out, room);
	if (err)
		return err;
	if (decoder->whole(state, flow->in, packed, out->data, room, ret_used, &why) ==
	    STEP_END) {
		*ret_done = true;
		return NULL;
	}
	blob_deinit(out);
	return declared ? error_new(ERROR_FORMAT, "%s in %zu bytes", why, packed) : NULL;
}

struct error *unpack(enum codec codec, const uint8_t *in, size_t in_size,
		     size_t expected_size, size_t limit, const char *name,
		     uint64_t offset, struct blob *ret)
{
	struct flow flow = { .in = in, .in_left = in_size };
	struct blob out cleanup_blob = { 0 };
	const struct decoder *decoder;
	struct error *err;
	size_t used = 0;
	bool done;
	void *state;

	if (!codec_available(codec))
		return error_remedy(
			error_new(ERROR_UNSUPPORTED,
				  "%s: packed with %s, which this build cannot unpack",
				  name, codec_name(codec)),
			"unpack it by hand, or use a build with that library "
			"(--version lists them)");
	decoder = codecs[codec].decoder;
	err = decoder->open(&state);
	if (err)
		return err;
	err = run_whole(decoder, state, &flow, expected_size, limit, &out, &used, &done);
	if (!err && !done) {
		err = blob_init(&out, expected_size && expected_size <= limit ?
					      expected_size : 4 << 20);
		if (!err)
			err = run(decoder, state, &flow, limit, &out, &used);
	}
	decoder->close(state);
	if (err)
		return error_add(err, "%s: unpacking the %s stream at offset 0x%" PRIx64,
				 name, codec_name(codec), offset);
	out.data[used] = 0;
	*ret = (struct blob){ out.data, used };
	out.data = NULL;
	return NULL;
}

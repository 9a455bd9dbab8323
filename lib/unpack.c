/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "lib/unpack.h"

#include <inttypes.h>
#include <lzma.h>
#include <stdlib.h>
#include <string.h>
#include <zlib.h>
#include <zstd.h>

#include "lib/bytes.h"

const char *codec_name(enum codec codec)
{
	switch (codec) {
	case CODEC_NONE: return "none";
	case CODEC_GZIP: return "gzip";
	case CODEC_XZ:   return "xz";
	case CODEC_LZMA: return "lzma";
	case CODEC_ZSTD: return "zstd";
	}
	return "unknown";
}

enum codec codec_detect(const uint8_t *data, size_t size)
{
	if (size >= 2 && data[0] == 0x1f && data[1] == 0x8b)
		return CODEC_GZIP;
	if (size >= 6 && !memcmp(data, "\xfd" "7zXZ", 6))
		return CODEC_XZ;
	if (size >= 4 && !memcmp(data, "\x28\xb5\x2f\xfd", 4))
		return CODEC_ZSTD;
	/* .lzma has no magic: properties lc=3 lp=0 pb=2, a dictionary size
	 * that is a power of two, and a size that is unknown or below 2^40. */
	if (size >= 13 && data[0] == 0x5d && is_power_of_two(get_le32(data + 1)) &&
	    (get_le64(data + 5) == UINT64_MAX || get_le64(data + 5) >> 40 == 0))
		return CODEC_LZMA;
	return CODEC_NONE;
}

/* What a decoder's step said. */
enum step { STEP_MORE, STEP_END, STEP_BAD, STEP_NOMEM };

/* Input not yet taken, output room not yet filled; a step moves both on. */
struct flow {
	const uint8_t *in;
	size_t in_left;
	uint8_t *out;
	size_t out_left;
};

/* One decoder. step's text in *ret_why is static. */
struct decoder {
	struct error *(*open)(void **ret_state);
	enum step (*step)(void *state, struct flow *flow, const char **ret_why);
	void (*close)(void *state);
};

/* zlib counts in unsigned int; streams and images may be longer. */
static unsigned int zlib_count(size_t left)
{
	return left > 1u << 30 ? 1u << 30 : left;
}

static struct error *gzip_open(void **ret_state)
{
	z_stream *z = calloc(1, sizeof(*z));

	if (!z || inflateInit2(z, 16 + MAX_WBITS) != Z_OK) {
		free(z);
		return error_nomem();
	}
	*ret_state = z;
	return NULL;
}

static enum step gzip_step(void *state, struct flow *flow, const char **ret_why)
{
	unsigned int in = zlib_count(flow->in_left), out = zlib_count(flow->out_left);
	z_stream *z = state;
	int code;

	z->next_in = (uint8_t *)flow->in;
	z->avail_in = in;
	z->next_out = flow->out;
	z->avail_out = out;
	code = inflate(z, Z_NO_FLUSH);
	flow->in += in - z->avail_in;
	flow->in_left -= in - z->avail_in;
	flow->out += out - z->avail_out;
	flow->out_left -= out - z->avail_out;
	if (code == Z_STREAM_END)
		return STEP_END;
	if (code == Z_OK || code == Z_BUF_ERROR)
		return STEP_MORE;
	*ret_why = z->msg ? z->msg : "damaged data";
	return code == Z_MEM_ERROR ? STEP_NOMEM : STEP_BAD;
}

static void gzip_close(void *state)
{
	inflateEnd(state);
	free(state);
}

/* Enough for the 128 MiB dictionaries the kernel's xz call may use. */
#define LZMA_MEMORY_LIMIT ((uint64_t)256 << 20)

static struct error *lzma_open_as(lzma_ret (*init)(lzma_stream *), void **ret_state)
{
	lzma_stream *x = malloc(sizeof(*x));

	if (!x)
		return error_nomem();
	*x = (lzma_stream)LZMA_STREAM_INIT;
	if (init(x) != LZMA_OK) {
		free(x);
		return error_nomem();
	}
	*ret_state = x;
	return NULL;
}

static lzma_ret xz_init(lzma_stream *x)
{
	return lzma_stream_decoder(x, LZMA_MEMORY_LIMIT, 0);
}

static lzma_ret alone_init(lzma_stream *x)
{
	return lzma_alone_decoder(x, LZMA_MEMORY_LIMIT);
}

static struct error *xz_open(void **ret_state)
{
	return lzma_open_as(xz_init, ret_state);
}

static struct error *alone_open(void **ret_state)
{
	return lzma_open_as(alone_init, ret_state);
}

static enum step xz_step(void *state, struct flow *flow, const char **ret_why)
{
	lzma_stream *x = state;
	lzma_ret code;

	x->next_in = flow->in;
	x->avail_in = flow->in_left;
	x->next_out = flow->out;
	x->avail_out = flow->out_left;
	code = lzma_code(x, LZMA_RUN);
	flow->in = x->next_in;
	flow->in_left = x->avail_in;
	flow->out = x->next_out;
	flow->out_left = x->avail_out;
	switch (code) {
	case LZMA_STREAM_END:
		return STEP_END;
	case LZMA_OK:
	case LZMA_BUF_ERROR:
		return STEP_MORE;
	case LZMA_MEM_ERROR:
		return STEP_NOMEM;
	case LZMA_MEMLIMIT_ERROR:
		*ret_why = "its dictionary needs more than 256 MiB";
		return STEP_BAD;
	case LZMA_OPTIONS_ERROR:
		*ret_why = "it uses a filter this liblzma does not have";
		return STEP_BAD;
	default:
		*ret_why = "damaged data";
		return STEP_BAD;
	}
}

static void xz_close(void *state)
{
	lzma_end(state);
	free(state);
}

static struct error *zstd_open(void **ret_state)
{
	ZSTD_DCtx *d = ZSTD_createDCtx();

	if (!d)
		return error_nomem();
	/* scripts/Makefile.lib packs with -22 --ultra: a window of 128 MiB. */
	if (ZSTD_isError(ZSTD_DCtx_setParameter(d, ZSTD_d_windowLogMax, 27))) {
		ZSTD_freeDCtx(d);
		return error_new(ERROR_UNSUPPORTED,
				 "libzstd refuses a window of 128 MiB");
	}
	*ret_state = d;
	return NULL;
}

static enum step zstd_step(void *state, struct flow *flow, const char **ret_why)
{
	ZSTD_inBuffer in = { flow->in, flow->in_left, 0 };
	ZSTD_outBuffer out = { flow->out, flow->out_left, 0 };
	size_t code = ZSTD_decompressStream(state, &out, &in);

	flow->in += in.pos;
	flow->in_left -= in.pos;
	flow->out += out.pos;
	flow->out_left -= out.pos;
	if (ZSTD_isError(code)) {
		*ret_why = ZSTD_getErrorName(code);
		return STEP_BAD;
	}
	return code ? STEP_MORE : STEP_END;
}

static void zstd_close(void *state)
{
	ZSTD_freeDCtx(state);
}

static const struct decoder decoders[] = {
	[CODEC_GZIP] = { gzip_open, gzip_step, gzip_close },
	[CODEC_XZ] = { xz_open, xz_step, xz_close },
	[CODEC_LZMA] = { alone_open, xz_step, xz_close },
	[CODEC_ZSTD] = { zstd_open, zstd_step, zstd_close },
};

/* Room for at least one more byte, never beyond limit. */
static struct error *grow(struct blob *out, size_t used, size_t limit)
{
	size_t wanted;
	uint8_t *data;

	if (used >= limit)
		return error_new(ERROR_LIMIT, "more than the limit of %zu MiB unpacked",
				 limit >> 20);
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
			return error_new(ERROR_LIMIT,
					 "more than the limit of %zu MiB unpacked",
					 limit >> 20);
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

struct error *unpack(enum codec codec, const uint8_t *in, size_t in_size,
		     size_t expected_size, size_t limit, const char *name,
		     uint64_t offset, struct blob *ret)
{
	struct flow flow = { .in = in, .in_left = in_size };
	struct blob out cleanup_blob = { 0 };
	const struct decoder *decoder;
	struct error *err;
	size_t used = 0;
	void *state;

	if (codec == CODEC_NONE || (size_t)codec >= sizeof(decoders) / sizeof(*decoders))
		return error_new(ERROR_UNSUPPORTED, "%s: no decoder for codec %d", name,
				 codec);
	decoder = &decoders[codec];
	err = blob_init(&out, expected_size && expected_size <= limit ?
				      expected_size : 4 << 20);
	if (err)
		return err;
	err = decoder->open(&state);
	if (err)
		return err;
	err = run(decoder, state, &flow, limit, &out, &used);
	decoder->close(state);
	if (err)
		return error_add(err, "%s: unpacking the %s stream at offset 0x%" PRIx64,
				 name, codec_name(codec), offset);
	out.data[used] = 0;
	*ret = (struct blob){ out.data, used };
	out.data = NULL;
	return NULL;
}

/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <lzma.h>
#include <stdlib.h>
#include <zlib.h>
#include <zstd.h>

#include "config.h"
#include "lib/unpack-decoder.h"

#ifdef HAVE_BZIP2
#include <bzlib.h>
#endif
#ifdef HAVE_LZ4
#include <lz4frame.h>
#endif

/* zlib and bzip2 count in unsigned int; streams and images may be longer. */
static unsigned int count32(size_t left)
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
	unsigned int in = count32(flow->in_left), out = count32(flow->out_left);
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

const struct decoder decoder_gzip = { .open = gzip_open, .step = gzip_step, .close = gzip_close };

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

const struct decoder decoder_xz = { .open = xz_open, .step = xz_step, .close = xz_close };
const struct decoder decoder_lzma = { .open = alone_open, .step = xz_step, .close = xz_close };

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

static bool zstd_whole_size(const uint8_t *in, size_t in_size, size_t *ret_in,
			    uint64_t *ret_out)
{
	unsigned long long out = ZSTD_getFrameContentSize(in, in_size);
	size_t packed = ZSTD_findFrameCompressedSize(in, in_size);

	if (out == ZSTD_CONTENTSIZE_ERROR || ZSTD_isError(packed))
		return false;
	*ret_in = packed;
	/* The kernel's build packs from a pipe: its frames do not say. */
	*ret_out = out == ZSTD_CONTENTSIZE_UNKNOWN ? 0 : out;
	return true;
}

static enum step zstd_whole(void *state, const uint8_t *in, size_t in_size, uint8_t *out,
			    size_t room, size_t *ret_size, const char **ret_why)
{
	size_t code = ZSTD_decompressDCtx(state, out, room, in, in_size);

	if (ZSTD_isError(code)) {
		*ret_why = ZSTD_getErrorName(code);
		return STEP_BAD;
	}
	*ret_size = code;
	return STEP_END;
}

const struct decoder decoder_zstd = {
	.open = zstd_open, .step = zstd_step, .close = zstd_close,
	.whole_size = zstd_whole_size, .whole = zstd_whole,
};

#ifdef HAVE_BZIP2
static struct error *bzip2_open(void **ret_state)
{
	bz_stream *b = calloc(1, sizeof(*b));

	if (!b || BZ2_bzDecompressInit(b, 0, 0) != BZ_OK) {
		free(b);
		return error_nomem();
	}
	*ret_state = b;
	return NULL;
}

static enum step bzip2_step(void *state, struct flow *flow, const char **ret_why)
{
	unsigned int in = count32(flow->in_left), out = count32(flow->out_left);
	bz_stream *b = state;
	int code;

	b->next_in = (char *)flow->in;
	b->avail_in = in;
	b->next_out = (char *)flow->out;
	b->avail_out = out;
	code = BZ2_bzDecompress(b);
	flow->in += in - b->avail_in;
	flow->in_left -= in - b->avail_in;
	flow->out += out - b->avail_out;
	flow->out_left -= out - b->avail_out;
	if (code == BZ_STREAM_END)
		return STEP_END;
	if (code == BZ_OK)
		return STEP_MORE;
	*ret_why = "damaged data";
	return code == BZ_MEM_ERROR ? STEP_NOMEM : STEP_BAD;
}

static void bzip2_close(void *state)
{
	BZ2_bzDecompressEnd(state);
	free(state);
}

const struct decoder decoder_bzip2 = { .open = bzip2_open, .step = bzip2_step, .close = bzip2_close };
#endif

#ifdef HAVE_LZ4
static struct error *lz4_open(void **ret_state)
{
	LZ4F_dctx *d;

	if (LZ4F_isError(LZ4F_createDecompressionContext(&d, LZ4F_VERSION)))
		return error_nomem();
	*ret_state = d;
	return NULL;
}

static enum step lz4_step(void *state, struct flow *flow, const char **ret_why)
{
	size_t in = flow->in_left, out = flow->out_left;
	size_t code = LZ4F_decompress(state, flow->out, &out, flow->in, &in, NULL);

	if (LZ4F_isError(code)) {
		*ret_why = LZ4F_getErrorName(code);
		return STEP_BAD;
	}
	flow->in += in;
	flow->in_left -= in;
	flow->out += out;
	flow->out_left -= out;
	return code ? STEP_MORE : STEP_END;
}

static void lz4_close(void *state)
{
	LZ4F_freeDecompressionContext(state);
}

const struct decoder decoder_lz4_frame = { .open = lz4_open, .step = lz4_step, .close = lz4_close };
#endif

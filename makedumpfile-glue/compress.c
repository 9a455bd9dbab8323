/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "config.h"

#include "makedumpfile-glue/compress.h"

#include <stdlib.h>
#include <string.h>
#include <zlib.h>
#include <zstd.h>
#ifdef HAVE_LIBDEFLATE
#include <libdeflate.h>
#endif
#ifdef HAVE_LZO
#include <lzo/lzo1x.h>
#endif
#ifdef HAVE_SNAPPY
#include <snappy-c.h>
#endif

/* The speed end of the scale, as makedumpfile: in a capture kernel time and
 * CPUs are short, and zlib is the slowest part of a dump. */
#define LEVEL 1

struct packer {
	enum page_codec codec;
#ifdef HAVE_LIBDEFLATE
	struct libdeflate_compressor *deflate;
#else
	z_stream deflate;
#endif
	ZSTD_CCtx *zstd;
	void *work; /* of lzo */
};

struct unpacker {
#ifdef HAVE_LIBDEFLATE
	struct libdeflate_decompressor *inflate;
#else
	z_stream inflate;
#endif
	ZSTD_DCtx *zstd;
};

const char *page_codec_name(unsigned int codec)
{
	switch (codec) {
	case PAGE_RAW: return "raw";
	case PAGE_ZLIB: return "zlib";
	case PAGE_LZO: return "lzo";
	case PAGE_SNAPPY: return "snappy";
	case PAGE_ZSTD: return "zstd";
	default: return "an unknown codec";
	}
}

#ifdef HAVE_LIBDEFLATE

const char *compress_library(void)
{
	return "libdeflate " LIBDEFLATE_VERSION_STRING;
}

static bool deflate_start(struct packer *p)
{
	p->deflate = libdeflate_alloc_compressor(LEVEL);
	return p->deflate;
}

static void deflate_stop(struct packer *p)
{
	libdeflate_free_compressor(p->deflate);
}

static size_t deflate_page(struct packer *p, const void *page, size_t size, void *to,
			   size_t room)
{
	return libdeflate_zlib_compress(p->deflate, page, size, to, room);
}

static bool inflate_start(struct unpacker *u)
{
	u->inflate = libdeflate_alloc_decompressor();
	return u->inflate;
}

static void inflate_stop(struct unpacker *u)
{
	libdeflate_free_decompressor(u->inflate);
}

/* With no place for the actual size libdeflate itself insists on all of
 * page_size being filled. */
static bool inflate_page(struct unpacker *u, const void *from, size_t size, void *page,
			 size_t page_size)
{
	return libdeflate_zlib_decompress(u->inflate, from, size, page, page_size,
					  NULL) == LIBDEFLATE_SUCCESS;
}

#else

const char *compress_library(void)
{
	return "zlib " ZLIB_VERSION;
}

static bool deflate_start(struct packer *p)
{
	return deflateInit(&p->deflate, LEVEL) == Z_OK;
}

static void deflate_stop(struct packer *p)
{
	deflateEnd(&p->deflate);
}

static size_t deflate_page(struct packer *p, const void *page, size_t size, void *to,
			   size_t room)
{
	deflateReset(&p->deflate);
	p->deflate.next_in = (Bytef *)page;
	p->deflate.avail_in = size;
	p->deflate.next_out = to;
	p->deflate.avail_out = room;
	if (deflate(&p->deflate, Z_FINISH) != Z_STREAM_END)
		return 0;
	return room - p->deflate.avail_out;
}

static bool inflate_start(struct unpacker *u)
{
	return inflateInit(&u->inflate) == Z_OK;
}

static void inflate_stop(struct unpacker *u)
{
	inflateEnd(&u->inflate);
}

static bool inflate_page(struct unpacker *u, const void *from, size_t size, void *page,
			 size_t page_size)
{
	inflateReset(&u->inflate);
	u->inflate.next_in = (Bytef *)from;
	u->inflate.avail_in = size;
	u->inflate.next_out = page;
	u->inflate.avail_out = page_size;
	return inflate(&u->inflate, Z_FINISH) == Z_STREAM_END && !u->inflate.avail_out;
}

#endif

#ifdef HAVE_LZO

static bool lzo_start(struct packer *p)
{
	p->work = malloc(LZO1X_1_MEM_COMPRESS);
	return lzo_init() == LZO_E_OK && p->work;
}

static size_t lzo_page(struct packer *p, const void *page, size_t size, void *to)
{
	lzo_uint packed = 0;

	if (lzo1x_1_compress(page, size, to, &packed, p->work) != LZO_E_OK)
		return 0;
	return packed;
}

static bool unlzo_page(const void *from, size_t size, void *page, size_t page_size)
{
	lzo_uint got = page_size;

	return lzo1x_decompress_safe(from, size, page, &got, NULL) == LZO_E_OK &&
	       got == page_size;
}

#else

static bool lzo_start(struct packer *p)
{
	(void)p;
	return false;
}

static size_t lzo_page(struct packer *p, const void *page, size_t size, void *to)
{
	(void)p, (void)page, (void)size, (void)to;
	return 0;
}

static bool unlzo_page(const void *from, size_t size, void *page, size_t page_size)
{
	(void)from, (void)size, (void)page, (void)page_size;
	return false;
}

#endif
#ifdef HAVE_SNAPPY

static size_t snappy_page(const void *page, size_t size, void *to)
{
	size_t packed = size + packer_slack(size);

	return snappy_compress(page, size, to, &packed) == SNAPPY_OK ? packed : 0;
}

static bool unsnappy_page(const void *from, size_t size, void *page, size_t page_size)
{
	size_t got = 0;

	return snappy_uncompressed_length(from, size, &got) == SNAPPY_OK &&
	       got == page_size &&
	       snappy_uncompress(from, size, page, &got) == SNAPPY_OK;
}

#else

static size_t snappy_page(const void *page, size_t size, void *to)
{
	(void)page, (void)size, (void)to;
	return 0;
}

static bool unsnappy_page(const void *from, size_t size, void *page, size_t page_size)
{
	(void)from, (void)size, (void)page, (void)page_size;
	return false;
}

#endif

bool page_codec_built(unsigned int codec)
{
	switch (codec) {
	case PAGE_RAW:
	case PAGE_ZLIB:
	case PAGE_ZSTD:
		return true;
#ifdef HAVE_LZO
	case PAGE_LZO: return true;
#endif
#ifdef HAVE_SNAPPY
	case PAGE_SNAPPY: return true;
#endif
	default: return false;
	}
}

static bool packer_start(struct packer *p)
{
	switch (p->codec) {
	case PAGE_ZLIB: return deflate_start(p);
	case PAGE_LZO: return lzo_start(p);
	case PAGE_ZSTD:
		p->zstd = ZSTD_createCCtx();
		return p->zstd &&
		       !ZSTD_isError(ZSTD_CCtx_setParameter(
			       p->zstd, ZSTD_c_compressionLevel, LEVEL));
	default: return true;
	}
}

struct error *packer_create(enum page_codec codec, struct packer **ret)
{
	struct packer *p;

	if (!page_codec_built(codec))
		return error_new(ERROR_UNSUPPORTED,
				 "packing pages with %s is not in this build",
				 page_codec_name(codec));
	p = calloc(1, sizeof(*p));
	if (!p)
		return error_nomem();
	p->codec = codec;
	if (!packer_start(p)) {
		if (codec == PAGE_ZLIB)
			p->codec = PAGE_RAW; /* there is no stream to stop */
		packer_destroy(p);
		return error_nomem();
	}
	*ret = p;
	return NULL;
}

void packer_destroy(struct packer *p)
{
	if (!p)
		return;
	if (p->codec == PAGE_ZLIB)
		deflate_stop(p);
	ZSTD_freeCCtx(p->zstd);
	free(p->work);
	free(p);
}

size_t packer_slack(size_t size)
{
	return size / 6 + 64;
}

size_t packer_pack(struct packer *p, const void *page, size_t size, void *to)
{
	size_t packed = 0;

	switch (p->codec) {
	case PAGE_ZLIB: packed = deflate_page(p, page, size, to, size - 1); break;
	case PAGE_ZSTD:
		packed = ZSTD_compress2(p->zstd, to, size - 1, page, size);
		if (ZSTD_isError(packed))
			return 0;
		break;
	case PAGE_LZO: packed = lzo_page(p, page, size, to); break;
	case PAGE_SNAPPY: packed = snappy_page(page, size, to); break;
	case PAGE_RAW: break;
	}
	return packed < size ? packed : 0;
}

struct error *unpacker_create(struct unpacker **ret)
{
	struct unpacker *u = calloc(1, sizeof(*u));

	if (!u)
		return error_nomem();
	if (!inflate_start(u)) {
		free(u);
		return error_nomem();
	}
	u->zstd = ZSTD_createDCtx();
	if (!u->zstd) {
		unpacker_destroy(u);
		return error_nomem();
	}
	*ret = u;
	return NULL;
}

void unpacker_destroy(struct unpacker *u)
{
	if (!u)
		return;
	inflate_stop(u);
	ZSTD_freeDCtx(u->zstd);
	free(u);
}

static bool unpack(struct unpacker *u, unsigned int codec, const void *from, size_t size,
		   void *page, size_t page_size)
{
	switch (codec) {
	case PAGE_ZLIB: return inflate_page(u, from, size, page, page_size);
	case PAGE_LZO: return unlzo_page(from, size, page, page_size);
	case PAGE_SNAPPY: return unsnappy_page(from, size, page, page_size);
	default:
		return ZSTD_decompressDCtx(u->zstd, page, page_size, from, size) ==
		       page_size;
	}
}

struct error *unpacker_unpack(struct unpacker *u, unsigned int codec, const void *from,
			      size_t size, void *page, size_t page_size)
{
	if (codec == PAGE_RAW) {
		if (size != page_size)
			return error_new(ERROR_FORMAT, "a raw page of %zu bytes, not %zu",
					 size, page_size);
		memcpy(page, from, size);
		return NULL;
	}
	if (!page_codec_built(codec))
		return error_new(ERROR_UNSUPPORTED,
				 "a page is packed with %s (flags 0x%x), which this "
				 "build does not read", page_codec_name(codec), codec);
	if (!unpack(u, codec, from, size, page, page_size))
		return error_new(ERROR_FORMAT, "a %s stream of %zu bytes is damaged",
				 page_codec_name(codec), size);
	return NULL;
}

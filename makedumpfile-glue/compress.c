/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "config.h"

#include "makedumpfile-glue/compress.h"

#include <stdlib.h>
#include <string.h>
#include <zlib.h>
#ifdef HAVE_LIBDEFLATE
#include <libdeflate.h>
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
};

struct unpacker {
#ifdef HAVE_LIBDEFLATE
	struct libdeflate_decompressor *inflate;
#else
	z_stream inflate;
#endif
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

struct error *packer_create(enum page_codec codec, struct packer **ret)
{
	struct packer *p;

	if (codec != PAGE_RAW && codec != PAGE_ZLIB)
		return error_new(ERROR_UNSUPPORTED,
				 "packing pages with %s is not in this release",
				 page_codec_name(codec));
	p = calloc(1, sizeof(*p));
	if (!p)
		return error_nomem();
	p->codec = codec;
	if (codec == PAGE_ZLIB && !deflate_start(p)) {
		free(p);
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
	free(p);
}

size_t packer_pack(struct packer *p, const void *page, size_t size, void *to, size_t room)
{
	if (p->codec == PAGE_RAW)
		return 0;
	return deflate_page(p, page, size, to, room < size ? room : size - 1);
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
	*ret = u;
	return NULL;
}

void unpacker_destroy(struct unpacker *u)
{
	if (!u)
		return;
	inflate_stop(u);
	free(u);
}

struct error *unpacker_unpack(struct unpacker *u, unsigned int codec, const void *from,
			      size_t size, void *page, size_t page_size)
{
	switch (codec) {
	case PAGE_RAW:
		if (size != page_size)
			return error_new(ERROR_FORMAT, "a raw page of %zu bytes, not %zu",
					 size, page_size);
		memcpy(page, from, size);
		return NULL;
	case PAGE_ZLIB:
		if (!inflate_page(u, from, size, page, page_size))
			return error_new(ERROR_FORMAT,
					 "a zlib stream of %zu bytes is damaged", size);
		return NULL;
	default:
		return error_new(ERROR_UNSUPPORTED,
				 "a page is packed with %s (flags 0x%x), which this "
				 "release does not read", page_codec_name(codec), codec);
	}
}

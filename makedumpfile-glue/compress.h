/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Codecs of the kdump-compressed format, one page at a time. The contexts are
 * kept: setting one up costs as much as packing a small page.
 */
#ifndef GLUE_COMPRESS_H
#define GLUE_COMPRESS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "lib/error.h"

/* Values of page_desc.flags and of header.status (makedumpfile's
 * diskdump_mod.h, crash's diskdump.h). */
enum page_codec {
	PAGE_RAW = 0x00,
	PAGE_ZLIB = 0x01,
	PAGE_LZO = 0x02,
	PAGE_SNAPPY = 0x04,
	PAGE_ZSTD = 0x20,
};

/* "zlib", "raw", ... */
const char *page_codec_name(unsigned int codec);

/* The library behind the zlib streams, with its version where it tells. */
const char *compress_library(void);

/* Is the codec in this build? */
bool page_codec_built(unsigned int codec);

/* One thread at a time uses a packer. */
struct packer;
struct error *packer_create(enum page_codec codec, struct packer **ret) MUST_CHECK;
void packer_destroy(struct packer *packer);

/*
 * Packs one page into `to`, which has room for a page and packer_slack().
 * Returns the packed size, or 0 when it would not be smaller than the page:
 * the page is then stored raw.
 */
size_t packer_pack(struct packer *packer, const void *page, size_t size, void *to);

/* What lzo and snappy may write beyond the page's size while they try. */
size_t packer_slack(size_t size);

struct unpacker;
struct error *unpacker_create(struct unpacker **ret) MUST_CHECK;
void unpacker_destroy(struct unpacker *unpacker);

/* Unpacks to exactly page_size bytes; anything else is ERROR_FORMAT, a codec
 * that is not in this build ERROR_UNSUPPORTED. */
struct error *unpacker_unpack(struct unpacker *unpacker, unsigned int codec,
			      const void *from, size_t size, void *page,
			      size_t page_size) MUST_CHECK;

#endif

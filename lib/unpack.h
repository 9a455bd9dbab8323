/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * One compressed stream into memory, with limits.
 */
#ifndef LIB_UNPACK_H
#define LIB_UNPACK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "lib/error.h"
#include "lib/file.h"

enum codec {
	CODEC_NONE,
	CODEC_GZIP,
	CODEC_XZ,   /* .xz container */
	CODEC_LZMA, /* the older .lzma ("alone") container */
	CODEC_ZSTD,
	CODEC_LZ4,        /* the frame format */
	CODEC_LZ4_LEGACY, /* `lz4 -l`: what the kernel's build uses */
	CODEC_LZO,        /* the lzop container */
	CODEC_BZIP2,
};

/* "gzip", "xz", ...; "none". */
const char *codec_name(enum codec codec);

/* Whether this build has the library for it. */
bool codec_available(enum codec codec);

/* What the first bytes say; CODEC_NONE when they say nothing. */
enum codec codec_detect(const uint8_t *data, size_t size);

/* Sizes beyond this are refused: no kernel image comes near it. */
#define UNPACK_LIMIT_IMAGE ((size_t)512 << 20)

/*
 * Unpack the one stream at the start of `in`. Bytes after its end are
 * allowed and ignored. expected_size is a hint for the first allocation (0:
 * unknown), never trusted beyond limit. More than limit bytes of output is
 * ERROR_LIMIT; a damaged or truncated stream ERROR_FORMAT that says how far
 * it got. name and offset (of the stream in that file) are for messages.
 * The zstd window may be up to 128 MiB (the kernel packs at --ultra -22).
 */
struct error *unpack(enum codec codec, const uint8_t *in, size_t in_size,
		     size_t expected_size, size_t limit, const char *name,
		     uint64_t offset, struct blob *ret) MUST_CHECK;

#endif

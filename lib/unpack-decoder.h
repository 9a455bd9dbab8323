/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The contract between unpack(), unpack_file() and the decoders. Only lib/unpack*.c include
 * this.
 */
#ifndef LIB_UNPACK_DECODER_H
#define LIB_UNPACK_DECODER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "lib/error.h"
#include "lib/unpack.h"

enum step {
	STEP_MORE, /* call again: there may be more to take or to give */
	STEP_END,  /* the stream is whole; what follows is not part of it */
	STEP_BAD,  /* damaged, or beyond what the library can do */
	STEP_NOMEM,
};

/* Input not yet taken, output room not yet filled; a step moves both on. A
 * step that moves neither and says STEP_MORE lacks input. */
struct flow {
	const uint8_t *in;
	size_t in_left;
	uint8_t *out;
	size_t out_left;
};

struct decoder {
	struct error *(*open)(void **ret_state);
	/* *ret_why, for STEP_BAD: a few words, static. */
	enum step (*step)(void *state, struct flow *flow, const char **ret_why);
	void (*close)(void *state);

	/*
	 * Optional, both or none: all of the stream at once, without a window
	 * beside the output. whole_size: where the stream ends, and how long it
	 * says its content is (0: it does not say); false when it is not whole.
	 * whole: unpacks it into room bytes, *ret_size of which it fills.
	 */
	bool (*whole_size)(const uint8_t *in, size_t in_size, size_t *ret_in,
			   uint64_t *ret_out);
	enum step (*whole)(void *state, const uint8_t *in, size_t in_size, uint8_t *out,
			   size_t room, size_t *ret_size, const char **ret_why);
};

/* NULL when it is not in this build. */
const struct decoder *codec_decoder(enum codec codec);

/* Streams a library decodes as they come: unpack-stream.c. */
extern const struct decoder decoder_gzip, decoder_xz, decoder_lzma, decoder_zstd;
extern const struct decoder decoder_bzip2, decoder_lz4_frame;

/* Containers of blocks that are decoded one at a time: unpack-block.c. */
extern const struct decoder decoder_lz4_legacy, decoder_lzop;

#endif

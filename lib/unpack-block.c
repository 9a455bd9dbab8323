/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Containers whose blocks are decoded whole: the legacy lz4 frame and lzop
 * files. The libraries decode the blocks; the containers, which they know
 * nothing of, are read here through the bounds-checked reader.
 */
#include <stdlib.h>
#include <string.h>

#include "config.h"
#include "lib/bytes.h"
#include "lib/file.h"
#include "lib/unpack-decoder.h"

#ifdef HAVE_LZ4
#include <lz4.h>
#endif
#ifdef HAVE_LZO
#include <lzo/lzo1x.h>
#endif

#if defined(HAVE_LZ4) || defined(HAVE_LZO)
/* The decoded block that waits to be handed out. */
struct blocks {
	uint8_t *block;
	size_t room;
	size_t used;
	size_t given;
	uint64_t total;     /* decoded so far, all blocks */
	bool header_done;
	uint32_t flags;     /* lzop's header flags */
};

static struct error *blocks_open(size_t room, void **ret_state)
{
	struct blocks *blocks = calloc(1, sizeof(*blocks));

	if (blocks)
		blocks->block = malloc(room);
	if (!blocks || !blocks->block) {
		free(blocks);
		return error_nomem();
	}
	blocks->room = room;
	*ret_state = blocks;
	return NULL;
}

static void blocks_close(void *state)
{
	struct blocks *blocks = state;

	free(blocks->block);
	free(blocks);
}

/* True while a decoded block is not handed out in full. */
static bool hand_out(struct blocks *blocks, struct flow *flow)
{
	size_t len = blocks->used - blocks->given;

	if (!len)
		return false;
	if (len > flow->out_left)
		len = flow->out_left;
	memcpy(flow->out, blocks->block + blocks->given, len);
	flow->out += len;
	flow->out_left -= len;
	blocks->given += len;
	return true;
}

static void took(struct flow *flow, size_t len)
{
	flow->in += len;
	flow->in_left -= len;
}

static void decoded(struct blocks *blocks, size_t len)
{
	blocks->used = len;
	blocks->given = 0;
	blocks->total += len;
}
#endif

#ifdef HAVE_LZ4
/* lz4's doc/lz4_Frame_format.md, "Legacy frame": a magic, then blocks of a
 * 32-bit packed size and data that unpacks to at most 8 MiB. */
#define LZ4_LEGACY_BLOCK ((size_t)8 << 20)

static struct error *lz4_legacy_open(void **ret_state)
{
	return blocks_open(LZ4_LEGACY_BLOCK, ret_state);
}

static enum step lz4_legacy_step(void *state, struct flow *flow, const char **ret_why)
{
	struct blocks *blocks = state;
	const uint8_t *packed;
	struct reader r;
	uint32_t size;
	int len;

	if (hand_out(blocks, flow))
		return STEP_MORE;
	if (!blocks->header_done) {
		if (flow->in_left < 4)
			return STEP_MORE;
		took(flow, 4);
		blocks->header_done = true;
	}
	/* The frame has no end mark: it ends with the file. The kernel's build
	 * appends the unpacked size, which reads like one more block size. */
	if (blocks->total && flow->in_left < 4)
		return STEP_END;
	reader_init(&r, flow->in, flow->in_left, 0, "");
	size = reader_u32(&r);
	if (blocks->total && (size == blocks->total ||
			      size > (uint32_t)LZ4_compressBound(LZ4_LEGACY_BLOCK)))
		return STEP_END;
	packed = reader_bytes(&r, size);
	if (!packed)
		return STEP_MORE;
	len = LZ4_decompress_safe((const char *)packed, (char *)blocks->block, size,
				  blocks->room);
	if (len <= 0) {
		*ret_why = "damaged data";
		return STEP_BAD;
	}
	took(flow, r.pos);
	decoded(blocks, len);
	return STEP_MORE;
}

const struct decoder decoder_lz4_legacy = {
	.open = lz4_legacy_open, .step = lz4_legacy_step, .close = blocks_close,
};
#endif

#ifdef HAVE_LZO
/* The lzop container, as lib/decompress_unlzo.c of the kernel and lzop's own
 * documentation describe it. All numbers are big endian. */
#define LZOP_BLOCK_MAX     ((size_t)64 << 20)
#define LZOP_FILTER        0x0800
#define LZOP_EXTRA         0x0040
#define LZOP_ADLER_PLAIN   0x0001
#define LZOP_ADLER_PACKED  0x0002
#define LZOP_CRC_PLAIN     0x0100
#define LZOP_CRC_PACKED    0x0200

static struct error *lzop_open(void **ret_state)
{
	if (lzo_init() != LZO_E_OK)
		return error_new(ERROR_UNSUPPORTED, "lzo refuses to start");
	return blocks_open((size_t)256 << 10, ret_state);
}

/* Magic to header checksum. */
static enum step lzop_header(struct blocks *blocks, struct flow *flow,
			     const char **ret_why)
{
	uint16_t version, needed = 0x900;
	struct reader r;
	uint8_t method;

	reader_init(&r, flow->in, flow->in_left, 0, "");
	r.big_endian = true;
	reader_skip(&r, 9);
	version = reader_u16(&r);
	reader_skip(&r, 2); /* library version */
	if (version >= 0x940)
		needed = reader_u16(&r);
	method = reader_u8(&r);
	if (version >= 0x940)
		reader_skip(&r, 1); /* level */
	blocks->flags = reader_u32(&r);
	if (blocks->flags & LZOP_FILTER)
		reader_skip(&r, 4);
	reader_skip(&r, 8); /* mode, low half of the time */
	if (version >= 0x940)
		reader_skip(&r, 4);
	reader_skip(&r, reader_u8(&r)); /* file name */
	reader_skip(&r, 4);             /* header checksum */
	if (blocks->flags & LZOP_EXTRA) {
		reader_skip(&r, reader_u32(&r));
		reader_skip(&r, 4);
	}
	if (r.overrun)
		return STEP_MORE;
	if (method < 1 || method > 3 || needed > 0x1040) {
		*ret_why = "a method or version of lzop that is not known";
		return STEP_BAD;
	}
	took(flow, r.pos);
	blocks->header_done = true;
	return STEP_MORE;
}

static enum step lzop_step(void *state, struct flow *flow, const char **ret_why)
{
	struct blocks *blocks = state;
	uint32_t plain_size, packed_size, plain_adler = 0, plain_crc = 0;
	const uint8_t *packed;
	struct reader r;
	lzo_uint len;

	if (hand_out(blocks, flow))
		return STEP_MORE;
	if (!blocks->header_done)
		return lzop_header(blocks, flow, ret_why);

	reader_init(&r, flow->in, flow->in_left, 0, "");
	r.big_endian = true;
	plain_size = reader_u32(&r);
	if (!r.overrun && !plain_size) {
		took(flow, r.pos);
		return STEP_END;
	}
	packed_size = reader_u32(&r);
	if (!r.overrun && (plain_size > LZOP_BLOCK_MAX || packed_size > plain_size)) {
		*ret_why = "a block larger than lzop makes them";
		return STEP_BAD;
	}
	if (blocks->flags & LZOP_ADLER_PLAIN)
		plain_adler = reader_u32(&r);
	if (blocks->flags & LZOP_CRC_PLAIN)
		plain_crc = reader_u32(&r);
	/* The sums of the packed data are there only if it is packed; those of
	 * the plain data say as much. */
	if (packed_size < plain_size && blocks->flags & LZOP_ADLER_PACKED)
		reader_skip(&r, 4);
	if (packed_size < plain_size && blocks->flags & LZOP_CRC_PACKED)
		reader_skip(&r, 4);
	packed = reader_bytes(&r, packed_size);
	if (!packed)
		return STEP_MORE;
	if (plain_size > blocks->room) {
		uint8_t *grown = realloc(blocks->block, plain_size);

		if (!grown)
			return STEP_NOMEM;
		blocks->block = grown;
		blocks->room = plain_size;
	}
	len = plain_size;
	if (packed_size == plain_size) {
		memcpy(blocks->block, packed, plain_size);
	} else if (lzo1x_decompress_safe(packed, packed_size, blocks->block, &len,
					 NULL) != LZO_E_OK || len != plain_size) {
		*ret_why = "damaged data";
		return STEP_BAD;
	}
	if ((blocks->flags & LZOP_ADLER_PLAIN &&
	     lzo_adler32(1, blocks->block, len) != plain_adler) ||
	    (blocks->flags & LZOP_CRC_PLAIN &&
	     lzo_crc32(0, blocks->block, len) != plain_crc)) {
		*ret_why = "checksum does not match";
		return STEP_BAD;
	}
	took(flow, r.pos);
	decoded(blocks, len);
	return STEP_MORE;
}

const struct decoder decoder_lzop = {
	.open = lzop_open, .step = lzop_step, .close = blocks_close,
};
#endif

/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Memory and nothing else: QEMU's pmemsave, the file of a memory backend. What
 * lies where has to be said.
 */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "lib/loongarch.h"
#include "lib/units.h"
#include "makedumpfile-glue/source/stream.h"

#define PLACE_VIRT "virt"

/* Cuts FILE@PLACE; false when it is no such thing, or a file of that name is
 * there. *ret_path is for free(). */
static bool cut_place(const char *said, char **ret_path, const char **ret_place)
{
	const char *at = strrchr(said, '@');

	if (!at || at == said || access(said, F_OK) == 0)
		return false;
	*ret_path = strndup(said, at - said);
	*ret_place = at + 1;
	return *ret_path;
}

static int compare_pieces(const void *a, const void *b)
{
	const struct ram_piece *x = a, *y = b;

	return x->phys < y->phys ? -1 : x->phys > y->phys;
}

/* A file at an address; the pieces are in the order they were given. */
static struct error *add_file(struct stream *s, const char *said)
{
	struct ram_piece *grown, *piece;
	char *path cleanup_free = NULL;
	struct ram_block *block;
	const char *place;
	struct error *err;
	uint64_t phys;

	if (!cut_place(said, &path, &place))
		return error_remedy(error_new(ERROR_USAGE, "--ram %s: no FILE@ADDRESS", said),
				    "say the physical address of its first byte");
	if (!parse_size(place, &phys) || !is_aligned(phys, GUEST_PAGE) ||
	    phys > LOONGARCH_PHYS_MASK)
		return error_new(ERROR_USAGE, "%s: %s is no physical address of a page", said,
				 place);
	/* The name is what was said: one file may hold several stretches. */
	err = guest_ram_add(&s->ram, said, 0, &block);
	if (!err)
		err = outside_open(block, path);
	if (!err && block->size > LOONGARCH_PHYS_MASK + 1 - phys)
		err = error_new(ERROR_USAGE, "%s: beyond the 48 bits of loongarch64", said);
	if (err)
		return err;
	grown = reallocarray(s->ram.pieces, s->ram.piece_count + 1, sizeof(*grown));
	if (!grown)
		return error_nomem();
	s->ram.pieces = grown;
	piece = &grown[s->ram.piece_count++];
	*piece = (struct ram_piece){ phys, block->size, s->ram.block_count - 1, 0 };
	s->source.promised += piece->size;
	return extents_add(&s->source.memory, phys, phys + piece->size);
}

static struct error *order_pieces(struct stream *s)
{
	struct ram_piece *piece = s->ram.pieces;
	size_t i;

	qsort(piece, s->ram.piece_count, sizeof(*piece), compare_pieces);
	for (i = 1; i < s->ram.piece_count; i++)
		if (piece[i - 1].phys + piece[i - 1].size > piece[i].phys)
			return error_new(ERROR_USAGE, "%s and %s overlap",
					 s->ram.blocks[piece[i - 1].block].name,
					 s->ram.blocks[piece[i].block].name);
	extents_normalize(&s->source.memory);
	return NULL;
}

struct error *raw_open(const char *first, const char *const *others, size_t count,
		       struct source **ret)
{
	char *path cleanup_free = NULL;
	struct ram_block *block;
	struct error *err = NULL;
	const char *place;
	struct stream *s;
	bool virt;
	size_t i;

	if (!cut_place(first, &path, &place))
		return error_new(ERROR_NOT_MINE, "%s: no FILE@ADDRESS", first);
	virt = !strcmp(place, PLACE_VIRT);
	s = stream_create(virt ? &source_raw_virt : &source_raw, first);
	if (!s)
		return error_nomem();
	if (virt && count)
		err = error_new(ERROR_USAGE, "%s is all of the RAM; --ram %s has no place", first,
				others[0]);
	else if (virt)
		err = guest_ram_add(&s->ram, "ram", 0, &block);
	else
		err = add_file(s, first);
	if (!err && virt)
		err = outside_open(block, path);
	if (!err && virt)
		err = stream_lay_out(&s->source, 0);
	for (i = 0; i < count && !err; i++)
		err = add_file(s, others[i]);
	if (!err && !virt)
		err = order_pieces(s);
	if (err) {
		stream_close(&s->source);
		return err;
	}
	*ret = &s->source;
	return NULL;
}

const struct source_ops source_raw = {
	.format = "raw memory",
	.reads_in_parallel = true,
	.read = stream_read,
	.next_data = stream_next_data,
	.close = stream_close,
};

const struct source_ops source_raw_virt = {
	.format = "raw memory of a QEMU guest",
	.reads_in_parallel = true,
	.read = stream_read,
	.next_data = stream_next_data,
	.lay_out = stream_lay_out,
	.testify = stream_testify,
	.settle = stream_settle,
	.close = stream_close,
};

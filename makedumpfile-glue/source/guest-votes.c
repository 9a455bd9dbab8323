/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Where blocks of RAM lie, by what the memory in them says of its own address. Of
 * each block the difference between such an address and the offset in the block is
 * one number wherever it is asked, but for a step where RAM goes on behind 256 MiB.
 * Few may be wrong: memory that was once read or copied from elsewhere.
 */
#include <stdlib.h>
#include <string.h>

#include "lib/bytes.h"
#include "lib/loongarch.h"
#include "makedumpfile-glue/source/guest-ram.h"

/* A block lies in two pieces at most. */
#define PIECES 2

/* Differences kept of a piece, those said most. */
#define SHIFTS 16
/* So often one has to be said to count, and so often is enough. */
#define VOTES_MIN    8
#define VOTES_ENOUGH 128

/* More blocks than any machine has slots and nodes for. */
#define BLOCKS_MAX 512

struct ram_votes {
	struct {
		uint64_t shift;
		uint64_t count;
	} of[PIECES][SHIFTS];
	uint64_t total[PIECES];
};

/* A place for what is new is made by taking one from each of the others. */
static uint64_t count_vote(struct ram_votes *votes, size_t piece, uint64_t shift)
{
	size_t i, empty = SHIFTS;

	votes->total[piece]++;
	for (i = 0; i < SHIFTS; i++) {
		if (votes->of[piece][i].count && votes->of[piece][i].shift == shift)
			return ++votes->of[piece][i].count;
		if (!votes->of[piece][i].count)
			empty = i;
	}
	if (empty < SHIFTS) {
		votes->of[piece][empty].shift = shift;
		return votes->of[piece][empty].count = 1;
	}
	for (i = 0; i < SHIFTS; i++)
		votes->of[piece][i].count--;
	return 0;
}

struct error *guest_ram_testify(struct guest_ram *ram, uint64_t phys, uint64_t said,
				uint64_t *ret_next)
{
	const size_t i = guest_ram_piece(ram, phys);
	const struct ram_piece *piece = &ram->pieces[i];

	*ret_next = phys;
	if (i == ram->piece_count || piece->phys > phys)
		return NULL;
	if (!ram->votes)
		ram->votes = calloc(ram->block_count, sizeof(*ram->votes));
	if (!ram->votes)
		return error_nomem();
	if (count_vote(&ram->votes[piece->block], piece->offset != 0,
		       said - (phys - piece->phys + piece->offset)) >= VOTES_ENOUGH)
		*ret_next = piece->phys + piece->size;
	return NULL;
}

static uint64_t votes_for(const struct guest_ram *ram, const struct ram_block *block,
			  uint64_t shift)
{
	const struct ram_votes *votes = &ram->votes[block - ram->blocks];
	uint64_t count = 0;
	size_t p, i;

	for (p = 0; p < PIECES; p++)
		for (i = 0; i < SHIFTS; i++)
			if (votes->of[p][i].shift == shift)
				count += votes->of[p][i].count;
	return count;
}

/* What most of a piece says, if that is an address from `from` on, which is *ret. */
static uint64_t most_votes(const struct guest_ram *ram, const struct ram_block *block,
			   uint64_t from, uint64_t *ret)
{
	const struct ram_votes *votes = &ram->votes[block - ram->blocks];
	uint64_t most = 0;
	size_t p, i;

	for (p = 0; p < PIECES; p++)
		for (i = 0; i < SHIFTS; i++) {
			const uint64_t shift = votes->of[p][i].shift;

			if (votes->of[p][i].count <= most || shift < from ||
			    votes->of[p][i].count <= votes->total[p] / 2 ||
			    shift > LOONGARCH_PHYS_MASK + 1 - block->size ||
			    !is_aligned(shift, GUEST_PAGE))
				continue;
			most = votes->of[p][i].count;
			*ret = shift;
		}
	return most;
}

static bool says_anything(const struct guest_ram *ram, const struct ram_block *block)
{
	uint64_t shift;

	return most_votes(ram, block, 0, &shift) >= VOTES_MIN;
}

/* For the block to follow what fills the machine's RAM up to `at`. */
static uint64_t votes_to_follow(const struct guest_ram *ram, const struct ram_block *block,
				uint64_t at, uint64_t high)
{
	uint64_t votes = 0;

	if (at < GUEST_LOW_SIZE)
		votes = votes_for(ram, block, at);
	if (at + block->size > GUEST_LOW_SIZE)
		votes += votes_for(ram, block, at + high - GUEST_LOW_SIZE);
	return votes;
}

/* One way that all could lie. */
struct plan {
	size_t rank[BLOCKS_MAX];   /* of order[i]; SIZE_MAX: plugged in */
	uint64_t base[BLOCKS_MAX]; /* 0: not known */
	size_t own;                /* blocks that are not plugged in */
	uint64_t votes;            /* for it */
};

static void make_plan(const struct guest_ram *ram, struct ram_block *const *order,
		      size_t count, uint64_t high, struct plan *plan)
{
	uint64_t at = 0, end;
	size_t taken, i;
	int kind = -1;

	plan->votes = 0;
	for (i = 0; i < count; i++) {
		plan->rank[i] = SIZE_MAX;
		plan->base[i] = 0;
	}
	for (taken = 0; taken < count; taken++) {
		uint64_t most = VOTES_MIN - 1;
		size_t best = count, silent = count;

		for (i = 0; i < count; i++) {
			uint64_t votes;

			if (plan->rank[i] != SIZE_MAX || order[i]->has_base)
				continue;
			votes = votes_to_follow(ram, order[i], at, high);
			if (votes > most) {
				most = votes;
				best = i;
			} else if (silent == count && !says_anything(ram, order[i]) &&
				   (kind < 0 || guest_ram_plugged(order[i]) == kind)) {
				silent = i;
			}
		}
		if (best < count)
			plan->votes += most;
		else if (silent < count)
			best = silent;
		else
			break;
		if (kind < 0)
			kind = guest_ram_plugged(order[best]);
		plan->rank[best] = taken;
		at += order[best]->size;
	}
	/* DIMMs alone are no machine. */
	plan->own = taken;
	if (!taken)
		return;
	end = at > GUEST_LOW_SIZE ? high + at - GUEST_LOW_SIZE : high;
	for (i = 0; i < count; i++) {
		uint64_t votes = 0;

		if (plan->rank[i] == SIZE_MAX && !order[i]->has_base)
			votes = most_votes(ram, order[i], end, &plan->base[i]);
		if (votes < VOTES_MIN)
			plan->base[i] = 0;
		else
			plan->votes += votes;
	}
}

/* Names tell which blocks the machine began with, if all but one have such a name. */
static const struct ram_block *find_doubt(const struct guest_ram *ram,
					  struct ram_block *const *order, size_t count)
{
	const struct ram_block *silent = NULL, *first = order[0];
	size_t unknown = 0, i;

	for (i = 0; i < count; i++) {
		if (!order[i]->rank)
			first = order[i];
		if (order[i]->has_base || order[i]->has_place || order[i]->empty ||
		    !guest_ram_plugged(order[i]) || says_anything(ram, order[i]))
			continue;
		silent = order[i];
		unknown++;
	}
	if (unknown > 1 || (unknown && silent != first &&
			    guest_ram_plugged(silent) == guest_ram_plugged(first)))
		return silent;
	return NULL;
}

static void follow(struct guest_ram *ram, struct ram_block **order, size_t count,
		   const struct plan *plan)
{
	size_t i;

	for (i = 0; i < count; i++) {
		order[i]->rank = plan->rank[i];
		if (!plan->base[i] ||
		    guest_ram_based(ram, plan->base[i], order[i]->size, order[i]))
			continue;
		order[i]->has_base = true;
		order[i]->base = plan->base[i];
	}
	ram->ranked = true;
}

struct error *guest_ram_settle(struct guest_ram *ram, const struct ram_block **ret_doubt)
{
	struct ram_block *order[BLOCKS_MAX];
	struct plan *plans;
	size_t count = 0, i, best;

	*ret_doubt = NULL;
	for (i = 0; i < ram->block_count; i++) {
		if (!ram->blocks[i].is_ram)
			continue;
		if (count == BLOCKS_MAX)
			return NULL;
		order[count++] = &ram->blocks[i];
	}
	if (!ram->votes)
		ram->votes = calloc(ram->block_count + 1, sizeof(*ram->votes));
	plans = calloc(GUEST_LAYOUTS, sizeof(*plans));
	if (!ram->votes || !plans) {
		free(plans);
		return error_nomem();
	}
	qsort(order, count, sizeof(*order), guest_ram_compare);
	for (i = 0, best = 0; i < GUEST_LAYOUTS; i++) {
		make_plan(ram, order, count, guest_high_base[i], &plans[i]);
		if (plans[i].votes > plans[best].votes)
			best = i;
	}
	for (i = 0; i < GUEST_LAYOUTS; i++)
		if (plans[i].votes + VOTES_MIN <= plans[best].votes)
			ram->high_base = guest_high_base[best];
	if (plans[best].own) {
		follow(ram, order, count, &plans[best]);
		*ret_doubt = find_doubt(ram, order, count);
	}
	free(plans);
	return NULL;
}

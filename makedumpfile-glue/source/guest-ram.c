/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "makedumpfile-glue/source/guest-ram.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "lib/bytes.h"
#include "lib/loongarch.h"

/* QEMU's memory backends are aligned so, and DIMMs with them. */
#define DIMM_ALIGN ((uint64_t)2 << 20)

const uint64_t guest_high_base[GUEST_LAYOUTS] = { 0x80000000, 0x90000000 };

/* What has a RAM block without being the machine's memory: flash, ROMs and
 * tables by their names, a device's memory by the path of the device. */
static bool names_ram(const char *name)
{
	static const char *const others[] = { "virt.flash", "loongarch.bios" /* before 9.0 */,
					      "/rom@", "system.flash", "vga." };
	size_t len = strlen(name), i;

	for (i = 0; i < sizeof(others) / sizeof(others[0]); i++)
		if (!strncmp(name, others[i], strlen(others[i])))
			return false;
	if (len > 4 && (!strcmp(name + len - 4, ".rom") || !strcmp(name + len - 4, ".bar")))
		return false;
	/* "0000:00:01.0/virtio-gpu..."; backends of libvirt are "/objects/NAME". */
	return !strchr(name, '/') || !strncmp(name, "/objects/", 9);
}

struct error *guest_ram_add(struct guest_ram *ram, const char *name, uint64_t size,
			    struct ram_block **ret)
{
	struct ram_block *grown;
	uint64_t pages = (size + GUEST_PAGE - 1) >> GUEST_PAGE_SHIFT;

	if (size > GUEST_RAM_MAX || ram->page_count + pages > GUEST_RAM_MAX >> GUEST_PAGE_SHIFT)
		return error_new(ERROR_LIMIT, "RAM block '%s' of 0x%" PRIx64 " bytes: no guest "
				 "is that large", name, size);
	if (ram->block_count == GUEST_BLOCKS_MAX)
		return error_new(ERROR_LIMIT, "more than %d RAM blocks", GUEST_BLOCKS_MAX);
	if (guest_ram_find(ram, name))
		return error_new(ERROR_FORMAT, "RAM block '%s' is there twice", name);
	grown = reallocarray(ram->blocks, ram->block_count + 1, sizeof(*grown));
	if (!grown)
		return error_nomem();
	ram->blocks = grown;
	*ret = &grown[ram->block_count++];
	**ret = (struct ram_block){ .size = size, .is_ram = names_ram(name),
				    .first = ram->page_count, .fd = -1 };
	strncpy((*ret)->name, name, GUEST_NAME_SIZE - 1);
	ram->page_count += pages;
	return NULL;
}

struct ram_block *guest_ram_find(const struct guest_ram *ram, const char *name)
{
	size_t i;

	for (i = 0; i < ram->block_count; i++)
		if (!strcmp(ram->blocks[i].name, name))
			return &ram->blocks[i];
	return NULL;
}

void guest_ram_deinit(struct guest_ram *ram)
{
	size_t i;

	for (i = 0; i < ram->block_count; i++) {
		if (ram->blocks[i].fd >= 0)
			close(ram->blocks[i].fd);
		free(ram->blocks[i].path);
	}
	free(ram->blocks);
	free(ram->pieces);
	free(ram->votes);
	*ram = (struct guest_ram){ 0 };
}

/* What the machine began with, and what was plugged into it: DIMMs lie behind all
 * the rest. libvirt calls its backends "ram-node0" and "memdimm0"; QEMU its own
 * "loongarch.ram"; a user's names may be any. */
int guest_ram_plugged(const struct ram_block *block)
{
	static const char own[] = ".ram";
	const char *name = block->name, *slash = strrchr(name, '/');
	size_t len;

	if (slash)
		name = slash + 1;
	len = strlen(name);
	if (strstr(name, "dimm"))
		return 2;
	return !(len >= sizeof(own) && !strcmp(name + len - sizeof(own) + 1, own)) &&
	       strncmp(name, "ram-node", 8) != 0;
}

/* The stream orders blocks by size. The machine puts the backends of its NUMA
 * nodes one after the other; their names count, "ram-node10" after "ram-node9". */
int guest_ram_compare(const void *a, const void *b)
{
	const struct ram_block *const *x = a, *const *y = b;
	const int p = guest_ram_plugged(*x), q = guest_ram_plugged(*y);

	if (p != q)
		return p - q;
	if ((*x)->has_place && (*y)->has_place && (*x)->place != (*y)->place)
		return (*x)->place < (*y)->place ? -1 : 1;
	return strverscmp((*x)->name, (*y)->name);
}

/* As memory itself has it; what it does not speak of lies behind. */
static int compare_ranks(const void *a, const void *b)
{
	const struct ram_block *const *x = a, *const *y = b;

	if ((*x)->rank != (*y)->rank)
		return (*x)->rank < (*y)->rank ? -1 : 1;
	return guest_ram_compare(a, b);
}

static int compare_pieces(const void *a, const void *b)
{
	const struct ram_piece *x = a, *y = b;

	return x->phys < y->phys ? -1 : x->phys > y->phys;
}

const struct ram_block *guest_ram_based(const struct guest_ram *ram, uint64_t start,
					uint64_t size, const struct ram_block *except)
{
	size_t i;

	for (i = 0; i < ram->block_count; i++) {
		const struct ram_block *block = &ram->blocks[i];

		if (block->is_ram && block->has_base && block != except &&
		    start < block->base + block->size && block->base < start + size)
			return block;
	}
	return NULL;
}

static void add_piece(struct guest_ram *ram, uint64_t phys, uint64_t size, size_t block,
		      uint64_t offset)
{
	if (size)
		ram->pieces[ram->piece_count++] =
			(struct ram_piece){ phys, size, block, offset };
}

/* Where a DIMM would come that nothing is known of: in the first place behind the
 * machine's own memory that is free. */
static uint64_t first_free(const struct guest_ram *ram, const struct ram_block *dimm,
			   uint64_t phys)
{
	const struct ram_block *other;

	for (;;) {
		phys = align_up(phys, DIMM_ALIGN);
		other = guest_ram_based(ram, phys, dimm->size, dimm);
		if (!other)
			return phys;
		phys = other->base + other->size;
	}
}

/* Blocks that follow each other, and behind them those that were plugged in.
 * How far they reach, without the gap at 256 MiB. */
static uint64_t place_blocks(struct guest_ram *ram, struct ram_block **order, size_t count,
			     uint64_t high)
{
	const uint64_t split = GUEST_LOW_SIZE;
	uint64_t at = 0, low, phys;
	size_t i;

	for (i = 0; i < count; i++) {
		const struct ram_block *block = order[i];
		const size_t index = block - ram->blocks;
		const bool behind = ram->ranked ? block->rank == SIZE_MAX :
				    guest_ram_plugged(block) > guest_ram_plugged(order[0]);

		if (block->has_base) {
			add_piece(ram, block->base, block->size, index, 0);
			continue;
		}
		if (behind) {
			phys = first_free(ram, block, high + (at < split ? 0 : at - split));
			add_piece(ram, phys, block->size, index, 0);
			at = phys + block->size - high + split;
			continue;
		}
		low = at >= split ? 0 : block->size < split - at ? block->size : split - at;
		add_piece(ram, at, low, index, 0);
		add_piece(ram, high + at + low - split, block->size - low, index, low);
		at += block->size;
	}
	return at;
}

/* A base that cannot be right: what it is of lies on something else. */
static bool pieces_overlap(const struct guest_ram *ram)
{
	size_t i;

	for (i = 1; i < ram->piece_count; i++)
		if (ram->pieces[i - 1].phys + ram->pieces[i - 1].size > ram->pieces[i].phys)
			return true;
	return false;
}

struct error *guest_ram_lay_out(struct guest_ram *ram, size_t layout,
				uint64_t *ret_promised, size_t *ret_layouts)
{
	struct ram_block **order = calloc(ram->block_count + 1, sizeof(*order));
	const uint64_t high = ram->high_base ? ram->high_base : guest_high_base[layout];
	uint64_t end;
	size_t count = 0, i;

	free(ram->pieces);
	ram->pieces = calloc(2 * ram->block_count + 1, sizeof(*ram->pieces));
	if (!order || !ram->pieces) {
		free(order);
		return error_nomem();
	}
	*ret_promised = 0;
	for (i = 0; i < ram->block_count; i++) {
		if (!ram->blocks[i].is_ram)
			continue;
		order[count++] = &ram->blocks[i];
		*ret_promised += ram->blocks[i].size;
	}
	qsort(order, count, sizeof(*order), ram->ranked ? compare_ranks : guest_ram_compare);
	for (;;) {
		ram->piece_count = 0;
		end = place_blocks(ram, order, count, high);
		qsort(ram->pieces, ram->piece_count, sizeof(*ram->pieces), compare_pieces);
		if (!pieces_overlap(ram))
			break;
		/* Without any base nothing overlaps. */
		for (i = 0; i < count; i++)
			order[i]->has_base = false;
	}
	free(order);
	*ret_layouts = end > GUEST_LOW_SIZE && !ram->high_base ? GUEST_LAYOUTS : 1;
	return NULL;
}

size_t guest_ram_piece(const struct guest_ram *ram, uint64_t phys)
{
	size_t low = 0, high = ram->piece_count;

	while (low < high) {
		size_t middle = low + (high - low) / 2;

		if (ram->pieces[middle].phys + ram->pieces[middle].size <= phys)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

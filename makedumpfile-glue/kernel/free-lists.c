/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A list is believed when each entry points back to the one before: then it
 * cannot run in circles without passing its head, and nothing has to be
 * remembered. Each entry must be the list entry of a struct page, whose frame
 * and order suit the list and which nobody uses.
 */
#include "makedumpfile-glue/kernel/free-lists.h"

#include <inttypes.h>
#include <stdlib.h>

#include "lib/bytes.h"

/* Takes 8 MiB; a machine with more is too fragmented to gain much. */
#define BLOCKS_MAX ((size_t)1 << 20)

#define NODES_MAX   1024
#define ZONES_MAX   8  /* enum zone_type has six at most */
#define TYPES_MAX   32 /* of migration */
#define ORDERS_MAX  48
#define STRUCT_SIZE ((uint64_t)1 << 20)

struct walk {
	struct page_map *m;
	struct free_blocks *blocks;
	uint64_t zones, zone_count; /* offsets in struct pglist_data */
	uint64_t zone_size, areas;
	uint64_t area_size, lists;
	uint64_t list_size, next, prev;
	uint64_t orders, types;
	uint64_t lru;               /* offset in struct page */
};

void free_blocks_deinit(struct free_blocks *blocks)
{
	free(blocks->block);
	*blocks = (struct free_blocks){ 0 };
}

static struct error *add_block(struct free_blocks *blocks, uint64_t frame, uint64_t order)
{
	if (blocks->count == blocks->room) {
		size_t room = blocks->room ? 2 * blocks->room : 1024;
		struct free_block *grown;

		if (room > BLOCKS_MAX)
			return error_new(ERROR_LIMIT, "there are more than %zu free blocks",
					 BLOCKS_MAX);
		grown = reallocarray(blocks->block, room, sizeof(*grown));
		if (!grown)
			return error_nomem();
		blocks->block = grown;
		blocks->room = room;
	}
	blocks->block[blocks->count++] = (struct free_block){ frame, order };
	return NULL;
}

/* ---- VMCOREINFO ---- */

static bool offset(const struct walk *w, const char *name, uint64_t *ret)
{
	return vmcoreinfo_offset(w->m->info, name, ret) && *ret < STRUCT_SIZE;
}

static bool size(const struct walk *w, const char *name, uint64_t *ret)
{
	return vmcoreinfo_size(w->m->info, name, ret) && *ret && *ret <= STRUCT_SIZE;
}

static struct error *find_layout(struct walk *w)
{
	const struct vmcoreinfo *info = w->m->info;
	const struct page_layout *l = &w->m->layout;

	if (!offset(w, "pglist_data.node_zones", &w->zones) ||
	    !offset(w, "pglist_data.nr_zones", &w->zone_count) ||
	    !size(w, "zone", &w->zone_size) || !offset(w, "zone.free_area", &w->areas) ||
	    !size(w, "free_area", &w->area_size) ||
	    !offset(w, "free_area.free_list", &w->lists) ||
	    !size(w, "list_head", &w->list_size) ||
	    !offset(w, "list_head.next", &w->next) ||
	    !offset(w, "list_head.prev", &w->prev) || !offset(w, "page.lru", &w->lru) ||
	    !vmcoreinfo_length(info, "zone.free_area", &w->orders) ||
	    !vmcoreinfo_length(info, "free_area.free_list", &w->types))
		return error_new(ERROR_FORMAT,
				 "it does not describe the zones' lists of free blocks");
	if (w->list_size != 16 || w->next + w->prev != 8 || w->next % 8 ||
	    w->lru % 8 || w->lru + w->list_size > l->size || !w->orders ||
	    w->orders > ORDERS_MAX || !w->types || w->types > TYPES_MAX ||
	    w->lists + w->types * w->list_size > w->area_size ||
	    w->areas + w->orders * w->area_size > w->zone_size)
		return error_new(ERROR_FORMAT, "it contradicts itself about the zones' lists "
				 "of free blocks");
	return NULL;
}

/* ---- Lists ---- */

/* The frame whose struct page is at virt. */
static bool frame_at(struct page_map *m, uint64_t virt, uint64_t *ret)
{
	const struct sections *c = &m->sections;
	uint64_t map = c->vmemmap, frame;
	struct error *err;
	uint8_t raw[8];

	if (c->flat) {
		if (!sections_map(c, &m->tables, 0, &map))
			return false;
	} else if (map == UINT64_MAX) {
		/* Then the section's number stands at the top of the flags. */
		if (!c->width || m->layout.flags == ABSENT)
			return false;
		err = tables_read(&m->tables, virt + m->layout.flags, raw, sizeof(raw));
		if (err) {
			error_free(err);
			return false;
		}
		if (!sections_map(c, &m->tables, get_le64(raw) >> (64 - c->width), &map))
			return false;
	}
	frame = (virt - map) / m->layout.size;
	*ret = frame;
	return virt >= map && (virt - map) % m->layout.size == 0 && !(frame >> 52);
}

/* Nobody uses it, and it says the order itself. */
static bool is_free_block(struct page_map *m, const uint8_t *page, uint64_t frame,
			  uint64_t order)
{
	const struct page_layout *l = &m->layout;

	return order < l->order_end && is_aligned(frame, (uint64_t)1 << order) &&
	       !get_le32(page + l->refcount) &&
	       (int32_t)get_le32(page + l->mapcount) < 0 &&
	       get_le64(page + l->private) == order;
}

static struct error *read_u64(struct page_map *m, uint64_t virt, uint64_t *ret)
{
	uint8_t raw[8];
	struct error *err = tables_read(&m->tables, virt, raw, sizeof(raw));

	if (!err)
		*ret = get_le64(raw);
	return err;
}

/* The list of blocks of one order whose head is at `head`. */
static struct error *walk_list(struct walk *w, uint64_t head, uint64_t order)
{
	struct page_map *m = w->m;
	uint8_t page[STRUCT_PAGE_MAX];
	uint64_t at, before = head, last, frame;
	struct error *err = read_u64(m, head + w->next, &at);

	if (!err)
		err = read_u64(m, head + w->prev, &last);
	if (err)
		return err;
	if (!at && !last) /* a zone without memory */
		return NULL;
	while (at != head) {
		if (!frame_at(m, at - w->lru, &frame) || !page_map_read(m, frame, page))
			return error_new(ERROR_FORMAT, "0x%" PRIx64 " in the list of order "
					 "%" PRIu64 " is no struct page", at, order);
		if (get_le64(page + w->lru + w->prev) != before)
			return error_new(ERROR_FORMAT, "the list of order %" PRIu64
					 " runs in circles or is torn at page frame 0x%" PRIx64,
					 order, frame);
		if (!is_free_block(m, page, frame, order))
			return error_new(ERROR_FORMAT, "page frame 0x%" PRIx64 " in the list "
					 "of order %" PRIu64 " is no free block", frame, order);
		err = add_block(w->blocks, frame, order);
		if (err)
			return err;
		before = at;
		at = get_le64(page + w->lru + w->next);
	}
	return before == last ? NULL :
				error_new(ERROR_FORMAT, "the list of order %" PRIu64
					  " does not end where its head says", order);
}

static struct error *walk_zone(struct walk *w, uint64_t zone)
{
	struct error *err = NULL;
	uint64_t order, type;

	for (order = 0; order < w->orders; order++)
		for (type = 0; type < w->types && !err; type++)
			err = walk_list(w, zone + w->areas + order * w->area_size +
						   w->lists + type * w->list_size, order);
	return err;
}

static struct error *walk_node(struct walk *w, uint64_t node)
{
	uint64_t count, i;
	struct error *err = read_u64(w->m, node + w->zone_count, &count);

	if (err)
		return err;
	count &= UINT32_MAX;
	if (!count || count > ZONES_MAX)
		return error_new(ERROR_FORMAT, "a node has %" PRIu64 " zones", count);
	for (i = 0; i < count && !err; i++)
		err = walk_zone(w, node + w->zones + i * w->zone_size);
	return err;
}

/* ---- Nodes ---- */

/* node_data, an array of pointers by the number of the node; node_online_map
 * has a bit for each that is there. */
static struct error *walk_nodes(struct walk *w, uint64_t nodes, uint64_t online)
{
	uint64_t mask_size, mask = 0, node, i, walked = 0;
	struct error *err;

	if (!vmcoreinfo_size(w->m->info, "nodemask_t", &mask_size) || !mask_size ||
	    mask_size % 8 || mask_size > NODES_MAX / 8)
		return error_new(ERROR_FORMAT, "it has no usable SIZE(nodemask_t)");
	for (i = 0; i < 8 * mask_size; i++) {
		if (i % 64 == 0) {
			err = read_u64(w->m, online + i / 8, &mask);
			if (err)
				return err;
		}
		if (!(mask >> i % 64 & 1))
			continue;
		err = read_u64(w->m, nodes + 8 * i, &node);
		if (!err)
			err = walk_node(w, node);
		if (err)
			return error_add(err, "node %" PRIu64, i);
		walked++;
	}
	return walked ? NULL : error_new(ERROR_FORMAT, "no node is online");
}

static int compare_blocks(const void *a, const void *b)
{
	const struct free_block *x = a, *y = b;

	return x->frame < y->frame ? -1 : x->frame > y->frame;
}

static struct error *sort_blocks(struct free_blocks *blocks)
{
	size_t i;

	if (blocks->count)
		qsort(blocks->block, blocks->count, sizeof(*blocks->block), compare_blocks);
	for (i = 1; i < blocks->count; i++) {
		const struct free_block *before = &blocks->block[i - 1];

		if (before->frame + ((uint64_t)1 << before->order) > blocks->block[i].frame)
			return error_new(ERROR_FORMAT, "free blocks overlap at page frame "
					 "0x%" PRIx64, (uint64_t)blocks->block[i].frame);
	}
	return NULL;
}

struct error *free_lists_read(struct page_map *m, struct free_blocks *ret)
{
	struct walk w = { .m = m, .blocks = ret };
	uint64_t node, nodes, online;
	struct error *err;

	*ret = (struct free_blocks){ 0 };
	err = find_layout(&w);
	if (!err) {
		if (vmcoreinfo_symbol(m->info, "contig_page_data", &node))
			err = walk_node(&w, node);
		else if (vmcoreinfo_symbol(m->info, "node_data", &nodes) &&
			 vmcoreinfo_symbol(m->info, "node_online_map", &online))
			err = walk_nodes(&w, nodes, online);
		else
			err = error_new(ERROR_FORMAT, "it has neither SYMBOL(contig_page_data) "
					"nor SYMBOL(node_data) with (node_online_map)");
	}
	if (!err)
		err = sort_blocks(ret);
	if (err)
		free_blocks_deinit(ret);
	return err;
}

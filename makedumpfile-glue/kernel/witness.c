/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "makedumpfile-glue/kernel/witness.h"

#include <stdlib.h>

#include "lib/bytes.h"
#include "lib/loongarch.h"

#define CHUNK_SIZE ((size_t)1 << 20)
/* What moves, moves by whole pages of the smallest size. */
#define IN_PAGE ((uint64_t)4095)

/* *ret_next: where to go on. */
static struct error *look_at(struct source *source, uint64_t phys, const uint8_t *data,
			     size_t size, uint64_t *ret_next)
{
	size_t i;

	*ret_next = phys + size;
	for (i = 0; i + 16 <= size; i += 8) {
		const uint64_t to = get_le64(data + i);
		uint64_t next;
		struct error *err;

		if (to >> 48 != LOONGARCH_WINDOW_CACHED >> 48 ||
		    (to & IN_PAGE) != ((phys + i) & IN_PAGE) || get_le64(data + i + 8) != to)
			continue;
		err = source->ops->testify(source, phys + i, to & LOONGARCH_PHYS_MASK, &next);
		if (err)
			return err;
		if (next > phys + i) {
			*ret_next = next;
			break;
		}
	}
	return NULL;
}

static struct error *look_in(struct source *source, const struct extent *run, uint8_t *room)
{
	uint64_t phys = run->start;

	while (phys < run->end) {
		const uint64_t data = source_next_data(source, phys);
		struct error *err;
		size_t n;

		if (data >= run->end)
			break;
		phys = data & ~IN_PAGE;
		n = run->end - phys < CHUNK_SIZE ? run->end - phys : CHUNK_SIZE;
		err = source_read(source, phys, room, n);
		if (err) {
			/* There are enough others. */
			error_free(err);
			phys += n;
			continue;
		}
		err = look_at(source, phys, room, n, &phys);
		if (err)
			return err;
	}
	return NULL;
}

struct error *witness_settle(struct source *source, char **ret_doubt)
{
	const struct extents *memory = &source->memory;
	uint8_t *room cleanup_free = NULL;
	struct error *err = NULL;
	size_t i;

	*ret_doubt = NULL;
	if (!source->ops->testify)
		return NULL;
	room = malloc(CHUNK_SIZE);
	if (!room)
		return error_nomem();
	for (i = 0; i < memory->count && !err; i++)
		err = look_in(source, &memory->run[i], room);
	return err ? err : source->ops->settle(source, ret_doubt);
}

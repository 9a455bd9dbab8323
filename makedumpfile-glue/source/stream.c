/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <errno.h>
#include <inttypes.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include "lib/bytes.h"
#include "makedumpfile-glue/source/stream.h"

#define PACKED_ROOM (2 * GUEST_PAGE)

/* Index entries looked at together. */
#define ENTRIES 512

static struct error *read_packed(struct stream *s, uint64_t at, void *to)
{
	uint8_t size[4];
	uint32_t len;
	struct error *err = input_read(s->data, size, sizeof(size), at);

	if (err)
		return err;
	len = (uint32_t)size[0] << 24 | size[1] << 16 | size[2] << 8 | size[3];
	if (len > PACKED_ROOM)
		return error_new(ERROR_FORMAT, "a packed page of %u bytes", len);
	pthread_mutex_lock(&s->unpack_lock);
	if (!s->unpacker)
		err = unpacker_create(&s->unpacker);
	if (!err && !s->packed) {
		s->packed = malloc(PACKED_ROOM);
		if (!s->packed)
			err = error_nomem();
	}
	if (!err)
		err = input_read(s->data, s->packed, len, at + sizeof(size));
	if (!err)
		err = unpacker_unpack(s->unpacker, PAGE_ZLIB, s->packed, len, to, GUEST_PAGE);
	pthread_mutex_unlock(&s->unpack_lock);
	return err;
}

struct error *stream_read_page(struct stream *s, uint64_t entry, void *to)
{
	const uint64_t value = entry >> FORM_BITS;

	switch (entry_form(entry)) {
	case FORM_PLAIN: return input_read(s->data, to, GUEST_PAGE, value);
	case FORM_FILL: memset(to, (int)value, GUEST_PAGE); return NULL;
	case FORM_PATCHED:
		return fd_pread(s->patched, "the file of patched pages", to, GUEST_PAGE, value);
	case FORM_PACKED: return read_packed(s, value, to);
	default: return error_new(ERROR_FORMAT, "the page is not in the stream");
	}
}

/* Part of a page goes through a whole one. */
static struct error *read_part(struct stream *s, uint64_t entry, size_t skip, void *to,
			       size_t len)
{
	uint8_t page[GUEST_PAGE];
	struct error *err;

	if (entry_form(entry) == FORM_PLAIN)
		return input_read(s->data, to, len, (entry >> FORM_BITS) + skip);
	err = stream_read_page(s, entry, page);
	if (!err)
		memcpy(to, page + skip, len);
	return err;
}

static struct error *read_indexed(struct stream *s, const struct ram_block *block,
				  uint64_t offset, uint8_t *to, size_t len)
{
	uint64_t entries[ENTRIES];

	while (len) {
		const uint64_t first = offset >> GUEST_PAGE_SHIFT;
		uint64_t count = ((offset + len - 1) >> GUEST_PAGE_SHIFT) - first + 1, i;
		struct error *err;

		if (count > ENTRIES)
			count = ENTRIES;
		err = page_index_get(s->index, block->first + first, entries, count);
		for (i = 0; i < count && !err; i++) {
			const size_t skip = offset & (GUEST_PAGE - 1);
			const size_t n = GUEST_PAGE - skip < len ? GUEST_PAGE - skip : len;

			if (n == GUEST_PAGE)
				err = stream_read_page(s, entries[i], to);
			else
				err = read_part(s, entries[i], skip, to, n);
			offset += n;
			to += n;
			len -= n;
		}
		if (err)
			return error_add(err, "%s: RAM block '%s' at 0x%" PRIx64,
					 s->source.path, block->name, offset - GUEST_PAGE);
	}
	return NULL;
}

static struct error *read_block(struct stream *s, const struct ram_block *block,
				uint64_t offset, uint8_t *to, size_t len)
{
	if (block->outside)
		return fd_pread(block->fd, block->path, to, len, offset);
	if (block->mapped)
		return mapped_read(s, block, offset, to, len);
	return read_indexed(s, block, offset, to, len);
}

struct error *stream_read(struct source *source, uint64_t phys, void *to,
				 size_t len)
{
	struct stream *s = (struct stream *)source;
	size_t i = guest_ram_piece(&s->ram, phys);
	uint8_t *at = to;

	for (; len && i < s->ram.piece_count && s->ram.pieces[i].phys <= phys; i++) {
		const struct ram_piece *piece = &s->ram.pieces[i];
		uint64_t skip = phys - piece->phys;
		size_t n = piece->size - skip < len ? piece->size - skip : len;
		struct error *err = read_block(s, &s->ram.blocks[piece->block],
					       piece->offset + skip, at, n);

		if (err)
			return err;
		phys += n;
		at += n;
		len -= n;
	}
	return len ? error_new(ERROR_FORMAT, "%s: no memory at 0x%" PRIx64, source->path, phys) :
		     NULL;
}

static bool is_zeros(uint64_t entry)
{
	return entry_form(entry) == FORM_ABSENT || entry == page_entry(FORM_FILL, 0);
}

/* Offset in the block, from `offset` on and before end, of what may be other
 * than zeros; end when nothing is. */
static uint64_t next_indexed(struct stream *s, const struct ram_block *block,
			     uint64_t offset, uint64_t end)
{
	uint64_t entries[ENTRIES];

	while (offset < end) {
		/* A guest may be said to be far larger than what came of it. */
		const uint64_t last = (end - 1) >> GUEST_PAGE_SHIFT;
		const uint64_t first = page_index_next(s->index, block->first +
						       (offset >> GUEST_PAGE_SHIFT),
						       block->first + last + 1) - block->first;
		uint64_t count = last - first + 1, i;
		struct error *err;

		if (!count)
			break;
		if (first << GUEST_PAGE_SHIFT > offset)
			offset = first << GUEST_PAGE_SHIFT;
		if (count > ENTRIES)
			count = ENTRIES;
		err = page_index_get(s->index, block->first + first, entries, count);
		if (err) {
			error_free(err);
			return offset;
		}
		for (i = 0; i < count && is_zeros(entries[i]); i++)
			offset = (first + i + 1) << GUEST_PAGE_SHIFT;
		if (i < count)
			return offset;
	}
	return end;
}

static uint64_t next_outside(const struct ram_block *block, uint64_t offset)
{
	off_t data = lseek(block->fd, (off_t)offset, SEEK_DATA);

	if (data < 0)
		return errno == ENXIO ? block->size : offset;
	return (uint64_t)data > offset ? (uint64_t)data : offset;
}

uint64_t stream_next_data(struct source *source, uint64_t phys)
{
	struct stream *s = (struct stream *)source;
	size_t i = guest_ram_piece(&s->ram, phys);

	for (; i < s->ram.piece_count; i++) {
		const struct ram_piece *piece = &s->ram.pieces[i];
		const struct ram_block *block = &s->ram.blocks[piece->block];
		const uint64_t end = piece->offset + piece->size;
		uint64_t offset = piece->offset + (phys > piece->phys ? phys - piece->phys : 0);

		if (block->outside)
			offset = next_outside(block, offset);
		else if (block->mapped)
			offset = mapped_next(s, block, offset);
		else
			offset = next_indexed(s, block, offset, end);
		if (offset < end)
			return piece->phys + (offset - piece->offset);
	}
	return UINT64_MAX;
}

/* Runs of a piece whose pages came. */
static struct error *add_recorded(struct stream *s, const struct ram_piece *piece)
{
	const struct ram_block *block = &s->ram.blocks[piece->block];
	const uint64_t pages = piece->size >> GUEST_PAGE_SHIFT;
	const uint64_t first = block->first + (piece->offset >> GUEST_PAGE_SHIFT);
	uint64_t entries[ENTRIES], page = 0, from = 0, count = 0, i;
	struct error *err = NULL;
	bool inside = false;

	if (block->recorded << GUEST_PAGE_SHIFT == block->size)
		return extents_add(&s->source.memory, piece->phys, piece->phys + piece->size);
	for (; page < pages && !err; page += count) {
		if (!inside)
			page = page_index_next(s->index, first + page, first + pages) - first;
		count = pages - page < ENTRIES ? pages - page : ENTRIES;
		err = page_index_get(s->index, first + page, entries, count);
		for (i = 0; i < count && !err; i++) {
			const bool there = entry_form(entries[i]) != FORM_ABSENT;
			const uint64_t phys = piece->phys + ((page + i) << GUEST_PAGE_SHIFT);

			if (inside && !there)
				err = extents_add(&s->source.memory, from, phys);
			else if (!inside && there)
				from = phys;
			inside = there;
		}
	}
	if (!err && inside)
		err = extents_add(&s->source.memory, from, piece->phys + piece->size);
	return err;
}

static struct error *add_memory(struct stream *s, const struct ram_piece *piece)
{
	const struct ram_block *block = &s->ram.blocks[piece->block];
	uint64_t there = block->size;

	if (!block->outside && !block->mapped)
		return add_recorded(s, piece);
	if (block->mapped)
		there = mapped_there(s, block);
	if (there <= piece->offset)
		return NULL;
	if (there > piece->offset + piece->size)
		there = piece->offset + piece->size;
	return extents_add(&s->source.memory, piece->phys,
			   piece->phys + (there - piece->offset));
}

static size_t count_ram(const struct guest_ram *ram)
{
	size_t count = 0, i;

	for (i = 0; i < ram->block_count; i++)
		count += ram->blocks[i].is_ram;
	return count;
}

struct error *stream_lay_out(struct source *source, size_t layout)
{
	struct stream *s = (struct stream *)source;
	struct error *err = guest_ram_lay_out(&s->ram, layout, &source->promised,
					      &source->layouts);
	size_t i;

	extents_deinit(&source->memory);
	for (i = 0; i < s->ram.piece_count && !err; i++)
		err = add_memory(s, &s->ram.pieces[i]);
	extents_normalize(&source->memory);
	source->several_stretches = count_ram(&s->ram) > 1;
	return err;
}

struct error *stream_testify(struct source *source, uint64_t phys, uint64_t said,
			     uint64_t *ret_next)
{
	return guest_ram_testify(&((struct stream *)source)->ram, phys, said, ret_next);
}

static bool holds_data(struct source *source, const struct ram_block *block)
{
	const struct guest_ram *ram = &((struct stream *)source)->ram;
	size_t i;

	for (i = 0; i < ram->piece_count; i++)
		if (&ram->blocks[ram->pieces[i].block] == block &&
		    stream_next_data(source, ram->pieces[i].phys) <
		    ram->pieces[i].phys + ram->pieces[i].size)
			return true;
	return false;
}

struct error *stream_settle(struct source *source, char **ret_doubt)
{
	struct stream *s = (struct stream *)source;
	const struct ram_block *block = NULL;
	struct error *err;
	size_t i;

	*ret_doubt = NULL;
	for (i = 0; i < s->ram.block_count; i++)
		s->ram.blocks[i].empty = !holds_data(source, &s->ram.blocks[i]);
	err = guest_ram_settle(&s->ram, &block);
	if (!err)
		err = stream_lay_out(source, 0);
	if (!err && block &&
	    asprintf(ret_doubt, "RAM block '%s' lies: it is put where its name has it",
		     block->name) < 0)
		err = error_nomem();
	return err;
}

/* Pages that should be in the stream and are not, in one that came to its end. */
static struct error *check_pages(struct stream *s)
{
	size_t i;

	for (i = 0; i < s->ram.block_count; i++) {
		const struct ram_block *block = &s->ram.blocks[i];

		if (!block->is_ram || block->mapped || block->outside ||
		    block->recorded << GUEST_PAGE_SHIFT == block->size)
			continue;
		if ((s->ram_ended || s->finished) && (s->flushes || !block->recorded))
			return error_remedy(
				error_new(ERROR_UNSUPPORTED,
					  "%s: %" PRIu64 " of %" PRIu64 " pages of RAM block "
					  "'%s' are not in this stream: they went through other "
					  "channels (multifd)", s->source.path,
					  (block->size >> GUEST_PAGE_SHIFT) - block->recorded,
					  block->size >> GUEST_PAGE_SHIFT, block->name),
				"with multifd take the dump as a mapped-ram file, or take it "
				"without multifd");
		s->source.marked_incomplete = true;
	}
	/* A background snapshot does not end its RAM section (QEMU's
	 * bg_migration_completion()); it has its pages once. */
	if (!s->ram_ended && !s->finished)
		s->source.marked_incomplete = true;
	return NULL;
}

/* Instances of the sections count the CPUs as they were plugged in; QEMU begins CSR.TID
 * with the number that Linux, too, has for the CPU. One that did not has 0 in all. */
static void number_cpus(struct registers *registers)
{
	struct cpu_registers *cpus = registers->cpus;
	size_t i, k;

	if (registers->count > CPU_INDEX_MAX)
		return;
	for (i = 0; i < registers->count; i++) {
		if (cpus[i].number >= CPU_INDEX_MAX)
			return;
		for (k = 0; k < i; k++)
			if (cpus[k].number == cpus[i].number)
				return;
	}
	for (i = 0; i < registers->count; i++)
		cpus[i].pid = cpus[i].number + 1;
}

static struct error *write_notes(struct stream *s)
{
	struct blob *notes = &s->source.notes;
	struct error *err;
	uint8_t *to;
	size_t i;

	if (s->ram_ended && !s->finished && !s->source.flaw)
		s->source.flaw = error_new(ERROR_FORMAT, "%s: the stream breaks off behind its "
					   "RAM; the registers of %zu CPUs came",
					   s->source.path, s->registers.count);
	else if (s->finished && !s->registers.count)
		s->source.flaw = error_new(ERROR_FORMAT, "%s: no CPU's registers are in the "
					   "stream", s->source.path);
	if (!s->registers.count)
		return NULL;
	number_cpus(&s->registers);
	err = blob_init(notes, s->registers.count * registers_note_size());
	if (err)
		return err;
	to = notes->data;
	for (i = 0; i < s->registers.count; i++)
		to = registers_put_note(&s->registers.cpus[i], to);
	s->source.registers_of_stream = true;
	return NULL;
}

void stream_close(struct source *source)
{
	struct stream *s = (struct stream *)source;

	extents_deinit(&source->memory);
	blob_deinit(&source->notes);
	error_free(source->flaw);
	guest_ram_deinit(&s->ram);
	page_index_destroy(s->index);
	unpacker_destroy(s->unpacker);
	registers_deinit(&s->registers);
	free(s->packed);
	if (s->patched >= 0)
		close(s->patched);
	input_close(s->own_data);
	pthread_mutex_destroy(&s->unpack_lock);
	free(s);
}

struct stream *stream_create(const struct source_ops *ops, const char *path)
{
	struct stream *s = calloc(1, sizeof(*s));

	if (!s)
		return NULL;
	pthread_mutex_init(&s->unpack_lock, NULL);
	s->source.ops = ops;
	s->source.path = path;
	s->patched = -1;
	return s;
}

/* Blocks of shared memory that the stream was told to leave out. */
static bool find_outside(struct stream *s)
{
	bool some = false;
	size_t i;

	for (i = 0; i < s->ram.block_count; i++) {
		struct ram_block *block = &s->ram.blocks[i];

		block->outside = block->is_ram && s->ignores_shared && !block->mapped &&
				 !block->recorded;
		some |= block->outside;
	}
	return some;
}

struct error *stream_open_at(const struct source_ops *ops, struct input *input,
			     struct input *data, uint64_t at, struct source **ret)
{
	struct stream *s = stream_create(ops, input->path);
	struct error *err;
	bool outside = false;

	if (!s)
		return error_nomem();
	s->source.input = input;
	s->data = data;
	err = error_add(stream_parse(s, at), "%s: migration stream", input->path);
	if (!err) {
		outside = find_outside(s);
		err = check_pages(s);
	}
	if (!err)
		err = stream_lay_out(&s->source, 0);
	if (!err && !s->source.memory.count && !outside)
		err = error_new(ERROR_FORMAT, "%s: cut before the first page of memory",
				input->path);
	if (!err)
		err = write_notes(s);
	if (err) {
		stream_close(&s->source);
		return err;
	}
	s->own_data = data == input ? NULL : data;
	if (s->mapped && ops == &source_stream)
		s->source.ops = &source_mapped;
	*ret = &s->source;
	return NULL;
}

static struct error *stream_open(struct input *input, struct source **ret)
{
	uint8_t mark[STREAM_MARK_SIZE];
	size_t got;
	struct error *err = input_read_some(input, mark, sizeof(mark), 0, &got);

	if (err)
		return err;
	if (got < sizeof(mark) || memcmp(mark, STREAM_MARK, sizeof(mark)))
		return error_new(ERROR_NOT_MINE, "%s: no migration stream", input->path);
	return stream_open_at(&source_stream, input, input, 0, ret);
}

#define STREAM_OPS                                                              \
	.reads_in_parallel = true, .open = stream_open, .read = stream_read,     \
	.next_data = stream_next_data, .lay_out = stream_lay_out,                \
	.testify = stream_testify, .settle = stream_settle,                      \
	.add_ram = stream_add_ram, .close = stream_close

const struct source_ops source_stream = { .format = "QEMU migration stream", STREAM_OPS };
const struct source_ops source_mapped = { .format = "QEMU mapped-ram file", STREAM_OPS };

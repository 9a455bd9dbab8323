/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Three arrays: descriptors, infos (one beside each descriptor) and a ring of
 * text. Logical positions and ids only ever grow; their low bits are the
 * index. A descriptor's state stands in the top two bits of state_var, its id
 * below; a text block begins with the id of the descriptor it belongs to.
 */
#include "makedumpfile-glue/kernel/log.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "lib/bytes.h"
#include "makedumpfile-glue/kernel/memory.h"

#define STATE_SHIFT     62
#define STATE_COMMITTED 1
#define STATE_FINALIZED 2
#define ID_MASK         (((uint64_t)1 << STATE_SHIFT) - 1)
#define EMPTY_LINE_LPOS 3
#define BLOCK_ID_SIZE   8

/* LOG_BUF_LEN_MAX in kernel/printk/printk.c is 2 GiB, and a descriptor stands
 * for at least PRB_AVGBITS = 5 bits of text. */
#define TEXT_BITS_MAX  31
#define COUNT_BITS_MAX 26

/* More than any kernel structure of these has, by far. */
#define STRUCT_SIZE_MAX 4096

#define WINDOW_SIZE ((size_t)128 << 10)

/* So many bad records and not one good: this is no ring. */
#define HOPELESS 65536

/* An array in the kernel's memory of which one stretch is at hand. Records
 * lie in rising order in all three, so that most are found there. */
struct window {
	struct source *source;
	uint64_t virt;
	uint64_t size; /* of the whole array */
	uint8_t *data;
	uint64_t at;   /* offset of data[0] in the array */
	size_t have;
};

struct ring {
	struct window descs;
	struct window infos;
	struct window text;
	uint64_t desc_count;
	uint64_t desc_size, desc_state, desc_begin, desc_next;
	uint64_t info_size, info_seq, info_ts, info_len;
	uint64_t head_id, tail_id;
};

static struct error *window_init(struct window *w, struct source *source, uint64_t virt,
				 uint64_t size)
{
	*w = (struct window){ .source = source, .virt = virt, .size = size };
	w->data = malloc(WINDOW_SIZE);
	return w->data ? NULL : error_nomem();
}

/* len <= WINDOW_SIZE bytes at offset of the array. */
static struct error *window_get(struct window *w, uint64_t offset, size_t len,
				const uint8_t **ret)
{
	uint64_t n = w->size - offset;
	struct error *err;

	if (offset < w->at || offset + len > w->at + w->have) {
		if (n > WINDOW_SIZE)
			n = WINDOW_SIZE;
		w->have = 0;
		err = memory_read(w->source, w->virt + offset, w->data, n);
		if (err && n > len) {
			/* Something in the stretch is not there; maybe not this. */
			error_free(err);
			n = len;
			err = memory_read(w->source, w->virt + offset, w->data, n);
		}
		if (err)
			return err;
		w->at = offset;
		w->have = n;
	}
	*ret = w->data + (offset - w->at);
	return NULL;
}

/* The keys a reader cannot do without; the first absent one is named. */
struct keys {
	const struct vmcoreinfo *info;
	const char *absent;
};

static uint64_t offset_of(struct keys *keys, const char *name)
{
	uint64_t value = 0;

	if (!vmcoreinfo_offset(keys->info, name, &value) && !keys->absent)
		keys->absent = name;
	return value;
}

static uint64_t size_of(struct keys *keys, const char *name)
{
	uint64_t value = 0;

	if (!vmcoreinfo_size(keys->info, name, &value) && !keys->absent)
		keys->absent = name;
	return value;
}

/* Does the field lie inside its structure, and is that of a sane size? */
static bool fits(uint64_t offset, uint64_t width, uint64_t size)
{
	return size <= STRUCT_SIZE_MAX && offset <= size && size - offset >= width;
}

/* Where the fields of struct printk_ringbuffer stand. */
struct ring_layout {
	uint64_t size, count_bits, descs, infos, head_id, tail_id, size_bits, data;
};

static struct error *find_layout(const struct vmcoreinfo *info, struct ring_layout *l,
				 struct ring *ring)
{
	struct keys keys = { .info = info };
	uint64_t desc_ring = offset_of(&keys, "printk_ringbuffer.desc_ring");
	uint64_t text_ring = offset_of(&keys, "printk_ringbuffer.text_data_ring");
	uint64_t blk = offset_of(&keys, "prb_desc.text_blk_lpos");
	uint64_t counter = 0;

	/* atomic_long_t has nothing but its counter on every kernel so far. */
	vmcoreinfo_offset(info, "atomic_long_t.counter", &counter);
	l->size = size_of(&keys, "printk_ringbuffer");
	l->count_bits = desc_ring + offset_of(&keys, "prb_desc_ring.count_bits");
	l->descs = desc_ring + offset_of(&keys, "prb_desc_ring.descs");
	l->infos = desc_ring + offset_of(&keys, "prb_desc_ring.infos");
	l->head_id = desc_ring + offset_of(&keys, "prb_desc_ring.head_id") + counter;
	l->tail_id = desc_ring + offset_of(&keys, "prb_desc_ring.tail_id") + counter;
	l->size_bits = text_ring + offset_of(&keys, "prb_data_ring.size_bits");
	l->data = text_ring + offset_of(&keys, "prb_data_ring.data");
	ring->desc_size = size_of(&keys, "prb_desc");
	ring->desc_state = offset_of(&keys, "prb_desc.state_var") + counter;
	ring->desc_begin = blk + offset_of(&keys, "prb_data_blk_lpos.begin");
	ring->desc_next = blk + offset_of(&keys, "prb_data_blk_lpos.next");
	ring->info_size = size_of(&keys, "printk_info");
	ring->info_seq = offset_of(&keys, "printk_info.seq");
	ring->info_ts = offset_of(&keys, "printk_info.ts_nsec");
	ring->info_len = offset_of(&keys, "printk_info.text_len");
	if (keys.absent)
		return error_new(ERROR_UNSUPPORTED,
				 "VMCOREINFO does not tell the layout of %s", keys.absent);
	if (!fits(l->count_bits, 4, l->size) || !fits(l->descs, 8, l->size) ||
	    !fits(l->infos, 8, l->size) || !fits(l->head_id, 8, l->size) ||
	    !fits(l->tail_id, 8, l->size) || !fits(l->size_bits, 4, l->size) ||
	    !fits(l->data, 8, l->size) ||
	    !fits(ring->desc_state, 8, ring->desc_size) ||
	    !fits(ring->desc_begin, 8, ring->desc_size) ||
	    !fits(ring->desc_next, 8, ring->desc_size) ||
	    !fits(ring->info_seq, 8, ring->info_size) ||
	    !fits(ring->info_ts, 8, ring->info_size) ||
	    !fits(ring->info_len, 2, ring->info_size))
		return error_new(ERROR_FORMAT,
				 "VMCOREINFO contradicts itself about the printk ring");
	return NULL;
}

static void ring_deinit(struct ring *ring)
{
	free(ring->descs.data);
	free(ring->infos.data);
	free(ring->text.data);
}

static struct error *ring_init(struct source *source, const struct vmcoreinfo *info,
			       struct ring *ring)
{
	uint8_t raw[STRUCT_SIZE_MAX];
	struct ring_layout l;
	uint64_t prb, symbol;
	uint32_t count_bits, size_bits;
	struct error *err;

	if (!vmcoreinfo_symbol(info, "prb", &symbol))
		return error_new(ERROR_UNSUPPORTED, "VMCOREINFO has no SYMBOL(prb)");
	err = find_layout(info, &l, ring);
	if (!err)
		err = memory_read_u64(source, symbol, &prb);
	if (!err)
		err = memory_read(source, prb, raw, l.size);
	if (err)
		return err;
	count_bits = get_le32(raw + l.count_bits);
	size_bits = get_le32(raw + l.size_bits);
	if (!count_bits || count_bits > COUNT_BITS_MAX || size_bits < 6 ||
	    size_bits > TEXT_BITS_MAX)
		return error_new(ERROR_FORMAT,
				 "2^%u records and 2^%u bytes of text cannot be right",
				 count_bits, size_bits);
	ring->desc_count = (uint64_t)1 << count_bits;
	ring->head_id = get_le64(raw + l.head_id) & ID_MASK;
	ring->tail_id = get_le64(raw + l.tail_id) & ID_MASK;
	err = window_init(&ring->descs, source, get_le64(raw + l.descs),
			  ring->desc_count * ring->desc_size);
	if (!err)
		err = window_init(&ring->infos, source, get_le64(raw + l.infos),
				  ring->desc_count * ring->info_size);
	if (!err)
		err = window_init(&ring->text, source, get_le64(raw + l.data),
				  (uint64_t)1 << size_bits);
	return err;
}

/* The text of a block at `index`, if that block belongs to `id`. A length
 * beyond the block is cut to what is there. */
static bool block_at(struct ring *ring, uint64_t index, uint64_t size, uint64_t id,
		     struct log_record *record)
{
	const uint8_t *block;
	struct error *err;

	if (index % BLOCK_ID_SIZE || index > ring->text.size ||
	    size > ring->text.size - index || size < BLOCK_ID_SIZE)
		return false;
	if (record->text_len > size - BLOCK_ID_SIZE)
		record->text_len = size - BLOCK_ID_SIZE;
	err = window_get(&ring->text, index, BLOCK_ID_SIZE + record->text_len, &block);
	if (err) {
		error_free(err);
		return false;
	}
	if (get_le64(block) != id)
		return false;
	record->text = (const char *)block + BLOCK_ID_SIZE;
	return true;
}

/*
 * A block that does not fit before the end of the ring begins at its start
 * instead. Which blocks those are has changed: before 67e1b0052f6b (6.19) one
 * that ends exactly at the end was moved as well. The id at the front of the
 * block tells which rule the kernel followed.
 */
static bool find_text(struct ring *ring, uint64_t begin, uint64_t next, uint64_t id,
		      struct log_record *record)
{
	uint64_t mask = ring->text.size - 1;
	/* Positions start just below 2^64, so all of this wraps around 0. */
	uint64_t begin_lap = begin & ~mask, last_lap = (next - 1) & ~mask;

	if (begin_lap == last_lap &&
	    block_at(ring, begin & mask, next - begin, id, record))
		return true;
	if (begin_lap + ring->text.size == (next & ~mask))
		return block_at(ring, 0, next & mask, id, record);
	return false;
}

static struct error *read_record(struct ring *ring, uint64_t id, log_each *each,
				 void *arg, struct log_counts *counts)
{
	uint64_t index = id & (ring->desc_count - 1), state, begin, next;
	struct log_record record = { 0 };
	const uint8_t *desc, *info;
	struct error *err;

	err = window_get(&ring->descs, index * ring->desc_size, ring->desc_size, &desc);
	if (!err)
		err = window_get(&ring->infos, index * ring->info_size, ring->info_size,
				 &info);
	if (err) {
		error_free(err);
		counts->damaged++;
		return NULL;
	}
	state = get_le64(desc + ring->desc_state);
	begin = get_le64(desc + ring->desc_begin);
	next = get_le64(desc + ring->desc_next);
	/* Not written yet, or used again already: no record, and no damage. */
	if ((state & ID_MASK) != id ||
	    (state >> STATE_SHIFT != STATE_COMMITTED &&
	     state >> STATE_SHIFT != STATE_FINALIZED))
		return NULL;
	record.seq = get_le64(info + ring->info_seq);
	record.ts_nsec = get_le64(info + ring->info_ts);
	record.text_len = get_le16(info + ring->info_len);
	if (begin & next & 1) {
		record.text = "";
		record.text_len = 0;
		if (begin != EMPTY_LINE_LPOS || next != EMPTY_LINE_LPOS) {
			counts->lost++;
			return NULL;
		}
	} else if (!find_text(ring, begin, next, id, &record)) {
		counts->damaged++;
		return NULL;
	}
	counts->records++;
	return each(&record, arg);
}

struct error *log_read(struct source *source, const struct vmcoreinfo *info,
		       log_each *each, void *arg, struct log_counts *ret)
{
	struct ring ring = { 0 };
	struct error *err = ring_init(source, info, &ring);
	uint64_t count, i;

	*ret = (struct log_counts){ 0 };
	if (err) {
		ring_deinit(&ring);
		return error_add(err, "printk ring");
	}
	count = ((ring.head_id - ring.tail_id) & ID_MASK) + 1;
	/* A tail that cannot be: start at the oldest record there is room for. */
	if (count > ring.desc_count)
		count = ring.desc_count;
	for (i = 0; i < count && !err; i++) {
		err = read_record(&ring, (ring.head_id - (count - 1) + i) & ID_MASK, each,
				  arg, ret);
		if (!ret->records && ret->damaged == HOPELESS) {
			ret->damaged = count;
			break;
		}
	}
	ring_deinit(&ring);
	return err;
}

struct error *log_cleared(struct source *source, const struct vmcoreinfo *info,
			  uint64_t *ret)
{
	uint8_t latch[4];
	uint64_t symbol, values, value;
	struct error *err;

	if (!vmcoreinfo_symbol(info, "clear_seq", &symbol) ||
	    !vmcoreinfo_offset(info, "latched_seq.val", &values))
		return error_new(ERROR_UNSUPPORTED, "VMCOREINFO does not tell where "
				 "clear_seq is and how a latched_seq is laid out");
	/* Two values of which the lowest bit of the counter in front says which
	 * one is not being written (kernel/printk/printk.c, latched_seq_read_nolock). */
	err = memory_read(source, symbol, latch, sizeof(latch));
	if (!err)
		err = memory_read_u64(source, symbol + values + 8 * (latch[0] & 1), &value);
	if (!err)
		*ret = value;
	return error_add(err, "clear_seq");
}

/* As the kernel's own print_time(). */
#define PREFIX_MAX 40

/* Room for a NUL is left. prefix stands before each line. */
static struct error *escape(const struct log_record *record, const char *prefix,
			    char **ret, char **ret_end)
{
	size_t lines = 1, prefix_len = strlen(prefix), i;
	char *text, *to;

	for (i = 0; i < record->text_len; i++)
		lines += record->text[i] == '\n';
	text = malloc(lines * (prefix_len + 1) + record->text_len * 4 + 1);
	if (!text)
		return error_nomem();
	to = mempcpy(text, prefix, prefix_len);
	for (i = 0; i < record->text_len; i++) {
		unsigned char c = record->text[i];

		if (c == '\n') {
			*to++ = c;
			to = mempcpy(to, prefix, prefix_len);
		} else if (c == '\t' || (c >= 0x20 && c < 0x7f)) {
			*to++ = c;
		} else {
			to += sprintf(to, "\\x%02x", c);
		}
	}
	*ret = text;
	*ret_end = to;
	return NULL;
}

struct error *log_text(const struct log_record *record, char **ret)
{
	char *end;
	struct error *err = escape(record, "", ret, &end);

	if (!err)
		*end = 0;
	return err;
}

struct error *log_format(const struct log_record *record, char **ret, size_t *ret_len)
{
	char prefix[PREFIX_MAX], *end;
	struct error *err;

	snprintf(prefix, sizeof(prefix), "[%5" PRIu64 ".%06" PRIu64 "] ",
		 record->ts_nsec / 1000000000, record->ts_nsec % 1000000000 / 1000);
	err = escape(record, prefix, ret, &end);
	if (err)
		return err;
	*end++ = '\n';
	*end = 0;
	*ret_len = end - *ret;
	return NULL;
}

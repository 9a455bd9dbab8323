/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The index holds one entry for each record, sorted by where its bytes belong,
 * without those that a later record overwrote.
 */
#include "makedumpfile-glue/source/flat.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "lib/bytes.h"
#include "lib/file.h"
#include "makedumpfile-glue/flat-format.h"
#include "makedumpfile-glue/kdump-format.h"

/* The bytes [start, end) of the plain file, at `at` in the flattened one. Of
 * two that speak of the same bytes the one that comes later in the file, with
 * the higher `at`, counts. */
struct piece {
	uint64_t start;
	uint64_t end;
	uint64_t at;
};

struct pieces {
	struct piece *piece;
	size_t count;
	size_t room;
};

struct flat {
	struct input input; /* first */
	struct pieces index; /* sorted, disjoint */
};

static struct error *add_piece(struct pieces *p, struct piece piece)
{
	struct piece *grown;
	size_t room;

	if (p->count == p->room) {
		room = p->room ? p->room * 2 : 256;
		grown = reallocarray(p->piece, room, sizeof(*grown));
		if (!grown)
			return error_nomem();
		p->piece = grown;
		p->room = room;
	}
	p->piece[p->count++] = piece;
	return NULL;
}

/* What a record's header says. */
enum record {
	RECORD_DATA,
	RECORD_END,
	RECORD_BROKEN, /* what follows cannot be found */
};

static enum record read_record(const uint8_t *bytes, struct piece *ret)
{
	struct reader r;
	uint64_t size;

	reader_init(&r, bytes, FLAT_RECORD_SIZE, 0, "record");
	r.big_endian = true;
	ret->start = reader_u64(&r);
	size = reader_u64(&r);
	if (ret->start == FLAT_END && size == FLAT_END)
		return RECORD_END;
	if (!size || ret->start > FLAT_OFFSET_MAX || size > FLAT_OFFSET_MAX - ret->start)
		return RECORD_BROKEN;
	ret->end = ret->start + size;
	return RECORD_DATA;
}

static struct error *check_header(const uint8_t *header, size_t size, const char *path)
{
	struct reader r;
	uint64_t type, version;
	struct error *err;

	reader_init(&r, header, size, 0, path);
	r.big_endian = true;
	if (!reader_match(&r, FLAT_MARK, sizeof(FLAT_MARK)))
		return error_new(ERROR_NOT_MINE, "%s: not a flattened file", path);
	reader_seek(&r, FLAT_AT_TYPE);
	type = reader_u64(&r);
	version = reader_u64(&r);
	reader_seek(&r, FLAT_HEADER_SIZE);
	err = reader_check(&r, "header of a flattened file");
	if (!err && (type != FLAT_TYPE || version != FLAT_VERSION))
		err = error_new(ERROR_UNSUPPORTED,
				"%s: flattened, of type %" PRIu64 " and version %" PRIu64
				"; 1 and 1 are known", path, type, version);
	return err;
}

/* All records in file order, the last one cut to what is there. */
static struct error *read_records(const char *path, int fd, uint64_t file_size,
				  struct pieces *ret, bool *ret_whole)
{
	uint64_t at = FLAT_HEADER_SIZE;

	*ret_whole = false;
	for (;;) {
		uint8_t bytes[FLAT_RECORD_SIZE];
		struct piece piece = { 0 };
		enum record kind;
		uint64_t size;
		size_t got;
		struct error *err;

		err = fd_pread_some(fd, path, bytes, sizeof(bytes), at, &got);
		if (err)
			return err;
		if (got < sizeof(bytes))
			return NULL;
		kind = read_record(bytes, &piece);
		*ret_whole = kind == RECORD_END;
		if (kind != RECORD_DATA)
			return NULL;
		at += sizeof(bytes);
		size = piece.end - piece.start;
		if (size > file_size - at)
			piece.end = piece.start + (file_size - at);
		piece.at = at;
		if (ret->count == FLAT_RECORDS_MAX)
			return error_remedy(error_new(ERROR_LIMIT,
						      "%s: more than %zu flattened records",
						      path, FLAT_RECORDS_MAX),
					    "vmcore rebuild makes a plain file of it");
		if (piece.start < piece.end) {
			err = add_piece(ret, piece);
			if (err)
				return err;
		}
		if (size > file_size - at)
			return NULL;
		at += size;
	}
}

static int compare_pieces(const void *a, const void *b)
{
	const struct piece *x = a, *y = b;

	if (x->start != y->start)
		return x->start < y->start ? -1 : 1;
	return x->at < y->at ? -1 : x->at > y->at;
}

static bool overlapping(const struct pieces *p)
{
	uint64_t end = 0;
	size_t i;

	for (i = 0; i < p->count; i++) {
		if (p->piece[i].start < end)
			return true;
		end = p->piece[i].end;
	}
	return false;
}

/* A heap of indices into piece[], the one with the highest `at` on top. */
struct heap {
	const struct piece *piece;
	size_t *index;
	size_t count;
};

static bool above(const struct heap *h, size_t a, size_t b)
{
	return h->piece[h->index[a]].at > h->piece[h->index[b]].at;
}

static void swap(struct heap *h, size_t a, size_t b)
{
	size_t index = h->index[a];

	h->index[a] = h->index[b];
	h->index[b] = index;
}

static void heap_push(struct heap *h, size_t index)
{
	size_t at = h->count++;

	h->index[at] = index;
	for (; at && above(h, at, (at - 1) / 2); at = (at - 1) / 2)
		swap(h, at, (at - 1) / 2);
}

static void heap_pop(struct heap *h)
{
	size_t at = 0, child;

	h->index[0] = h->index[--h->count];
	while ((child = 2 * at + 1) < h->count) {
		if (child + 1 < h->count && above(h, child + 1, child))
			child++;
		if (!above(h, child, at))
			break;
		swap(h, at, child);
		at = child;
	}
}

/* What `from` holds of [start, end), behind what is there already. */
static struct error *add_cut(struct pieces *p, const struct piece *from, uint64_t start,
			     uint64_t end)
{
	struct piece *last = p->count ? &p->piece[p->count - 1] : NULL;
	uint64_t at = from->at + (start - from->start);

	if (last && last->end == start && last->at + (last->end - last->start) == at) {
		last->end = end;
		return NULL;
	}
	return add_piece(p, (struct piece){ start, end, at });
}

/* From sorted pieces that overlap to disjoint ones: a sweep over all of them,
 * with those at hand that hold the byte under it. */
static struct error *drop_overwritten(struct pieces *p)
{
	struct pieces out = { 0 };
	struct heap heap = {
		.piece = p->piece,
		.index = calloc(p->count, sizeof(*heap.index)),
	};
	struct error *err = heap.index ? NULL : error_nomem();
	uint64_t at = 0;
	size_t next = 0;

	while (!err && (heap.count || next < p->count)) {
		const struct piece *top;
		uint64_t end;

		if (!heap.count && p->piece[next].start > at)
			at = p->piece[next].start;
		while (next < p->count && p->piece[next].start <= at)
			heap_push(&heap, next++);
		top = &p->piece[heap.index[0]];
		if (top->end <= at) {
			heap_pop(&heap);
			continue;
		}
		end = top->end;
		if (next < p->count && p->piece[next].start < end)
			end = p->piece[next].start;
		err = add_cut(&out, top, at, end);
		at = end;
	}
	free(heap.index);
	if (err) {
		free(out.piece);
		return err;
	}
	free(p->piece);
	*p = out;
	return NULL;
}

/* Index of the first piece that ends after offset. */
static size_t find_piece(const struct flat *f, uint64_t offset)
{
	size_t low = 0, high = f->index.count;

	while (low < high) {
		size_t middle = low + (high - low) / 2;

		if (f->index.piece[middle].end <= offset)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

static struct error *flat_read_some(const struct input *input, void *to, size_t len,
				    uint64_t offset, size_t *ret)
{
	const struct flat *f = (const struct flat *)input;
	size_t i = find_piece(f, offset);
	uint8_t *at = to;

	*ret = 0;
	if (offset >= input->size)
		return NULL;
	if (len > input->size - offset)
		len = input->size - offset;
	*ret = len;
	while (len) {
		const struct piece *piece = &f->index.piece[i];
		uint64_t n = len;

		/* There is one: size is the end of the last. */
		if (offset < piece->start) {
			if (piece->start - offset < n)
				n = piece->start - offset;
			memset(at, 0, n);
		} else {
			struct error *err;

			if (piece->end - offset < n)
				n = piece->end - offset;
			err = fd_pread(input->fd, input->path, at, n,
				       piece->at + (offset - piece->start));
			if (err)
				return err;
			i++;
		}
		offset += n;
		at += n;
		len -= n;
	}
	return NULL;
}

static uint64_t flat_next_data(const struct input *input, uint64_t offset)
{
	const struct flat *f = (const struct flat *)input;
	size_t i = find_piece(f, offset);

	if (i == f->index.count)
		return UINT64_MAX;
	return f->index.piece[i].start > offset ? f->index.piece[i].start : offset;
}

static void flat_close(struct input *input)
{
	struct flat *f = (struct flat *)input;

	free(f->index.piece);
	free(f);
}

static const struct input_ops flat_ops = {
	.read_some = flat_read_some,
	.next_data = flat_next_data,
	.close = flat_close,
};

static struct error *build_index(struct flat *f, uint64_t file_size)
{
	struct pieces *index = &f->index;
	bool whole;
	struct error *err;

	err = read_records(f->input.path, f->input.fd, file_size, index, &whole);
	if (err)
		return err;
	if (!index->count)
		return error_new(ERROR_FORMAT, "%s: flattened, without a single record",
				 f->input.path);
	qsort(index->piece, index->count, sizeof(*index->piece), compare_pieces);
	if (overlapping(index))
		err = drop_overwritten(index);
	f->input.incomplete = !whole;
	f->input.size = index->piece[index->count - 1].end;
	return err;
}

struct error *flat_open(const char *path, int fd, struct input **ret)
{
	uint8_t header[FLAT_HEADER_SIZE];
	off_t file_size = lseek(fd, 0, SEEK_END);
	struct error *err;
	struct flat *f;
	size_t got;

	if (file_size < 0)
		return error_errno(errno, "finding the size of %s", path);
	err = fd_pread_some(fd, path, header, sizeof(header), 0, &got);
	if (!err)
		err = check_header(header, got, path);
	if (err)
		return err;
	f = calloc(1, sizeof(*f));
	if (!f)
		return error_nomem();
	f->input = (struct input){ .ops = &flat_ops, .path = path, .fd = fd };
	err = build_index(f, file_size);
	if (err) {
		flat_close(&f->input);
		return err;
	}
	*ret = &f->input;
	return NULL;
}

/* From here on: the stream. */
#define COPY_ROOM ((size_t)1 << 20)

struct copy {
	int from;
	const char *path;
	flat_write *write;
	void *to;
	uint8_t *buffer;
	struct flat_copy *result;
	bool marks;     /* it is kdump-compressed */
	uint8_t status; /* as it will be */
};

/* Until all of it is there a kdump-compressed dump is marked as incomplete, as
 * one that was never flattened is. The flattened one says so by its missing end. */
static void mark(struct copy *c, size_t size, uint64_t offset)
{
	uint8_t *status;

	if (!c->result->written && !offset && size >= KDUMP_HEADER_SIZE)
		c->marks = !memcmp(c->buffer, KDUMP_SIGNATURE, KDUMP_SIGNATURE_SIZE);
	if (!c->marks || offset > KDUMP_AT_STATUS || KDUMP_AT_STATUS - offset >= size)
		return;
	status = c->buffer + (KDUMP_AT_STATUS - offset);
	c->status = *status;
	*status |= KDUMP_STATUS_INCOMPLETE;
}

static struct error *unmark(struct copy *c)
{
	return c->marks ? c->write(c->to, &c->status, 1, KDUMP_AT_STATUS) : NULL;
}

static struct error *hand_over(struct copy *c, size_t size, uint64_t offset)
{
	c->result->written += size;
	return size ? c->write(c->to, c->buffer, size, offset) : NULL;
}

/* *ret_whole: all of the piece was there. */
static struct error *copy_piece(struct copy *c, uint64_t start, uint64_t end,
				bool *ret_whole)
{
	struct error *err = NULL;

	*ret_whole = true;
	while (!err && start < end && *ret_whole) {
		size_t n = end - start < COPY_ROOM ? end - start : COPY_ROOM;
		size_t got;

		err = fd_read_some(c->from, c->path, c->buffer, n, &got);
		*ret_whole = got == n;
		if (!err && !c->result->plain)
			mark(c, got, start);
		if (!err)
			err = hand_over(c, got, start);
		start += got;
	}
	return err;
}

static struct error *copy_records(struct copy *c)
{
	struct error *err = NULL;
	bool more = true;

	while (!err && more) {
		uint8_t bytes[FLAT_RECORD_SIZE];
		struct piece piece = { 0 };
		enum record kind;
		size_t got;

		err = fd_read_some(c->from, c->path, bytes, sizeof(bytes), &got);
		if (err || got < sizeof(bytes))
			return err;
		kind = read_record(bytes, &piece);
		c->result->whole = kind == RECORD_END;
		if (kind != RECORD_DATA)
			return c->result->whole ? unmark(c) : NULL;
		err = copy_piece(c, piece.start, piece.end, &more);
	}
	return err;
}

struct error *flat_copy(int from, const char *from_path, bool take_plain,
			flat_write *write, void *to, struct flat_copy *ret)
{
	uint8_t *buffer cleanup_free = malloc(COPY_ROOM);
	struct copy c = {
		.from = from, .path = from_path, .write = write, .to = to,
		.buffer = buffer, .result = ret,
	};
	struct error *err;
	size_t got;
	bool whole;

	*ret = (struct flat_copy){ 0 };
	if (!buffer)
		return error_nomem();
	err = fd_read_some(from, from_path, buffer, FLAT_HEADER_SIZE, &got);
	if (err)
		return err;
	err = check_header(buffer, got, from_path);
	if (!err)
		return copy_records(&c);
	if (err->code != ERROR_NOT_MINE || !take_plain)
		return err;
	error_free(err);
	ret->plain = true;
	err = hand_over(&c, got, 0);
	return err ? err : copy_piece(&c, got, INT64_MAX, &whole);
}

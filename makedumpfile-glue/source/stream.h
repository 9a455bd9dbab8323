/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A QEMU migration stream, version 3: what `virsh dump` and `migrate file:`
 * write, and what a save image holds. The parts of one open stream, for
 * stream*.c and mapped.c; others see struct source.
 *
 * The layout is that of QEMU's migration/savevm.c and migration/ram.c. All
 * numbers are big endian.
 */
#ifndef GLUE_SOURCE_STREAM_H
#define GLUE_SOURCE_STREAM_H

#include <pthread.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "lib/bytes.h"
#include "lib/error.h"
#include "makedumpfile-glue/compress.h"
#include "makedumpfile-glue/registers.h"
#include "makedumpfile-glue/source/cursor.h"
#include "makedumpfile-glue/source/guest-ram.h"
#include "makedumpfile-glue/source/page-index.h"
#include "makedumpfile-glue/source/source.h"

#define STREAM_MARK      "QEVM"
#define STREAM_MARK_SIZE 4

/* Numbers of CPUs are below. */
#define CPU_INDEX_MAX 8192

/* What the index says of a page: in the low bits how it came, above them the
 * place of its bytes or the byte it is full of. 0: it did not come. */
enum page_form {
	FORM_ABSENT,
	FORM_PLAIN,   /* in the file */
	FORM_FILL,
	FORM_PATCHED, /* in the file of patched pages */
	FORM_PACKED,  /* in the file: u32 length and a zlib stream */
};
#define FORM_BITS 3

static inline uint64_t page_entry(enum page_form form, uint64_t value)
{
	return value << FORM_BITS | form;
}

static inline enum page_form entry_form(uint64_t entry)
{
	return entry & ((1 << FORM_BITS) - 1);
}

struct stream {
	struct source source;  /* first */
	struct input *data;    /* where the stream is: source.input or own_data */
	struct input *own_data;
	struct guest_ram ram;
	struct page_index *index;
	int patched; /* file of pages that a delta changed, -1: none */
	uint64_t patched_count;
	struct unpacker *unpacker; /* under unpack_lock */
	pthread_mutex_t unpack_lock;
	uint8_t *packed;
	struct registers registers;
	size_t layout_count;
	char machine[CURSOR_NAME_SIZE]; /* "virt-11.1" */
	struct ram_block *last; /* of the page before; over sections too */
	bool ram_ended; /* all of RAM came */
	bool finished;  /* the stream's own end mark came */
	bool ignores_shared; /* capabilities: x-ignore-shared, mapped-ram */
	bool mapped;
	bool flushes;   /* multifd marks */
	bool postcopy;  /* pages may have gone elsewhere */
};

/*
 * Goes over the stream that begins at `at` of s->data: RAM blocks, an entry in
 * the index for each page, the CPUs' registers. A stream that breaks off in or
 * after its RAM is taken as far as it goes.
 */
struct error *stream_parse(struct stream *s, uint64_t at) MUST_CHECK;

/* The RAM section's payload, up to and with its end mark. */
struct error *stream_parse_ram(struct stream *s, struct cursor *c) MUST_CHECK;

/* One page as its entry says. */
struct error *stream_read_page(struct stream *s, uint64_t entry, void *to) MUST_CHECK;

/* mapped.c: the same for blocks of a mapped-ram file. */
struct error *mapped_read_header(struct stream *s, struct cursor *c,
				 struct ram_block *block) MUST_CHECK;
struct error *mapped_read(struct stream *s, const struct ram_block *block,
			  uint64_t offset, void *to, size_t len) MUST_CHECK;
/* Offset in the block of the first page from `offset` on that is not zeros, or
 * its size. */
uint64_t mapped_next(struct stream *s, const struct ram_block *block, uint64_t offset);
/* Bytes of the block that the file holds; the rest was cut off. */
uint64_t mapped_there(const struct stream *s, const struct ram_block *block);

/*
 * A stream at `at` of data, which is either input itself or made of it; then it
 * is the source's, and closed with it. ops: source_stream or source_saved.
 */
struct error *stream_open_at(const struct source_ops *ops, struct input *input,
			     struct input *data, uint64_t at, struct source **ret)
	MUST_CHECK;

/* Of other sources with such blocks: an empty one, and what its ops call. */
struct stream *stream_create(const struct source_ops *ops, const char *path);
struct error *stream_read(struct source *source, uint64_t phys, void *to, size_t len)
	MUST_CHECK;
uint64_t stream_next_data(struct source *source, uint64_t phys);
struct error *stream_lay_out(struct source *source, size_t layout) MUST_CHECK;
struct error *stream_testify(struct source *source, uint64_t phys, uint64_t said,
			     uint64_t *ret_next) MUST_CHECK;
struct error *stream_settle(struct source *source, char **ret_doubt) MUST_CHECK;
void stream_close(struct source *source);

/* stream-outside.c: opens the file with a block's bytes. */
struct error *outside_open(struct ram_block *block, const char *path) MUST_CHECK;
struct error *stream_add_ram(struct source *source, const char *const *files,
			     size_t count) MUST_CHECK;

#endif

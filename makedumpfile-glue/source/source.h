/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Where physical memory comes from: one contract for every kind of file. A
 * source knows how its file is laid out and nothing of what the bytes mean.
 */
#ifndef GLUE_SOURCE_SOURCE_H
#define GLUE_SOURCE_SOURCE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "lib/error.h"
#include "lib/file.h"
#include "lib/input.h"
#include "makedumpfile-glue/extents.h"

struct source;

struct source_ops {
	const char *format; /* "ELF core" */
	bool reads_in_parallel;

	/*
	 * open: input stays the caller's until open succeeds and is the source's
	 * from then on; source_close() closes it.
	 *
	 * ERROR_NOT_MINE: the file does not carry this format's mark; the next
	 * format is asked. Any other error: it does carry the mark, but is
	 * broken, cut too short to be of use, or not for loongarch64; no other
	 * format is asked and the user sees this text. A file that is cut but
	 * still holds memory opens: memory says what is there, promised what
	 * should have been.
	 *
	 * On success *ret is set and all of `struct source` below is filled in.
	 */
	struct error *(*open)(struct input *input, struct source **ret);

	/*
	 * read: the bytes of physical memory [phys, phys + len), all of them
	 * inside one run of memory (the callers see to it). The bytes of a
	 * failed read are undefined; a smaller read inside the same range may
	 * still succeed, and the callers try.
	 *
	 * One thread at a time calls it, unless reads_in_parallel.
	 */
	struct error *(*read)(struct source *source, uint64_t phys, void *to,
			      size_t len);

	/*
	 * see: the same bytes where they lie, if they lie together and need not be
	 * read (input_see()). Several threads may, each with a window of its own.
	 * NULL: never.
	 */
	const uint8_t *(*see)(struct source *source, struct input_window *window,
			      uint64_t phys, size_t len);

	/*
	 * next_data: the first address from phys on that may hold anything but
	 * zeros, as far as the layout tells without reading; UINT64_MAX when only
	 * zeros follow. NULL: every address may. Threads as with read.
	 */
	uint64_t (*next_data)(struct source *source, uint64_t phys);

	/*
	 * lay_out: for files that do not say physical addresses. The guest's
	 * memory can lie in source->layouts ways, and open() took way 0; this
	 * takes another one and fills in memory again. Which one is right, only
	 * the memory itself tells. NULL: the file says its addresses.
	 */
	struct error *(*lay_out)(struct source *source, size_t layout);

	/*
	 * testify and settle: for such files too, as far as their memory lies in
	 * several stretches and which follows which is a guess (several_stretches).
	 * testify: what memory at phys, as it is laid out now, says of its own
	 * address; *ret_next: from there on there is need of more. settle: lays it
	 * out as most of what was said has it, in source->layouts ways that are left.
	 * *ret_doubt: NULL, or for free() what of it nobody spoke of. NULL: no need.
	 */
	struct error *(*testify)(struct source *source, uint64_t phys, uint64_t said,
				 uint64_t *ret_next);
	struct error *(*settle)(struct source *source, char **ret_doubt);

	/*
	 * add_ram: the files of --ram, each NAME=FILE or FILE, for memory that
	 * is not in the file itself. Called once, after open, also with none:
	 * memory that is still missing then is an error. NULL: takes none.
	 */
	struct error *(*add_ram)(struct source *source, const char *const *files,
				 size_t count);

	/* close: everything open() took but input. */
	void (*close)(struct source *source);
};

/* The common part; each format embeds it as its first member. */
struct source {
	const struct source_ops *ops;
	struct input *input;
	const char *path; /* input's */

	/* Bytes of physical memory that can be read, sorted runs. Memory that
	 * lies in the file twice counts once. */
	struct extents memory;

	/* Memory the machine had, where the file tells it apart from what a filter
	 * left out of it; a part of it is memory. Else empty. */
	struct extents machine;

	/* Bytes the headers speak of, each counted once; more than memory holds
	 * when the file was cut. */
	uint64_t promised;

	/* Whole ELF notes, each padded to 4 bytes, in file order, without the
	 * zeros between or after them; may be empty. */
	struct blob notes;

	/* Page size of the file's own layout, 0 where it has none. QEMU takes its
	 * own 4 KiB for that, whatever the kernel's is. */
	uint64_t page_size;
	bool page_size_of_qemu;

	/* The NT_PRSTATUS notes were made of a stream's cpu sections. */
	bool registers_of_stream;

	/* Ways the memory can lie: with lay_out, else 0. */
	size_t layouts;
	bool several_stretches;

	/* What is wrong with it although it opened, or NULL. */
	struct error *flaw;

	/* Said by the file itself: the writer did not finish, or left pages out. */
	bool marked_incomplete;

	/* Only because the file breaks off, and each page tells itself whether it is
	 * there: a dump of all its pages is whole. */
	bool pages_tell;
	unsigned int dump_level;

	/* Of its pages, as far as the header says it: enum page_codec, or 0. */
	unsigned int codec;

	/* One file of a split dump: memory is what of it lies in the bytes
	 * [split_start, split_end), promised is of all. */
	bool split;
	uint64_t split_start, split_end;

	/* The files of a split dump, in their order, where there are several;
	 * input is NULL then. */
	const char **files;
	size_t file_count;
};

static inline struct error *source_read(struct source *source, uint64_t phys, void *to,
					size_t len)
{
	return source->ops->read(source, phys, to, len);
}

static inline const uint8_t *source_see(struct source *source, struct input_window *window,
					uint64_t phys, size_t len)
{
	return source->ops->see ? source->ops->see(source, window, phys, len) : NULL;
}

static inline uint64_t source_next_data(struct source *source, uint64_t phys)
{
	return source->ops->next_data ? source->ops->next_data(source, phys) : phys;
}

/*
 * Opens path with the first format that does not answer ERROR_NOT_MINE. For
 * files none of them knows the error says what the file looks like. Of a split
 * dump the other files are named in parts, or with count 0 looked for.
 */
struct error *source_open(const char *path, const char *const *parts, size_t count,
			  struct source **ret) MUST_CHECK;
/* That one file alone. */
struct error *source_open_file(const char *path, struct source **ret) MUST_CHECK;
void source_close(struct source *source);

/*
 * For the formats: appends the whole notes of [offset, offset + size) of
 * source->input to source->notes. A note that is cut or broken ends the list, since
 * what follows cannot be found; notes that cannot be read become source->flaw, for the
 * memory is there without them.
 */
struct error *source_add_notes(struct source *source, uint64_t offset, uint64_t size)
	MUST_CHECK;

extern const struct source_ops source_elf;
extern const struct source_ops source_kdump;
extern const struct source_ops source_split; /* without open: split.h */
extern const struct source_ops source_stream, source_mapped, source_saved;
extern const struct source_ops source_raw, source_raw_virt;

/*
 * Memory as it is, in files: `first` and each of the others is FILE@ADDRESS,
 * the physical address of its first byte, or, for first alone, FILE@virt: all
 * the RAM of a QEMU guest. ERROR_NOT_MINE when first is neither.
 */
struct error *raw_open(const char *first, const char *const *others, size_t count,
		       struct source **ret) MUST_CHECK;

/* Are both files of one and the same split dump? */
bool kdump_same_dump(const struct source *a, const struct source *b);

#endif

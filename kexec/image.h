/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A kernel file: what it is, where it wants to run, and how each of these is
 * known. Probing reads bytes and nothing else.
 */
#ifndef KEXEC_IMAGE_H
#define KEXEC_IMAGE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "lib/error.h"
#include "lib/file.h"
#include "lib/unpack.h"

enum image_type { IMAGE_ZBOOT, IMAGE_PE, IMAGE_ELF };

enum answer { ANSWER_UNKNOWN, ANSWER_NO, ANSWER_YES };

/*
 * A file mapped for reading, so that of a vmlinux with its debug information
 * only what is looked at takes memory. mapped: data is from mmap(), not from
 * the heap (the file was no regular one).
 */
struct mapped_file {
	const uint8_t *data;
	size_t size;
	bool mapped;
};

/* Files larger than this are refused. */
#define IMAGE_FILE_LIMIT ((size_t)4 << 30)

/* An answer and how it is known; evidence is static text. */
struct fact {
	enum answer value;
	const char *evidence;
};

struct image {
	enum image_type type;
	enum image_type inner;  /* of a zboot; otherwise the same as type */
	const char *compression; /* the zboot header's word, NULL for others */
	enum codec wrapper;     /* around the whole file; CODEC_NONE */

	/* What is copied into memory. Points into file or storage. */
	const uint8_t *payload;
	uint64_t payload_size;
	uint64_t image_size;    /* memory it needs, a multiple of 64 KiB */
	uint64_t text_offset;   /* physical link address of its first byte */
	uint64_t entry;         /* physical link address of its entry */
	unsigned int load_count; /* ELF: PT_LOAD segments; payload is made of all */
	bool header_magic;      /* PE: 0x818223cd stands at 0x38 */

	struct fact relocatable, kaslr, crash_dump;
	struct fact flatmem;    /* known from a configuration only */
	uint64_t page_size;     /* 0: unknown */
	const char *page_size_evidence;
	uint64_t kaslr_max;     /* RANDOMIZE_BASE_MAX_OFFSET, or the default */
	char *version;          /* "6.12.94", NULL when no banner was found */
	const char *version_evidence;

	struct mapped_file file; /* not there when storage holds it all */
	struct blob storage;     /* bytes that had to be made */
};

/* Default of CONFIG_RANDOMIZE_BASE_MAX_OFFSET (arch/loongarch/Kconfig). */
#define IMAGE_KASLR_MAX_DEFAULT 0x1000000ULL

/*
 * Read and understand the kernel in a file, one level of compression around
 * it removed. type is NULL or the only type to accept: "zboot",
 * "pe", "elf" or kexec-tools' "pez-loongarch", "pei-loongarch",
 * "elf-loongarch".
 */
struct error *image_open(const char *path, const char *type, struct image *ret)
	MUST_CHECK;
void image_deinit(struct image *image);
#define cleanup_image __attribute__((cleanup(image_deinit)))

/*
 * ERROR_UNSUPPORTED for a kernel with FLATMEM, which cannot be the crash kernel: its
 * mem_map begins with the memory that is there, and pfn_to_page() uses it as if with
 * frame 0 (alloc_node_mem_map() of mm/mm_init.c).
 */
struct error *image_runs_in_reservation(const struct image *image) MUST_CHECK;

const char *image_type_name(enum image_type type);
const char *answer_name(enum answer answer);

/* Is this a word image_open() takes as type? */
bool image_type_known(const char *type);

/* --- for the files that know one format each --- */

/* Bytes to look at; name is for messages. */
struct image_input {
	const uint8_t *data;
	size_t size;
	const char *name;
};

struct image_ops {
	enum image_type type;
	const char *name;
	const char *old_name; /* what kexec-tools calls it */

	/*
	 * NULL: the bytes are this format and *ret is filled, all but
	 * version, evidence and wrapper. ret->payload points into the input,
	 * or into ret->storage when probe had to make new bytes.
	 * ERROR_NOT_MINE: some other format may know them; *ret is untouched.
	 * Anything else: they are this format, but broken, for another
	 * architecture, or more than we can do. No other format is asked.
	 */
	struct error *(*probe)(const struct image_input *input, struct image *ret);
};

extern const struct image_ops image_zboot, image_pe, image_elf;

/*
 * Check what every format has in common once its header was read: sizes
 * within reason, the entry inside the image. Rounds image_size up.
 */
struct error *image_check_shape(struct image *image, const char *name) MUST_CHECK;

#endif

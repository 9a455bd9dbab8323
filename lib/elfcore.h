/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * ELF core files: headers and notes, built and read. 64-bit little endian,
 * EM_LOONGARCH. Used for the elfcorehdr a crash kernel is handed, for
 * /proc/vmcore and for ELF dumps.
 */
#ifndef LIB_ELFCORE_H
#define LIB_ELFCORE_H

#include <elf.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "lib/bytes.h"
#include "lib/error.h"
#include "lib/file.h"
#include "lib/input.h"

struct elf_segment {
	uint32_t type;   /* PT_NOTE or PT_LOAD */
	uint32_t flags;  /* PF_* */
	uint64_t offset; /* in the file */
	uint64_t vaddr;
	uint64_t paddr;
	uint64_t filesz;
	uint64_t memsz;
	uint64_t align;
};

/*
 * ELF header and program headers, e_flags 0 (crash reads its bit 0 as "dump
 * incomplete", netdump.h DUMP_ELF_INCOMPLETE). With 65535 segments or more
 * (PN_XNUM) a section header that carries the true count follows the program
 * headers. *ret is exactly as long as elfcore_headers_size() says.
 */
size_t elfcore_headers_size(size_t segments);
struct error *elfcore_build_headers(const struct elf_segment *segments,
				    size_t count, struct blob *ret) MUST_CHECK;

/* One note, name and descriptor each padded to 4 bytes. name_size counts the
 * NUL that ends the name. */
struct elf_note {
	uint32_t type;
	const char *name; /* borrowed, NUL-terminated */
	const uint8_t *desc;
	size_t desc_size;
};
#define ELF_NOTE_VMCOREINFO "VMCOREINFO"

size_t elf_note_size(const struct elf_note *note);
/* Writes elf_note_size() bytes and returns the place after them. */
uint8_t *elf_note_put(uint8_t *to, const struct elf_note *note);

/*
 * The next note. False at the end of the span, and also, with the reader
 * marked, when the rest is no whole note. A note of all zeros ends the list (the kernel leaves
 * such where a CPU wrote nothing).
 */
bool elf_note_next(struct reader *r, struct elf_note *ret);

/* An open ELF core: its segments, in file order. */
struct elfcore {
	uint16_t machine;
	uint32_t flags; /* e_flags; bit 0: the dump is incomplete */
	struct elf_segment *segments;
	size_t segment_count;
	uint64_t headers_end; /* first byte after all headers */
};

#define ELFCORE_SEGMENTS_MAX (1u << 20)

/*
 * Reads the headers of an open file. ERROR_NOT_MINE when it is no 64-bit
 * little-endian ELF core, ERROR_FORMAT when it is one but broken. Segments
 * reaching past the end of the file are kept as they are: dumps get cut.
 */
struct error *elfcore_read(const struct input *input, struct elfcore *ret) MUST_CHECK;
void elfcore_deinit(struct elfcore *core);

#endif

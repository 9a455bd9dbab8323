/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A kdump-compressed file that is right but for the input, which is XORed over
 * what says how to read it: header, sub header, notes, the beginnings of the
 * bitmaps, descriptors, packed pages. All pages are read.
 */
#include <string.h>

#include "lib/bytes.h"
#include "lib/elfcore.h"
#include "lib/loongarch.h"
#include "makedumpfile-glue/compress.h"
#include "makedumpfile-glue/kdump-format.h"
#include "makedumpfile-glue/source/quirks.h"
#include "makedumpfile-glue/source/source.h"
#include "tests/fuzz/fuzz.h"

#define BLOCK    4096
#define BITMAPS  (2 * BLOCK)
#define DESCS    (4 * BLOCK)
#define PAGES    40
#define DATA     (DESCS + PAGES * KDUMP_DESC_SIZE)
#define ROOM     (DATA + 8 * BLOCK)

static uint8_t file[ROOM];
static size_t file_size;

/* Where the input goes. */
static const struct {
	size_t at, size;
} places[] = {
	{ 0, 8 + 8 }, /* signature, version, some of the name */
	{ KDUMP_AT_TIME_SEC, KDUMP_HEADER_SIZE - KDUMP_AT_TIME_SEC },
	{ BLOCK, KDUMP_SUB_HEADER_SIZE + 64 },
	{ BITMAPS, 16 },
	{ BITMAPS + BLOCK, 16 },
	{ DESCS, PAGES * KDUMP_DESC_SIZE },
	{ DATA, 512 },
};

static size_t put_page(size_t at, size_t page, enum page_codec codec)
{
	static uint8_t content[BLOCK];
	struct packer *packer = NULL;
	uint8_t *desc = file + DESCS + page * KDUMP_DESC_SIZE;
	size_t i, size = 0;

	for (i = 0; i < sizeof(content); i++)
		content[i] = i % (page + 2);
	if (codec != PAGE_RAW && !packer_create(codec, &packer))
		size = packer_pack(packer, content, BLOCK, file + at);
	packer_destroy(packer);
	if (!size) {
		codec = PAGE_RAW;
		memcpy(file + at, content, BLOCK);
		size = BLOCK;
	}
	put_le64(desc + KDUMP_DESC_AT_OFFSET, at);
	put_le32(desc + KDUMP_DESC_AT_SIZE, size);
	put_le32(desc + KDUMP_DESC_AT_FLAGS, codec);
	return at + size;
}

static void build(void)
{
	static const enum page_codec codecs[] = { PAGE_ZLIB, PAGE_ZSTD, PAGE_LZO, PAGE_SNAPPY };
	static const char info[] = "OSRELEASE=1\nPAGESIZE=4096\n";
	const struct elf_note note = {
		.name = ELF_NOTE_VMCOREINFO, .desc = (const uint8_t *)info,
		.desc_size = sizeof(info) - 1,
	};
	uint8_t *sub = file + BLOCK;
	size_t at = DATA, i;

	memcpy(file, KDUMP_SIGNATURE, KDUMP_SIGNATURE_SIZE);
	put_le32(file + KDUMP_AT_VERSION, KDUMP_VERSION);
	strcpy((char *)file + KDUMP_AT_UTSNAME + UTSNAME_MACHINE * UTSNAME_FIELD_SIZE,
	       "loongarch64");
	put_le32(file + KDUMP_AT_BLOCK_SIZE, BLOCK);
	put_le32(file + KDUMP_AT_SUB_HDR_SIZE, 1);
	put_le32(file + KDUMP_AT_BITMAP_BLOCKS, 2);
	put_le32(file + KDUMP_AT_MAX_MAPNR, 128);
	put_le64(sub + KDUMP_SUB_AT_OFFSET_NOTE, BLOCK + KDUMP_SUB_HEADER_SIZE);
	put_le64(sub + KDUMP_SUB_AT_SIZE_NOTE, elf_note_size(&note));
	put_le64(sub + KDUMP_SUB_AT_MAX_MAPNR_64, 128);
	elf_note_put(sub + KDUMP_SUB_HEADER_SIZE, &note);
	/* Frames 8 to 39 and 64 to 71. */
	memset(file + BITMAPS + 1, 0xff, 4);
	memset(file + BITMAPS + BLOCK + 1, 0xff, 4);
	file[BITMAPS + 8] = file[BITMAPS + BLOCK + 8] = 0xff;
	for (i = 0; i < PAGES - 1; i++)
		at = put_page(at, i, codecs[i % 4]);
	file_size = put_page(at, i, PAGE_RAW);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void ignore(const char *text, void *arg)
{
	(void)text;
	(void)arg;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static uint8_t changed[ROOM], pages[4 * LOONGARCH_PAGE_SIZE_MAX];
	char path[FUZZ_PATH_SIZE];
	struct source *source;
	struct error *err;
	size_t i, k, left = size;
	int fd;

	if (!file_size)
		build();
	memcpy(changed, file, file_size);
	for (i = 0; i < sizeof(places) / sizeof(places[0]); i++)
		for (k = 0; k < places[i].size && left; k++, left--)
			changed[places[i].at + k] ^= data[size - left];
	/* What is left over cuts the file. */
	fd = fuzz_file(changed, left && left < file_size ? file_size - left : file_size, path);
	err = source_open_file(path, &source);
	if (err) {
		error_free(err);
		close(fd);
		return 0;
	}
	if (!source->split && kdump_same_dump(source, source))
		abort();
	error_free(source_quirks(source, ignore, NULL));
	for (i = 0; i < source->memory.count && i < 64; i++) {
		const struct extent *run = &source->memory.run[i];
		uint64_t at, end = run->end - run->start < 64 * BLOCK ? run->end :
								      run->start + 64 * BLOCK;

		for (at = run->start; at < end;) {
			size_t n = end - at < sizeof(pages) ? end - at : sizeof(pages);

			error_free(source_read(source, at, pages, n));
			error_free(source_read(source, at + n / 2, pages, n - n / 2));
			at += n;
		}
	}
	source_close(source);
	close(fd);
	return 0;
}

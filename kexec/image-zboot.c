/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * EFI zboot (drivers/firmware/efi/libstub/zboot-header.S): a small PE program
 * with a compressed kernel inside. What is inside is probed again, as PE or
 * as ELF.
 */
#include <inttypes.h>
#include <string.h>

#include "kexec/arch.h"
#include "kexec/image.h"
#include "lib/bytes.h"
#include "lib/loongarch.h"

#define HEADER_SIZE        0x40
#define HEADER_PAYLOAD     0x08
#define HEADER_COMPRESSION 0x18
#define HEADER_PE_OFFSET   0x3c
#define PE_MACHINE_END     0x06
#define COMPRESSION_SIZE   32

/*
 * The header's payload size leaves out 0 to 12 bytes of the stream, depending
 * on the kernel (ZBOOT_SIZE_LEN: 12 in v6.2, 4 or 0 since v6.4). So the
 * stream may reach this much further, and has to end by itself.
 */
#define SIZE_SLACK 12

struct compression {
	const char *name;
	enum codec codec;
	const char *by_hand; /* where this build lacks the library */
};

/* drivers/firmware/efi/libstub/Makefile.zboot of v6.1 to now. */
static const struct compression compressions[] = {
	{ "gzip", CODEC_GZIP, "zcat" },
	{ "zstd", CODEC_ZSTD, "zstd -dc" },
	{ "zstd22", CODEC_ZSTD, "zstd -dc --long=27" },
	{ "xzkern", CODEC_XZ, "xz -dc" },
	{ "xz", CODEC_XZ, "xz -dc" },
	{ "lzma", CODEC_LZMA, "xz -dc --format=lzma" },
	{ "lz4", CODEC_LZ4_LEGACY, "lz4 -dc" },
	{ "lzo", CODEC_LZO, "lzop -dc" },
};

struct header {
	uint32_t offset, size;
	char compression[COMPRESSION_SIZE];
};

static const struct compression *find_compression(const char *name)
{
	size_t i;

	for (i = 0; i < sizeof(compressions) / sizeof(*compressions); i++)
		if (!strcmp(name, compressions[i].name))
			return &compressions[i];
	return NULL;
}

static struct error *cannot_unpack(const struct image_input *in, const struct header *header,
				   const char *by_hand)
{
	struct error *err = error_new(
		ERROR_UNSUPPORTED,
		"%s: is a zboot image compressed with \"%s\", which this build cannot unpack",
		in->name, header->compression);

	if (by_hand)
		return error_remedy(err, "Unpack it by hand and give the result instead: "
				    "tail -c +%" PRIu64 " FILE | head -c %u | %s > vmlinux.efi",
				    (uint64_t)header->offset + 1, header->size, by_hand);
	return error_remedy(err, "Unpack by hand, with a tool that knows %s, the %u bytes from "
			    "offset %u of the file, and give the result instead.",
			    header->compression, header->size, header->offset);
}

/* The name is printed, so it has to be printable. */
static bool compression_valid(const char name[COMPRESSION_SIZE])
{
	size_t i;

	for (i = 0; i < COMPRESSION_SIZE && name[i]; i++)
		if (name[i] < '!' || name[i] > '~')
			return false;
	return i > 0 && i < COMPRESSION_SIZE;
}

static struct error *read_header(const struct image_input *in, struct header *ret)
{
	struct reader r, header;
	struct error *err;
	uint16_t machine;
	uint32_t pe;

	reader_init(&r, in->data, in->size, 0, in->name);
	if (!reader_match(&r, "MZ\0\0zimg", 8))
		return error_new(ERROR_NOT_MINE, "%s: no zimg", in->name);
	reader_seek(&r, 0);
	reader_bytes(&r, HEADER_SIZE);
	reader_seek(&r, HEADER_PAYLOAD);
	ret->offset = reader_u32(&r);
	ret->size = reader_u32(&r);
	reader_seek(&r, HEADER_COMPRESSION);
	reader_copy(&r, ret->compression, COMPRESSION_SIZE);
	reader_seek(&r, HEADER_PE_OFFSET);
	pe = reader_u32(&r);
	header = reader_slice(&r, pe, PE_MACHINE_END);
	err = reader_check(&r, "zboot header");
	if (err)
		return error_remedy(err, "Copy or install the kernel again.");
	if (!reader_match(&header, "PE\0", 4))
		return error_new(ERROR_FORMAT,
				 "%s: zboot image without a PE header at offset 0x%x",
				 in->name, pe);
	machine = reader_u16(&header);
	if (machine != LOONGARCH_PE_MACHINE)
		return arch_wrong(in->name, "a zboot image", arch_of_pe(machine), machine);
	/* The field is 32 bytes and ends where the magic begins. */
	if (!compression_valid(ret->compression))
		return error_new(ERROR_FORMAT,
				 "%s: zboot header names no compression at offset 0x%x",
				 in->name, HEADER_COMPRESSION);
	return NULL;
}

static struct error *find_payload(const struct image_input *in, const struct header *header,
				  struct reader *ret, size_t *ret_expected)
{
	uint64_t end = (uint64_t)header->offset + header->size;
	uint64_t room;

	if (!header->size || end > in->size)
		return error_remedy(
			error_new(ERROR_FORMAT,
				  "%s: zboot payload at offset 0x%x should have %u bytes, the "
				  "file ends after %zu bytes",
				  in->name, header->offset, header->size, in->size),
			"Copy or install the kernel again.");
	room = in->size - end;
	reader_init(ret, in->data + header->offset,
		    header->size + (room < SIZE_SLACK ? room : SIZE_SLACK), header->offset,
		    in->name);
	/* Most streams are followed by their unpacked size. Only a hint. */
	*ret_expected = room >= 4 ? get_le32(in->data + end) : 0;
	return NULL;
}

static struct error *probe_inner(const struct blob *inner, const char *name,
				 struct image *ret)
{
	const struct image_input in = { inner->data, inner->size, name };
	struct error *err = image_pe.probe(&in, ret);

	if (!err || err->code != ERROR_NOT_MINE)
		return err;
	error_free(err);
	err = image_elf.probe(&in, ret);
	if (!err || err->code != ERROR_NOT_MINE)
		return err;
	error_free(err);
	return error_new(ERROR_FORMAT, "%s: is neither PE nor ELF", name);
}

static struct error *zboot_probe(const struct image_input *in, struct image *ret)
{
	struct blob inner cleanup_blob = { 0 };
	struct image image = *ret;
	struct header header = { 0 };
	const struct compression *how;
	struct reader stream = { 0 };
	struct error *err;
	size_t expected = 0;

	err = read_header(in, &header);
	if (err)
		return err;
	how = find_compression(header.compression);
	if (!how || !codec_available(how->codec))
		return cannot_unpack(in, &header, how ? how->by_hand : NULL);
	err = find_payload(in, &header, &stream, &expected);
	if (!err)
		err = unpack(how->codec, stream.data, stream.size, expected, UNPACK_LIMIT_IMAGE,
			     in->name, stream.base, &inner);
	if (err)
		return err;
	err = probe_inner(&inner, "the kernel inside", &image);
	if (err)
		return error_add(err, "%s", in->name);
	image.type = IMAGE_ZBOOT;
	image.compression = how->name;
	if (!image.storage.data) {
		image.storage = inner;
		inner.data = NULL;
	}
	*ret = image;
	return NULL;
}

const struct image_ops image_zboot = {
	IMAGE_ZBOOT, "zboot", "pez-loongarch", zboot_probe,
};

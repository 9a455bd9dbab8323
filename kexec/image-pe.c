/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * vmlinux.efi: a flat image behind a 64-byte header that is DOS header and
 * LoongArch image header in one (Documentation/arch/loongarch/booting.rst,
 * arch/loongarch/kernel/head.S), then PE headers. File offset = memory offset.
 */
#include <inttypes.h>
#include <string.h>

#include "kexec/arch.h"
#include "kexec/image.h"
#include "lib/bytes.h"
#include "lib/loongarch.h"

#define HEADER_SIZE        0x40
#define HEADER_ENTRY       0x08
#define HEADER_MAGIC       0x38
#define HEADER_PE_OFFSET   0x3c
#define LINUX_PE_MAGIC     0x818223cd
#define PE_MACHINE_END     0x06
#define PE_SECTION_COUNT   0x06
#define PE_OPTIONAL_SIZE   0x14
#define PE_OPTIONAL_HEADER 0x18
#define SECTION_SIZE       40
#define SECTION_RAW_SIZE   16

/* Bytes that the PE section table says the file has; the file may be cut. */
static struct error *check_sections(struct reader *r, uint32_t pe, const char *name,
				    uint64_t size)
{
	uint16_t count, optional, i;
	struct error *err;

	reader_seek(r, pe + PE_SECTION_COUNT);
	count = reader_u16(r);
	reader_seek(r, pe + PE_OPTIONAL_SIZE);
	optional = reader_u16(r);
	err = reader_check(r, "PE header");
	if (err)
		return error_remedy(err, "Copy or install the kernel again.");
	for (i = 0; i < count; i++) {
		uint64_t end;

		reader_seek(r, (uint64_t)pe + PE_OPTIONAL_HEADER + optional +
				       (uint64_t)i * SECTION_SIZE + SECTION_RAW_SIZE);
		end = reader_u32(r);
		end += reader_u32(r);
		err = reader_check(r, "PE section table");
		if (err)
			return error_remedy(err, "Copy or install the kernel again.");
		if (end > size)
			return error_remedy(
				error_new(ERROR_FORMAT,
					  "%s: is cut short: section %u ends at byte %" PRIu64
					  ", the image has %" PRIu64, name, i, end, size),
				"Copy or install the kernel again.");
	}
	return NULL;
}

static struct error *pe_probe(const struct image_input *in, struct image *ret)
{
	struct image image = *ret;
	struct reader r, header;
	struct error *err;
	uint16_t machine;
	uint32_t pe;

	reader_init(&r, in->data, in->size, 0, in->name);
	if (!reader_match(&r, "MZ", 2))
		return error_new(ERROR_NOT_MINE, "%s: no MZ", in->name);
	reader_seek(&r, 0);
	reader_bytes(&r, HEADER_SIZE);
	reader_seek(&r, HEADER_ENTRY);
	image.entry = reader_u64(&r) & LOONGARCH_PHYS_MASK;
	image.image_size = reader_u64(&r);
	image.text_offset = reader_u64(&r);
	reader_seek(&r, HEADER_MAGIC);
	image.header_magic = reader_u32(&r) == LINUX_PE_MAGIC;
	pe = reader_u32(&r);
	header = reader_slice(&r, pe, PE_MACHINE_END);
	err = reader_check(&r, "PE image header");
	if (err)
		return error_remedy(err, "Copy or install the kernel again.");
	if (!reader_match(&header, "PE\0", 4))
		return error_new(ERROR_FORMAT,
				 "%s: starts with MZ, but no PE header is at offset 0x%x",
				 in->name, pe);
	machine = reader_u16(&header);
	if (machine != LOONGARCH_PE_MACHINE)
		return arch_wrong(in->name, "a PE image", arch_of_pe(machine), machine);
	/* Old kernels have no magic; other EFI programs have none either, and
	 * nothing that looks like a kernel's numbers. */
	if (!image.header_magic && (!image.image_size || !image.text_offset))
		return error_remedy(
			error_new(ERROR_UNSUPPORTED,
				  "%s: is an EFI program for loongarch64, not a kernel",
				  in->name),
			"Give a kernel (vmlinuz, vmlinux.efi or vmlinux); a boot loader "
			"or a unified kernel image cannot be loaded.");
	err = check_sections(&r, pe, in->name, in->size);
	if (err)
		return err;

	image.type = image.inner = IMAGE_PE;
	image.payload = in->data;
	image.payload_size = in->size;
	err = image_check_shape(&image, in->name);
	if (err)
		return err;
	*ret = image;
	return NULL;
}

const struct image_ops image_pe = { IMAGE_PE, "pe", "pei-loongarch", pe_probe };

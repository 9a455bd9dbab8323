/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * vmlinux. Where it wants to run stands in its program headers; whether it
 * can run elsewhere in its section headers, if it still has them.
 */
#include <elf.h>
#include <inttypes.h>
#include <string.h>

#include "kexec/arch.h"
#include "kexec/image.h"
#include "lib/bytes.h"
#include "lib/loongarch.h"

struct header {
	uint16_t type, phnum, shnum, shstrndx;
	uint64_t entry, phoff, shoff;
};

/* What a kernel's program headers come to. */
struct layout {
	uint64_t start, end; /* physical link addresses */
	size_t loads;
	uint64_t offset, filesz; /* of the only PT_LOAD */
	bool dynamic;
};

static struct error *read_header(const struct image_input *in, struct header *ret)
{
	uint8_t class, order;
	uint16_t machine, phentsize, shentsize;
	struct error *err;
	struct reader r;

	reader_init(&r, in->data, in->size, 0, in->name);
	if (!reader_match(&r, ELFMAG, SELFMAG))
		return error_new(ERROR_NOT_MINE, "%s: no ELF", in->name);
	reader_seek(&r, 0);
	reader_bytes(&r, sizeof(Elf64_Ehdr));
	reader_seek(&r, EI_CLASS);
	class = reader_u8(&r);
	order = reader_u8(&r);
	r.big_endian = order == ELFDATA2MSB;
	reader_seek(&r, EI_NIDENT);
	ret->type = reader_u16(&r);
	machine = reader_u16(&r);
	reader_seek(&r, offsetof(Elf64_Ehdr, e_entry));
	ret->entry = reader_u64(&r);
	ret->phoff = reader_u64(&r);
	ret->shoff = reader_u64(&r);
	reader_seek(&r, offsetof(Elf64_Ehdr, e_phentsize));
	phentsize = reader_u16(&r);
	ret->phnum = reader_u16(&r);
	shentsize = reader_u16(&r);
	ret->shnum = reader_u16(&r);
	ret->shstrndx = reader_u16(&r);
	err = reader_check(&r, "ELF header");
	if (err)
		return error_remedy(err, "Copy or install the kernel again.");
	if (machine != LOONGARCH_EM)
		return arch_wrong(in->name, "an ELF file", arch_of_elf(machine), machine);
	if (class != ELFCLASS64 || order != ELFDATA2LSB)
		return error_new(ERROR_UNSUPPORTED,
				 "%s: is a 32-bit or big-endian ELF file; loongarch64 kernels "
				 "are neither", in->name);
	if (ret->type != ET_EXEC && ret->type != ET_DYN)
		return error_new(ERROR_UNSUPPORTED, "%s: is %s, not a kernel", in->name,
				 ret->type == ET_CORE ? "a core dump" :
				 ret->type == ET_REL ? "an object file or module" :
						       "an ELF file of an unknown type");
	if (!ret->phnum || phentsize != sizeof(Elf64_Phdr))
		return error_new(ERROR_FORMAT, "%s: ELF file without usable program headers",
				 in->name);
	if (shentsize != sizeof(Elf64_Shdr))
		ret->shnum = 0;
	return NULL;
}

struct load {
	uint64_t offset, phys, filesz, memsz;
	uint32_t type;
};

static struct error *read_load(struct reader *r, const struct header *header, uint16_t index,
			       struct load *ret)
{
	reader_seek(r, header->phoff);
	reader_skip(r, (uint64_t)index * sizeof(Elf64_Phdr));
	ret->type = reader_u32(r);
	reader_skip(r, 4);
	ret->offset = reader_u64(r);
	reader_skip(r, 8);
	ret->phys = reader_u64(r) & LOONGARCH_PHYS_MASK;
	ret->filesz = reader_u64(r);
	ret->memsz = reader_u64(r);
	return reader_check(r, "ELF program headers");
}

static struct error *read_layout(const struct image_input *in, const struct header *header,
				 struct layout *ret)
{
	struct layout layout = { .start = UINT64_MAX };
	struct reader r;
	uint16_t i;

	reader_init(&r, in->data, in->size, 0, in->name);
	for (i = 0; i < header->phnum; i++) {
		struct load load;
		struct error *err = read_load(&r, header, i, &load);

		if (err)
			return error_remedy(err, "Copy or install the kernel again.");
		if (load.type == PT_INTERP)
			return error_new(ERROR_UNSUPPORTED,
					 "%s: is a program for Linux, not a kernel", in->name);
		if (load.type == PT_DYNAMIC)
			layout.dynamic = true;
		if (load.type != PT_LOAD || !load.memsz)
			continue;
		if (load.filesz > load.memsz || load.memsz > UNPACK_LIMIT_IMAGE)
			return error_new(ERROR_FORMAT,
					 "%s: ELF segment %u has %" PRIu64 " bytes in the file "
					 "and %" PRIu64 " in memory", in->name, i, load.filesz,
					 load.memsz);
		if (load.offset > in->size || load.filesz > in->size - load.offset)
			return error_remedy(
				error_new(ERROR_FORMAT,
					  "%s: is cut short: ELF segment %u has %" PRIu64
					  " bytes at offset 0x%" PRIx64 ", the file has %zu",
					  in->name, i, load.filesz, load.offset, in->size),
				"Copy or install the kernel again.");
		if (load.phys < layout.start)
			layout.start = load.phys;
		if (load.phys + load.memsz > layout.end)
			layout.end = load.phys + load.memsz;
		layout.offset = load.offset;
		layout.filesz = load.filesz;
		layout.loads++;
	}
	if (!layout.loads)
		return error_new(ERROR_FORMAT, "%s: ELF file with nothing to load", in->name);
	if (layout.end - layout.start > UNPACK_LIMIT_IMAGE)
		return error_new(ERROR_LIMIT,
				 "%s: its segments lie 0x%" PRIx64 " bytes apart; the limit "
				 "is 0x%zx", in->name, layout.end - layout.start,
				 UNPACK_LIMIT_IMAGE);
	*ret = layout;
	return NULL;
}

/*
 * Several PT_LOADs become one piece: they need not begin on pages, and the
 * distances between them must stay as linked.
 */
static struct error *flatten(const struct image_input *in, const struct header *header,
			     const struct layout *layout, struct blob *ret)
{
	struct error *err = blob_init(ret, layout->end - layout->start);
	struct reader r;
	uint16_t i;

	if (err)
		return err;
	memset(ret->data, 0, ret->size);
	reader_init(&r, in->data, in->size, 0, in->name);
	for (i = 0; i < header->phnum; i++) {
		struct load load;

		err = read_load(&r, header, i, &load);
		if (err) {
			blob_deinit(ret);
			return err;
		}
		if (load.type == PT_LOAD && load.memsz)
			memcpy(ret->data + (load.phys - layout->start),
			       in->data + load.offset, load.filesz);
	}
	return NULL;
}

/* Is the section one of those arch/loongarch/kernel/relocate.c works through? */
static const char *relocation_section(struct reader *names, uint32_t name)
{
	static const char *const sections[][2] = {
		{ ".la_abs", "non-empty section .la_abs" },
		{ ".rela.dyn", "non-empty section .rela.dyn" },
		{ ".relr.dyn", "non-empty section .relr.dyn" },
	};
	size_t i;

	for (i = 0; i < sizeof(sections) / sizeof(*sections); i++) {
		struct reader at = *names;

		reader_seek(&at, name);
		if (reader_match(&at, sections[i][0], strlen(sections[i][0]) + 1))
			return sections[i][1];
	}
	return NULL;
}

/* Broken section headers prove nothing and hurt nobody: loading needs none. */
static struct fact find_relocations(const struct image_input *in, const struct header *header)
{
	struct reader r, names;
	uint64_t offset, size;
	uint16_t i;

	reader_init(&r, in->data, in->size, 0, in->name);
	reader_seek(&r, header->shoff);
	reader_skip(&r, (uint64_t)header->shstrndx * sizeof(Elf64_Shdr) +
				offsetof(Elf64_Shdr, sh_offset));
	offset = reader_u64(&r);
	size = reader_u64(&r);
	names = reader_slice(&r, offset, size);
	if (!header->shnum || header->shstrndx >= header->shnum || r.overrun)
		return (struct fact){ ANSWER_UNKNOWN, "ELF file without section headers" };
	for (i = 0; i < header->shnum; i++) {
		const char *evidence;
		uint32_t name;

		reader_seek(&r, header->shoff + (uint64_t)i * sizeof(Elf64_Shdr));
		name = reader_u32(&r);
		reader_skip(&r, offsetof(Elf64_Shdr, sh_size) - 4);
		size = reader_u64(&r);
		if (r.overrun)
			return (struct fact){ ANSWER_UNKNOWN,
					      "ELF file with broken section headers" };
		evidence = relocation_section(&names, name);
		if (evidence && size)
			return (struct fact){ ANSWER_YES, evidence };
	}
	return (struct fact){ ANSWER_NO, "no section .la_abs, .rela.dyn or .relr.dyn" };
}

static struct error *elf_probe(const struct image_input *in, struct image *ret)
{
	struct image image = *ret;
	struct header header = { 0 };
	struct layout layout = { 0 };
	struct error *err;

	err = read_header(in, &header);
	if (!err)
		err = read_layout(in, &header, &layout);
	if (err)
		return err;
	image.type = image.inner = IMAGE_ELF;
	image.text_offset = layout.start;
	image.image_size = layout.end - layout.start;
	image.entry = header.entry & LOONGARCH_PHYS_MASK;
	image.payload = in->data + layout.offset;
	image.payload_size = layout.filesz;
	err = image_check_shape(&image, in->name);
	if (err)
		return err;
	if (header.type == ET_DYN)
		image.relocatable = (struct fact){ ANSWER_YES, "ELF type DYN" };
	else if (layout.dynamic)
		image.relocatable = (struct fact){ ANSWER_YES, "ELF segment PT_DYNAMIC" };
	else
		image.relocatable = find_relocations(in, &header);
	image.load_count = (unsigned int)layout.loads;
	if (layout.loads > 1) {
		err = flatten(in, &header, &layout, &image.storage);
		if (err)
			return err;
		image.payload = image.storage.data;
		image.payload_size = image.storage.size;
	}
	*ret = image;
	return NULL;
}

const struct image_ops image_elf = { IMAGE_ELF, "elf", "elf-loongarch", elf_probe };

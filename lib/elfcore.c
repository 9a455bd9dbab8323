/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "lib/elfcore.h"

#include <stdlib.h>
#include <string.h>

#include "lib/loongarch.h"

size_t elfcore_headers_size(size_t segments)
{
	return sizeof(Elf64_Ehdr) + segments * sizeof(Elf64_Phdr) +
	       (segments >= PN_XNUM ? sizeof(Elf64_Shdr) : 0);
}

static void put_segment(uint8_t *to, const struct elf_segment *segment)
{
	put_le32(to + offsetof(Elf64_Phdr, p_type), segment->type);
	put_le32(to + offsetof(Elf64_Phdr, p_flags), segment->flags);
	put_le64(to + offsetof(Elf64_Phdr, p_offset), segment->offset);
	put_le64(to + offsetof(Elf64_Phdr, p_vaddr), segment->vaddr);
	put_le64(to + offsetof(Elf64_Phdr, p_paddr), segment->paddr);
	put_le64(to + offsetof(Elf64_Phdr, p_filesz), segment->filesz);
	put_le64(to + offsetof(Elf64_Phdr, p_memsz), segment->memsz);
	put_le64(to + offsetof(Elf64_Phdr, p_align), segment->align);
}

struct error *elfcore_build_headers(const struct elf_segment *segments, size_t count,
				    struct blob *ret)
{
	bool many = count >= PN_XNUM;
	size_t table = sizeof(Elf64_Ehdr) + count * sizeof(Elf64_Phdr);
	struct error *err;
	uint8_t *to;
	size_t i;

	if (count > ELFCORE_SEGMENTS_MAX)
		return error_new(ERROR_LIMIT, "%zu ELF segments: the limit is %u", count,
				 ELFCORE_SEGMENTS_MAX);
	err = blob_init(ret, elfcore_headers_size(count));
	if (err)
		return err;
	to = ret->data;
	memset(to, 0, ret->size);

	memcpy(to, ELFMAG, SELFMAG);
	to[EI_CLASS] = ELFCLASS64;
	to[EI_DATA] = ELFDATA2LSB;
	to[EI_VERSION] = EV_CURRENT;
	put_le16(to + offsetof(Elf64_Ehdr, e_type), ET_CORE);
	put_le16(to + offsetof(Elf64_Ehdr, e_machine), LOONGARCH_EM);
	put_le32(to + offsetof(Elf64_Ehdr, e_version), EV_CURRENT);
	put_le64(to + offsetof(Elf64_Ehdr, e_phoff), sizeof(Elf64_Ehdr));
	put_le16(to + offsetof(Elf64_Ehdr, e_ehsize), sizeof(Elf64_Ehdr));
	put_le16(to + offsetof(Elf64_Ehdr, e_phentsize), sizeof(Elf64_Phdr));
	put_le16(to + offsetof(Elf64_Ehdr, e_phnum), many ? PN_XNUM : count);
	if (many) {
		put_le64(to + offsetof(Elf64_Ehdr, e_shoff), table);
		put_le16(to + offsetof(Elf64_Ehdr, e_shentsize), sizeof(Elf64_Shdr));
		put_le16(to + offsetof(Elf64_Ehdr, e_shnum), 1);
		put_le32(to + table + offsetof(Elf64_Shdr, sh_info), count);
	}
	for (i = 0; i < count; i++)
		put_segment(to + sizeof(Elf64_Ehdr) + i * sizeof(Elf64_Phdr),
			    &segments[i]);
	return NULL;
}

#define NOTE_HEADER_SIZE 12

static size_t padded(size_t size)
{
	return align_up(size, 4);
}

size_t elf_note_size(const struct elf_note *note)
{
	return NOTE_HEADER_SIZE + padded(strlen(note->name) + 1) +
	       padded(note->desc_size);
}

uint8_t *elf_note_put(uint8_t *to, const struct elf_note *note)
{
	size_t name_size = strlen(note->name) + 1;

	memset(to, 0, elf_note_size(note));
	put_le32(to, name_size);
	put_le32(to + 4, note->desc_size);
	put_le32(to + 8, note->type);
	to += NOTE_HEADER_SIZE;
	memcpy(to, note->name, name_size);
	to += padded(name_size);
	if (note->desc_size)
		memcpy(to, note->desc, note->desc_size);
	return to + padded(note->desc_size);
}

bool elf_note_next(struct reader *r, struct elf_note *ret)
{
	uint64_t name_size, desc_size;
	const uint8_t *name, *desc;

	if (!reader_left(r))
		return false;
	name_size = reader_u32(r);
	desc_size = reader_u32(r);
	ret->type = reader_u32(r);
	if (r->overrun || (!name_size && !desc_size && !ret->type))
		return false;
	name = reader_bytes(r, padded(name_size));
	desc = reader_bytes(r, desc_size);
	if (!name || !desc)
		return false;
	/* The last descriptor's padding may be cut off. */
	reader_skip(r, padded(desc_size) - desc_size <= reader_left(r) ?
			       padded(desc_size) - desc_size : reader_left(r));
	/* A name without its NUL is no name we know. */
	ret->name = name_size && !name[name_size - 1] ? (const char *)name : "";
	ret->desc = desc;
	ret->desc_size = desc_size;
	return true;
}

/* e_phnum, or for PN_XNUM the count in the first section header. */
static struct error *read_segment_count(const struct input *input, uint64_t shoff,
					uint16_t phnum, size_t *ret)
{
	uint8_t section[sizeof(Elf64_Shdr)];
	struct error *err;

	*ret = phnum;
	if (phnum != PN_XNUM)
		return NULL;
	if (!shoff)
		return error_new(ERROR_FORMAT,
				 "%s: e_phnum is PN_XNUM but there is no section "
				 "header to carry the count", input->path);
	err = input_read(input, section, sizeof(section), shoff);
	if (err)
		return error_add(err, "ELF section header 0");
	*ret = get_le32(section + offsetof(Elf64_Shdr, sh_info));
	return NULL;
}

static void read_segment(struct reader *r, struct elf_segment *ret)
{
	ret->type = reader_u32(r);
	ret->flags = reader_u32(r);
	ret->offset = reader_u64(r);
	ret->vaddr = reader_u64(r);
	ret->paddr = reader_u64(r);
	ret->filesz = reader_u64(r);
	ret->memsz = reader_u64(r);
	ret->align = reader_u64(r);
}

struct error *elfcore_read(const struct input *input, struct elfcore *ret)
{
	const char *path = input->path;
	uint8_t header[sizeof(Elf64_Ehdr)];
	struct blob table cleanup_blob = { 0 };
	struct elfcore core = { 0 };
	uint64_t phoff, shoff, table_end;
	uint16_t type, phentsize, phnum;
	struct reader r;
	struct error *err;
	size_t got, i;

	err = input_read_some(input, header, sizeof(header), 0, &got);
	if (err)
		return err;
	reader_init(&r, header, got, 0, path);
	if (!reader_match(&r, ELFMAG, SELFMAG) || reader_u8(&r) != ELFCLASS64 ||
	    reader_u8(&r) != ELFDATA2LSB)
		return error_new(ERROR_NOT_MINE,
				 "%s: not a 64-bit little-endian ELF file", path);
	reader_seek(&r, EI_NIDENT);
	type = reader_u16(&r);
	core.machine = reader_u16(&r);
	reader_seek(&r, offsetof(Elf64_Ehdr, e_phoff));
	phoff = reader_u64(&r);
	shoff = reader_u64(&r);
	core.flags = reader_u32(&r);
	reader_seek(&r, offsetof(Elf64_Ehdr, e_phentsize));
	phentsize = reader_u16(&r);
	phnum = reader_u16(&r);
	reader_seek(&r, sizeof(header));
	err = reader_check(&r, "ELF header");
	if (err)
		return err;
	if (type != ET_CORE)
		return error_new(ERROR_NOT_MINE,
				 "%s: an ELF file of type %u, not a core (%u)", path,
				 type, ET_CORE);
	if (phentsize != sizeof(Elf64_Phdr))
		return error_new(ERROR_FORMAT, "%s: e_phentsize is %u, must be %zu", path,
				 phentsize, sizeof(Elf64_Phdr));
	err = read_segment_count(input, shoff, phnum, &core.segment_count);
	if (err)
		return err;
	if (!core.segment_count || core.segment_count > ELFCORE_SEGMENTS_MAX)
		return error_new(ERROR_FORMAT,
				 "%s: %zu program headers; 1 to %u can be right", path,
				 core.segment_count, ELFCORE_SEGMENTS_MAX);

	err = blob_init(&table, core.segment_count * sizeof(Elf64_Phdr));
	if (err)
		return err;
	err = input_read(input, table.data, table.size, phoff);
	if (err)
		return error_add(err, "ELF program headers (%zu)", core.segment_count);
	core.segments = calloc(core.segment_count, sizeof(*core.segments));
	if (!core.segments)
		return error_nomem();
	reader_init(&r, table.data, table.size, phoff, path);
	for (i = 0; i < core.segment_count; i++)
		read_segment(&r, &core.segments[i]);

	table_end = phoff + table.size; /* both were read: no overflow */
	core.headers_end = table_end > sizeof(header) ? table_end : sizeof(header);
	if (phnum == PN_XNUM && shoff + sizeof(Elf64_Shdr) > core.headers_end)
		core.headers_end = shoff + sizeof(Elf64_Shdr);
	*ret = core;
	return NULL;
}

void elfcore_deinit(struct elfcore *core)
{
	free(core->segments);
	*core = (struct elfcore){ 0 };
}

/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "makedumpfile-glue/kernel/vmlinux.h"

#include <fcntl.h>
#include <gelf.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "lib/file.h"
#include "lib/loongarch.h"

/* As in every kernel's banner (init/version-timestamp.c, linux_banner). */
#define BANNER "Linux version "

static void take_build_id(Elf_Data *data, struct vmlinux *ret)
{
	size_t at = 0, next, name, desc, i;
	const uint8_t *bytes = data->d_buf;
	GElf_Nhdr note;

	while ((next = gelf_getnote(data, at, &note, &name, &desc)) > 0) {
		at = next;
		if (note.n_type != NT_GNU_BUILD_ID || note.n_namesz != sizeof(ELF_NOTE_GNU) ||
		    memcmp(bytes + name, ELF_NOTE_GNU, sizeof(ELF_NOTE_GNU)) ||
		    2 * (size_t)note.n_descsz >= sizeof(ret->build_id))
			continue;
		for (i = 0; i < note.n_descsz; i++)
			sprintf(ret->build_id + 2 * i, "%02x", bytes[desc + i]);
	}
}

static void take_release(const Elf_Data *data, struct vmlinux *ret)
{
	const char *from = memmem(data->d_buf, data->d_size, BANNER, strlen(BANNER));
	const char *end, *space;

	if (!from)
		return;
	from += strlen(BANNER);
	end = (const char *)data->d_buf + data->d_size;
	space = memchr(from, ' ', end - from);
	if (space && (size_t)(space - from) < sizeof(ret->release))
		memcpy(ret->release, from, space - from);
}

static void look_at_section(Elf *elf, Elf_Scn *section, struct vmlinux *ret)
{
	size_t names = 0;
	const char *name;
	GElf_Shdr header;
	Elf_Data *data;

	if (!gelf_getshdr(section, &header) || elf_getshdrstrndx(elf, &names) < 0)
		return;
	name = elf_strptr(elf, names, header.sh_name);
	if (header.sh_type == SHT_NOTE) {
		data = elf_getdata(section, NULL);
		if (data && data->d_buf && !*ret->build_id)
			take_build_id(data, ret);
	} else if (header.sh_type == SHT_PROGBITS && name && !strcmp(name, ".rodata")) {
		data = elf_rawdata(section, NULL);
		if (data && data->d_buf)
			take_release(data, ret);
	}
}

static struct error *read_elf(const char *path, Elf *elf, struct vmlinux *ret)
{
	Elf_Scn *section = NULL;
	GElf_Ehdr header;

	if (elf_kind(elf) != ELF_K_ELF || !gelf_getehdr(elf, &header))
		return error_remedy(error_new(ERROR_FORMAT, "%s: not an ELF file", path),
				    "the vmlinux is the unpacked kernel with debug "
				    "information, not the image that boots");
	if (header.e_machine != LOONGARCH_EM || header.e_ident[EI_CLASS] != ELFCLASS64)
		return error_new(ERROR_UNSUPPORTED, "%s: for ELF machine %u, not loongarch64",
				 path, header.e_machine);
	while ((section = elf_nextscn(elf, section)))
		look_at_section(elf, section, ret);
	return NULL;
}

/* Both are for the caller to close, elf first. */
static struct error *open_elf(const char *path, int *ret_fd, Elf **ret)
{
	struct error *err = file_open(path, O_RDONLY | O_NONBLOCK, 0, ret_fd);
	struct stat st;

	if (err)
		return err;
	if (fstat(*ret_fd, &st) == 0 && !S_ISREG(st.st_mode))
		return error_new(ERROR_USAGE, "%s: not a regular file", path);
	if (elf_version(EV_CURRENT) == EV_NONE)
		return error_new(ERROR_UNSUPPORTED, "libelf: %s", elf_errmsg(-1));
	*ret = elf_begin(*ret_fd, ELF_C_READ_MMAP, NULL);
	return *ret ? NULL : error_new(ERROR_FORMAT, "%s: %s", path, elf_errmsg(-1));
}

struct error *vmlinux_read(const char *path, struct vmlinux *ret)
{
	int fd cleanup_close = -1;
	struct vmlinux found = { 0 };
	Elf *elf;
	struct error *err = open_elf(path, &fd, &elf);

	if (err)
		return err;
	err = read_elf(path, elf, &found);
	elf_end(elf);
	if (!err)
		*ret = found;
	return err;
}

static void look_up(Elf *elf, const GElf_Shdr *header, Elf_Data *data,
		    struct symbol *symbols, size_t count)
{
	const size_t total = header->sh_entsize ? header->sh_size / header->sh_entsize : 0;
	GElf_Sym symbol;
	size_t i, k;

	for (i = 0; i < total && i <= INT32_MAX && gelf_getsym(data, (int)i, &symbol); i++) {
		const char *name = elf_strptr(elf, header->sh_link, symbol.st_name);

		if (!name || symbol.st_shndx == SHN_UNDEF)
			continue;
		for (k = 0; k < count; k++)
			if (*name == *symbols[k].name && !strcmp(name, symbols[k].name) &&
			    !symbols[k].value)
				symbols[k].value = symbol.st_value;
	}
}

struct error *vmlinux_symbols(const char *path, struct symbol *symbols, size_t count)
{
	int fd cleanup_close = -1;
	Elf_Scn *section = NULL;
	GElf_Shdr header;
	size_t k;
	Elf *elf;
	struct error *err = open_elf(path, &fd, &elf);

	if (err)
		return err;
	for (k = 0; k < count; k++)
		symbols[k].value = 0;
	while ((section = elf_nextscn(elf, section))) {
		Elf_Data *data;

		if (!gelf_getshdr(section, &header) || header.sh_type != SHT_SYMTAB)
			continue;
		data = elf_getdata(section, NULL);
		if (data && data->d_buf)
			look_up(elf, &header, data, symbols, count);
	}
	elf_end(elf);
	return NULL;
}

struct error *vmlinux_check(const char *path, const struct vmlinux *vmlinux,
			    const struct vmcoreinfo *info, bool *ret_sure)
{
	const char *id = info ? vmcoreinfo_string(info, "BUILD-ID") : NULL;
	const char *release = info ? vmcoreinfo_string(info, "OSRELEASE") : NULL;

	*ret_sure = true;
	if (id && *vmlinux->build_id)
		return !strcasecmp(id, vmlinux->build_id) ? NULL :
			error_new(ERROR_MISMATCH,
				  "%s has BUILD-ID %s, the kernel in the dump (%s) has %s",
				  path, vmlinux->build_id, release ? release : "no release",
				  id);
	if (release && *vmlinux->release)
		return !strcmp(release, vmlinux->release) ? NULL :
			error_new(ERROR_MISMATCH,
				  "%s is of kernel %s, the kernel in the dump is %s", path,
				  vmlinux->release, release);
	*ret_sure = false;
	return NULL;
}

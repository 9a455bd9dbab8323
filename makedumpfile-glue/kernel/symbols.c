/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "makedumpfile-glue/kernel/symbols.h"

#include <fcntl.h>
#include <gelf.h>
#include <string.h>

#include "lib/file.h"

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

struct error *symbols_read(const char *path, struct symbol *symbols, size_t count)
{
	int fd cleanup_close = -1;
	Elf_Scn *section = NULL;
	struct error *err;
	GElf_Shdr header;
	size_t k;
	Elf *elf;

	for (k = 0; k < count; k++)
		symbols[k].value = 0;
	err = file_open(path, O_RDONLY, 0, &fd);
	if (err)
		return err;
	if (elf_version(EV_CURRENT) == EV_NONE)
		return error_new(ERROR_UNSUPPORTED, "libelf: %s", elf_errmsg(-1));
	elf = elf_begin(fd, ELF_C_READ_MMAP, NULL);
	if (!elf)
		return error_new(ERROR_FORMAT, "%s: %s", path, elf_errmsg(-1));
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

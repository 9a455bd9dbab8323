/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "makedumpfile-glue/kernel/displace.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lib/bytes.h"
#include "lib/loongarch.h"
#include "makedumpfile-glue/kernel/memory.h"
#include "makedumpfile-glue/kernel/vmlinux.h"

#define STEP ((uint64_t)64 << 10)

/* _stext of all kernels seen so far, 5.19 to 7.2: _text and two steps. */
#define USUAL_STEXT (LOONGARCH_WINDOW_CACHED + LOONGARCH_LINK_PHYS + 2 * STEP)

/* arch/loongarch/include/asm/pgtable.h and io.h of the kernels (before 6.9)
 * that do not export VMALLOC_START: I/O ports, two pages and 256 MiB of modules
 * lie before it. */
#define USUAL_VM_MAP_BASE 0xffff800000000000ULL
#define IO_SIZE           ((uint64_t)32 << 20)
#define MODULES_SIZE      ((uint64_t)256 << 20)

#define BANNER "Linux version "

enum { STEXT, RELOC_OFFSET, LINUX_BANNER, VM_MAP_BASE, CPUS_ONLINE, SYMBOLS };

static bool read_at(struct source *source, uint64_t virt, uint64_t *ret)
{
	struct error *err = memory_read_u64(source, virt, ret);

	error_free(err);
	return !err;
}

static bool banner_at(struct source *source, uint64_t virt)
{
	char text[sizeof(BANNER)] = "";
	struct error *err = memory_read(source, virt, text, sizeof(text) - 1);

	error_free(err);
	return !err && !strcmp(text, BANNER);
}

/* Of CPUs; 0 where it is not known. */
static uint32_t count_at(struct source *source, uint64_t symbol, uint64_t by)
{
	uint8_t count[4];
	struct error *err;

	if (!symbol)
		return 0;
	err = memory_read(source, symbol + by, count, sizeof(count));
	if (err) {
		error_free(err);
		return 0;
	}
	return get_le32(count);
}

/* The variable holds its own displacement only where the kernel runs: of the
 * copy it was moved from, 0 or another number is left. */
static bool search(struct source *source, const struct symbol *symbols, uint64_t *ret)
{
	const uint64_t end = extents_end(&source->memory);
	uint64_t value, by, phys;
	bool unmoved = false;

	if (!symbols[RELOC_OFFSET].value ||
	    !loongarch_window_to_phys(symbols[RELOC_OFFSET].value, &phys))
		return false;
	for (by = 0; phys + by < end; by += STEP) {
		if (!read_at(source, symbols[RELOC_OFFSET].value + by, &value) || value != by)
			continue;
		if (symbols[LINUX_BANNER].value &&
		    !banner_at(source, symbols[LINUX_BANNER].value + by))
			continue;
		if (by) {
			*ret = by;
			return true;
		}
		unmoved = true;
	}
	*ret = 0;
	return unmoved;
}

static struct error *by_vmlinux(struct source *source, const struct vmcoreinfo *info,
				const char *vmlinux, struct displacement *ret)
{
	struct symbol symbols[SYMBOLS] = {
		[STEXT] = { .name = "_stext" },
		[RELOC_OFFSET] = { .name = "reloc_offset" },
		[LINUX_BANNER] = { .name = "linux_banner" },
		[VM_MAP_BASE] = { .name = "vm_map_base" },
		[CPUS_ONLINE] = { .name = "__num_online_cpus" },
	};
	struct error *err = vmlinux_symbols(vmlinux, symbols, SYMBOLS);
	uint64_t text;

	if (err)
		return err;
	if (info && vmcoreinfo_symbol(info, "_stext", &text) && symbols[STEXT].value) {
		ret->value = text - symbols[STEXT].value;
		ret->how = "_stext of VMCOREINFO and of the vmlinux";
	} else if (search(source, symbols, &ret->value)) {
		ret->how = "reloc_offset in memory";
	} else {
		return NULL;
	}
	ret->known = ret->sure = true;
	if (!symbols[VM_MAP_BASE].value ||
	    !read_at(source, symbols[VM_MAP_BASE].value + ret->value, &ret->vm_map_base) ||
	    ret->vm_map_base >> 60 != 0xf || !is_aligned(ret->vm_map_base, STEP))
		ret->vm_map_base = 0;
	ret->cpus_online = count_at(source, symbols[CPUS_ONLINE].value, ret->value);
	return NULL;
}

struct error *displacement_find(struct source *source, const struct vmcoreinfo *info,
				const char *vmlinux, struct displacement *ret)
{
	struct error *err = NULL;
	uint64_t text;

	*ret = (struct displacement){ 0 };
	if (vmlinux)
		err = by_vmlinux(source, info, vmlinux, ret);
	if (err || ret->known || !info || !vmcoreinfo_symbol(info, "_stext", &text) ||
	    text < USUAL_STEXT || !is_aligned(text - USUAL_STEXT, STEP))
		return err;
	ret->known = true;
	ret->value = text - USUAL_STEXT;
	ret->how = "_stext of VMCOREINFO, as kernels are linked";
	return NULL;
}

struct error *displacement_lines(const struct displacement *displacement,
				 const struct vmcoreinfo *info, char **ret)
{
	char offset[64] = "", start[64] = "";
	uint64_t page_size, base = displacement->vm_map_base;
	int64_t number;

	*ret = NULL;
	if (displacement->sure && !vmcoreinfo_string(info, "KERNELOFFSET"))
		snprintf(offset, sizeof(offset), "KERNELOFFSET=%" PRIx64 "\n",
			 displacement->value);
	if (!base)
		base = USUAL_VM_MAP_BASE;
	if (!vmcoreinfo_number(info, "VMALLOC_START", &number) &&
	    vmcoreinfo_page_size(info, &page_size))
		snprintf(start, sizeof(start), "NUMBER(VMALLOC_START)=0x%" PRIx64 "\n",
			 base + IO_SIZE + 2 * page_size + MODULES_SIZE);
	if ((*offset || *start) && asprintf(ret, "%s%s", offset, start) < 0) {
		*ret = NULL;
		return error_nomem();
	}
	return NULL;
}

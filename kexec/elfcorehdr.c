/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "kexec/elfcorehdr.h"

#include <stdlib.h>

#include "lib/elfcore.h"
#include "lib/loongarch.h"

/* fs/proc/vmcore.c reads notes at p_offset, which is the physical address. */
static struct elf_segment note(uint64_t addr, uint64_t size)
{
	return (struct elf_segment){
		.type = PT_NOTE, .offset = addr, .paddr = addr,
		.filesz = size, .memsz = size,
	};
}

/*
 * The kernel runs in the cached window, so the window address is right for
 * its own text too, and no second PT_LOAD for that is needed: it would count
 * the same memory twice.
 */
static struct elf_segment memory(const struct range *range)
{
	return (struct elf_segment){
		.type = PT_LOAD, .flags = PF_R | PF_W | PF_X,
		.offset = range->start, .paddr = range->start,
		.vaddr = loongarch_phys_to_virt(range->start),
		.filesz = range->end - range->start, .memsz = range->end - range->start,
	};
}

struct error *elfcorehdr_build(const struct machine *machine, struct blob *ret)
{
	struct elf_segment *segments cleanup_free = NULL;
	struct ranges ram cleanup_ranges = { 0 };
	struct error *err = ranges_copy(&machine->ram, &ram);
	size_t i, count = 0;

	for (i = 0; i < machine->crash.count && !err; i++)
		err = ranges_subtract(&ram, machine->crash.items[i].start,
				      machine->crash.items[i].end);
	if (err)
		return err;
	segments = calloc(machine->note_count + 1 + ram.count, sizeof(*segments));
	if (!segments)
		return error_nomem();
	for (i = 0; i < machine->note_count; i++)
		segments[count++] = note(machine->notes[i].addr, machine->notes[i].size);
	segments[count++] = note(machine->vmcoreinfo_addr, machine->vmcoreinfo_size);
	for (i = 0; i < ram.count; i++)
		segments[count++] = memory(&ram.items[i]);
	return error_add(elfcore_build_headers(segments, count, ret), "elfcorehdr");
}

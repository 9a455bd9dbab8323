/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "makedumpfile-glue/kernel/memory.h"

#include <inttypes.h>

#include "lib/bytes.h"
#include "lib/loongarch.h"

struct error *memory_read(struct source *source, uint64_t virt, void *to, size_t len)
{
	uint64_t phys, end;

	if (!loongarch_window_to_phys(virt, &phys))
		return error_new(ERROR_FORMAT,
				 "kernel address 0x%" PRIx64 " is not in a direct-mapped "
				 "window", virt);
	if (add_overflows(phys, len, &end) ||
	    (len && !extents_hold(&source->memory, phys, end)))
		return error_new(ERROR_FORMAT,
				 "%zu bytes at kernel address 0x%" PRIx64
				 " (physical 0x%" PRIx64 ") are not in the dump",
				 len, virt, phys);
	if (!len)
		return NULL;
	return error_add(source_read(source, phys, to, len),
			 "kernel address 0x%" PRIx64, virt);
}

struct error *memory_read_u64(struct source *source, uint64_t virt, uint64_t *ret)
{
	uint8_t bytes[8];
	struct error *err = memory_read(source, virt, bytes, sizeof(bytes));

	if (!err)
		*ret = get_le64(bytes);
	return err;
}

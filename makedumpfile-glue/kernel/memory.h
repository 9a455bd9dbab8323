/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The crashed kernel's memory by virtual address. So far the direct-mapped
 * windows, which hold the kernel image and all it allocated early.
 */
#ifndef GLUE_KERNEL_MEMORY_H
#define GLUE_KERNEL_MEMORY_H

#include <stddef.h>
#include <stdint.h>

#include "lib/error.h"
#include "makedumpfile-glue/source/source.h"

/* All len bytes, or an error that names the address and what is wrong with
 * it: not mapped by a window, or not in the dump. */
struct error *memory_read(struct source *source, uint64_t virt, void *to, size_t len)
	MUST_CHECK;
struct error *memory_read_u64(struct source *source, uint64_t virt, uint64_t *ret)
	MUST_CHECK;

#endif

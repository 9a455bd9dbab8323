/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The registers of each CPU at the time of the dump.
 */
#ifndef GLUE_REGISTERS_H
#define GLUE_REGISTERS_H

#include <stddef.h>
#include <stdint.h>

#include "lib/error.h"
#include "lib/file.h"

struct cpu_registers {
	uint32_t pid;
	uint64_t era; /* the program counter the CPU was caught at */
	uint64_t sp;
};

/*
 * From the NT_PRSTATUS notes, in their order, which is that of the CPUs. A
 * CPU that saved nothing has no note. *ret is for free(), NULL when there is
 * none; notes of another size than loongarch64's are only counted.
 */
struct error *registers_from_notes(const struct blob *notes, struct cpu_registers **ret,
				   size_t *ret_count, size_t *ret_foreign) MUST_CHECK;

#endif

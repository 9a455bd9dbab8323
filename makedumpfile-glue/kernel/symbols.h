/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Addresses out of a vmlinux: where the linker put things.
 */
#ifndef GLUE_KERNEL_SYMBOLS_H
#define GLUE_KERNEL_SYMBOLS_H

#include <stddef.h>
#include <stdint.h>

#include "lib/error.h"

struct symbol {
	const char *name;
	uint64_t value; /* 0: not in the vmlinux */
};

/* Fills in the values; the vmlinux has been looked at by vmlinux_read(). */
struct error *symbols_read(const char *path, struct symbol *symbols, size_t count)
	MUST_CHECK;

#endif

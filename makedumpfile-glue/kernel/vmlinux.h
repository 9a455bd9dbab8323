/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Which kernel a vmlinux is, to tell whether a dump is of it; and where the
 * linker put things.
 */
#ifndef GLUE_KERNEL_VMLINUX_H
#define GLUE_KERNEL_VMLINUX_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "lib/error.h"
#include "lib/vmcoreinfo.h"

#define VMLINUX_TEXT_SIZE 129

struct vmlinux {
	char build_id[VMLINUX_TEXT_SIZE]; /* hexadecimal digits; "": it has none */
	char release[VMLINUX_TEXT_SIZE];  /* "": not found */
};

/* ERROR_FORMAT when it is no ELF file, ERROR_UNSUPPORTED when it is one for
 * another machine. */
struct error *vmlinux_read(const char *path, struct vmlinux *ret) MUST_CHECK;

/*
 * ERROR_MISMATCH when the kernel of `info` is another one: by BUILD-ID where
 * both have one, else by release. *ret_sure: false when neither could tell.
 */
struct error *vmlinux_check(const char *path, const struct vmlinux *vmlinux,
			    const struct vmcoreinfo *info, bool *ret_sure) MUST_CHECK;

struct symbol {
	const char *name;
	uint64_t value; /* 0: not in the vmlinux */
};

/* Fills in the values; the vmlinux has been looked at by vmlinux_read(). */
struct error *vmlinux_symbols(const char *path, struct symbol *symbols, size_t count)
	MUST_CHECK;

#endif

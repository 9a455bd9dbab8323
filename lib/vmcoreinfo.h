/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * VMCOREINFO: the kernel's description of itself (kernel/vmcore_info.c), lines
 * of "KEY=value" or "KIND(name)=value". Parsed once, asked by key. Missing
 * keys are ordinary: kernels differ, and nobody may conclude anything from a
 * release number.
 */
#ifndef LIB_VMCOREINFO_H
#define LIB_VMCOREINFO_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "lib/error.h"

struct vmcoreinfo;

/* Longer texts than this are refused; the kernel's own limit is one page. */
#define VMCOREINFO_SIZE_MAX 65536

/*
 * Takes a copy of the text (a NUL ends it early). ERROR_FORMAT when it is too
 * long or holds no OSRELEASE; lines it cannot make sense of are passed over.
 */
struct error *vmcoreinfo_create(const char *text, size_t size,
				struct vmcoreinfo **ret) MUST_CHECK;
void vmcoreinfo_destroy(struct vmcoreinfo *info);

/* The text as it was given, without anything after the first NUL. */
const char *vmcoreinfo_text(const struct vmcoreinfo *info, size_t *ret_size);

/* Value of the plain key ("OSRELEASE", "BUILD-ID"), or NULL. */
const char *vmcoreinfo_string(const struct vmcoreinfo *info, const char *key);

/* False, and *ret untouched, when the key is absent or its value is not a
 * number. SYMBOL is hexadecimal; the others decimal, or hexadecimal behind 0x. */
bool vmcoreinfo_symbol(const struct vmcoreinfo *info, const char *name, uint64_t *ret);
bool vmcoreinfo_size(const struct vmcoreinfo *info, const char *name, uint64_t *ret);
bool vmcoreinfo_offset(const struct vmcoreinfo *info, const char *name, uint64_t *ret);
bool vmcoreinfo_length(const struct vmcoreinfo *info, const char *name, uint64_t *ret);
bool vmcoreinfo_number(const struct vmcoreinfo *info, const char *name, int64_t *ret);

/* PAGESIZE when it is one loongarch can have. */
bool vmcoreinfo_page_size(const struct vmcoreinfo *info, uint64_t *ret);

#endif

/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * VMCOREINFO out of the memory itself, for files that carry none. The kernel
 * keeps it at the start of two pages, as plain text and as an ELF note
 * (kernel/vmcore_info.c); other pages may hold copies of it that are stale, of
 * another kernel, or part of some file.
 */
#ifndef GLUE_KERNEL_FIND_H
#define GLUE_KERNEL_FIND_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "lib/error.h"
#include "lib/vmcoreinfo.h"
#include "makedumpfile-glue/kdump-format.h"
#include "makedumpfile-glue/source/source.h"

typedef char utsname_fields[UTSNAME_FIELDS][UTSNAME_FIELD_SIZE];

/*
 * init_uts_ns.name, where VMCOREINFO says it lies. False when it is not there
 * or is not of the release VMCOREINFO speaks of: the text is not of the kernel
 * in this memory.
 */
bool find_utsname(struct source *source, const struct vmcoreinfo *info,
		  utsname_fields ret);

/* What may tell one kernel from another; zeroed: nothing is known. */
struct find_hints {
	const char *build_id;  /* of the vmlinux at hand */
	const uint64_t *text;  /* where the CPUs were: program counters, return addresses */
	size_t text_count;
};

struct find_result {
	struct vmcoreinfo *info; /* NULL: none was found; the caller's */
	uint64_t phys;           /* where its text begins */
	bool checked;            /* the utsname it points to agrees */
	unsigned int copies;     /* places that hold a VMCOREINFO of any kernel */
	struct vmcoreinfo *other; /* of another kernel that is in memory too, or NULL */
	uint64_t other_phys;
};

/*
 * Reads all of source->memory that is not known to be zeros. A text in a page
 * that its kernel uses for itself goes before one in cache, in a user's page or a
 * free one. Of several kernels the one with the vmlinux's BUILD-ID is taken, else
 * the one the CPUs were in, else the one that crashed (CRASHTIME), else the lowest.
 */
struct error *find_vmcoreinfo(struct source *source, const struct find_hints *hints,
			      struct find_result *ret) MUST_CHECK;
void find_result_deinit(struct find_result *result);

#endif

/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * How far the kernel lies from where its vmlinux was linked to: KASLR, or a
 * boot loader that put it elsewhere. On loongarch64 the whole image moves, in
 * steps of 64 KiB, and its virtual and physical displacement are the same
 * (arch/loongarch/kernel/relocate.c).
 */
#ifndef GLUE_KERNEL_DISPLACE_H
#define GLUE_KERNEL_DISPLACE_H

#include <stdbool.h>
#include <stdint.h>

#include "lib/error.h"
#include "lib/vmcoreinfo.h"
#include "makedumpfile-glue/source/source.h"

struct displacement {
	bool sure;      /* by a vmlinux; else as today's kernels are linked */
	bool known;
	uint64_t value; /* 0: where it was linked to */
	const char *how; /* static: what told it */
	uint64_t vm_map_base; /* where modules and vmalloc begin; 0: not known */
	uint32_t cpus_online; /* 0: not known */
};

/*
 * By VMCOREINFO's _stext when there is one; without, by the variable in which
 * the kernel keeps its own displacement, and its banner. vmlinux and info may
 * each be NULL.
 */
struct error *displacement_find(struct source *source, const struct vmcoreinfo *info,
				const char *vmlinux, struct displacement *ret) MUST_CHECK;

/*
 * The lines VMCOREINFO lacks, for a dump to carry: KERNELOFFSET, and
 * NUMBER(VMALLOC_START), without which crash reads vmlist, memory that the
 * kernel has freed. *ret is for free(), NULL when it lacks none.
 */
struct error *displacement_lines(const struct displacement *displacement,
				 const struct vmcoreinfo *info, char **ret) MUST_CHECK;

#endif

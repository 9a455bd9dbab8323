/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Does memory lie where the kernel in it thinks it does? A stream of QEMU does
 * not say where memory goes on beyond 256 MiB; the kernel's own pointers do.
 */
#ifndef GLUE_KERNEL_LAYOUT_H
#define GLUE_KERNEL_LAYOUT_H

#include <stdint.h>

#include "lib/error.h"
#include "lib/vmcoreinfo.h"
#include "makedumpfile-glue/source/source.h"

/*
 * How far the kernel's page tables and memory sections agree with the memory
 * as it is laid out now: what they point to above 256 MiB that is what it
 * should be, minus what is not. 0: they say nothing.
 */
struct error *layout_score(struct source *source, const struct vmcoreinfo *info,
			   int *ret) MUST_CHECK;

/*
 * Leaves source in the layout with the best score. *ret_sure: one is better
 * than all others, or there is only one.
 */
struct error *layout_choose(struct source *source, const struct vmcoreinfo *info,
			    size_t *ret_layout, bool *ret_sure) MUST_CHECK;

#endif

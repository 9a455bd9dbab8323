/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Which kernel a dump is of, where it lies and where its memory does: the part
 * of dump_open() between the source and the pages.
 */
#ifndef GLUE_DUMP_KERNEL_H
#define GLUE_DUMP_KERNEL_H

#include "makedumpfile-glue/dump.h"

/*
 * Needs dump->source and dump->registers; sets vmcoreinfo, displacement and
 * vmlinux_checked, and has the source lay its memory out as the kernel does.
 */
struct error *dump_find_kernel(struct dump *dump, const struct dump_options *options)
	MUST_CHECK;

#endif

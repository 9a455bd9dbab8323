/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The notes a dump is written with: those of its source, with what was found
 * out since in the place of what the source had.
 */
#ifndef GLUE_NOTES_H
#define GLUE_NOTES_H

#include <stdbool.h>

#include "lib/error.h"
#include "lib/file.h"
#include "lib/vmcoreinfo.h"
#include "makedumpfile-glue/registers.h"

/*
 * *ret = the notes of `from`, with an NT_PRSTATUS note of each of cpus, in
 * their order, instead of those it has (cpus NULL: those it has), and with
 * info as the one VMCOREINFO note (NULL: none). What belongs to a CPU stays
 * behind its NT_PRSTATUS.
 */
struct error *notes_build(const struct blob *from, const struct registers *cpus,
			  const struct vmcoreinfo *info, struct blob *ret) MUST_CHECK;

#endif

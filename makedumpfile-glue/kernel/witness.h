/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What memory says of its own address: an empty list of the kernel's is two
 * pointers to itself (include/linux/list.h), and kernel memory is full of them.
 */
#ifndef GLUE_KERNEL_WITNESS_H
#define GLUE_KERNEL_WITNESS_H

#include "lib/error.h"
#include "makedumpfile-glue/source/source.h"

/*
 * Lays the memory out as such lists have it, where the source takes that.
 * *ret_doubt: NULL, or for free() what of it they do not tell.
 */
struct error *witness_settle(struct source *source, char **ret_doubt) MUST_CHECK;

#endif

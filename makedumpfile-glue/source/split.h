/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A dump in several files (makedumpfile --split), read as one.
 */
#ifndef GLUE_SOURCE_SPLIT_H
#define GLUE_SOURCE_SPLIT_H

#include <stddef.h>

#include "lib/error.h"
#include "makedumpfile-glue/source/source.h"

/*
 * first->split is set; it becomes the new source's, also on failure. The
 * others are named, or with count 0 looked for in the same directory: by what
 * they hold, not by name. One that is not found is memory that is missing.
 */
struct error *split_open(struct source *first, const char *const *others, size_t count,
			 struct source **ret) MUST_CHECK;

#endif

/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What of a file's layout we read all the same, but other readers stumble over.
 */
#ifndef GLUE_SOURCE_QUIRKS_H
#define GLUE_SOURCE_QUIRKS_H

#include "lib/error.h"
#include "makedumpfile-glue/source/source.h"

/* Calls each() for every such thing, with a sentence. Of a split dump nothing
 * is looked at. */
struct error *source_quirks(const struct source *source,
			    void (*each)(const char *text, void *arg), void *arg)
	MUST_CHECK;

#endif

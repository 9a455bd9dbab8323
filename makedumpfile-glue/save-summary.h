/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What a save did, for people and as JSON.
 */
#ifndef GLUE_SAVE_SUMMARY_H
#define GLUE_SAVE_SUMMARY_H

#include <stdio.h>

#include "makedumpfile-glue/save.h"

typedef void save_summary(FILE *out, const struct dump *dump,
			  const struct save_options *options,
			  const struct save_counts *counts);

save_summary summary_text;
save_summary summary_json;

/* The table of types alone, what was dropped and what was kept. */
save_summary summary_types;

#endif

/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What makedumpfile prints about its work and programs look for: the words
 * before the numbers are its own.
 */
#ifndef GLUE_MAKEDUMPFILE_REPORT_H
#define GLUE_MAKEDUMPFILE_REPORT_H

#include "makedumpfile-glue/save-summary.h"

/* "The dumpfile is saved to ..." */
save_summary makedumpfile_done;
/* The same, after the counts of pages. */
save_summary makedumpfile_report;

/* The table of --mem-usage, to standard output. */
struct error *makedumpfile_mem_usage(const struct dump *dump) MUST_CHECK;

#endif

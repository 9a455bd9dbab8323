/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * How far a long piece of work is, on stderr: a live line on a terminal, else
 * a line at most every ten seconds (a serial console is slow), or nothing.
 */
#ifndef GLUE_PROGRESS_H
#define GLUE_PROGRESS_H

#include <stdbool.h>
#include <stdint.h>

struct progress {
	bool quiet;
	bool terminal;
	const char *what; /* borrowed */
	uint64_t total;   /* bytes */
	double started;
	double shown;
	bool line_open;
};

/* Seconds of the monotonic clock. */
double progress_now(void);

void progress_start(struct progress *p, const char *what, uint64_t total, bool quiet);
void progress_step(struct progress *p, uint64_t done);
/* Clears the live line. */
void progress_end(struct progress *p);

/* "1:05", "2:00:07"; returns buffer. */
#define PROGRESS_TIME_TEXT 32
const char *progress_time_text(double seconds, char buffer[PROGRESS_TIME_TEXT]);

#endif

/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "makedumpfile-glue/progress.h"

#include <stdio.h>
#include <time.h>
#include <unistd.h>

#include "lib/units.h"

#define LIVE_INTERVAL 0.25
#define LINE_INTERVAL 10.0

double progress_now(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return now.tv_sec + now.tv_nsec / 1e9;
}

const char *progress_time_text(double seconds, char buffer[PROGRESS_TIME_TEXT])
{
	/* Beyond a month the number means nothing any more. */
	unsigned int s = seconds < 2678400 ? (unsigned int)(seconds + 0.5) : 2678400;

	if (s >= 3600)
		snprintf(buffer, PROGRESS_TIME_TEXT, "%u:%02u:%02u", s / 3600,
			 s / 60 % 60, s % 60);
	else
		snprintf(buffer, PROGRESS_TIME_TEXT, "%u:%02u", s / 60, s % 60);
	return buffer;
}

void progress_start(struct progress *p, const char *what, uint64_t total, bool quiet)
{
	*p = (struct progress){
		.quiet = quiet,
		.terminal = isatty(STDERR_FILENO),
		.what = what,
		.total = total,
		.started = progress_now(),
	};
	p->shown = p->started;
}

void progress_step(struct progress *p, uint64_t done)
{
	char rate_text[UNITS_SIZE_TEXT], left_text[PROGRESS_TIME_TEXT];
	double now, passed, rate;

	if (p->quiet)
		return;
	now = progress_now();
	if (now - p->shown < (p->terminal ? LIVE_INTERVAL : LINE_INTERVAL))
		return;
	passed = now - p->started;
	rate = done / passed;
	p->shown = now;
	fprintf(stderr, "%s%s: %3.0f %%, %s/s, %s left%s", p->terminal ? "\r" : "",
		p->what, p->total ? 100.0 * done / p->total : 100.0,
		size_text(rate, rate_text),
		rate > 0 ? progress_time_text((p->total - done) / rate, left_text) : "?",
		p->terminal ? "\033[K" : "\n");
	fflush(stderr);
	p->line_open = p->terminal;
}

void progress_end(struct progress *p)
{
	if (p->line_open)
		fputs("\r\033[K", stderr);
	p->line_open = false;
}

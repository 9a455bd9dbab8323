/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What this program loaded, by image: the kernel keeps one command line for
 * the crash kernel and the next kernel and does not hand it out again, so
 * whoever wants to put the right one back has to remember both.
 */
#ifndef KEXEC_ARMED_H
#define KEXEC_ARMED_H

#include <stdbool.h>

#include "lib/error.h"

/* Root's alone: a command line may hold a password. */
#define ARMED_DIR "/run/loongdump"

enum armed_state {
	ARMED_NOTHING, /* no image is loaded */
	ARMED_FOREIGN, /* one is, and this program has no record of it */
	ARMED_LINE,    /* loaded here by kexec_load: the line is known */
	ARMED_BY_FILE, /* loaded here by kexec_file_load: the kernel wrote the line */
	ARMED_LOST,    /* another program's, whose line a load of ours overwrote */
};

struct armed {
	enum armed_state state;
	char *line; /* the whole command line ("kexec ..."); ARMED_LINE only */
};

/*
 * The image of that kind. What another program loads in place of ours cannot
 * be seen: the record is then the wrong one's.
 */
struct error *armed_read(bool crash, struct armed *ret) MUST_CHECK;
void armed_deinit(struct armed *armed);
#define cleanup_armed __attribute__((cleanup(armed_deinit)))

/* Is an image of that kind loaded, whoever loaded it? */
struct error *armed_loaded(bool crash, bool *ret) MUST_CHECK;

/*
 * After a load. line: for ARMED_LINE. The record appears whole or not at all,
 * and none of what was there before is left.
 */
struct error *armed_write(bool crash, enum armed_state state, const char *line) MUST_CHECK;

/* After an unload. */
struct error *armed_forget(bool crash) MUST_CHECK;

#endif

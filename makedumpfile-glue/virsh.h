/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * libvirt, by its own program virsh. SIGINT, SIGTERM and SIGHUP are kept away
 * from virsh: a virsh that is killed leaves the job it started to libvirtd. They
 * are told to the caller instead, once virsh has ended.
 */
#ifndef GLUE_VIRSH_H
#define GLUE_VIRSH_H

#include <signal.h>

#include "lib/error.h"

struct virsh {
	const char *uri; /* NULL: whatever virsh takes by itself */
	sigset_t old_signals;
	int caught;      /* the signal that came meanwhile, or 0 */

	/* A signal that comes while virsh runs ends the job of this domain; NULL:
	 * the job is waited for. */
	const char *abort;
};

/* The signals are blocked from here to virsh_deinit(). */
void virsh_init(const char *uri, struct virsh *ret);
void virsh_deinit(struct virsh *virsh);

/*
 * Runs a virsh command with arguments, ended by NULL, in the C locale. What it
 * printed comes back in *ret for free(), without its final newlines; ret may be
 * NULL. Where virsh fails the error is what it said.
 */
struct error *virsh_run(struct virsh *virsh, char **ret, const char *command, ...)
	MUST_CHECK __attribute__((sentinel));
struct error *virsh_run_words(struct virsh *virsh, char **ret, const char *const *words)
	MUST_CHECK;

#endif

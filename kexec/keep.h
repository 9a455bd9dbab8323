/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Two images and one command line. The kernel keeps a single line for the
 * crash kernel and the next kernel, written by the last load of either: what
 * is here loads, starts and drops images so that each still finds its own, or
 * refuses and says why.
 */
#ifndef KEXEC_KEEP_H
#define KEXEC_KEEP_H

#include <stdbool.h>

#include "kexec/file-mode.h"
#include "kexec/plan.h"
#include "lib/error.h"

/*
 * drop_crash: where the loaded crash image cannot be kept armed, drop it and
 * go on, instead of refusing with ERROR_RULE.
 */

/* Hand a plan that was held against the rules to the kernel. */
struct error *keep_load(const struct plan *plan, bool drop_crash) MUST_CHECK;

/* The same by kexec_file_load. ERROR_UNSUPPORTED: keep_load() could keep both. */
struct error *keep_load_file(const struct file_request *request, int kernel_fd, int initrd_fd,
			     bool drop_crash) MUST_CHECK;

/* Drop the loaded crash image, or the normal one. None loaded is no failure. */
struct error *keep_unload(bool crash) MUST_CHECK;

/*
 * Start the next kernel with its own line, now. Returns only when that
 * failed; a crash image has its line again then, or the error says that it
 * has not. drop_crash: start it also where its line may not be its own.
 */
struct error *keep_exec(bool drop_crash, bool sync_first, bool interfaces_down) MUST_CHECK;

/*
 * What keep_exec() does before the jump, for one that another program makes:
 * systemd-shutdown calls reboot() itself (since 253). A next kernel that would
 * start with the crash kernel's line is dropped, so that the machine takes
 * the way through its firmware. Nothing loaded is no failure.
 */
struct error *keep_prepare_exec(void) MUST_CHECK;

#endif

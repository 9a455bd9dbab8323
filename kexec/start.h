/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Leaving the running kernel.
 */
#ifndef KEXEC_START_H
#define KEXEC_START_H

#include <stdbool.h>

#include "lib/error.h"

/* Start the loaded normal image now. Returns only when that failed. */
struct error *start_now(bool sync_first, bool interfaces_down) MUST_CHECK;

/* Have init shut the system down; its kexec.target runs `kexec -e` at the
 * end. Returns only when that failed. */
struct error *start_shutdown(void) MUST_CHECK;

#endif

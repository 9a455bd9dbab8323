/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Loading: with start.c all there is that changes the machine.
 */
#ifndef KEXEC_LOAD_H
#define KEXEC_LOAD_H

#include <stdbool.h>

#include "kexec/plan.h"
#include "lib/error.h"

/*
 * May this process load a crash kernel, or the next kernel? Rules 1 and 2, and
 * whether this program was built for the machine's architecture. Asked before
 * anything costly is done. by_file: lockdown (rule 2) does not forbid
 * kexec_file_load as such.
 */
struct error *load_allowed(bool crash, bool by_file) MUST_CHECK;

/* Hand a plan that was held against the rules to the kernel. */
struct error *load_plan(const struct plan *plan) MUST_CHECK;

/*
 * Make this the command line of whichever image starts next, crash or normal,
 * without touching either. One buffer serves both: the last load writes it,
 * and a load that fails after that leaves only the command line behind. So
 * the line is put into a load that cannot be finished.
 */
struct error *load_command_line(const char *command_line) MUST_CHECK;

/* Drop the loaded crash image, or the normal one. None loaded is no failure. */
struct error *load_unload(bool crash) MUST_CHECK;

#endif

/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Rules 1 and 2: what the running kernel lets this process load. It answers
 * EPERM to all of it; the reasons stand in /proc and /sys.
 */
#ifndef KEXEC_PERMISSION_H
#define KEXEC_PERMISSION_H

#include <stdbool.h>

#include "lib/error.h"

/*
 * NULL when nothing is known that forbids loading a crash kernel, or the next
 * kernel; otherwise ERROR_RULE, which rule and why. Files that cannot be read
 * forbid nothing. root: where /proc and /sys are found. by_file: lockdown
 * does not forbid kexec_file_load as such.
 */
struct error *permission_check(const char *root, bool crash, bool by_file) MUST_CHECK;

#endif

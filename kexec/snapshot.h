/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Record a system in a directory that --system takes: the files that
 * machine.c reads, under their names, and "system" for what no file says.
 */
#ifndef KEXEC_SNAPSHOT_H
#define KEXEC_SNAPSHOT_H

#include "lib/error.h"

/*
 * root is "/" or itself a recorded directory; dir is made, and must be empty
 * if it is there. The directory is readable by its owner alone: it holds
 * addresses that the kernel shows only to root.
 */
struct error *snapshot_write(const char *root, const char *dir) MUST_CHECK;

#endif

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

/*
 * The whole command line of the loaded image ("kexec ..."), or NULL in *ret
 * when this program loaded none, or what it loaded is not there any more.
 * What another program loads in place of ours cannot be seen.
 */
struct error *armed_read(bool crash, char **ret) MUST_CHECK;

/*
 * Did this program load the image by kexec_file_load? Then the kernel wrote
 * the command line, and armed_read() has none.
 */
struct error *armed_by_file(bool crash, bool *ret) MUST_CHECK;

/* After a load, and after an unload. The record appears whole or not at all. */
struct error *armed_write(bool crash, const char *command_line) MUST_CHECK;
struct error *armed_write_by_file(bool crash) MUST_CHECK;
struct error *armed_forget(bool crash) MUST_CHECK;

#endif

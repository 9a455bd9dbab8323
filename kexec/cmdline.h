/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Kernel command lines as words. A word ends at white space outside double
 * quotes, as in the kernel's next_arg() (lib/cmdline.c); its name ends at the
 * first '='. Texts are handed back for free().
 */
#ifndef KEXEC_CMDLINE_H
#define KEXEC_CMDLINE_H

#include <stdbool.h>
#include <stddef.h>

#include "lib/error.h"

/*
 * text without the words that have one of these names (NULL ends the list),
 * the words that stay separated by one blank. Words behind "--" belong to
 * init and stay. ret_removed may be NULL; otherwise the removed words,
 * separated by blanks.
 */
struct error *cmdline_remove(const char *text, const char *const *names, char **ret,
			     char **ret_removed) MUST_CHECK;

/* Is there a word of this name before "--"? */
bool cmdline_has(const char *text, const char *name);

/* first and second with a blank between, unless one is empty or NULL. */
struct error *cmdline_join(const char *first, const char *second, char **ret) MUST_CHECK;

/*
 * What --reuse-cmdline does not take over, and what only kexec itself may say
 * in the command line: for a crash kernel, and for the next kernel, where
 * crashkernel= and mem= are the user's.
 */
extern const char *const cmdline_not_reused[], *const cmdline_ours[];
extern const char *const cmdline_not_reused_normal[], *const cmdline_ours_normal[];

#endif

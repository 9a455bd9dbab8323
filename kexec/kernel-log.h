/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What the kernel writes into its log while it refuses a load: now and then
 * more than the errno it answers with.
 */
#ifndef KEXEC_KERNEL_LOG_H
#define KEXEC_KERNEL_LOG_H

#include <stddef.h>

#include "lib/error.h"

/* From now on; -1 when the log cannot be read. For close(). */
int kernel_log_open(void);

/*
 * What came since, at most the last three records, put before the error's
 * message. Nothing came, or fd is -1: err as it is. Takes err, returns it.
 */
struct error *kernel_log_add(struct error *err, int fd) MUST_CHECK;

/*
 * The text of one record as /dev/kmsg gives it ("6,339,5140900,-;text\n"),
 * without control characters; size is how much of `to` may be used. Returns
 * the length, 0 for what is no record.
 */
size_t kernel_log_text(const char *record, size_t record_size, char *to, size_t size);

#endif

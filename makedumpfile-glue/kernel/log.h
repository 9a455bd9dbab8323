/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The kernel's log, out of the lockless printk ring buffer
 * (kernel/printk/printk_ringbuffer.h, since 5.10).
 */
#ifndef GLUE_KERNEL_LOG_H
#define GLUE_KERNEL_LOG_H

#include <stddef.h>
#include <stdint.h>

#include "lib/error.h"
#include "lib/vmcoreinfo.h"
#include "makedumpfile-glue/source/source.h"

struct log_record {
	uint64_t seq;
	uint64_t ts_nsec;
	const char *text; /* borrowed for the call; may hold any byte */
	size_t text_len;
};

struct log_counts {
	uint64_t records; /* handed out */
	uint64_t lost;    /* the kernel itself had no text for them any more */
	uint64_t damaged; /* contradict themselves, or lie outside the dump */
};

/*
 * Calls each() for every record from the oldest to the newest, until it
 * returns an error, which is handed on. ERROR_UNSUPPORTED when VMCOREINFO
 * lacks a key, ERROR_FORMAT when the ring itself cannot be right. *ret is
 * also written when each() failed.
 */
typedef struct error *log_each(const struct log_record *record, void *arg);
struct error *log_read(struct source *source, const struct vmcoreinfo *info,
		       log_each *each, void *arg, struct log_counts *ret) MUST_CHECK;

/*
 * The number of the first record since the last `dmesg --clear`, which the
 * kernel keeps as clear_seq. ERROR_UNSUPPORTED when VMCOREINFO lacks a key.
 */
struct error *log_cleared(struct source *source, const struct vmcoreinfo *info,
			  uint64_t *ret) MUST_CHECK;

/* The text alone, bytes that are not printable as \xNN, lines kept apart by
 * newlines. *ret is for free(). */
struct error *log_text(const struct log_record *record, char **ret) MUST_CHECK;

/*
 * The record as the kernel prints it: "[    1.234567] " before each of its
 * lines, a newline at the end; bytes that are not printable as \xNN. *ret is
 * for free().
 */
struct error *log_format(const struct log_record *record, char **ret, size_t *ret_len)
	MUST_CHECK;

#endif

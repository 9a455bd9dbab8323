/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Failures as values.
 *
 * A function that can fail returns `struct error *`: NULL when it did what
 * its name says, otherwise a value the caller owns and must hand upward or
 * free. Results come back through the last parameters, named `ret` or
 * `ret_...`, which are written only on success.
 *
 * Each layer adds what it was doing, so that the text reads from the outside
 * in: "loading /boot/vmlinuz: unpacking zstd payload at 0x15ce0: stream ends
 * after 4096 of 8665626 bytes". The remedy is one sentence that tells the
 * user what to do; the innermost layer that knows one sets it.
 */
#ifndef LIB_ERROR_H
#define LIB_ERROR_H

#include <stdbool.h>
#include <stdio.h>

#define MUST_CHECK __attribute__((warn_unused_result))
#define PRINTF_LIKE(fmt, args) __attribute__((format(printf, fmt, args)))

enum error_code {
	ERROR_SYSTEM,      /* the operating system refused; sys_errno says how */
	ERROR_FORMAT,      /* bytes from outside break the format's rules */
	ERROR_UNSUPPORTED, /* well formed, but not something we can do (yet) */
	ERROR_NOT_MINE,    /* a probe's answer: this is some other format */
	ERROR_RULE,        /* a kernel rule would be broken */
	ERROR_USAGE,       /* the caller's options make no sense */
	ERROR_LIMIT,       /* a stated limit was reached */
	ERROR_MISMATCH,    /* two things that must be of one kernel are not */
	ERROR_NOMEM,
};

struct error {
	enum error_code code;
	int sys_errno;  /* 0 unless the operating system was asked */
	char *message;
	char *remedy;   /* NULL when there is none to give */
};

/* Never NULL: when memory is out, a static instance stands in. */
struct error *error_new(enum error_code code, const char *fmt, ...)
	PRINTF_LIKE(2, 3) MUST_CHECK;

/* ERROR_SYSTEM; ": " and the text of errnum follow the formatted message. */
struct error *error_errno(int errnum, const char *fmt, ...)
	PRINTF_LIKE(2, 3) MUST_CHECK;

struct error *error_nomem(void) MUST_CHECK;

/*
 * Put "formatted: " before the message. Takes err and returns it, so that
 * callers write `return error_add(err, "reading %s", path)`. NULL stays NULL.
 */
struct error *error_add(struct error *err, const char *fmt, ...)
	PRINTF_LIKE(2, 3) MUST_CHECK;

/* Set the remedy unless an inner layer already did. NULL stays NULL. */
struct error *error_remedy(struct error *err, const char *fmt, ...)
	PRINTF_LIKE(2, 3) MUST_CHECK;

void error_free(struct error *err);

/* "program: message\n" and, where there is one, "program: remedy\n". */
void error_print(FILE *out, const char *program, const struct error *err);

/* For declarations: the value is freed at the end of the scope. */
static inline void error_cleanup(struct error **err)
{
	error_free(*err);
}
#define cleanup_error __attribute__((cleanup(error_cleanup)))

#endif

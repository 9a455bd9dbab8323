/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "lib/error.h"

#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include "lib/text.h"

static struct error out_of_memory = {
	.code = ERROR_NOMEM,
	.message = (char *)"out of memory",
};

struct error *error_nomem(void)
{
	return &out_of_memory;
}

static struct error *error_create(enum error_code code, int errnum, char *message)
{
	struct error *err;

	if (!message)
		return error_nomem();
	err = calloc(1, sizeof(*err));
	if (!err) {
		free(message);
		return error_nomem();
	}
	err->code = code;
	err->sys_errno = errnum;
	err->message = message;
	return err;
}

static char *format(const char *fmt, va_list args)
{
	char *text;

	if (vasprintf(&text, fmt, args) < 0)
		return NULL;
	/* Much of it is read from files. */
	text_make_printable(text);
	return text;
}

/* outer + ": " + inner, or NULL. */
static char *stack(const char *outer, const char *inner)
{
	char *text;

	if (!outer || asprintf(&text, "%s: %s", outer, inner) < 0)
		return NULL;
	return text;
}

struct error *error_new(enum error_code code, const char *fmt, ...)
{
	va_list args;
	char *message;

	va_start(args, fmt);
	message = format(fmt, args);
	va_end(args);
	return error_create(code, 0, message);
}

struct error *error_errno(int errnum, const char *fmt, ...)
{
	va_list args;
	char *outer, *message;

	va_start(args, fmt);
	outer = format(fmt, args);
	va_end(args);
	message = stack(outer, strerror(errnum));
	free(outer);
	return error_create(ERROR_SYSTEM, errnum, message);
}

struct error *error_add(struct error *err, const char *fmt, ...)
{
	va_list args;
	char *outer, *message;

	if (!err || err == &out_of_memory)
		return err;
	va_start(args, fmt);
	outer = format(fmt, args);
	va_end(args);
	message = stack(outer, err->message);
	free(outer);
	if (message) { /* otherwise the inner text alone must do */
		free(err->message);
		err->message = message;
	}
	return err;
}

struct error *error_remedy(struct error *err, const char *fmt, ...)
{
	va_list args;

	if (!err || err == &out_of_memory || err->remedy)
		return err;
	va_start(args, fmt);
	err->remedy = format(fmt, args);
	va_end(args);
	return err;
}

void error_free(struct error *err)
{
	if (!err || err == &out_of_memory)
		return;
	free(err->message);
	free(err->remedy);
	free(err);
}

void error_print(FILE *out, const char *program, const struct error *err)
{
	fprintf(out, "%s: %s\n", program, err->message);
	if (err->remedy)
		fprintf(out, "%s: %s\n", program, err->remedy);
}

/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What the probes share: failures go to stdout, where the tests compare them.
 */
#ifndef TESTS_PROBE_H
#define TESTS_PROBE_H

#include <stdio.h>

#include "lib/error.h"

/* 0 for none, else 1 after message and remedy were printed. Takes err. */
static inline int report(struct error *err)
{
	if (!err)
		return 0;
	printf("%s\n", err->message);
	if (err->remedy)
		printf("remedy: %s\n", err->remedy);
	error_free(err);
	return 1;
}

#endif

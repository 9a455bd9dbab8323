/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A compressed stream of any length into a file.
 */
#ifndef LIB_UNPACK_FILE_H
#define LIB_UNPACK_FILE_H

#include <stdint.h>

#include "lib/error.h"
#include "lib/input.h"
#include "lib/unpack.h"

/*
 * Unpacks the stream at `at` of in, and those right behind it (gzip, xz, zstd
 * and bzip2 may be packed in pieces), to a file without a name. *ret has its
 * bytes under in's path. A stream that ends early or is damaged gives what came
 * before that; *ret_why then says what is wrong with it, else NULL.
 */
struct error *unpack_file(enum codec codec, const struct input *in, uint64_t at,
			  struct input **ret, struct error **ret_why) MUST_CHECK;

#endif

/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A mapped-ram file, from the list of RAM blocks on: what stands before it, up
 * to where the RAM section begins, is put in front.
 */
#include "tests/fuzz/fuzz-source.h"

static const char start[] =
	"QEVM\0\0\0\3"
	"\7\0\0\0\4virt"
	"\5\32configuration/capabilities\0\0\0\1\0\0\0\1\12mapped-ram"
	"\1\0\0\0\2\3ram\0\0\0\0\0\0\0\4";

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	return fuzz_source(start, sizeof(start) - 1, data, size);
}

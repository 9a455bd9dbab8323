/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A migration stream; its mark and version are put in front. */
#include "tests/fuzz/fuzz-source.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	return fuzz_source("QEVM\0\0\0\3", 8, data, size);
}

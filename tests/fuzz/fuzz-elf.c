/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A vmlinux. */
#include "tests/fuzz/fuzz-probe.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	return fuzz_probe(&image_elf, data, size);
}

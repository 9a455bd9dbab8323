/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A save image of libvirt; most of its mark is put in front. */
#include "tests/fuzz/fuzz-source.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	return fuzz_source("LibvirtQemud", 12, data, size);
}

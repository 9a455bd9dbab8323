/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A stream; the codec is the one its first bytes show. At most 1 MiB out. */
#include "lib/unpack.h"
#include "tests/fuzz/fuzz.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct blob out cleanup_blob = { 0 };
	enum codec codec = codec_detect(data, size);

	if (codec != CODEC_NONE)
		error_free(unpack(codec, data, size, size, 1 << 20, "input", 0, &out));
	return 0;
}

/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * One format of kernel images: what its probe says about the bytes, and
 * whether what it found lies where it says.
 */
#ifndef TESTS_FUZZ_PROBE_H
#define TESTS_FUZZ_PROBE_H

#include "kexec/image.h"
#include "tests/fuzz/fuzz.h"

static inline int fuzz_probe(const struct image_ops *format, const uint8_t *data, size_t size)
{
	const struct image_input input = { data, size, "input" };
	struct image image cleanup_image = { 0 };
	struct error *err cleanup_error = format->probe(&input, &image);
	const uint8_t *start = image.storage.data ? image.storage.data : data;
	size_t room = image.storage.data ? image.storage.size : size;

	if (err)
		return 0;
	if (image.payload < start || image.payload_size > room ||
	    (size_t)(image.payload - start) > room - image.payload_size)
		abort();
	if (image.payload_size > image.image_size || image.entry < image.text_offset ||
	    image.entry - image.text_offset >= image.image_size)
		abort();
	return 0;
}

#endif

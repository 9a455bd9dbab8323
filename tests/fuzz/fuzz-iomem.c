/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The text of /proc/iomem; what it says is added up and taken apart. */
#include <string.h>

#include "kexec/memory.h"
#include "tests/fuzz/fuzz.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct iomem iomem cleanup_iomem = { 0 };
	struct ranges ranges cleanup_ranges = { 0 };
	char *text cleanup_free = strndup((const char *)data, size);
	uint64_t at;
	size_t i;

	if (!text)
		abort();
	error_free(iomem_parse(text, "input", &iomem));
	for (i = 0; i < iomem.count; i++) {
		const struct range *range = &iomem.entries[i].range;

		if (iomem.entries[i].depth)
			error_free(ranges_subtract(&ranges, range->start, range->end));
		else
			error_free(ranges_add(&ranges, range->start, range->end));
	}
	for (i = 1; i < ranges.count; i++)
		if (ranges.items[i - 1].end >= ranges.items[i].start)
			abort();
	ranges_find_high(&ranges, 1 << 20, 1 << 16, 0, UINT64_MAX, &at);
	ranges_find_low(&ranges, 1 << 20, 1 << 16, 0, UINT64_MAX, &at);
	return 0;
}

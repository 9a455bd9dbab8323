/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A VMCOREINFO text, asked for keys of each kind. */
#include "lib/vmcoreinfo.h"
#include "tests/fuzz/fuzz.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct vmcoreinfo *info;
	uint64_t value;
	int64_t number;
	struct error *err;

	err = vmcoreinfo_create((const char *)data, size, &info);
	if (err) {
		error_free(err);
		return 0;
	}
	vmcoreinfo_page_size(info, &value);
	vmcoreinfo_symbol(info, "prb", &value);
	vmcoreinfo_size(info, "page", &value);
	vmcoreinfo_offset(info, "page.flags", &value);
	vmcoreinfo_length(info, "mem_section", &value);
	vmcoreinfo_number(info, "PG_lru", &number);
	vmcoreinfo_destroy(info);
	return 0;
}

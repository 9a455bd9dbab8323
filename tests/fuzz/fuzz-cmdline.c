/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A kernel command line: words are removed, and then they are not there. */
#include <string.h>

#include "kexec/cmdline.h"
#include "tests/fuzz/fuzz.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const char *const names[] = { "initrd", "crashkernel", "a", NULL };
	char *text cleanup_free = strndup((const char *)data, size);
	char *kept cleanup_free = NULL, *removed cleanup_free = NULL;
	struct error *err;

	if (!text)
		abort();
	err = cmdline_remove(text, names, &kept, &removed);
	if (!err && (cmdline_has(kept, "initrd") || cmdline_has(kept, "a")))
		abort();
	if (!err && strlen(kept) + strlen(removed) > strlen(text) + 1)
		abort();
	error_free(err);
	return 0;
}

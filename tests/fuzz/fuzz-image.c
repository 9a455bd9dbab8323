/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A kernel file: wrapper, zboot, PE and ELF, whichever its bytes show. */
#include "kexec/image.h"
#include "tests/fuzz/fuzz.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct image image cleanup_image = { 0 };
	char path[FUZZ_PATH_SIZE];
	int fd = fuzz_file(data, size, path);

	error_free(image_open(path, NULL, &image));
	close(fd);
	return 0;
}

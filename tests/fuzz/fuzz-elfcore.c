/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A core file, and the same bytes as a list of notes. */
#include <string.h>

#include "lib/elfcore.h"
#include "tests/fuzz/fuzz.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct elfcore core = { 0 };
	char path[FUZZ_PATH_SIZE];
	struct elf_note note;
	size_t names = 0;
	struct reader r;
	struct input in = { .path = path, .fd = fuzz_file(data, size, path) };

	error_free(elfcore_read(&in, &core));
	elfcore_deinit(&core);
	close(in.fd);

	reader_init(&r, data, size, 0, "input");
	while (elf_note_next(&r, &note))
		names += strlen(note.name) + (note.desc_size ? note.desc[note.desc_size - 1] : 0);
	error_free(reader_check(&r, "note"));
	return names == SIZE_MAX;
}

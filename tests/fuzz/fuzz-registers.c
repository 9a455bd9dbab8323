/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The text of info registers; the notes made of it must say the same again. */
#include <string.h>

#include "makedumpfile-glue/registers.h"
#include "tests/fuzz/fuzz.h"

static void write_and_read(const struct registers *text)
{
	struct registers notes = { 0 };
	struct blob blob;
	uint8_t *to;
	size_t i;

	if (blob_init(&blob, text->count * registers_note_size()))
		abort();
	to = blob.data;
	for (i = 0; i < text->count; i++)
		to = registers_put_note(&text->cpus[i], to);
	if (to != blob.data + blob.size || registers_from_notes(&blob, &notes) ||
	    notes.count != text->count)
		abort();
	for (i = 0; i < text->count; i++)
		if (notes.cpus[i].era != text->cpus[i].era ||
		    notes.cpus[i].sp != text->cpus[i].sp ||
		    memcmp(notes.cpus[i].reg, text->cpus[i].reg, sizeof(notes.cpus[i].reg)))
			abort();
	registers_deinit(&notes);
	blob_deinit(&blob);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct registers registers = { 0 };
	char path[FUZZ_PATH_SIZE];
	int fd = fuzz_file(data, size, path);
	struct error *err = registers_from_file(path, &registers);

	if (!err)
		write_and_read(&registers);
	error_free(err);
	registers_deinit(&registers);
	close(fd);
	return 0;
}

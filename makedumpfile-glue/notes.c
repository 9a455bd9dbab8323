/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "makedumpfile-glue/notes.h"

#include <string.h>

#include "lib/elfcore.h"

static bool is_prstatus(const struct elf_note *note)
{
	return note->type == NT_PRSTATUS && !strcmp(note->name, "CORE");
}

static struct elf_note info_note(const struct vmcoreinfo *info)
{
	struct elf_note note = { .name = ELF_NOTE_VMCOREINFO };

	note.desc = (const uint8_t *)vmcoreinfo_text(info, &note.desc_size);
	return note;
}

struct error *notes_build(const struct blob *from, const struct registers *cpus,
			  const struct vmcoreinfo *info, struct blob *ret)
{
	/* Room for all that may be put, and for the zeros at the end of names. */
	size_t room = from->size + (cpus ? cpus->count * registers_note_size() : 0), cpu = 0;
	struct blob built = { 0 };
	struct elf_note note;
	struct error *err;
	struct reader r;
	uint8_t *to;

	if (info)
		note = info_note(info), room += elf_note_size(&note);
	err = blob_init(&built, room);
	if (err)
		return err;
	to = built.data;
	reader_init(&r, from->data, from->size, 0, "notes");
	while (elf_note_next(&r, &note)) {
		if (!strcmp(note.name, ELF_NOTE_VMCOREINFO))
			continue;
		if (!cpus || !is_prstatus(&note))
			to = elf_note_put(to, &note);
		else if (cpu < cpus->count)
			to = registers_put_note(&cpus->cpus[cpu++], to);
	}
	for (; cpus && cpu < cpus->count; cpu++)
		to = registers_put_note(&cpus->cpus[cpu], to);
	if (info) {
		note = info_note(info);
		to = elf_note_put(to, &note);
	}
	built.size = to - built.data;
	*ret = built;
	return NULL;
}

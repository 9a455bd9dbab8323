/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "makedumpfile-glue/registers.h"

#include <stdlib.h>
#include <string.h>

#include "lib/elfcore.h"
#include "lib/loongarch.h"

static uint64_t reg(const struct elf_note *note, unsigned int index)
{
	return get_le64(note->desc + LOONGARCH_PRSTATUS_REG_OFFSET + 8 * index);
}

struct error *registers_from_notes(const struct blob *notes, struct cpu_registers **ret,
				   size_t *ret_count, size_t *ret_foreign)
{
	struct cpu_registers *cpus = NULL;
	size_t count = 0, foreign = 0;
	struct elf_note note;
	struct reader r;

	reader_init(&r, notes->data, notes->size, 0, "notes");
	while (elf_note_next(&r, &note)) {
		struct cpu_registers *grown;

		if (note.type != NT_PRSTATUS || strcmp(note.name, "CORE"))
			continue;
		if (note.desc_size != LOONGARCH_PRSTATUS_SIZE) {
			foreign++;
			continue;
		}
		grown = reallocarray(cpus, count + 1, sizeof(*cpus));
		if (!grown) {
			free(cpus);
			return error_nomem();
		}
		cpus = grown;
		cpus[count].pid = get_le32(note.desc + LOONGARCH_PRSTATUS_PID_OFFSET);
		cpus[count].era = reg(&note, LOONGARCH_REG_ERA);
		cpus[count].sp = reg(&note, LOONGARCH_REG_SP);
		count++;
	}
	*ret = cpus;
	*ret_count = count;
	*ret_foreign = foreign;
	return NULL;
}

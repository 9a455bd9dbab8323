/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "makedumpfile-glue/registers.h"

#include <stdlib.h>
#include <string.h>

const char *registers_from_text(enum registers_from from)
{
	switch (from) {
	case REGISTERS_PRSTATUS: return "NT_PRSTATUS notes";
	case REGISTERS_PRSTATUS_NO_PC: return "QEMU's NT_PRSTATUS notes, without the PC";
	case REGISTERS_STREAM: return "the stream's cpu sections";
	case REGISTERS_TEXT: return "the text of info registers";
	default: return "nowhere";
	}
}

bool registers_of_guest(const struct registers *registers)
{
	return registers->from == REGISTERS_STREAM || registers->from == REGISTERS_TEXT ||
	       registers->from == REGISTERS_PRSTATUS_NO_PC;
}

struct error *registers_add(struct registers *registers, struct cpu_registers **ret)
{
	struct cpu_registers *grown = reallocarray(registers->cpus, registers->count + 1,
						   sizeof(*grown));

	if (!grown)
		return error_nomem();
	registers->cpus = grown;
	*ret = &grown[registers->count++];
	**ret = (struct cpu_registers){ .pid = registers->count };
	return NULL;
}

void registers_deinit(struct registers *registers)
{
	free(registers->cpus);
	*registers = (struct registers){ 0 };
}

/* The kernel that saves its own registers has paging on (CRMD.PG) or at least
 * direct addressing (CRMD.DA); QEMU leaves CRMD and all after it zero. It numbers
 * the CPUs from 1 on, in the order they were plugged in, with gaps for those that
 * are not. Beside each stand its floating-point registers, which are in nobody else's
 * notes: of an old QEMU's stream there is no CRMD either, but the PC is. */
static bool written_by_qemu(const struct registers *registers, bool floating)
{
	size_t i;

	if (!floating)
		return false;
	for (i = 0; i < registers->count; i++)
		if (registers->cpus[i].reg[LOONGARCH_REG_CRMD] ||
		    registers->cpus[i].reg[LOONGARCH_REG_ESTAT] ||
		    !registers->cpus[i].pid)
			return false;
	return registers->count;
}

struct error *registers_from_notes(const struct blob *notes, struct registers *ret)
{
	struct registers found = { 0 };
	struct elf_note note;
	bool floating = false;
	struct reader r;

	reader_init(&r, notes->data, notes->size, 0, "notes");
	while (elf_note_next(&r, &note)) {
		struct cpu_registers *cpu = NULL;
		struct error *err;
		unsigned int i;

		floating |= note.type == NT_PRFPREG && !strcmp(note.name, "CORE");
		if (note.type != NT_PRSTATUS || strcmp(note.name, "CORE"))
			continue;
		if (note.desc_size != LOONGARCH_PRSTATUS_SIZE) {
			found.foreign++;
			continue;
		}
		err = registers_add(&found, &cpu);
		if (err) {
			registers_deinit(&found);
			return err;
		}
		cpu->pid = get_le32(note.desc + LOONGARCH_PRSTATUS_PID_OFFSET);
		for (i = 0; i < LOONGARCH_REG_COUNT; i++)
			cpu->reg[i] = get_le64(note.desc + LOONGARCH_PRSTATUS_REG_OFFSET +
					       8 * i);
		cpu->era = cpu->reg[LOONGARCH_REG_ERA];
		cpu->sp = cpu->reg[LOONGARCH_REG_SP];
	}
	if (found.count)
		found.from = written_by_qemu(&found, floating) ? REGISTERS_PRSTATUS_NO_PC :
						       REGISTERS_PRSTATUS;
	*ret = found;
	return NULL;
}

size_t registers_note_size(void)
{
	const struct elf_note note = { .name = "CORE", .desc_size = LOONGARCH_PRSTATUS_SIZE };

	return elf_note_size(&note);
}

uint8_t *registers_put_note(const struct cpu_registers *cpu, uint8_t *to)
{
	uint8_t desc[LOONGARCH_PRSTATUS_SIZE] = { 0 };
	unsigned int i;

	put_le32(desc + LOONGARCH_PRSTATUS_PID_OFFSET, cpu->pid);
	for (i = 0; i < LOONGARCH_REG_COUNT; i++)
		put_le64(desc + LOONGARCH_PRSTATUS_REG_OFFSET + 8 * i, cpu->reg[i]);
	return elf_note_put(to, &(struct elf_note){ .type = NT_PRSTATUS, .name = "CORE",
						    .desc = desc, .desc_size = sizeof(desc) });
}

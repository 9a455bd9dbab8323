/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The registers of each CPU at the time of the dump.
 */
#ifndef GLUE_REGISTERS_H
#define GLUE_REGISTERS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "lib/elfcore.h"
#include "lib/error.h"
#include "lib/file.h"
#include "lib/loongarch.h"

/* What says them. */
enum registers_from {
	REGISTERS_NONE,
	REGISTERS_PRSTATUS,
	/* QEMU's notes: where the program counter belongs stands CSR.ERA, the
	 * place of the last exception (its target/loongarch/arch_dump.c). */
	REGISTERS_PRSTATUS_NO_PC,
	REGISTERS_STREAM, /* cpu sections of a migration stream */
	REGISTERS_TEXT,   /* QEMU's `info registers -a` */
};

/* "NT_PRSTATUS notes", ... */
const char *registers_from_text(enum registers_from from);

struct cpu_registers {
	uint32_t pid;    /* in a guest's dump, Linux's number of the CPU and 1 */
	uint64_t number; /* of a stream's: what CSR.TID says */
	uint64_t era; /* the program counter the CPU was caught at */
	uint64_t sp;
	uint64_t reg[LOONGARCH_REG_COUNT]; /* as in NT_PRSTATUS */
};

struct registers {
	struct cpu_registers *cpus; /* in the order of the CPUs */
	size_t count;
	enum registers_from from;
	size_t foreign; /* NT_PRSTATUS notes of another size than loongarch64's */
};

/* They are of all CPUs, online or not, and pid tells which. */
bool registers_of_guest(const struct registers *registers);

/* Adds a CPU; *ret is valid until the next one is added. */
struct error *registers_add(struct registers *registers, struct cpu_registers **ret)
	MUST_CHECK;
void registers_deinit(struct registers *registers);

/*
 * From the NT_PRSTATUS notes, in their order, which is that of the CPUs. A
 * CPU that saved nothing has no note; notes of another size are only counted.
 */
struct error *registers_from_notes(const struct blob *notes, struct registers *ret)
	MUST_CHECK;

/*
 * From the text QEMU's monitor gives for `info registers -a`, in the file at
 * path. What the text holds beside the registers is passed over; a CPU whose
 * general registers or program counter are not all there is ERROR_FORMAT.
 */
struct error *registers_from_file(const char *path, struct registers *ret) MUST_CHECK;

/* The whole NT_PRSTATUS note of a CPU: its size, and elf_note_put(). */
size_t registers_note_size(void);
uint8_t *registers_put_note(const struct cpu_registers *cpu, uint8_t *to);

#endif

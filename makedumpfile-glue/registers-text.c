/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The text of QEMU's monitor command `info registers -a`: "CPU#0", then words
 * and hexadecimal values, " PC=9000...", "r0 0000...", "CRMD   b4". The values
 * are known by the word before them, wherever the lines break.
 */
#include <inttypes.h>
#include <string.h>

#include "lib/units.h"
#include "makedumpfile-glue/registers.h"

/* 8192 CPUs' registers, with their vectors, are 60 MiB. */
#define TEXT_MAX ((size_t)256 << 20)
#define CPUS_MAX 8192

static const struct {
	const char *word;
	unsigned int index;
} named[] = {
	{ "PC", LOONGARCH_REG_ERA },    { "BADV", LOONGARCH_REG_BADV },
	{ "CRMD", LOONGARCH_REG_CRMD }, { "PRMD", LOONGARCH_REG_PRMD },
	{ "EUEN", LOONGARCH_REG_EUEN }, { "ECFG", LOONGARCH_REG_ECFG },
	{ "ESTAT", LOONGARCH_REG_ESTAT },
};

/* All that a backtrace needs: r0 to r31 and PC. */
#define NEEDED ((((uint64_t)1 << 32) - 1) | (uint64_t)1 << LOONGARCH_REG_ERA)

/* Index of the register that word names; false when it is none of ours. */
static bool find_register(const char *word, unsigned int *ret)
{
	uint64_t number;
	size_t i;

	if (*word == 'r' && parse_size(word + 1, &number) && number < 32) {
		*ret = number;
		return true;
	}
	for (i = 0; i < sizeof(named) / sizeof(named[0]); i++)
		if (!strcmp(word, named[i].word)) {
			*ret = named[i].index;
			return true;
		}
	return false;
}

static struct error *check_cpu(const struct registers *registers, uint64_t seen,
			       const char *path)
{
	if (!registers->count || (seen & NEEDED) == NEEDED)
		return NULL;
	return error_new(ERROR_FORMAT, "%s: CPU %zu: its program counter or some of r0 to "
			 "r31 are missing", path, registers->count - 1);
}

/* One after the other the text's words; a word that names a register is
 * followed by its value. */
static struct error *take_words(char *text, const char *path, struct registers *registers)
{
	struct cpu_registers *cpu = NULL;
	struct error *err = NULL;
	char *word, *save = NULL;
	unsigned int index = 0;
	bool want_value = false;
	uint64_t value, seen = 0;

	for (word = strtok_r(text, " \t\r\n=", &save); word && !err;
	     word = strtok_r(NULL, " \t\r\n=", &save)) {
		if (!strncmp(word, "CPU#", 4)) {
			err = check_cpu(registers, seen, path);
			if (!err && registers->count == CPUS_MAX)
				err = error_new(ERROR_LIMIT, "%s: more than %d CPUs", path,
						CPUS_MAX);
			if (!err)
				err = registers_add(registers, &cpu);
			if (!err && parse_size(word + 4, &value) && value < UINT32_MAX)
				cpu->pid = value + 1;
			seen = 0;
			want_value = false;
		} else if (want_value && cpu && parse_hex(word, &value)) {
			cpu->reg[index] = value;
			seen |= (uint64_t)1 << index;
			want_value = false;
		} else {
			want_value = find_register(word, &index);
		}
	}
	return err ? err : check_cpu(registers, seen, path);
}

struct error *registers_from_file(const char *path, struct registers *ret)
{
	struct registers registers = { .from = REGISTERS_TEXT };
	char *text cleanup_free = NULL;
	struct error *err = file_read_text(path, TEXT_MAX, &text);
	size_t i;

	if (!err)
		err = take_words(text, path, &registers);
	if (!err && !registers.count)
		err = error_remedy(error_new(ERROR_FORMAT,
					     "%s: no registers of any CPU in it", path),
				   "it must hold what QEMU's monitor says to "
				   "`info registers -a`: virsh qemu-monitor-command "
				   "--hmp DOMAIN info registers -a");
	if (err) {
		registers_deinit(&registers);
		return err;
	}
	for (i = 0; i < registers.count; i++) {
		registers.cpus[i].era = registers.cpus[i].reg[LOONGARCH_REG_ERA];
		registers.cpus[i].sp = registers.cpus[i].reg[LOONGARCH_REG_SP];
	}
	*ret = registers;
	return NULL;
}

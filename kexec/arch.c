/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "kexec/arch.h"

#include <stddef.h>

struct arch {
	uint16_t elf; /* include/uapi/linux/elf-em.h */
	uint16_t pe;  /* include/linux/pe.h */
	const char *name;
};

static const struct arch archs[] = {
	{ 258, 0x6264, "loongarch64" }, { 0, 0x6232, "loongarch32" },
	{ 62, 0x8664, "x86_64" },       { 3, 0x014c, "i386" },
	{ 183, 0xaa64, "aarch64" },     { 40, 0x01c2, "arm" },
	{ 243, 0x5064, "riscv64" },     { 8, 0x0166, "mips" },
	{ 21, 0x01f0, "ppc64" },        { 22, 0, "s390x" },
};

const char *arch_of_elf(uint16_t machine)
{
	size_t i;

	for (i = 0; i < sizeof(archs) / sizeof(*archs); i++)
		if (machine && archs[i].elf == machine)
			return archs[i].name;
	return NULL;
}

const char *arch_of_pe(uint16_t machine)
{
	size_t i;

	for (i = 0; i < sizeof(archs) / sizeof(*archs); i++)
		if (machine && archs[i].pe == machine)
			return archs[i].name;
	return NULL;
}

const char *arch_native(void)
{
#if defined(__loongarch__) && __loongarch_grlen == 64
	return "loongarch64";
#elif defined(__x86_64__)
	return "x86_64";
#elif defined(__aarch64__)
	return "aarch64";
#elif defined(__riscv)
	return "riscv64";
#else
	return "another architecture";
#endif
}

struct error *arch_wrong(const char *name, const char *what, const char *arch,
			 uint16_t number)
{
	struct error *err;

	if (arch)
		err = error_new(ERROR_UNSUPPORTED, "%s: is %s for %s, not for loongarch64",
				name, what, arch);
	else
		err = error_new(ERROR_UNSUPPORTED,
				"%s: is %s for machine 0x%x, not for loongarch64", name,
				what, number);
	return error_remedy(err, "Give a kernel built for loongarch64.");
}

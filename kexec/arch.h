/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Names of other architectures, so that a kernel for one of them is called
 * by its name.
 */
#ifndef KEXEC_ARCH_H
#define KEXEC_ARCH_H

#include <stdint.h>

#include "lib/error.h"

/* NULL when the number means nothing to us. */
const char *arch_of_elf(uint16_t machine);
const char *arch_of_pe(uint16_t machine);

/* What this program itself was built for, as `uname -m` says it. */
const char *arch_native(void);

/* "NAME: is FOR x86_64, not for loongarch64", with its remedy. */
struct error *arch_wrong(const char *name, const char *what, const char *arch,
			 uint16_t number) MUST_CHECK;

#endif

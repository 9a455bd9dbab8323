/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The ELF core headers a crash kernel is handed: where the registers of each
 * CPU, VMCOREINFO and every piece of the old kernel's memory lie. The crash
 * kernel turns them into /proc/vmcore.
 */
#ifndef KEXEC_ELFCOREHDR_H
#define KEXEC_ELFCOREHDR_H

#include "kexec/machine.h"
#include "lib/error.h"
#include "lib/file.h"

struct error *elfcorehdr_build(const struct machine *machine, struct blob *ret) MUST_CHECK;

#endif

/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The system a plan is made for: what /proc and /sys say, of this machine or
 * of one recorded in a directory. machine_read() is all the reading there is;
 * a plan needs nothing else.
 */
#ifndef KEXEC_MACHINE_H
#define KEXEC_MACHINE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "kexec/memory.h"
#include "lib/error.h"

/* Where the kernel writes a CPU's registers when it crashes. */
struct crash_note {
	unsigned int cpu;
	uint64_t addr, size;
};

/* COMMAND_LINE_SIZE of the kernel (its NUL included). */
#define COMMAND_LINE_MAX 4096
#define COMMAND_LINE_OLD 512

struct machine {
	char *release;       /* "" when nothing says it */
	uint64_t page_size;
	struct ranges ram;   /* every "System RAM" */
	struct ranges crash; /* every "Crash kernel"; may be none */
	struct ranges free;  /* RAM a next kernel may be put into, see read_memory() */
	struct crash_note *notes; /* by CPU number */
	size_t note_count;
	uint64_t vmcoreinfo_addr, vmcoreinfo_size;
	uint64_t elfcorehdr_room; /* what the kernel wants for updating it; 0: it cannot */
	char *cmdline;       /* of the running kernel */
	size_t cmdline_limit;
	bool cmdline_limit_certain;
	const char *cmdline_limit_evidence;
};

/*
 * root is "/" or a directory whose files are named as there; its file
 * "system" (key=value) holds what no file says: page_size, release,
 * cmdline_limit. Fails when anything the load needs is missing or hidden from
 * the caller: for a crash load that includes the CPUs' notes and vmcoreinfo.
 * That there is no crash reservation is no failure here.
 */
struct error *machine_read(const char *root, bool crash, struct machine *ret) MUST_CHECK;
void machine_deinit(struct machine *machine);
#define cleanup_machine __attribute__((cleanup(machine_deinit)))

/*
 * The reservation the kernel checks segments against (crashk_res). With two,
 * that is the upper one: a low one is only made beside a reservation above
 * 4 GiB (kernel/crash_reserve.c). NULL when there is none.
 */
const struct range *machine_crash_region(const struct machine *machine);

/* ERROR_RULE with a remedy when there is no reservation. */
struct error *machine_require_crash_region(const struct machine *machine) MUST_CHECK;

/* --- single questions, for --status and --print-ckr-size --- */

/* The number in /sys/kernel/kexec_crash_loaded or kexec_loaded. */
struct error *machine_loaded(const char *root, bool crash, int *ret) MUST_CHECK;

/* Bytes of the crash reservation, 0 when there is none. */
struct error *machine_crash_size(const char *root, uint64_t *ret) MUST_CHECK;

#endif

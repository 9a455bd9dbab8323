/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Where the segments of a plan go inside the reservation.
 */
#ifndef KEXEC_PLACE_H
#define KEXEC_PLACE_H

#include "kexec/plan.h"
#include "lib/error.h"

/* A capture kernel with less than this beside the segments does not get far. */
#define PLACE_RUN_MINIMUM ((uint64_t)96 << 20)

/*
 * Left free at the top. earlycon maps its device while the kernel still reads
 * its command line (__set_fixmap() in arch/loongarch/mm/init.c), and the page
 * tables for that are the highest pages it owns by then: neither its initrd
 * nor its elfcorehdr is reserved yet, and whichever lies there is given up
 * ("overlaps in-use memory"). Two tables of 64 KiB pages are the most it is.
 */
#define PLACE_EARLY_TABLES ((uint64_t)128 << 10)

/*
 * Gives every segment its mem and sets kernel_own. The segments, their memsz
 * and the region stand in the plan already. ERROR_RULE when they do not fit:
 * says how many bytes are needed and how many are there.
 */
struct error *place_segments(struct plan *plan, const struct image *image,
			     const struct machine *machine, const struct wishes *wishes)
	MUST_CHECK;

/*
 * The same for the next kernel: at its link address where that is free,
 * elsewhere only when it is not known to be bound to that address; the initrd
 * and the command line as high as possible. ERROR_RULE names what is missing.
 */
struct error *place_normal(struct plan *plan, const struct image *image,
			   const struct machine *machine, const struct wishes *wishes)
	MUST_CHECK;

/* What crashkernel= should say, in MiB: `needed` bytes of segments, and memory
 * to run in, which has to hold the unpacked initrd too. */
uint64_t place_suggested_mib(const struct plan *plan, uint64_t needed);

#endif

/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What goes where: an image, a machine and the user's wishes make a plan. No
 * I/O, no state: the same three give the same plan, here or elsewhere.
 */
#ifndef KEXEC_PLAN_H
#define KEXEC_PLAN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "kexec/image.h"
#include "kexec/machine.h"
#include "kexec/memory.h"
#include "lib/error.h"
#include "lib/file.h"

enum segment_role { ROLE_CMDLINE, ROLE_KERNEL, ROLE_INITRD, ROLE_ELFCOREHDR, ROLE_COUNT };

const char *segment_role_name(enum segment_role role);

/* One element of the kexec_load() array. */
struct segment {
	enum segment_role role;
	const uint8_t *buf;
	uint64_t bufsz;
	uint64_t mem;   /* physical */
	uint64_t memsz; /* what the kernel fills with zeros behind bufsz */
};

struct wishes {
	const struct blob *initrd; /* NULL: none; its bytes are loaded as they are */
	const char *command_line;  /* the user's words; may be NULL */
	uint64_t mem_min, mem_max; /* use only memory from min up to and with max */
	uint64_t entry;            /* 0: as the image's header and its place say */
	bool hotplug;              /* the kernel may update the loaded crash image */
};

#define PLAN_SEGMENTS ROLE_COUNT

/*
 * Borrows the image's payload and the initrd: both must outlive it. Segments
 * stand in the order they are handed to the kernel, the command line first.
 */
struct plan {
	struct segment segments[PLAN_SEGMENTS];
	size_t count;
	uint64_t entry;
	uint64_t flags;
	struct range region;     /* the reservation used; all memory for a normal load */
	struct range kernel_own; /* pages in it left for the running kernel; crash only */
	char *command_line;
	char **warnings;
	size_t warning_count;

	/* what segments point into */
	struct blob cmdline_buffer, elfcorehdr;
};

/*
 * A plan for the crash kernel. ERROR_RULE without a reservation or with one
 * that is too small (says by how much), ERROR_UNSUPPORTED for an image that
 * cannot run there, ERROR_USAGE for a command line that is too long.
 */
struct error *plan_crash(const struct image *image, const struct machine *machine,
			 const struct wishes *wishes, struct plan *ret) MUST_CHECK;

/* A plan for the next kernel. ERROR_RULE when something finds no place. */
struct error *plan_normal(const struct image *image, const struct machine *machine,
			  const struct wishes *wishes, struct plan *ret) MUST_CHECK;
void plan_deinit(struct plan *plan);
#define cleanup_plan __attribute__((cleanup(plan_deinit)))

bool plan_is_crash(const struct plan *plan);

/* The segment of that role, or NULL. */
const struct segment *plan_segment(const struct plan *plan, enum segment_role role);

#endif

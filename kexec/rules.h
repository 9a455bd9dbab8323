/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What the kernel checks when an image is loaded, in its order, so that a
 * plan can be held against it before the kernel sees it: the kernel answers
 * with an errno and nothing else, and a refused crash load has already thrown
 * away the old image (rule 7).
 */
#ifndef KEXEC_RULES_H
#define KEXEC_RULES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "kexec/memory.h"
#include "kexec/plan.h"
#include "lib/error.h"

/* include/uapi/linux/kexec.h */
#define KEXEC_FLAG_ON_CRASH  UINT64_C(0x1)
#define KEXEC_FLAG_HOTPLUG   UINT64_C(0x8) /* since 6.10 */
#define KEXEC_FLAG_ARCH      (UINT64_C(258) << 16)
#define KEXEC_FLAG_ARCH_MASK UINT64_C(0xffff0000)
#define KEXEC_SEGMENT_MAX    16

struct rule {
	unsigned int number;
	const char *name;
	const char *where; /* file and function in the kernel */
	int errnum;        /* 0: this is something it does, not a refusal */
	const char *remedy;
};

#define RULE_COUNT 17

/* Rule number n stands at rules[n - 1]. */
extern const struct rule rules[RULE_COUNT];

/* What is held against the rules. */
struct rule_subject {
	const struct segment *segments;
	size_t count;
	uint64_t entry, flags;
	uint64_t page_size;   /* of the running kernel */
	struct range region;  /* crashk_res; only for crash loads */
	uint64_t ram_bytes;   /* what the running kernel manages, about */
	bool hotplug;         /* it can update a loaded crash image */
};

enum rule_state {
	RULE_KEPT,
	RULE_BROKEN,
	RULE_UNCHECKED, /* only the running kernel can tell */
};

struct rule_result {
	enum rule_state state;
	char detail[224];
};

/* results[n - 1] answers rule n. All rules are tried, also after a failure. */
void rules_check(const struct rule_subject *subject, struct rule_result results[RULE_COUNT]);

/* The first broken rule as ERROR_RULE with its remedy; NULL when there is none. */
struct error *rules_verdict(const struct rule_result results[RULE_COUNT]) MUST_CHECK;

/*
 * The kernel refused a load that keeps the rules, and said only errnum: the
 * rules it means by that, and what to do.
 */
struct error *rules_explain(int errnum) MUST_CHECK;

/* What stands between a plan and a rule_subject. */
struct rule_subject rules_subject_of(const struct plan *plan, const struct machine *machine);

#endif

/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "kexec/rules.h"

#include <errno.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lib/bytes.h"
#include "lib/file.h"
#include "lib/units.h"

#define KEXEC_C  "kernel/kexec.c "
#define CORE_C   "kernel/kexec_core.c "
#define OUR_BUG  "This is a fault of this program: please report it with --dry-run --json."

const struct rule rules[RULE_COUNT] = {
	{ 1, "permission", CORE_C "kexec_load_permitted()", EPERM,
	  "Run as root (CAP_SYS_BOOT); kernel.kexec_load_disabled must be 0 and the "
	  "kexec_load_limit_panic not used up (both reset only by a reboot)." },
	{ 2, "lockdown and security policy", KEXEC_C "kexec_load_check()", EPERM,
	  "Switch secure boot off, or boot without lockdown=: a locked-down kernel refuses "
	  "kexec_load." },
	{ 3, "known flags", KEXEC_C "kexec_load_check()", EINVAL, OUR_BUG },
	{ 4, "at most 16 segments", KEXEC_C "kexec_load_check()", EINVAL, OUR_BUG },
	{ 5, "architecture in the flags", KEXEC_C "kexec_load()", EINVAL,
	  "Run the kexec built for the running kernel's architecture." },
	{ 6, "no other load under way", KEXEC_C "do_kexec_load()", EBUSY,
	  "Wait until the other kexec has ended, then try again." },
	{ 7, "the old crash image is dropped first", KEXEC_C "do_kexec_load()", 0, NULL },
	{ 8, "entry inside the crash reservation", KEXEC_C "kimage_alloc_init()",
	  EADDRNOTAVAIL,
	  "The kernel has to be placed inside the reservation; this command does so: "
	  "kexec -p KERNEL." },
	{ 9, "segments on page boundaries", CORE_C "sanity_check_segment_list()",
	  EADDRNOTAVAIL,
	  "Segments must begin and end on pages of the running kernel, which may be larger "
	  "than those of the kernel that is loaded." },
	{ 10, "segments do not overlap", CORE_C "sanity_check_segment_list()", EINVAL,
	  "Move the segments apart." },
	{ 11, "buffer not larger than its memory", CORE_C "sanity_check_segment_list()",
	  EINVAL, OUR_BUG },
	{ 12, "at most half of the memory", CORE_C "sanity_check_segment_list()", EINVAL,
	  "Use a smaller initrd or a machine with more memory." },
	{ 13, "segments inside the crash reservation", CORE_C "sanity_check_segment_list()",
	  EADDRNOTAVAIL,
	  "With two \"Crash kernel\" regions only the upper one counts. Check that "
	  "/proc/iomem still shows the reservation the plan was made for." },
	{ 14, "a page for control code", CORE_C "kimage_alloc_control_pages()", ENOMEM,
	  "Leave a page of the reservation free: use a larger crashkernel=." },
	{ 15, "a command line segment",
	  "arch/loongarch/kernel/machine_kexec.c machine_kexec_prepare()", EINVAL,
	  "The first segment that begins with \"kexec\" must be the command line." },
	{ 16, "a page for vmcoreinfo", CORE_C "kimage_crash_copy_vmcoreinfo()", ENOMEM,
	  "Leave a second page of the reservation free: use a larger crashkernel=." },
	{ 17, "buffers can be copied", CORE_C "kimage_load_segment()", EFAULT, OUR_BUG },
};

static void keep(struct rule_result *result, const char *fmt, ...) PRINTF_LIKE(2, 3);
static void keep(struct rule_result *result, const char *fmt, ...)
{
	va_list args;

	if (result->state == RULE_BROKEN)
		return;
	result->state = RULE_KEPT;
	va_start(args, fmt);
	vsnprintf(result->detail, sizeof(result->detail), fmt, args);
	va_end(args);
}

/* The first break is the one that is told. */
static void breaks(struct rule_result *result, const char *fmt, ...) PRINTF_LIKE(2, 3);
static void breaks(struct rule_result *result, const char *fmt, ...)
{
	va_list args;

	if (result->state == RULE_BROKEN)
		return;
	result->state = RULE_BROKEN;
	va_start(args, fmt);
	vsnprintf(result->detail, sizeof(result->detail), fmt, args);
	va_end(args);
}

static const char *role(const struct rule_subject *s, size_t index)
{
	return segment_role_name(s->segments[index].role);
}

/* Distance of [start, end) from the region, told as the kernel would not. */
static void outside(struct rule_result *result, const struct rule_subject *s,
		    const char *what, uint64_t start, uint64_t last)
{
	const uint64_t region_last = s->region.end - 1;

	if (start < s->region.start)
		breaks(result, "%s lies 0x%" PRIx64 " bytes below Crash kernel 0x%" PRIx64
		       "-0x%" PRIx64, what, s->region.start - start, s->region.start,
		       region_last);
	else if (last > region_last)
		breaks(result, "%s reaches 0x%" PRIx64 " bytes beyond Crash kernel 0x%" PRIx64
		       "-0x%" PRIx64, what, last - region_last, s->region.start, region_last);
}

static void check_flags(const struct rule_subject *s, struct rule_result *results)
{
	uint64_t arch = s->flags & KEXEC_FLAG_ARCH_MASK, rest = s->flags & ~KEXEC_FLAG_ARCH_MASK;

	rest &= ~(KEXEC_FLAG_ON_CRASH | (s->hotplug ? KEXEC_FLAG_HOTPLUG : 0));
	if (rest)
		breaks(&results[2], "flags 0x%" PRIx64 " hold 0x%" PRIx64
		       ", which not every kernel knows", s->flags, rest);
	keep(&results[2], "flags 0x%" PRIx64, s->flags);
	if (s->count > KEXEC_SEGMENT_MAX)
		breaks(&results[3], "%zu segments, %zu too many", s->count,
		       s->count - KEXEC_SEGMENT_MAX);
	keep(&results[3], "%zu segments", s->count);
	if (arch && arch != KEXEC_FLAG_ARCH)
		breaks(&results[4], "flags 0x%" PRIx64 " name architecture %" PRIu64
		       ", loongarch64 is 258", s->flags, arch >> 16);
	keep(&results[4], "architecture %" PRIu64, arch >> 16);
}

static void check_entry(const struct rule_subject *s, struct rule_result *result)
{
	char what[48];

	snprintf(what, sizeof(what), "entry 0x%" PRIx64, s->entry);
	outside(result, s, what, s->entry, s->entry);
	keep(result, "%s in 0x%" PRIx64 "-0x%" PRIx64, what, s->region.start,
	     s->region.end - 1);
}

static void check_pages(const struct rule_subject *s, struct rule_result *result)
{
	uint64_t mask = s->page_size - 1;
	size_t i;

	for (i = 0; i < s->count; i++) {
		const struct segment *segment = &s->segments[i];
		uint64_t end;

		if (add_overflows(segment->mem, segment->memsz, &end) || end == UINT64_MAX)
			breaks(result, "segment %zu (%s): 0x%" PRIx64 " + 0x%" PRIx64
			       " goes round the end of the address space", i, role(s, i),
			       segment->mem, segment->memsz);
		else if (segment->mem & mask)
			breaks(result, "segment %zu (%s): start 0x%" PRIx64 " is 0x%" PRIx64
			       " bytes past a page of %" PRIu64 " bytes", i, role(s, i),
			       segment->mem, segment->mem & mask, s->page_size);
		else if (end & mask)
			breaks(result, "segment %zu (%s): end 0x%" PRIx64 " is 0x%" PRIx64
			       " bytes past a page of %" PRIu64 " bytes", i, role(s, i), end,
			       end & mask, s->page_size);
	}
	keep(result, "%zu segments, pages of %" PRIu64 " bytes", s->count, s->page_size);
}

static void check_overlap(const struct rule_subject *s, struct rule_result *result)
{
	size_t i, j;

	for (i = 0; i < s->count; i++)
		for (j = 0; j < i; j++) {
			const struct segment *a = &s->segments[i], *b = &s->segments[j];
			uint64_t a_end = a->mem + a->memsz, b_end = b->mem + b->memsz;

			if (a_end > b->mem && a->mem < b_end)
				breaks(result, "segments %zu (%s) and %zu (%s) share 0x%" PRIx64
				       " bytes from 0x%" PRIx64, j, role(s, j), i, role(s, i),
				       (a_end < b_end ? a_end : b_end) -
					       (a->mem > b->mem ? a->mem : b->mem),
				       a->mem > b->mem ? a->mem : b->mem);
		}
	keep(result, "%zu segments", s->count);
}

static void check_sizes(const struct rule_subject *s, struct rule_result results[RULE_COUNT])
{
	uint64_t half = s->ram_bytes / 2, total = 0;
	size_t i;

	for (i = 0; i < s->count; i++) {
		const struct segment *segment = &s->segments[i];

		if (segment->bufsz > segment->memsz)
			breaks(&results[10], "segment %zu (%s): %" PRIu64 " bytes for %" PRIu64
			       " bytes of memory, %" PRIu64 " too many", i, role(s, i),
			       segment->bufsz, segment->memsz, segment->bufsz - segment->memsz);
		if (segment->memsz > half)
			breaks(&results[11], "segment %zu (%s) takes %" PRIu64
			       " bytes, half of the memory is %" PRIu64, i, role(s, i),
			       segment->memsz, half);
		if (add_overflows(total, segment->memsz, &total))
			total = UINT64_MAX;
	}
	if (total > half)
		breaks(&results[11], "the segments take %" PRIu64
		       " bytes, half of the memory is %" PRIu64, total, half);
	keep(&results[10], "%zu segments", s->count);
	keep(&results[11], "%" PRIu64 " of %" PRIu64 " bytes", total, half);
}

static void check_region(const struct rule_subject *s, struct rule_result *result)
{
	size_t i;

	for (i = 0; i < s->count; i++) {
		const struct segment *segment = &s->segments[i];
		char what[96];

		snprintf(what, sizeof(what), "segment %zu (%s) 0x%" PRIx64 "+0x%" PRIx64, i,
			 role(s, i), segment->mem, segment->memsz);
		outside(result, s, what, segment->mem, segment->mem + segment->memsz - 1);
	}
	keep(result, "%zu segments in 0x%" PRIx64 "-0x%" PRIx64, s->count, s->region.start,
	     s->region.end - 1);
}

/*
 * The kernel's own search (kimage_alloc_crash_control_pages): the first page
 * at or after *at that no segment covers. Moves *at behind it.
 */
static bool find_page(const struct rule_subject *s, uint64_t *at, uint64_t *ret)
{
	uint64_t page = align_up(*at, s->page_size);
	size_t i = 0;

	while (page < s->region.end && s->region.end - page >= s->page_size) {
		for (i = 0; i < s->count; i++) {
			uint64_t end = s->segments[i].mem + s->segments[i].memsz;

			if (page + s->page_size > s->segments[i].mem && page < end) {
				page = align_up(end, s->page_size);
				break;
			}
		}
		if (i == s->count) {
			*ret = page;
			*at = page + s->page_size;
			return true;
		}
	}
	return false;
}

static void check_own_pages(const struct rule_subject *s, struct rule_result results[RULE_COUNT])
{
	static const unsigned int numbers[] = { 14, 16 };
	uint64_t at = s->region.start, page;
	size_t i;

	for (i = 0; i < 2; i++) {
		struct rule_result *result = &results[numbers[i] - 1];

		if (find_page(s, &at, &page))
			keep(result, "0x%" PRIx64, page);
		else
			breaks(result, "no free page of %" PRIu64 " bytes is left in Crash kernel 0x%"
			       PRIx64 "-0x%" PRIx64, s->page_size, s->region.start,
			       s->region.end - 1);
	}
}

static bool starts_like_cmdline(const struct segment *segment)
{
	return segment->buf && segment->bufsz >= 5 && !memcmp(segment->buf, "kexec", 5);
}

static void check_cmdline(const struct rule_subject *s, struct rule_result *result)
{
	size_t i = 0;

	while (i < s->count && !starts_like_cmdline(&s->segments[i]))
		i++;
	if (i == s->count)
		breaks(result, "no segment's data begins with \"kexec\"");
	else if (s->segments[i].role != ROLE_CMDLINE)
		breaks(result, "segment %zu (%s) begins with \"kexec\" and would be taken for the "
		       "command line", i, role(s, i));
	keep(result, "segment %zu", i);
}

/* The command line is copied at its full size, whatever its bufsz says. */
static void check_buffers(const struct rule_subject *s, struct rule_result *result)
{
	size_t i;

	for (i = 0; i < s->count; i++) {
		const struct segment *segment = &s->segments[i];

		if (segment->bufsz && !segment->buf)
			breaks(result, "segment %zu (%s) has no data", i, role(s, i));
		else if (segment->role == ROLE_CMDLINE && segment->bufsz < COMMAND_LINE_MAX)
			breaks(result, "segment %zu (cmdline): %" PRIu64
			       " bytes, the kernel reads %d: %" PRIu64 " too few", i,
			       segment->bufsz, COMMAND_LINE_MAX,
			       COMMAND_LINE_MAX - segment->bufsz);
	}
	keep(result, "%zu segments", s->count);
}

void rules_check(const struct rule_subject *s, struct rule_result results[RULE_COUNT])
{
	const bool crash = s->flags & KEXEC_FLAG_ON_CRASH;
	size_t i;

	for (i = 0; i < RULE_COUNT; i++)
		results[i] = (struct rule_result){ .state = RULE_UNCHECKED };
	check_flags(s, results);
	check_pages(s, &results[9 - 1]);
	check_overlap(s, &results[10 - 1]);
	check_sizes(s, results);
	check_cmdline(s, &results[15 - 1]);
	check_buffers(s, &results[17 - 1]);
	if (!crash)
		return;
	check_entry(s, &results[8 - 1]);
	check_region(s, &results[13 - 1]);
	/* The search makes sense only among segments that are themselves sound. */
	if (results[9 - 1].state == RULE_KEPT)
		check_own_pages(s, results);
}

struct error *rules_verdict(const struct rule_result results[RULE_COUNT])
{
	size_t i;

	for (i = 0; i < RULE_COUNT; i++)
		if (results[i].state == RULE_BROKEN)
			return error_remedy(error_new(ERROR_RULE, "kernel rule %u (%s, %s): %s",
						      rules[i].number, rules[i].name,
						      rules[i].where, results[i].detail),
					    "%s", rules[i].remedy);
	return NULL;
}

/* Names of the rules with this answer: "kernel rule 8 (entry ...) or 9 (...)". */
static struct error *name_rules(int errnum, char **ret)
{
	size_t size = 0, i;
	FILE *out = open_memstream(ret, &size);

	if (!out)
		return error_nomem();
	for (i = 0; i < RULE_COUNT; i++)
		if (rules[i].errnum == errnum)
			fprintf(out, "%s%u (%s)", ftell(out) ? " or " : "kernel rule ",
				rules[i].number, rules[i].name);
	if (fclose(out) == 0)
		return NULL;
	free(*ret);
	*ret = NULL;
	return error_nomem();
}

/* What is left to try where the plan was sound. */
static const char *remedy_for(int errnum)
{
	switch (errnum) {
	case ENOSYS:        return "The running kernel needs CONFIG_KEXEC=y.";
	case EPERM:         return rules[2 - 1].remedy;
	case EACCES:        return "A security policy (IMA, SELinux) refuses the load; the audit log "
				   "says which.";
	case EBUSY:         return rules[6 - 1].remedy;
	case EADDRNOTAVAIL: return rules[13 - 1].remedy;
	case ENOMEM:        return rules[14 - 1].remedy;
	}
	return "--dry-run -d shows how each rule was checked: please report its output.";
}

struct error *rules_explain(int errnum)
{
	char *names cleanup_free = NULL;
	struct error *err = name_rules(errnum, &names);

	if (err)
		return err;
	err = error_errno(errnum, "kexec_load failed");
	if (*names)
		err = error_add(err, "%s", names);
	return error_remedy(err, "%s", remedy_for(errnum));
}

struct rule_subject rules_subject_of(const struct plan *plan, const struct machine *machine)
{
	/* The kernel counts the pages it manages; reserved ones are not. */
	return (struct rule_subject){
		.segments = plan->segments, .count = plan->count,
		.entry = plan->entry, .flags = plan->flags,
		.page_size = machine->page_size, .region = plan->region,
		.ram_bytes = ranges_total(&machine->ram) - ranges_total(&machine->crash),
		.hotplug = machine->elfcorehdr_room != 0,
	};
}

/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "kexec/plan.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "kexec/cmdline.h"
#include "kexec/elfcorehdr.h"
#include "kexec/place.h"
#include "kexec/rules.h"
#include "lib/bytes.h"
#include "lib/loongarch.h"
#include "lib/units.h"

const char *segment_role_name(enum segment_role role)
{
	switch (role) {
	case ROLE_CMDLINE:    return "cmdline";
	case ROLE_KERNEL:     return "kernel";
	case ROLE_INITRD:     return "initrd";
	case ROLE_ELFCOREHDR: return "elfcorehdr";
	case ROLE_COUNT:      break;
	}
	return "unknown";
}

const struct segment *plan_segment(const struct plan *plan, enum segment_role role)
{
	size_t i;

	for (i = 0; i < plan->count; i++)
		if (plan->segments[i].role == role)
			return &plan->segments[i];
	return NULL;
}

bool plan_is_crash(const struct plan *plan)
{
	return plan->flags & KEXEC_FLAG_ON_CRASH;
}

static struct error *warn(struct plan *plan, const char *fmt, ...) PRINTF_LIKE(2, 3);
static struct error *warn(struct plan *plan, const char *fmt, ...)
{
	char **warnings = realloc(plan->warnings, (plan->warning_count + 1) * sizeof(char *));
	va_list args;
	int len;

	if (!warnings)
		return error_nomem();
	plan->warnings = warnings;
	va_start(args, fmt);
	len = vasprintf(&warnings[plan->warning_count], fmt, args);
	va_end(args);
	if (len < 0)
		return error_nomem();
	plan->warning_count++;
	return NULL;
}

void plan_deinit(struct plan *plan)
{
	size_t i;

	for (i = 0; i < plan->warning_count; i++)
		free(plan->warnings[i]);
	free(plan->warnings);
	free(plan->command_line);
	blob_deinit(&plan->cmdline_buffer);
	blob_deinit(&plan->elfcorehdr);
	*plan = (struct plan){ 0 };
}

/* --- the segments, without their places --- */

static void add_segment(struct plan *plan, enum segment_role role, const uint8_t *buf,
			uint64_t bufsz, uint64_t memsz)
{
	plan->segments[plan->count++] = (struct segment){
		.role = role, .buf = buf, .bufsz = bufsz, .memsz = memsz,
	};
}

/*
 * The command line comes first: machine_kexec_prepare() takes the first
 * segment that begins with "kexec" and copies COMMAND_LINE_SIZE bytes from
 * the buffer, however short that is.
 */
static struct error *add_segments(struct plan *plan, const struct image *image,
				  const struct machine *machine, const struct wishes *wishes)
{
	struct error *err = blob_init(&plan->cmdline_buffer, COMMAND_LINE_MAX);
	uint64_t headers;

	if (err)
		return err;
	memset(plan->cmdline_buffer.data, 0, COMMAND_LINE_MAX);
	if (plan_is_crash(plan))
		err = elfcorehdr_build(machine, &plan->elfcorehdr);
	if (err)
		return err;
	add_segment(plan, ROLE_CMDLINE, plan->cmdline_buffer.data, COMMAND_LINE_MAX,
		    align_up(COMMAND_LINE_MAX, machine->page_size));
	add_segment(plan, ROLE_KERNEL, image->payload, image->payload_size, image->image_size);
	if (wishes->initrd)
		add_segment(plan, ROLE_INITRD, wishes->initrd->data, wishes->initrd->size,
			    align_up(wishes->initrd->size, machine->page_size));
	if (!plan_is_crash(plan))
		return NULL;
	headers = plan->elfcorehdr.size;
	if (wishes->hotplug && headers < machine->elfcorehdr_room)
		headers = machine->elfcorehdr_room;
	add_segment(plan, ROLE_ELFCOREHDR, plan->elfcorehdr.data, plan->elfcorehdr.size,
		    align_up(headers, machine->page_size));
	return NULL;
}

/* --- the command line --- */

/*
 * Our words come first: words behind a "--" of the user's would go to init,
 * and a kernel that cuts the line must not cut these. mem= takes every region
 * (arch/loongarch/kernel/setup.c: the first one drops all other memory).
 */
static struct error *write_cmdline(struct plan *plan, const struct machine *machine,
				   const char *words)
{
	const struct segment *elfcorehdr = plan_segment(plan, ROLE_ELFCOREHDR);
	const struct segment *initrd = plan_segment(plan, ROLE_INITRD);
	char *text = NULL;
	size_t size = 0, i;
	FILE *out = open_memstream(&text, &size);

	if (!out)
		return error_nomem();
	fputs("kexec", out);
	if (elfcorehdr)
		fprintf(out, " elfcorehdr=%" PRIu64 "K@%" PRIu64 "K", elfcorehdr->memsz >> 10,
			elfcorehdr->mem >> 10);
	for (i = elfcorehdr ? machine->crash.count : 0; i-- > 0;) {
		const struct range *region = &machine->crash.items[i];

		fprintf(out, " mem=%" PRIu64 "K@%" PRIu64 "K",
			(region->end - region->start) >> 10, region->start >> 10);
	}
	if (initrd)
		fprintf(out, " initrd=%" PRIu64 ",%" PRIu64, initrd->mem, initrd->bufsz);
	if (*words)
		fprintf(out, " %s", words);
	if (fclose(out) != 0) {
		free(text);
		return error_nomem();
	}
	plan->command_line = text;
	return NULL;
}

static struct error *check_cmdline(struct plan *plan, const struct machine *machine,
				   const char *words)
{
	size_t len = strlen(plan->command_line), limit = machine->cmdline_limit - 1;

	if (len > limit)
		return error_remedy(
			error_new(ERROR_USAGE,
				  "the command line has %zu characters, %zu of them kexec's own; "
				  "this kernel takes %zu (%s)", len, len - strlen(words), limit,
				  machine->cmdline_limit_evidence),
			"Shorten it by %zu characters.", len - limit);
	memcpy(plan->cmdline_buffer.data, plan->command_line, len);
	if (!machine->cmdline_limit_certain && len >= COMMAND_LINE_OLD)
		return warn(plan, "the command line has %zu characters; this kernel may use only "
			    "the first %d (%s)", len, COMMAND_LINE_OLD - 1,
			    machine->cmdline_limit_evidence);
	return NULL;
}

static struct error *make_cmdline(struct plan *plan, const struct machine *machine,
				  const struct wishes *wishes)
{
	char *words cleanup_free = NULL, *dropped cleanup_free = NULL;
	const bool crash = plan_is_crash(plan);
	struct error *err = cmdline_remove(wishes->command_line ? wishes->command_line : "",
					   crash ? cmdline_ours : cmdline_ours_normal, &words,
					   &dropped);

	if (!err && *dropped)
		err = warn(plan, "dropped from the command line: %s (only kexec can say this to "
			   "%s kernel)", dropped, crash ? "a crash" : "the next");
	if (!err && crash && cmdline_has(words, "crashkernel"))
		err = warn(plan, "the command line has crashkernel=: the crash kernel would set "
			   "memory aside again");
	if (!err)
		err = write_cmdline(plan, machine, words);
	if (!err)
		err = check_cmdline(plan, machine, words);
	return err;
}

/* --- what may go wrong all the same --- */

/* As kaslr_disabled() in arch/loongarch/kernel/relocate.c looks for it. */
static bool says_nokaslr(const char *command_line)
{
	const char *found = strstr(command_line, "nokaslr");

	return found && (found == command_line || found[-1] == ' ');
}

/*
 * A kernel that randomizes its place moves up by at most its length plus
 * RANDOMIZE_BASE_MAX_OFFSET (determine_relocation_address()) and does not
 * look what lies there. The command line segment is not read after the load.
 */
static struct error *check_kaslr(struct plan *plan, const struct image *image)
{
	const struct segment *kernel = plan_segment(plan, ROLE_KERNEL);
	uint64_t reach = kernel->mem + 2 * kernel->memsz + image->kaslr_max;
	uint64_t limit = plan->region.end;
	const char *what = plan_is_crash(plan) ? "end of the reservation" : "end of memory";
	size_t i;

	if (image->kaslr.value == ANSWER_NO || says_nokaslr(plan->command_line))
		return NULL;
	for (i = 0; i < plan->count; i++) {
		const struct segment *segment = &plan->segments[i];

		if (segment->role == ROLE_CMDLINE || segment->mem <= kernel->mem ||
		    segment->mem >= limit)
			continue;
		limit = segment->mem;
		what = segment_role_name(segment->role);
	}
	if (reach <= limit)
		return NULL;
	return warn(plan, "the %s kernel %s move itself (KASLR) up to 0x%" PRIx64
		    ", beyond the %s at 0x%" PRIx64 "; add nokaslr to its command line",
		    plan_is_crash(plan) ? "crash" : "next",
		    image->kaslr.value == ANSWER_YES ? "may" : "might", reach, what, limit);
}

static struct error *check_image(struct plan *plan, const struct image *image)
{
	const struct segment *kernel = plan_segment(plan, ROLE_KERNEL);
	struct error *err = NULL;

	if (image->relocatable.value == ANSWER_NO && kernel->mem != image->text_offset)
		return error_remedy(
			error_new(ERROR_UNSUPPORTED,
				  "the kernel is not relocatable (%s): it runs at 0x%" PRIx64
				  ", the crash reservation needs it at 0x%" PRIx64,
				  image->relocatable.evidence, image->text_offset, kernel->mem),
			"Use a kernel built with CONFIG_RELOCATABLE=y.");
	if (plan_is_crash(plan))
		err = image_runs_in_reservation(image);
	if (!err && image->relocatable.value == ANSWER_UNKNOWN && kernel->mem != image->text_offset)
		err = warn(plan, "whether the kernel is relocatable cannot be seen (%s); if it is "
			   "not, it will hang when started", image->relocatable.evidence);
	if (!err && plan_is_crash(plan) && image->crash_dump.value == ANSWER_NO)
		err = warn(plan, "the kernel was built without CONFIG_CRASH_DUMP: it will have no "
			   "/proc/vmcore");
	return err;
}

static uint64_t segments_total(const struct plan *plan)
{
	uint64_t total = 0;
	size_t i;

	for (i = 0; i < plan->count; i++)
		total += plan->segments[i].memsz;
	return total;
}

static struct error *check_room(struct plan *plan)
{
	const struct segment *initrd = plan_segment(plan, ROLE_INITRD);
	uint64_t left = plan->region.end - plan->region.start - segments_total(plan);
	char text[UNITS_SIZE_TEXT];

	if (left >= PLACE_RUN_MINIMUM + (initrd ? initrd->memsz : 0))
		return NULL;
	return warn(plan, "only %s of the reservation are left for the crash kernel to run in; "
		    "crashkernel=%" PRIu64 "M would be safer", size_text(left, text),
		    place_suggested_mib(plan, segments_total(plan)));
}

/* See PLACE_EARLY_TABLES. The kernel's own place is reserved by then, and the
 * command line segment not read any more. */
static struct error *check_early_tables(struct plan *plan)
{
	size_t i;

	if (!cmdline_has(plan->command_line, "earlycon"))
		return NULL;
	for (i = 0; i < plan->count; i++) {
		const struct segment *segment = &plan->segments[i];

		if (segment->role != ROLE_CMDLINE && segment->role != ROLE_KERNEL &&
		    plan->region.end - (segment->mem + segment->memsz) < PLACE_EARLY_TABLES)
			return warn(plan, "earlycon: the crash kernel's first page tables will take "
				    "the highest pages of the reservation, where the %s lies; leave "
				    "earlycon out, or use a larger crashkernel=",
				    segment_role_name(segment->role));
	}
	return NULL;
}

/* The header says where the entry is in the image; the image may have moved. */
static void set_entry(struct plan *plan, const struct image *image, const struct wishes *wishes)
{
	const uint64_t mem = plan_segment(plan, ROLE_KERNEL)->mem;

	plan->entry = wishes->entry ? wishes->entry : mem + (image->entry - image->text_offset);
}

/* The plan once its segments have their places. Takes plan. */
static struct error *finish(struct plan *plan, const struct image *image,
			    const struct machine *machine, const struct wishes *wishes,
			    struct plan *ret)
{
	struct error *err = check_image(plan, image);

	if (!err)
		err = make_cmdline(plan, machine, wishes);
	if (!err)
		err = check_kaslr(plan, image);
	if (!err && plan_is_crash(plan))
		err = check_room(plan);
	if (!err && plan_is_crash(plan))
		err = check_early_tables(plan);
	if (err)
		return err;
	set_entry(plan, image, wishes);
	*ret = *plan;
	*plan = (struct plan){ 0 };
	return NULL;
}

static struct error *require_hotplug(const struct machine *machine)
{
	if (machine->elfcorehdr_room)
		return NULL;
	return error_remedy(
		error_new(ERROR_UNSUPPORTED, "--hotplug: the running kernel cannot update a loaded "
			  "crash kernel (it has no /sys/kernel/crash_elfcorehdr_size)"),
		"Leave --hotplug out, and load the crash kernel again after each CPU or memory "
		"change.");
}

struct error *plan_crash(const struct image *image, const struct machine *machine,
			 const struct wishes *wishes, struct plan *ret)
{
	struct plan plan cleanup_plan = { .flags = KEXEC_FLAG_ON_CRASH | KEXEC_FLAG_ARCH };
	struct error *err = machine_require_crash_region(machine);

	if (!err && wishes->hotplug)
		err = require_hotplug(machine);
	if (err)
		return err;
	if (wishes->hotplug)
		plan.flags |= KEXEC_FLAG_HOTPLUG;
	plan.region = *machine_crash_region(machine);
	err = add_segments(&plan, image, machine, wishes);
	if (!err)
		err = place_segments(&plan, image, machine, wishes);
	return err ? err : finish(&plan, image, machine, wishes, ret);
}

struct error *plan_normal(const struct image *image, const struct machine *machine,
			  const struct wishes *wishes, struct plan *ret)
{
	struct plan plan cleanup_plan = { .flags = KEXEC_FLAG_ARCH };
	struct error *err = add_segments(&plan, image, machine, wishes);

	plan.region.end = machine->ram.items[machine->ram.count - 1].end;
	if (!err)
		err = place_normal(&plan, image, machine, wishes);
	return err ? err : finish(&plan, image, machine, wishes, ret);
}

/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "kexec/load.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "kexec/arch.h"
#include "kexec/load-file.h"
#include "kexec/rules.h"
#include "lib/file.h"
#include "lib/units.h"

#define SMALL_FILE ((size_t)65536)

/* struct kexec_segment of include/uapi/linux/kexec.h. */
struct kernel_segment {
	const void *buf;
	size_t bufsz;
	uintptr_t mem;
	size_t memsz;
};

static bool is_native(void)
{
	return !strcmp(arch_native(), "loongarch64");
}

static long kexec_load(uint64_t entry, size_t count, const struct kernel_segment *segments,
		       uint64_t flags)
{
	/* Nothing but a loongarch64 build may get this far. */
	if (!is_native()) {
		errno = ENOSYS;
		return -1;
	}
	return syscall(SYS_kexec_load, (unsigned long)entry, (unsigned long)count, segments,
		       (unsigned long)flags);
}

/* The file's text, "" when there is none to read. *ret is for free(). */
static void read_quietly(const char *path, char **ret)
{
	struct error *err cleanup_error = file_read_text(path, SMALL_FILE, ret);

	if (err)
		*ret = strdup("");
}

static bool file_says(const char *path, const char *value)
{
	char *text cleanup_free = NULL;

	read_quietly(path, &text);
	return text && !strcmp(text, value);
}

static bool has_capability(unsigned int number)
{
	char *text cleanup_free = NULL;
	const char *line;

	read_quietly("/proc/self/status", &text);
	line = text ? strstr(text, "\nCapEff:") : NULL;
	/* Unreadable: let the kernel decide. */
	return !line || strtoull(line + 8, NULL, 16) >> number & 1;
}

/* The mode in brackets: "none [integrity] confidentiality". */
static bool is_locked_down(void)
{
	char *text cleanup_free = NULL;

	read_quietly("/sys/kernel/security/lockdown", &text);
	return text && strchr(text, '[') && !strstr(text, "[none]");
}

#define CAP_SYS_BOOT 22

/* NULL, or what stands behind an EPERM. */
static struct error *explain_permission(bool crash, bool by_file)
{
	if (!has_capability(CAP_SYS_BOOT))
		return error_remedy(
			error_new(ERROR_RULE, "kernel rule 1 (permission): this process has no "
				  "CAP_SYS_BOOT"), "Run this as root.");
	if (file_says("/proc/sys/kernel/kexec_load_disabled", "1"))
		return error_remedy(
			error_new(ERROR_RULE, "kernel rule 1 (permission): loading was switched "
				  "off (kernel.kexec_load_disabled=1)"),
			"It can only be switched on by a reboot; look for it in /etc/sysctl.d.");
	if (file_says(crash ? "/proc/sys/kernel/kexec_load_limit_panic" :
			      "/proc/sys/kernel/kexec_load_limit_reboot", "0"))
		return error_remedy(
			error_new(ERROR_RULE, "kernel rule 1 (permission): the number of allowed "
				  "%s kernel loads is used up (kernel.kexec_load_limit_%s=0)",
				  crash ? "crash" : "next", crash ? "panic" : "reboot"),
			"It can only be raised by a reboot; look for it in /etc/sysctl.d.");
	if (!by_file && is_locked_down())
		return error_remedy(
			error_new(ERROR_RULE, "kernel rule 2 (lockdown): the kernel is locked "
				  "down and refuses kexec_load"), "%s", rules[1].remedy);
	return NULL;
}

struct error *load_allowed(bool crash, bool by_file)
{
	if (!is_native())
		return error_remedy(
			error_new(ERROR_UNSUPPORTED, "this build of kexec runs on %s; planning "
				  "works here (--dry-run), loading does not", arch_native()),
			"Run the loongarch64 build on the machine itself.");
	return explain_permission(crash, by_file);
}

/* The kernel said only errnum; what it can mean after our own checks passed. */
static struct error *explain(int errnum, bool crash)
{
	struct error *err = errnum == EPERM ? explain_permission(crash, false) : NULL;
	size_t i;

	if (err)
		return error_add(err, "kexec_load failed: %s", strerror(errnum));
	err = error_errno(errnum, "kexec_load failed");
	if (errnum == ENOSYS)
		return error_remedy(err, "The running kernel needs CONFIG_KEXEC=y.");
	for (i = 0; i < RULE_COUNT; i++)
		if (rules[i].errnum == errnum)
			return error_remedy(err, "Kernel rule %u (%s, %s). %s", rules[i].number,
					    rules[i].name, rules[i].where, rules[i].remedy);
	return err;
}

struct error *load_plan(const struct plan *plan)
{
	struct kernel_segment segments[PLAN_SEGMENTS];
	const bool crash = plan_is_crash(plan);
	struct error *err = load_allowed(crash, false);
	size_t i;

	if (err)
		return err;
	for (i = 0; i < plan->count; i++)
		segments[i] = (struct kernel_segment){
			plan->segments[i].buf, plan->segments[i].bufsz,
			(uintptr_t)plan->segments[i].mem, plan->segments[i].memsz,
		};
	if (kexec_load(plan->entry, plan->count, segments, plan->flags) != 0)
		return explain(errno, crash);
	return NULL;
}

/*
 * machine_kexec_prepare() (arch/loongarch/kernel/machine_kexec.c) copies the
 * line to where both images look for it, before kimage_load_segment() copies
 * the segments. The second segment's buffer cannot be read: the load ends
 * there with EFAULT, and what was loaded before stays in place.
 */
struct error *load_command_line(const char *command_line)
{
	struct blob line cleanup_blob = { 0 };
	const uint64_t unit = 65536; /* a multiple of every page size */
	struct kernel_segment segments[2] = {
		{ NULL, COMMAND_LINE_MAX, 32 * unit, unit }, { NULL, unit, 33 * unit, unit },
	};
	struct error *err = load_allowed(false, false);

	if (!err)
		err = blob_init(&line, COMMAND_LINE_MAX);
	if (err)
		return err;
	if (strlen(command_line) >= COMMAND_LINE_MAX)
		return error_new(ERROR_LIMIT, "the command line is too long");
	memset(line.data, 0, COMMAND_LINE_MAX);
	memcpy(line.data, command_line, strlen(command_line));
	segments[0].buf = line.data;
	if (kexec_load(segments[0].mem, 2, segments, KEXEC_FLAG_ARCH) == 0)
		return error_new(ERROR_SYSTEM, "the kernel took a load that cannot be taken");
	if (errno != EFAULT)
		return error_add(explain(errno, false), "writing the command line");
	return NULL;
}

struct error *load_unload(bool crash)
{
	struct error *err = load_allowed(crash, true), *again;

	if (err || !kexec_load(0, 0, NULL, KEXEC_FLAG_ARCH | (crash ? KEXEC_FLAG_ON_CRASH : 0)))
		return err;
	err = explain(errno, crash);
	/* Without CONFIG_KEXEC, or locked down, there is the other call. */
	again = load_file_unload(crash);
	if (again) {
		error_free(again);
		return err;
	}
	error_free(err);
	return NULL;
}

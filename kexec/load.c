/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "kexec/load.h"

#include <errno.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "kexec/arch.h"
#include "kexec/kernel-log.h"
#include "kexec/load-file.h"
#include "kexec/permission.h"
#include "kexec/rules.h"
#include "lib/file.h"

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

struct error *load_allowed(bool crash, bool by_file)
{
	if (!is_native())
		return error_remedy(
			error_new(ERROR_UNSUPPORTED, "this build of kexec runs on %s; planning "
				  "works here (--dry-run), loading does not", arch_native()),
			"Run the loongarch64 build on the machine itself.");
	return permission_check("/", crash, by_file);
}

static struct error *explain(int errnum, bool crash)
{
	struct error *err = errnum == EPERM ? permission_check("/", crash, false) : NULL;

	return err ? error_add(err, "kexec_load failed: %s", strerror(errnum)) :
		     rules_explain(errnum);
}

struct error *load_plan(const struct plan *plan)
{
	struct kernel_segment segments[PLAN_SEGMENTS];
	const bool crash = plan_is_crash(plan);
	struct error *err = load_allowed(crash, false);
	int log cleanup_close = -1;
	size_t i;

	if (err)
		return err;
	for (i = 0; i < plan->count; i++)
		segments[i] = (struct kernel_segment){
			plan->segments[i].buf, plan->segments[i].bufsz,
			(uintptr_t)plan->segments[i].mem, plan->segments[i].memsz,
		};
	log = kernel_log_open();
	if (kexec_load(plan->entry, plan->count, segments, plan->flags) != 0)
		return kernel_log_add(explain(errno, crash), log);
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

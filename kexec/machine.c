/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "kexec/machine.h"

#include <ctype.h>
#include <dirent.h>
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "lib/bytes.h"
#include "lib/file.h"
#include "lib/loongarch.h"
#include "lib/units.h"

#define TEXT_LIMIT ((size_t)4 << 20)
#define CPUS       "sys/devices/system/cpu"
/* A CPU number beyond this is no CPU number (NR_CPUS is 256 on loongarch). */
#define CPU_MAX    65536

/* kernel/crash_core.c sizes the note; this is what kernels without the
 * crash_notes_size file use. */
#define CRASH_NOTES_SIZE_OLD 1024

static struct error *read_text(const char *root, const char *path, char **ret)
{
	char *joined cleanup_free = NULL;
	struct error *err = path_join(root, path, &joined);

	if (err)
		return err;
	return file_read_text(joined, TEXT_LIMIT, ret);
}

/* *ret is NULL when the file does not exist. */
static struct error *read_optional(const char *root, const char *path, char **ret)
{
	struct error *err = read_text(root, path, ret);

	if (!err || err->sys_errno != ENOENT)
		return err;
	error_free(err);
	*ret = NULL;
	return NULL;
}

static bool is_live(const char *root)
{
	return !strcmp(root, "/");
}

static struct error *read_iomem(const char *root, struct iomem *ret)
{
	char *text cleanup_free = NULL;
	struct error *err = read_text(root, "proc/iomem", &text);

	if (!err)
		err = iomem_parse(text, "/proc/iomem", ret);
	if (err && !is_live(root))
		return error_remedy(err, "%s should be a directory made by kexec --snapshot.",
				    root);
	return err;
}

/* drivers/dax adds "System RAM (kmem)". */
static bool is_ram(const char *name)
{
	return !strcmp(name, "System RAM") || !strncmp(name, "System RAM (", 12);
}

/* The running kernel's own place is given up when the next one starts. Its
 * image ends on a multiple of 64 KiB, which is where bss is rounded up to. */
static bool is_kernel(const char *name)
{
	return !strcmp(name, "Kernel code") || !strcmp(name, "Kernel data") ||
	       !strcmp(name, "Kernel bss");
}

#define KERNEL_END_ALIGN ((uint64_t)65536)
/* Control code and command line lie there, and CPUs wait in it (memblock_init()
 * of arch/loongarch/kernel/mem.c keeps it from everybody). */
#define LOW_MEMORY ((uint64_t)2 << 20)

/*
 * Free for the next kernel is RAM without whatever stands inside it: what
 * "Reserved" holds cannot be told apart, and among it are the firmware's
 * tables, which the next kernel reads (the kernel does not check this).
 */
static struct error *find_free(const struct iomem *iomem, struct machine *machine)
{
	struct error *err = ranges_copy(&machine->ram, &machine->free);
	size_t i;

	for (i = 0; i < iomem->count && !err; i++) {
		const struct iomem_entry *entry = &iomem->entries[i];

		if (!is_ram(entry->name) && !is_kernel(entry->name))
			err = ranges_subtract(&machine->free, entry->range.start,
					      entry->range.end);
	}
	for (i = 0; i < iomem->count && !err; i++) {
		const struct iomem_entry *entry = &iomem->entries[i];

		if (is_kernel(entry->name) && entry->depth)
			err = ranges_add(&machine->free, entry->range.start,
					 align_up(entry->range.end, KERNEL_END_ALIGN));
	}
	if (!err)
		err = ranges_subtract(&machine->free, 0, LOW_MEMORY);
	return err;
}

static struct error *read_memory(const char *root, struct machine *machine)
{
	struct iomem iomem cleanup_iomem = { 0 };
	struct error *err = read_iomem(root, &iomem);
	size_t i;

	if (err)
		return err;
	if (iomem.hidden)
		return error_remedy(
			error_new(ERROR_SYSTEM, "reading /proc/iomem: every address in it is "
				  "zero: the kernel hides them from this user"),
			is_live(root) ? "Run this as root (CAP_SYS_ADMIN)." :
					"Record the system again as root: kexec --snapshot DIR.");
	for (i = 0; i < iomem.count && !err; i++) {
		const struct iomem_entry *entry = &iomem.entries[i];

		if (is_ram(entry->name))
			err = ranges_add(&machine->ram, entry->range.start, entry->range.end);
		else if (!strcmp(entry->name, "Crash kernel"))
			err = ranges_add(&machine->crash, entry->range.start,
					 entry->range.end);
	}
	if (!err && !machine->ram.count)
		err = error_new(ERROR_FORMAT, "/proc/iomem: holds no \"System RAM\"");
	return err ? err : find_free(&iomem, machine);
}

static int by_cpu(const void *a, const void *b)
{
	const struct crash_note *x = a, *y = b;

	return x->cpu < y->cpu ? -1 : x->cpu > y->cpu;
}

/* "cpu" and a number, nothing else: not cpufreq, not cpuidle. */
static bool parse_cpu(const char *name, unsigned int *ret)
{
	uint64_t number;

	if (strncmp(name, "cpu", 3) || !isdigit((unsigned char)name[3]) ||
	    name[3 + strspn(name + 3, "0123456789")] || !parse_size(name + 3, &number) ||
	    number >= CPU_MAX)
		return false;
	*ret = number;
	return true;
}

static struct error *bad_number(const char *path, const char *text)
{
	return error_new(ERROR_FORMAT, "/%s: \"%.40s\" is not the number expected there", path,
			 text);
}

/* An absent crash_notes file (a CPU that never was online) is no failure. */
static struct error *read_note(const char *root, unsigned int cpu, struct machine *machine)
{
	char *addr cleanup_free = NULL, *size cleanup_free = NULL;
	struct crash_note note = { cpu, 0, CRASH_NOTES_SIZE_OLD };
	struct crash_note *notes;
	struct error *err;
	char path[96];

	snprintf(path, sizeof(path), CPUS "/cpu%u/crash_notes", cpu);
	err = read_optional(root, path, &addr);
	if (err || !addr)
		return error_remedy(err, "Run this as root.");
	if (!parse_hex(addr, &note.addr))
		return bad_number(path, addr);
	snprintf(path, sizeof(path), CPUS "/cpu%u/crash_notes_size", cpu);
	err = read_optional(root, path, &size);
	if (err)
		return error_remedy(err, "Run this as root.");
	if (size && (!parse_size(size, &note.size) || !note.size))
		return bad_number(path, size);
	if (!note.addr)
		return NULL;
	notes = realloc(machine->notes, (machine->note_count + 1) * sizeof(*notes));
	if (!notes)
		return error_nomem();
	notes[machine->note_count++] = note;
	machine->notes = notes;
	return NULL;
}

static struct error *read_notes(const char *root, struct machine *machine)
{
	char *path cleanup_free = NULL;
	struct error *err = path_join(root, CPUS, &path);
	struct dirent *item;
	unsigned int cpu;
	DIR *dir;

	if (err)
		return err;
	dir = opendir(path);
	if (!dir)
		return error_errno(errno, "opening %s", path);
	while (!err && (item = readdir(dir)))
		if (parse_cpu(item->d_name, &cpu))
			err = read_note(root, cpu, machine);
	closedir(dir);
	if (err)
		return err;
	if (!machine->note_count)
		return error_remedy(error_new(ERROR_UNSUPPORTED,
					      "%s: no CPU has a crash_notes file", path),
				    "The running kernel needs CONFIG_CRASH_DUMP.");
	qsort(machine->notes, machine->note_count, sizeof(*machine->notes), by_cpu);
	return NULL;
}

/* Two hexadecimal numbers, address and size. */
static struct error *read_vmcoreinfo(const char *root, struct machine *machine)
{
	static const char path[] = "sys/kernel/vmcoreinfo";
	char *text cleanup_free = NULL;
	struct error *err = read_text(root, path, &text);
	char *space;

	if (err)
		return error_remedy(err, "The running kernel needs CONFIG_CRASH_DUMP.");
	space = strchr(text, ' ');
	if (space)
		*space++ = 0;
	if (!space || !parse_hex(text, &machine->vmcoreinfo_addr) ||
	    !parse_hex(space, &machine->vmcoreinfo_size) || !machine->vmcoreinfo_size)
		return bad_number(path, text);
	return NULL;
}

/* Only kernels with CONFIG_CRASH_HOTPLUG have it (kernel/ksysfs.c,
 * later kexec_core.c). */
static struct error *read_elfcorehdr_room(const char *root, struct machine *machine)
{
	static const char path[] = "sys/kernel/crash_elfcorehdr_size";
	char *text cleanup_free = NULL;
	struct error *err = read_optional(root, path, &text);

	if (!err && text && !parse_size(text, &machine->elfcorehdr_room))
		err = bad_number(path, text);
	return err;
}

/* The value of a line "key=value", or NULL. *ret is for free(). */
static struct error *system_value(const char *text, const char *key, char **ret)
{
	size_t len = strlen(key);
	const char *line = text;

	*ret = NULL;
	while (line && *line) {
		if (!strncmp(line, key, len) && line[len] == '=') {
			line += len + 1;
			*ret = strndup(line, strcspn(line, "\r\n"));
			return *ret ? NULL : error_nomem();
		}
		line = strchr(line, '\n');
		line += line != NULL;
	}
	return NULL;
}

/* The third word of /proc/version: "Linux version RELEASE ...". */
static char *release_of_version(const char *version)
{
	static const char start[] = "Linux version ";

	if (!version || strncmp(version, start, sizeof(start) - 1) != 0)
		return strdup("");
	version += sizeof(start) - 1;
	return strndup(version, strcspn(version, " "));
}

static struct error *read_release(const char *root, const char *system, struct machine *machine)
{
	char *version cleanup_free = NULL;
	struct error *err = system_value(system, "release", &machine->release);

	if (err || machine->release)
		return err;
	err = read_optional(root, "proc/sys/kernel/osrelease", &machine->release);
	if (err || machine->release)
		return err;
	err = read_optional(root, "proc/version", &version);
	if (err)
		return err;
	machine->release = release_of_version(version);
	return machine->release ? NULL : error_nomem();
}

static struct error *read_page_size(const char *root, const char *system,
				    struct machine *machine)
{
	char *text cleanup_free = NULL;
	struct error *err = system_value(system, "page_size", &text);

	if (err)
		return err;
	/* 16 KiB is what a loongarch kernel has unless configured otherwise. */
	machine->page_size = is_live(root) ? (uint64_t)sysconf(_SC_PAGESIZE) : 16384;
	if (text && !parse_size(text, &machine->page_size))
		return bad_number("system", text);
	if (!loongarch_page_size_valid(machine->page_size))
		return error_new(ERROR_FORMAT, "page size %" PRIu64 ": loongarch64 has 4096, "
				 "16384 and 65536", machine->page_size);
	return NULL;
}

/*
 * COMMAND_LINE_SIZE went from 512 to 4096 in v6.17 (f7794a4d92ad); branches
 * that still lived then may have taken the change, those that had ended have
 * not. A command line that is longer than 511 proves the larger size.
 */
static struct error *judge_limit(const char *system, struct machine *machine)
{
	char *text cleanup_free = NULL;
	struct error *err = system_value(system, "cmdline_limit", &text);
	unsigned int major = 0, minor = 0;
	uint64_t limit;

	if (err)
		return err;
	machine->cmdline_limit = COMMAND_LINE_MAX;
	machine->cmdline_limit_certain = true;
	if (text) {
		if (!parse_size(text, &limit) || limit < 64 || limit > COMMAND_LINE_MAX)
			return bad_number("system", text);
		machine->cmdline_limit = limit;
		machine->cmdline_limit_evidence = "stated with the system";
		return NULL;
	}
	sscanf(machine->release, "%u.%u", &major, &minor);
	if (major > 6 || (major == 6 && minor >= 17)) {
		machine->cmdline_limit_evidence = "kernel 6.17 or newer";
	} else if (strlen(machine->cmdline) >= COMMAND_LINE_OLD) {
		machine->cmdline_limit_evidence = "the running kernel's own is longer than 511";
	} else if (major && (major < 6 || (minor < 6 && minor != 1))) {
		machine->cmdline_limit = COMMAND_LINE_OLD;
		machine->cmdline_limit_evidence = "kernel older than 6.6";
	} else {
		machine->cmdline_limit_certain = false;
		machine->cmdline_limit_evidence =
			"kernels before 6.17 have 512, unless the change was taken over";
	}
	return NULL;
}

struct error *machine_read(const char *root, bool crash, struct machine *ret)
{
	struct machine machine cleanup_machine = { 0 };
	char *system cleanup_free = NULL;
	struct error *err = NULL;

	if (!is_live(root))
		err = read_optional(root, "system", &system);
	if (!err)
		err = read_memory(root, &machine);
	if (!err && crash)
		err = read_notes(root, &machine);
	if (!err && crash)
		err = read_vmcoreinfo(root, &machine);
	if (!err && crash)
		err = read_elfcorehdr_room(root, &machine);
	if (!err)
		err = read_release(root, system, &machine);
	if (!err)
		err = read_page_size(root, system, &machine);
	if (!err)
		err = read_optional(root, "proc/cmdline", &machine.cmdline);
	if (!err && !machine.cmdline && !(machine.cmdline = strdup("")))
		err = error_nomem();
	if (!err)
		err = judge_limit(system, &machine);
	if (err)
		return error_add(err, "looking at the system");
	*ret = machine;
	machine = (struct machine){ 0 };
	return NULL;
}

void machine_deinit(struct machine *machine)
{
	free(machine->release);
	free(machine->cmdline);
	free(machine->notes);
	ranges_deinit(&machine->ram);
	ranges_deinit(&machine->crash);
	ranges_deinit(&machine->free);
	*machine = (struct machine){ 0 };
}

const struct range *machine_crash_region(const struct machine *machine)
{
	return machine->crash.count ? &machine->crash.items[machine->crash.count - 1] : NULL;
}

struct error *machine_require_crash_region(const struct machine *machine)
{
	if (machine->crash.count)
		return NULL;
	return error_remedy(
		error_new(ERROR_RULE, "no memory is reserved for a crash kernel "
				      "(no \"Crash kernel\" in /proc/iomem)"),
		"Boot with crashkernel=512M on the kernel command line, then load again.");
}

struct error *machine_loaded(const char *root, bool crash, int *ret)
{
	const char *path = crash ? "sys/kernel/kexec_crash_loaded" : "sys/kernel/kexec_loaded";
	char *text cleanup_free = NULL;
	struct error *err = read_text(root, path, &text);

	if (err)
		return error_remedy(err, "The running kernel needs CONFIG_KEXEC%s.",
				    crash ? " and CONFIG_CRASH_DUMP" : "");
	if (strcmp(text, "0") != 0 && strcmp(text, "1") != 0)
		return bad_number(path, text);
	*ret = text[0] - '0';
	return NULL;
}

struct error *machine_crash_size(const char *root, uint64_t *ret)
{
	struct iomem iomem cleanup_iomem = { 0 };
	char *text cleanup_free = NULL;
	uint64_t size = 0, start = 0;
	struct error *err;
	size_t i;

	err = read_iomem(root, &iomem);
	if (err)
		return err;
	for (i = 0; i < iomem.count; i++) {
		const struct iomem_entry *entry = &iomem.entries[i];

		if (!strcmp(entry->name, "Crash kernel") && entry->range.start >= start) {
			start = entry->range.start;
			size = entry->range.end - start;
		}
	}
	if (iomem.hidden) { /* this file anyone may read */
		err = read_text(root, "sys/kernel/kexec_crash_size", &text);
		if (err)
			return err;
		if (!parse_size(text, &size))
			return bad_number("sys/kernel/kexec_crash_size", text);
	}
	*ret = size;
	return NULL;
}

/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "kexec/snapshot.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "kexec/machine.h"
#include "lib/file.h"

#define FILE_LIMIT ((size_t)4 << 20)

static const char *const files[] = {
	"proc/iomem",
	"proc/cmdline",
	"proc/version",
	"proc/sys/kernel/osrelease",
	"sys/kernel/vmcoreinfo",
	"sys/kernel/crash_elfcorehdr_size",
	"sys/kernel/kexec_loaded",
	"sys/kernel/kexec_crash_loaded",
	"sys/kernel/kexec_crash_size",
};

/* The directories of path below dir, one after the other. */
static struct error *make_parents(char *path, size_t from)
{
	char *slash = path + from;

	while ((slash = strchr(slash + 1, '/'))) {
		int result;

		*slash = 0;
		result = mkdir(path, 0700);
		if (result < 0 && errno != EEXIST) {
			struct error *err = error_errno(errno, "making %s", path);

			*slash = '/';
			return err;
		}
		*slash = '/';
	}
	return NULL;
}

static struct error *write_file(const char *dir, const char *name, const void *data, size_t size)
{
	char *path cleanup_free = NULL;
	int fd cleanup_close = -1;
	struct error *err = path_join(dir, name, &path);

	if (!err)
		err = make_parents(path, strlen(dir));
	if (!err)
		err = file_open(path, O_WRONLY | O_CREAT | O_EXCL, 0600, &fd);
	if (!err)
		err = fd_write(fd, path, data, size);
	return err;
}

/* What is not there is left out. */
static struct error *copy_file(const char *root, const char *dir, const char *name)
{
	struct blob blob cleanup_blob = { 0 };
	char *path cleanup_free = NULL;
	struct error *err = path_join(root, name, &path);

	if (!err)
		err = file_read(path, FILE_LIMIT, &blob);
	if (err && err->sys_errno == ENOENT) {
		error_free(err);
		return NULL;
	}
	if (!err)
		err = write_file(dir, name, blob.data, blob.size);
	return err;
}

static struct error *write_system(const char *dir, const struct machine *machine)
{
	char text[256];
	int len = snprintf(text, sizeof(text), "page_size=%" PRIu64 "\nrelease=%.200s\n",
			   machine->page_size, machine->release);

	return write_file(dir, "system", text, len);
}

struct error *snapshot_write(const char *root, const char *dir)
{
	struct machine machine cleanup_machine = { 0 };
	struct error *err = machine_read(root, true, &machine);
	size_t i;

	if (err)
		return err;
	if (mkdir(dir, 0700) < 0 && errno != EEXIST)
		return error_errno(errno, "making %s", dir);
	err = write_system(dir, &machine);
	for (i = 0; i < sizeof(files) / sizeof(*files) && !err; i++)
		err = copy_file(root, dir, files[i]);
	for (i = 0; i < machine.note_count && !err; i++) {
		char name[96];

		snprintf(name, sizeof(name), "sys/devices/system/cpu/cpu%u/crash_notes",
			 machine.notes[i].cpu);
		err = copy_file(root, dir, name);
		if (err)
			break;
		strcat(name, "_size");
		err = copy_file(root, dir, name);
	}
	if (err && err->sys_errno == EEXIST)
		return error_remedy(err, "Give a directory that is empty or not there yet.");
	return err;
}

/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "kexec/armed.h"

#include <errno.h>
#include <string.h>
#include <sys/stat.h>

#include "kexec/machine.h"
#include "lib/file.h"

static const char *path_of(bool crash)
{
	return crash ? ARMED_DIR "/crash-cmdline" : ARMED_DIR "/normal-cmdline";
}

/* Stands for the line in the record of an image loaded by kexec_file_load. */
#define BY_FILE "kexec_file"

static struct error *read_record(bool crash, char **ret)
{
	const char *path = path_of(crash);
	char *text = NULL;
	struct stat st;
	struct error *err;
	int loaded;

	*ret = NULL;
	err = machine_loaded("/", crash, &loaded);
	if (err || !loaded)
		return err;
	if (lstat(path, &st) != 0)
		return errno == ENOENT ? NULL : error_errno(errno, "looking at %s", path);
	if (!S_ISREG(st.st_mode) || st.st_uid != 0 || st.st_mode & (S_IWGRP | S_IWOTH))
		return error_remedy(error_new(ERROR_FORMAT, "%s: is not root's alone", path),
				    "Remove it and load again.");
	err = file_read_text(path, COMMAND_LINE_MAX, &text);
	if (err)
		return err;
	if (strncmp(text, "kexec", 5) != 0 || strlen(text) >= COMMAND_LINE_MAX) {
		free(text);
		return error_remedy(error_new(ERROR_FORMAT, "%s: holds no command line", path),
				    "Remove it and load again.");
	}
	*ret = text;
	return NULL;
}

struct error *armed_read(bool crash, char **ret)
{
	struct error *err = read_record(crash, ret);

	if (!err && *ret && !strcmp(*ret, BY_FILE)) {
		free(*ret);
		*ret = NULL;
	}
	return err;
}

struct error *armed_by_file(bool crash, bool *ret)
{
	char *text cleanup_free = NULL;
	struct error *err = read_record(crash, &text);

	if (!err)
		*ret = text && !strcmp(text, BY_FILE);
	return err;
}

struct error *armed_write_by_file(bool crash)
{
	return armed_write(crash, BY_FILE);
}

struct error *armed_write(bool crash, const char *command_line)
{
	struct new_file file = { .fd = -1 };
	struct error *err;

	if (mkdir(ARMED_DIR, 0700) != 0 && errno != EEXIST)
		return error_errno(errno, "making %s", ARMED_DIR);
	err = new_file_create(path_of(crash), 0600, false, &file);
	if (err)
		return err;
	err = fd_write(file.fd, path_of(crash), command_line, strlen(command_line));
	if (!err)
		err = fd_write(file.fd, path_of(crash), "\n", 1);
	if (!err)
		err = new_file_commit(&file);
	new_file_abandon(&file, false);
	return err;
}

struct error *armed_forget(bool crash)
{
	if (unlink(path_of(crash)) != 0 && errno != ENOENT && errno != ENOTDIR)
		return error_errno(errno, "removing %s", path_of(crash));
	return NULL;
}

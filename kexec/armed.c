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

/* Stand for the line where there is none to remember. No line of kexec_load
 * is equal to one of them: behind its first word comes a blank. */
#define WORD_BY_FILE "kexec_file"
#define WORD_LOST    "kexec_lost"

void armed_deinit(struct armed *armed)
{
	free(armed->line);
	*armed = (struct armed){ 0 };
}

/* Without CONFIG_CRASH_DUMP there is no file for the crash image, and no
 * crash image. */
struct error *armed_loaded(bool crash, bool *ret)
{
	int loaded = 0;
	struct error *err = machine_loaded("/", crash, &loaded);

	if (err && crash && err->sys_errno == ENOENT) {
		error_free(err);
		err = NULL;
	}
	if (!err)
		*ret = loaded;
	return err;
}

/* *ret is NULL when there is no record. */
static struct error *read_record(const char *path, char **ret)
{
	char *text = NULL;
	struct stat st;
	struct error *err;

	*ret = NULL;
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

struct error *armed_read(bool crash, struct armed *ret)
{
	struct armed armed = { ARMED_NOTHING, NULL };
	char *text cleanup_free = NULL;
	bool loaded = false;
	struct error *err = armed_loaded(crash, &loaded);

	if (!err && loaded)
		err = read_record(path_of(crash), &text);
	if (err)
		return err;
	if (!loaded) {
		armed.state = ARMED_NOTHING;
	} else if (!text) {
		armed.state = ARMED_FOREIGN;
	} else if (!strcmp(text, WORD_BY_FILE)) {
		armed.state = ARMED_BY_FILE;
	} else if (!strcmp(text, WORD_LOST)) {
		armed.state = ARMED_LOST;
	} else {
		armed.state = ARMED_LINE;
		armed.line = text;
		text = NULL;
	}
	*ret = armed;
	return NULL;
}

struct error *armed_write(bool crash, enum armed_state state, const char *line)
{
	const char *text = state == ARMED_BY_FILE ? WORD_BY_FILE :
			   state == ARMED_LOST ? WORD_LOST : line;
	struct new_file file = { .fd = -1 };
	struct error *err = armed_forget(crash);

	if (err)
		return err;
	if (mkdir(ARMED_DIR, 0700) != 0 && errno != EEXIST)
		return error_errno(errno, "making %s", ARMED_DIR);
	err = new_file_create(path_of(crash), 0600, false, &file);
	if (err)
		return err;
	err = fd_write(file.fd, path_of(crash), text, strlen(text));
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

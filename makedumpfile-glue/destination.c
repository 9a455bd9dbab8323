/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "makedumpfile-glue/destination.h"

#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static bool is_stdout(const char *path)
{
	return !strcmp(path, DESTINATION_STDOUT);
}

const char *destination_name(const char *path)
{
	return is_stdout(path) ? "standard output" : path;
}

static bool is_same_file(const char *a, const char *b)
{
	struct stat x, y;

	return stat(a, &x) == 0 && stat(b, &y) == 0 && x.st_dev == y.st_dev &&
	       x.st_ino == y.st_ino;
}

/* What is read may be said as FILE@ADDRESS, or as NAME=FILE. */
static bool is_read(const char *path, const char *said)
{
	const char *equals = strchr(said, '='), *at = strrchr(said, '@');
	char file[PATH_MAX];

	if (is_same_file(path, said) || (equals && is_same_file(path, equals + 1)))
		return true;
	if (!at || at - said >= PATH_MAX)
		return false;
	snprintf(file, sizeof(file), "%.*s", (int)(at - said), said);
	return is_same_file(path, file);
}

/* Of what is read nothing may be lost, whatever comes of the new file. */
static struct error *check_source(const char *path, const char *source)
{
	char *partial cleanup_free = NULL;

	if (is_read(path, source))
		return error_remedy(error_new(ERROR_USAGE, "saving to %s: that is what is "
					      "read", path),
				    "name another file");
	if (asprintf(&partial, "%s-incomplete", path) < 0) {
		partial = NULL;
		return error_nomem();
	}
	if (is_read(partial, source))
		return error_remedy(error_new(ERROR_USAGE, "saving to %s: until it is whole "
					      "it is written as %s, and that is what is read",
					      path, partial),
				    "name another file");
	return NULL;
}

static struct error *check_sources(const char *path, const char *const *sources,
				   size_t count)
{
	struct error *err = NULL;
	size_t i;

	for (i = 0; i < count && !err; i++)
		if (sources[i])
			err = check_source(path, sources[i]);
	return err;
}

struct error *destination_check(const char *path, const char *source,
				const struct dump_options *open, bool force)
{
	const char *const named[] = {
		source, open ? open->vmlinux : NULL, open ? open->vmcoreinfo : NULL,
		open ? open->registers : NULL,
	};
	struct stat st;
	struct error *err;

	if (is_stdout(path)) {
		if (!isatty(STDOUT_FILENO))
			return NULL;
		return error_remedy(error_new(ERROR_USAGE, "saving to standard output: it "
					      "is a terminal"),
				    "send it into a pipe or a file");
	}
	err = check_sources(path, named, sizeof(named) / sizeof(named[0]));
	if (!err && open)
		err = check_sources(path, open->ram, open->ram_count);
	if (!err && open)
		err = check_sources(path, open->parts, open->part_count);
	if (err)
		return err;
	if (stat(path, &st) < 0) {
		/* The new file would not get the name of a link that leads nowhere. */
		if (!force && lstat(path, &st) == 0)
			return error_remedy(error_errno(EEXIST, "saving to %s", path),
					    "it is a link that leads nowhere: remove it, or "
					    "replace it with --force");
		return *path ? NULL /* what is wrong with it shows at creation */ :
			       error_new(ERROR_USAGE, "saving to a file without a name");
	}
	if (S_ISDIR(st.st_mode))
		return error_remedy(error_errno(EISDIR, "saving to %s", path),
				    "name a file in it: %s/vmcore", path);
	if (!S_ISREG(st.st_mode))
		return error_remedy(error_new(ERROR_USAGE,
					      "saving to %s: it is no regular file", path),
				    "name a new file on a mounted file system");
	if (!force)
		return error_remedy(error_errno(EEXIST, "saving to %s", path),
				    "name another file, or replace it with --force");
	return NULL;
}

static struct error *explain_write_failure(struct error *err, const char *path)
{
	if (!err)
		return NULL;
	switch (err->sys_errno) {
	case ENOSPC:
	case EDQUOT:
		return error_remedy(err, "free space on that file system or name a file "
				    "on a larger one");
	case EFBIG:
		return error_remedy(err, "raise the file size limit (ulimit -f), or name a "
				    "file on a file system that takes larger ones");
	case EROFS:
		return error_remedy(err, "mount that file system writable, or name a file "
				    "elsewhere than %s", path);
	case EACCES:
	case EPERM:
		return error_remedy(err, "name a file in a directory you may write to");
	case ENOENT:
		return error_remedy(err, "create the directory first");
	case EPIPE:
		return error_remedy(err, "what reads the other end of the pipe ended too "
				    "early; it knows why");
	case EIO:
		return error_remedy(err, "the disk fails; name a file on another one");
	default:
		return err;
	}
}

struct error *destination_open(const char *path, bool force, bool flatten,
			       uint64_t limit, struct destination *ret)
{
	struct destination *d = ret;
	struct error *err = NULL;

	*d = (struct destination){ .path = path, .file.fd = -1 };
	if (is_stdout(path)) {
		err = target_init(&d->target, STDOUT_FILENO, destination_name(path), true,
				  limit);
		d->opened = true;
		return err;
	}
	err = new_file_create(path, 0600, !force, &d->file);
	if (err)
		return explain_write_failure(err, path);
	d->opened = true;
	return target_init(&d->target, d->file.fd, d->file.partial_path, flatten, limit);
}

struct error *destination_settle(struct destination *d)
{
	struct error *err = target_finish(&d->target);

	if (err)
		return err;
	if (d->file.path)
		return new_file_settle(&d->file);
	/* A pipe cannot be synced; a file behind ">" can. */
	if (fsync(STDOUT_FILENO) < 0 && errno != EINVAL && errno != EROFS)
		return error_errno(errno, "syncing standard output");
	return NULL;
}

struct error *destination_commit(struct destination *d)
{
	return d->file.path ? new_file_commit(&d->file) : NULL;
}

struct error *destination_close(struct destination *d, bool useful, struct error *err)
{
	if (!d->opened)
		return err;
	d->opened = false;
	target_deinit(&d->target);
	err = explain_write_failure(err, d->path);
	if (new_file_abandon(&d->file, useful))
		err = error_remedy(err, "what was saved so far is in %s-incomplete",
				   d->path);
	return err;
}

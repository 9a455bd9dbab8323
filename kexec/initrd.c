/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "kexec/initrd.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <sys/stat.h>

static struct error *add_context(struct error *err)
{
	return error_remedy(error_add(err, "the initrd"),
			    "Check --initrd=, or build the initrd first.");
}

void initrd_deinit(struct initrd *initrd)
{
	close_cleanup(&initrd->fd);
	blob_deinit(&initrd->bytes);
	*initrd = (struct initrd)INITRD_NONE;
}

static struct error *check_size(const char *path, uint64_t size)
{
	if (!size)
		return error_new(ERROR_FORMAT, "%s is empty", path);
	if (size > INITRD_LIMIT)
		return error_new(ERROR_LIMIT, "%s has %" PRIu64 " bytes, the limit is %" PRIu64,
				 path, size, INITRD_LIMIT);
	return NULL;
}

/* ERROR_USAGE for what is no regular file. */
static struct error *open_regular(const char *path, struct initrd *initrd)
{
	struct error *err = file_open(path, O_RDONLY, 0, &initrd->fd);
	struct stat st;

	if (!err && fstat(initrd->fd, &st) < 0)
		err = error_errno(errno, "looking at %s", path);
	if (!err && !S_ISREG(st.st_mode))
		err = error_new(ERROR_USAGE, "%s is no regular file", path);
	if (err)
		return err;
	initrd->size = st.st_size;
	return check_size(path, initrd->size);
}

/* A pipe must not be opened twice. */
static bool is_pipe(const char *path)
{
	struct stat st;

	return stat(path, &st) == 0 && !S_ISREG(st.st_mode) && !S_ISDIR(st.st_mode);
}

static struct error *read_pipe(const char *path, struct initrd *initrd)
{
	struct error *err = file_read(path, INITRD_LIMIT, &initrd->bytes);

	if (err)
		return err;
	initrd->has_bytes = true;
	initrd->size = initrd->bytes.size;
	return check_size(path, initrd->size);
}

struct error *initrd_open(const char *path, struct initrd *ret)
{
	struct initrd initrd cleanup_initrd = INITRD_NONE;
	struct error *err;

	if (is_pipe(path)) {
		err = read_pipe(path, &initrd);
	} else {
		err = open_regular(path, &initrd);
		/* Memory that is not touched before the bytes come. */
		if (!err)
			err = blob_init(&initrd.bytes, initrd.size);
	}
	if (err)
		return add_context(err);
	*ret = initrd;
	initrd = (struct initrd)INITRD_NONE;
	return NULL;
}

struct error *initrd_open_file(const char *path, struct initrd *ret)
{
	struct initrd initrd cleanup_initrd = INITRD_NONE;
	struct error *err = open_regular(path, &initrd);

	if (err)
		return add_context(err);
	*ret = initrd;
	initrd = (struct initrd)INITRD_NONE;
	return NULL;
}

struct error *initrd_read(const char *path, struct initrd *initrd)
{
	struct error *err;

	if (initrd->has_bytes || initrd->fd < 0)
		return NULL;
	err = fd_pread(initrd->fd, path, initrd->bytes.data, initrd->size, 0);
	if (err)
		return add_context(err);
	initrd->has_bytes = true;
	return NULL;
}

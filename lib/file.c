/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "lib/file.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <sys/resource.h>
#include <sys/stat.h>

struct error *blob_init(struct blob *ret, size_t size)
{
	/* One byte more, so that an empty blob is not NULL and text can be
	 * ended with a NUL. */
	uint8_t *data = size == SIZE_MAX ? NULL : malloc(size + 1);

	if (!data)
		return error_nomem();
	data[size] = 0;
	ret->data = data;
	ret->size = size;
	return NULL;
}

void blob_deinit(struct blob *blob)
{
	free(blob->data);
	*blob = (struct blob){ 0 };
}

struct error *file_open(const char *path, int flags, mode_t mode, int *ret)
{
	int fd;

	do
		fd = open(path, flags | O_CLOEXEC, mode);
	while (fd < 0 && errno == EINTR);
	if (fd < 0)
		return error_errno(errno, "opening %s", path);
	*ret = fd;
	return NULL;
}

/* Up to len bytes; fewer only at the end of the file. offset < 0: from the
 * file's own position. */
static struct error *read_some(int fd, const char *path, uint8_t *to, size_t len,
			       int64_t offset, size_t *ret)
{
	size_t done = 0;

	while (done < len) {
		ssize_t n = offset < 0 ? read(fd, to + done, len - done) :
					 pread(fd, to + done, len - done,
					       offset + (int64_t)done);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0 && offset < 0)
			return error_errno(errno, "reading %s", path);
		if (n < 0)
			return error_errno(errno, "reading %s at offset 0x%" PRIx64,
					   path, (uint64_t)offset + done);
		if (n == 0)
			break;
		done += n;
	}
	*ret = done;
	return NULL;
}

struct error *file_read(const char *path, size_t limit, struct blob *ret)
{
	struct blob blob cleanup_blob = { 0 };
	int fd cleanup_close = -1;
	size_t room, used = 0;
	struct stat st;
	struct error *err;

	err = file_open(path, O_RDONLY, 0, &fd);
	if (err)
		return err;
	if (fstat(fd, &st) < 0)
		return error_errno(errno, "looking at %s", path);
	if (S_ISDIR(st.st_mode))
		return error_errno(EISDIR, "reading %s", path);

	/* /proc and /sys say 0; regular files say what they hold. One byte
	 * beyond the expected size shows the end without a second round. */
	room = st.st_size > 0 && (uint64_t)st.st_size < limit ?
		       (size_t)st.st_size + 1 : 16384;
	for (;;) {
		uint8_t *grown = realloc(blob.data, room + 1);
		size_t got = 0;

		if (!grown)
			return error_add(error_nomem(), "reading %s", path);
		blob.data = grown;
		err = read_some(fd, path, blob.data + used, room - used, -1, &got);
		if (err)
			return err;
		used += got;
		if (used > limit)
			return error_new(ERROR_LIMIT,
					 "reading %s: more than the limit of %zu bytes",
					 path, limit);
		if (used < room)
			break;
		room *= 2;
	}
	blob.data[used] = 0;
	*ret = (struct blob){ blob.data, used };
	blob.data = NULL;
	return NULL;
}

struct error *file_read_text(const char *path, size_t limit, char **ret)
{
	struct blob blob = { 0 };
	struct error *err = file_read(path, limit, &blob);

	if (err)
		return err;
	if (blob.size && blob.data[blob.size - 1] == '\n')
		blob.data[blob.size - 1] = 0;
	*ret = (char *)blob.data;
	return NULL;
}

struct error *path_join(const char *dir, const char *path, char **ret)
{
	size_t len = strlen(dir);
	char *joined;

	while (len && dir[len - 1] == '/')
		len--;
	while (*path == '/')
		path++;
	if (asprintf(&joined, "%.*s/%s", (int)len, dir, path) < 0)
		return error_nomem();
	*ret = joined;
	return NULL;
}

struct error *fd_pread_some(int fd, const char *path, void *to, size_t len,
			    uint64_t offset, size_t *ret)
{
	if (offset > INT64_MAX || len > INT64_MAX - offset)
		return error_new(ERROR_FORMAT,
				 "reading %s: offset 0x%" PRIx64 " is beyond any file",
				 path, offset);
	return read_some(fd, path, to, len, (int64_t)offset, ret);
}

struct error *fd_read_some(int fd, const char *path, void *to, size_t len, size_t *ret)
{
	return read_some(fd, path, to, len, -1, ret);
}

void file_reserve_standard(void)
{
	int fd;

	/* Each gets the lowest number that is free. */
	for (fd = STDIN_FILENO; fd <= STDERR_FILENO; fd++)
		if (fcntl(fd, F_GETFD) < 0 && open("/", O_PATH) < 0)
			return;
}

void file_allow_many(void)
{
	struct rlimit limit;

	if (getrlimit(RLIMIT_NOFILE, &limit) < 0)
		return;
	limit.rlim_cur = limit.rlim_max;
	setrlimit(RLIMIT_NOFILE, &limit);
}

struct error *file_nameless(int *ret)
{
	const char *dir = getenv("TMPDIR");
	char *path cleanup_free = NULL;
	int fd;

	if (!dir || !*dir)
		dir = "/var/tmp";
	fd = open(dir, O_TMPFILE | O_RDWR | O_CLOEXEC, 0600);
	if (fd < 0 && (errno == EOPNOTSUPP || errno == EISDIR)) {
		if (asprintf(&path, "%s/vmcore-XXXXXX", dir) < 0) {
			path = NULL;
			return error_nomem();
		}
		fd = mkostemp(path, O_CLOEXEC);
		if (fd >= 0)
			unlink(path);
	}
	if (fd < 0)
		return error_remedy(error_errno(errno, "making a temporary file in %s", dir),
				    "name a directory for it with TMPDIR");
	*ret = fd;
	return NULL;
}

struct error *fd_pread(int fd, const char *path, void *to, size_t len, uint64_t offset)
{
	size_t got;
	struct error *err = fd_pread_some(fd, path, to, len, offset, &got);

	if (err)
		return err;
	if (got < len)
		return error_new(ERROR_FORMAT,
				 "reading %s at offset 0x%" PRIx64
				 ": needs %zu bytes, %zu are there",
				 path, offset, len, got);
	return NULL;
}

/* offset < 0: at the file's own position. */
static struct error *write_all(int fd, const char *path, const uint8_t *from,
			       size_t len, int64_t offset)
{
	size_t done = 0;

	while (done < len) {
		ssize_t n = offset < 0 ? write(fd, from + done, len - done) :
					 pwrite(fd, from + done, len - done,
						offset + (int64_t)done);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0 && offset < 0)
			return error_errno(errno, "writing %s", path);
		if (n < 0)
			return error_errno(errno, "writing %s at offset 0x%" PRIx64,
					   path, (uint64_t)offset + done);
		if (n == 0)
			return error_errno(EIO, "writing %s: it takes nothing", path);
		done += n;
	}
	return NULL;
}

struct error *fd_write(int fd, const char *path, const void *from, size_t len)
{
	return write_all(fd, path, from, len, -1);
}

struct error *fd_pwrite(int fd, const char *path, const void *from, size_t len,
			uint64_t offset)
{
	if (offset > INT64_MAX || len > INT64_MAX - offset)
		return error_new(ERROR_LIMIT,
				 "writing %s: offset 0x%" PRIx64 " is beyond any file",
				 path, offset);
	return write_all(fd, path, from, len, (int64_t)offset);
}

/* What lies under the partial name is a leftover of an earlier run, unless
 * that run still holds its lock. It is unlinked, not truncated, so that no
 * link is followed. */
static struct error *remove_leftover(const char *path)
{
	int fd cleanup_close = open(path, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);

	if (fd >= 0 && flock(fd, LOCK_EX | LOCK_NB) < 0 && errno == EWOULDBLOCK)
		return error_new(ERROR_SYSTEM, "%s: another run is writing it", path);
	if (unlink(path) < 0 && errno != ENOENT)
		return error_errno(errno, "removing the old %s", path);
	return NULL;
}

struct error *new_file_create(const char *path, mode_t mode, bool exclusive,
			      struct new_file *ret)
{
	struct new_file file = { .fd = -1, .exclusive = exclusive };
	struct stat st;
	struct error *err;

	if (stat(path, &st) == 0) {
		if (S_ISDIR(st.st_mode))
			return error_errno(EISDIR, "creating %s", path);
		if (exclusive)
			return error_errno(EEXIST, "creating %s", path);
	}
	file.path = strdup(path);
	if (!file.path || asprintf(&file.partial_path, "%s-incomplete", path) < 0) {
		free(file.path);
		return error_nomem();
	}
	err = remove_leftover(file.partial_path);
	if (!err)
		err = file_open(file.partial_path, O_RDWR | O_CREAT | O_EXCL, mode,
				&file.fd);
	/* Filesystems without locks must do without. */
	if (!err)
		flock(file.fd, LOCK_EX | LOCK_NB);
	/* The umask takes bits away, never adds: 0600 stays 0600. */
	if (err) {
		free(file.path);
		free(file.partial_path);
		return err;
	}
	*ret = file;
	return NULL;
}

static void new_file_deinit(struct new_file *file)
{
	if (file->fd >= 0)
		close(file->fd);
	free(file->path);
	free(file->partial_path);
	*file = (struct new_file){ .fd = -1 };
}

static struct error *sync_directory_of(const char *path)
{
	char *dir cleanup_free = strdup(path);
	int fd cleanup_close = -1;
	struct error *err;
	char *slash;

	if (!dir)
		return error_nomem();
	slash = strrchr(dir, '/');
	if (slash == dir)
		slash[1] = 0;
	else if (slash)
		*slash = 0;
	err = file_open(slash ? dir : ".", O_RDONLY | O_DIRECTORY, 0, &fd);
	if (err)
		return err;
	/* Some filesystems cannot sync a directory; the rename stands anyway. */
	if (fsync(fd) < 0 && errno != EINVAL)
		return error_errno(errno, "syncing directory %s", slash ? dir : ".");
	return NULL;
}

static int rename_partial(const struct new_file *file)
{
	int result;

	if (!file->exclusive)
		return rename(file->partial_path, file->path);
	result = renameat2(AT_FDCWD, file->partial_path, AT_FDCWD, file->path,
			   RENAME_NOREPLACE);
	if (result == 0 || (errno != EINVAL && errno != ENOSYS))
		return result;
	/* A filesystem that cannot: a link refuses an existing name, too. */
	if (link(file->partial_path, file->path) == 0)
		return unlink(file->partial_path);
	if (errno == EEXIST)
		return -1;
	return rename(file->partial_path, file->path);
}

struct error *new_file_settle(struct new_file *file)
{
	if (file->fd < 0)
		return NULL;
	if (fsync(file->fd) < 0 && errno != EINVAL && errno != EROFS)
		return error_errno(errno, "syncing %s", file->partial_path);
	if (close(file->fd) < 0) {
		file->fd = -1;
		return error_errno(errno, "closing %s", file->partial_path);
	}
	file->fd = -1;
	return NULL;
}

struct error *new_file_commit(struct new_file *file)
{
	struct error *err = new_file_settle(file);

	if (err)
		return err;
	if (rename_partial(file) < 0)
		return error_errno(errno, "renaming %s to %s", file->partial_path,
				   file->path);
	err = sync_directory_of(file->path);
	if (err) {
		/* No smaller file would help. */
		err->sys_errno = 0;
		err = error_remedy(err, "%s is there and whole, but may be lost if the "
				   "machine stops soon; try sync", file->path);
	}
	new_file_deinit(file);
	return err;
}

bool new_file_abandon(struct new_file *file, bool keep)
{
	bool left = false;
	struct stat st;

	if (!file->path)
		return false;
	if (stat(file->partial_path, &st) == 0) {
		left = keep && st.st_size > 0;
		if (!left)
			unlink(file->partial_path);
	}
	new_file_deinit(file);
	return left;
}

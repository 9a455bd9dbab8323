/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Whole-file and positioned I/O: interrupted and short transfers are dealt
 * with here, once. Every failure names the path and, where there is one, the
 * offset.
 */
#ifndef LIB_FILE_H
#define LIB_FILE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/types.h>
#include <unistd.h>

#include "lib/error.h"

/* Bytes on the heap. Zero value = empty; blob_deinit() frees. */
struct blob {
	uint8_t *data;
	size_t size;
};

struct error *blob_init(struct blob *ret, size_t size) MUST_CHECK;
void blob_deinit(struct blob *blob);
#define cleanup_blob __attribute__((cleanup(blob_deinit)))

static inline void free_cleanup(void *pointer)
{
	free(*(void **)pointer);
}
#define cleanup_free __attribute__((cleanup(free_cleanup)))

static inline void close_cleanup(int *fd)
{
	if (*fd >= 0)
		close(*fd);
}
#define cleanup_close __attribute__((cleanup(close_cleanup)))

/* O_CLOEXEC is added. Read-only opens do not need mode. */
struct error *file_open(const char *path, int flags, mode_t mode, int *ret)
	MUST_CHECK;

/*
 * The whole file, also of /proc and /sys where the size is not known before.
 * More than limit bytes is ERROR_LIMIT. A NUL follows the data (not counted).
 */
struct error *file_read(const char *path, size_t limit, struct blob *ret)
	MUST_CHECK;

/* As file_read(), as a string without its final newline. *ret is for free(). */
struct error *file_read_text(const char *path, size_t limit, char **ret)
	MUST_CHECK;

/* DIR + path, "/" between them exactly once. *ret is for free(). */
struct error *path_join(const char *dir, const char *path, char **ret)
	MUST_CHECK;

/* First in main(): standard input, output and error that the caller closed get
 * numbers of their own on which all I/O fails. A file opened later would get them,
 * and what is printed would go into it. */
void file_reserve_standard(void);

/* Raises the number of files that may be open to what is allowed at most. */
void file_allow_many(void);

/*
 * A file without a name, in the directory $TMPDIR names or else /var/tmp (not
 * /tmp, which is often memory). It is gone when it is closed.
 */
struct error *file_nameless(int *ret) MUST_CHECK;

/* Exactly len bytes at offset; the end of the file before that is ERROR_FORMAT. */
struct error *fd_pread(int fd, const char *path, void *to, size_t len,
		       uint64_t offset) MUST_CHECK;

/* Up to len bytes at offset; fewer only at the end of the file. */
struct error *fd_pread_some(int fd, const char *path, void *to, size_t len,
			    uint64_t offset, size_t *ret) MUST_CHECK;

/* The same from where fd stands, also of a pipe. */
struct error *fd_read_some(int fd, const char *path, void *to, size_t len, size_t *ret)
	MUST_CHECK;

struct error *fd_write(int fd, const char *path, const void *from, size_t len)
	MUST_CHECK;
struct error *fd_pwrite(int fd, const char *path, const void *from, size_t len,
			uint64_t offset) MUST_CHECK;

/*
 * A file that appears under its name only when it is whole. It is written as
 * PATH-incomplete with the given mode; settle syncs and closes it; commit does
 * that where it is not done, renames it and syncs the directory. When only that
 * last step fails PATH is there and whole, and the error says so. Abandoning keeps PATH-incomplete when it holds anything
 * (the caller tells the user so) and removes it when it is empty or when
 * keep is false. An existing PATH is replaced only by commit.
 */
struct new_file {
	int fd;
	bool exclusive;
	char *path;
	char *partial_path;
};

/*
 * exclusive: PATH must not be there, now or at the commit. The partial file
 * stays locked (flock) while it is written; a second run for the same PATH is
 * refused.
 */
struct error *new_file_create(const char *path, mode_t mode, bool exclusive,
			      struct new_file *ret) MUST_CHECK;
struct error *new_file_settle(struct new_file *file) MUST_CHECK;
struct error *new_file_commit(struct new_file *file) MUST_CHECK;

/* Returns whether a partial file was left behind. Safe on a zeroed or
 * committed file; frees what new_file_create() took. */
bool new_file_abandon(struct new_file *file, bool keep);

#endif

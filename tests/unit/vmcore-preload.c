/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * For LD_PRELOAD: a disk that fails where the test says.
 *
 *   FAIL_READ=SUFFIX:START:END   reads of files whose name ends with SUFFIX
 *                                fail with EIO in [START, END)
 *   FAIL_WRITE=SUFFIX:END:ERRNO  writes beyond END fail with ERRNO
 *   SLOW_WRITE=SUFFIX:USEC       each write first sleeps
 *   CHOPPED=SUFFIX:MAX           reads and writes of no more than MAX bytes
 *                                happen at once; every third is interrupted
 *   FAIL_CALL=SUFFIX:N:ERRNO     of all calls that open such a file for writing,
 *                                write, resize, sync, close or rename it or sync
 *                                a directory, the N-th fails with ERRNO, or, with
 *                                ERRNO 0, the process is killed there
 *   FAIL_READ_CALL=SUFFIX:N:ERRNO
 *                                likewise the N-th read, and that one alone
 *   LIKE_VMCORE=SUFFIX:MAPS      such a file looks as if it lay in /proc; the first
 *                                MAPS mappings succeed, the others are refused
 *   ALLOC_ROOM=BYTES             all pieces of memory of 16 KiB and more together;
 *                                what would go beyond is refused
 *   FAULT_MARK=PATH              is made when one of these two has happened
 */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <malloc.h>
#include <signal.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <linux/magic.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/vfs.h>
#include <unistd.h>

/* What stands behind SUFFIX: in the setting, where path ends with SUFFIX. */
static const char *setting_for(const char *name, const char *path, size_t len)
{
	const char *value = getenv(name);
	size_t suffix;

	if (!value)
		return NULL;
	suffix = strcspn(value, ":");
	if (len < suffix || memcmp(path + len - suffix, value, suffix))
		return NULL;
	return value + suffix + 1;
}

static const char *setting(const char *name, int fd)
{
	char link[64], path[4096];
	ssize_t len;

	snprintf(link, sizeof(link), "/proc/self/fd/%d", fd);
	len = readlink(link, path, sizeof(path));
	return len < 0 ? NULL : setting_for(name, path, len);
}

/* Does this call fail? Then errno says how. */
static bool strikes(const char *rest, int *count)
{
	int wanted, error;
	const char *mark = getenv("FAULT_MARK");

	if (!rest || sscanf(rest, "%d:%d", &wanted, &error) != 2 ||
	    __atomic_add_fetch(count, 1, __ATOMIC_RELAXED) != wanted)
		return false;
	if (mark)
		fclose(fopen(mark, "w"));
	if (!error)
		kill(getpid(), SIGKILL);
	errno = error;
	return true;
}

static int changes, reads;

static bool change_fails(int fd)
{
	return strikes(setting("FAIL_CALL", fd), &changes);
}

static bool path_change_fails(const char *path)
{
	return strikes(setting_for("FAIL_CALL", path, strlen(path)), &changes);
}

/* Cuts *len; true when the call is interrupted before it did anything. */
static bool chop(int fd, size_t *len)
{
	static int calls;
	const char *rest = setting("CHOPPED", fd);
	size_t max = rest ? strtoul(rest, NULL, 0) : *len;

	if (*len > max)
		*len = max;
	if (!rest || __atomic_add_fetch(&calls, 1, __ATOMIC_RELAXED) % 3)
		return false;
	errno = EINTR;
	return true;
}

ssize_t pread(int fd, void *to, size_t len, off_t offset)
{
	ssize_t (*real)(int, void *, size_t, off_t) = dlsym(RTLD_NEXT, "pread");
	const char *range = setting("FAIL_READ", fd);
	long long start, end;

	if (chop(fd, &len) || strikes(setting("FAIL_READ_CALL", fd), &reads))
		return -1;
	if (range && sscanf(range, "%lli:%lli", &start, &end) == 2 && offset < end &&
	    offset + (off_t)len > start) {
		if (offset >= start) {
			errno = EIO;
			return -1;
		}
		len = start - offset;
	}
	return real(fd, to, len, offset);
}

int fstatfs(int fd, struct statfs *fs)
{
	int (*real)(int, struct statfs *) = dlsym(RTLD_NEXT, "fstatfs");
	const int status = real(fd, fs);

	if (setting("LIKE_VMCORE", fd))
		fs->f_type = PROC_SUPER_MAGIC;
	return status;
}

int fstatfs64(int fd, struct statfs64 *fs)
{
	return fstatfs(fd, (struct statfs *)fs);
}

void *mmap(void *at, size_t len, int protection, int flags, int fd, off_t offset)
{
	void *(*real)(void *, size_t, int, int, int, off_t) = dlsym(RTLD_NEXT, "mmap");
	const char *maps = fd < 0 ? NULL : setting("LIKE_VMCORE", fd);
	static int count;

	if (maps && __atomic_add_fetch(&count, 1, __ATOMIC_RELAXED) > atoi(maps)) {
		errno = EAGAIN;
		return MAP_FAILED;
	}
	return real(at, len, protection, flags, fd, offset);
}

void *mmap64(void *at, size_t len, int protection, int flags, int fd, off_t offset)
{
	return mmap(at, len, protection, flags, fd, offset);
}

ssize_t pread64(int fd, void *to, size_t len, off_t offset)
{
	return pread(fd, to, len, offset);
}

ssize_t pwrite(int fd, const void *from, size_t len, off_t offset)
{
	ssize_t (*real)(int, const void *, size_t, off_t) = dlsym(RTLD_NEXT, "pwrite");
	const char *rest = setting("SLOW_WRITE", fd);
	long long end;
	int error;

	if (chop(fd, &len) || change_fails(fd))
		return -1;
	if (rest)
		usleep(atoi(rest));
	rest = setting("FAIL_WRITE", fd);
	if (rest && sscanf(rest, "%lli:%d", &end, &error) == 2 &&
	    offset + (off_t)len > end) {
		if (offset >= end) {
			errno = error;
			return -1;
		}
		len = end - offset;
	}
	return real(fd, from, len, offset);
}

ssize_t pwrite64(int fd, const void *from, size_t len, off_t offset)
{
	return pwrite(fd, from, len, offset);
}

ssize_t write(int fd, const void *from, size_t len)
{
	ssize_t (*real)(int, const void *, size_t) = dlsym(RTLD_NEXT, "write");

	if (chop(fd, &len) || change_fails(fd))
		return -1;
	return real(fd, from, len);
}

int ftruncate(int fd, off_t size)
{
	int (*real)(int, off_t) = dlsym(RTLD_NEXT, "ftruncate");
	size_t len = 0;

	if (chop(fd, &len) || change_fails(fd))
		return -1;
	return real(fd, size);
}

int ftruncate64(int fd, off_t size)
{
	return ftruncate(fd, size);
}

int fsync(int fd)
{
	int (*real)(int) = dlsym(RTLD_NEXT, "fsync");
	struct stat st;

	if (fstat(fd, &st) == 0 && S_ISDIR(st.st_mode) ?
		    strikes(strchr(getenv("FAIL_CALL") ?: ":", ':') + 1, &changes) :
		    change_fails(fd))
		return -1;
	return real(fd);
}

/* Closed it is, whatever close() says. */
int close(int fd)
{
	int (*real)(int) = dlsym(RTLD_NEXT, "close");
	const bool fails = getenv("FAIL_CALL") && change_fails(fd);
	const int error = errno, status = real(fd);

	if (!fails)
		return status;
	errno = error;
	return -1;
}

int open(const char *path, int flags, ...)
{
	int (*real)(const char *, int, ...) = dlsym(RTLD_NEXT, "open");
	va_list args;
	mode_t mode;

	va_start(args, flags);
	mode = flags & (O_CREAT | __O_TMPFILE) ? va_arg(args, mode_t) : 0;
	va_end(args);
	if (flags & O_CREAT && path_change_fails(path))
		return -1;
	return real(path, flags, mode);
}

int open64(const char *path, int flags, ...)
{
	va_list args;
	mode_t mode;

	va_start(args, flags);
	mode = flags & (O_CREAT | __O_TMPFILE) ? va_arg(args, mode_t) : 0;
	va_end(args);
	return open(path, flags, mode);
}

int rename(const char *from, const char *to)
{
	int (*real)(const char *, const char *) = dlsym(RTLD_NEXT, "rename");

	return path_change_fails(from) ? -1 : real(from, to);
}

int renameat2(int from_dir, const char *from, int to_dir, const char *to,
	      unsigned int flags)
{
	int (*real)(int, const char *, int, const char *, unsigned int) =
		dlsym(RTLD_NEXT, "renameat2");

	return path_change_fails(from) ? -1 : real(from_dir, from, to_dir, to, flags);
}

#define LARGE ((size_t)16 << 10)

static size_t taken;

static bool has_room(size_t size)
{
	const char *room = getenv("ALLOC_ROOM");

	if (!room || size < LARGE)
		return true;
	if (__atomic_add_fetch(&taken, size, __ATOMIC_RELAXED) <= strtoul(room, NULL, 0))
		return true;
	__atomic_sub_fetch(&taken, size, __ATOMIC_RELAXED);
	return false;
}

void *malloc(size_t size)
{
	static void *(*real)(size_t);

	if (!real)
		real = dlsym(RTLD_NEXT, "malloc");
	return has_room(size) ? real(size) : NULL;
}

void *calloc(size_t count, size_t size)
{
	static void *(*real)(size_t, size_t);

	if (!real)
		real = dlsym(RTLD_NEXT, "calloc");
	return has_room(count * size) ? real(count, size) : NULL;
}

/* dlsym() itself may free something; that is lost. */
void free(void *p)
{
	static void (*real)(void *);
	static bool looking;
	size_t size;

	if (!real && looking)
		return;
	looking = true;
	if (!real)
		real = dlsym(RTLD_NEXT, "free");
	size = p && getenv("ALLOC_ROOM") ? malloc_usable_size(p) : 0;
	if (size >= LARGE)
		__atomic_sub_fetch(&taken, size, __ATOMIC_RELAXED);
	real(p);
}

/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * For LD_PRELOAD: a disk that fails where the test says.
 *
 *   FAIL_READ=SUFFIX:START:END   reads of files whose name ends with SUFFIX
 *                                fail with EIO in [START, END)
 *   FAIL_WRITE=SUFFIX:END:ERRNO  writes beyond END fail with ERRNO
 *   SLOW_WRITE=SUFFIX:USEC       each write first sleeps
 */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static const char *setting(const char *name, int fd, size_t *suffix_len)
{
	const char *value = getenv(name);
	char link[64], path[4096];
	ssize_t len;

	if (!value)
		return NULL;
	snprintf(link, sizeof(link), "/proc/self/fd/%d", fd);
	len = readlink(link, path, sizeof(path));
	*suffix_len = strcspn(value, ":");
	if (len < (ssize_t)*suffix_len ||
	    memcmp(path + len - *suffix_len, value, *suffix_len))
		return NULL;
	return value + *suffix_len + 1;
}

ssize_t pread(int fd, void *to, size_t len, off_t offset)
{
	ssize_t (*real)(int, void *, size_t, off_t) = dlsym(RTLD_NEXT, "pread");
	size_t suffix;
	const char *range = setting("FAIL_READ", fd, &suffix);
	long long start, end;

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

ssize_t pread64(int fd, void *to, size_t len, off_t offset)
{
	return pread(fd, to, len, offset);
}

ssize_t pwrite(int fd, const void *from, size_t len, off_t offset)
{
	ssize_t (*real)(int, const void *, size_t, off_t) = dlsym(RTLD_NEXT, "pwrite");
	size_t suffix;
	const char *rest = setting("SLOW_WRITE", fd, &suffix);
	long long end;
	int error;

	if (rest)
		usleep(atoi(rest));
	rest = setting("FAIL_WRITE", fd, &suffix);
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

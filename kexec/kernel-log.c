/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "kexec/kernel-log.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "lib/file.h"

#define LINES       3
#define LINE_MAX    160
#define RECORD_MAX  8192 /* CONSOLE_EXT_LOG_MAX of the kernel */
#define RECORDS_MAX 1000 /* a log that is written all the time has to end too */

int kernel_log_open(void)
{
	int fd = open("/dev/kmsg", O_RDONLY | O_NONBLOCK | O_CLOEXEC);

	if (fd >= 0 && lseek(fd, 0, SEEK_END) < 0) {
		close(fd);
		fd = -1;
	}
	return fd;
}

size_t kernel_log_text(const char *record, size_t record_size, char *to, size_t size)
{
	const char *text = memchr(record, ';', record_size);
	const char *end = text ? memchr(text, '\n', record + record_size - text) : NULL;
	size_t len = 0;

	if (!text || !size)
		return 0;
	if (!end)
		end = record + record_size;
	for (text++; text < end && len + 1 < size; text++)
		to[len++] = *text >= ' ' && *text <= '~' ? *text : '?';
	to[len] = 0;
	return len;
}

struct error *kernel_log_add(struct error *err, int fd)
{
	char lines[LINES][LINE_MAX], record[RECORD_MAX], joined[LINES * (LINE_MAX + 4)] = "";
	size_t count = 0, i, used = 0;
	ssize_t got;

	for (i = 0; err && fd >= 0 && i < RECORDS_MAX; i++) {
		got = read(fd, record, sizeof(record));
		/* Overwritten before it was read: the next ones are there. */
		if (got < 0 && errno == EPIPE)
			continue;
		if (got <= 0)
			break;
		if (kernel_log_text(record, got, lines[count % LINES], LINE_MAX))
			count++;
	}
	for (i = count > LINES ? count - LINES : 0; i < count; i++)
		used += snprintf(joined + used, sizeof(joined) - used, "%s%s", used ? " / " : "",
				 lines[i % LINES]);
	return used ? error_add(err, "the kernel's log says \"%s\"", joined) : err;
}

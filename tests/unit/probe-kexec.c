/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * kexec/ on a command line: one verb a function. Exit 0 when it succeeded, 1
 * (message and remedy on stdout) when it failed, 2 when the call is wrong.
 */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>

#include "kexec/cmdline.h"
#include "kexec/elfcorehdr.h"
#include "kexec/file-mode.h"
#include "kexec/image.h"
#include "kexec/kernel-log.h"
#include "kexec/machine.h"
#include "kexec/memory.h"
#include "kexec/permission.h"
#include "kexec/rules.h"
#include "lib/bytes.h"
#include "lib/file.h"
#include "lib/units.h"
#include "tests/unit/probe.h"

/* --- rules FILE [LINE]...: lines as below, later ones override --- */

#define SEGMENTS_ROOM 32

struct description {
	struct rule_subject subject;
	struct segment segments[SEGMENTS_ROOM];
	uint8_t cmdline[16], data[16];
};

static enum segment_role role_of(const char *name)
{
	enum segment_role role = ROLE_CMDLINE;

	while (role < ROLE_COUNT && strcmp(segment_role_name(role), name) != 0)
		role++;
	return role;
}

/* The next blank-separated word as a number; SCNi64 would stop at 2^63. */
static bool next_number(char **rest, uint64_t *ret)
{
	char *word = strsep(rest, " ");

	return word && parse_size(word, ret);
}

/* segment ROLE MEM MEMSZ BUFSZ [kexec|none] */
static bool add_segment(struct description *d, const char *line)
{
	char *copy cleanup_free = strdup(line + strlen("segment "));
	struct segment *segment = &d->segments[d->subject.count];
	char *rest = copy, *role;

	role = strsep(&rest, " ");
	if (d->subject.count == SEGMENTS_ROOM || !next_number(&rest, &segment->mem) ||
	    !next_number(&rest, &segment->memsz) || !next_number(&rest, &segment->bufsz))
		return false;
	segment->role = role_of(role);
	segment->buf = !rest ? d->data : !strcmp(rest, "kexec") ? d->cmdline :
		       !strcmp(rest, "none") ? NULL : d->data;
	d->subject.count++;
	return segment->role != ROLE_COUNT;
}

static bool read_line(struct description *d, const char *line)
{
	static const struct {
		const char *key;
		size_t offset;
	} numbers[] = {
		{ "entry", offsetof(struct rule_subject, entry) },
		{ "flags", offsetof(struct rule_subject, flags) },
		{ "page_size", offsetof(struct rule_subject, page_size) },
		{ "ram", offsetof(struct rule_subject, ram_bytes) },
		{ "start", offsetof(struct rule_subject, region.start) },
		{ "end", offsetof(struct rule_subject, region.end) },
	};
	char key[16];
	uint64_t value;
	size_t i;

	if (!*line || *line == '#')
		return true;
	if (!strcmp(line, "clear")) {
		d->subject.count = 0;
		return true;
	}
	if (!strncmp(line, "segment ", 8))
		return add_segment(d, line);
	if (sscanf(line, "%15s %" SCNi64, key, (int64_t *)&value) != 2)
		return false;
	for (i = 0; i < sizeof(numbers) / sizeof(*numbers); i++)
		if (!strcmp(key, numbers[i].key)) {
			memcpy((char *)&d->subject + numbers[i].offset, &value, sizeof(value));
			return true;
		}
	return false;
}

static int do_rules(int argc, char **args)
{
	struct description d = { .cmdline = "kexec root=/dev" };
	struct rule_result results[RULE_COUNT];
	char *text cleanup_free = NULL;
	char *line, *rest;
	int i;

	if (argc < 1 || report(file_read_text(args[0], 1 << 20, &text)))
		return 2;
	d.subject.segments = d.segments;
	for (rest = text; (line = strsep(&rest, "\n"));)
		if (!read_line(&d, line))
			return 2;
	for (i = 1; i < argc; i++)
		if (!read_line(&d, args[i]))
			return 2;
	rules_check(&d.subject, results);
	return report(rules_verdict(results));
}

/* remove TEXT NAME... */
static int do_remove(int argc, char **args)
{
	char *kept cleanup_free = NULL, *removed cleanup_free = NULL;

	if (argc < 1)
		return 2;
	if (report(cmdline_remove(args[0], (const char *const *)args + 1, &kept, &removed)))
		return 1;
	printf("%s|%s\n", kept, removed);
	return 0;
}

/* iomem FILE */
static int do_iomem(int argc, char **args)
{
	struct iomem iomem cleanup_iomem = { 0 };
	char *text cleanup_free = NULL;
	size_t i;

	if (argc != 1 || report(file_read_text(args[0], 1 << 20, &text)))
		return 2;
	if (report(iomem_parse(text, "iomem", &iomem)))
		return 1;
	for (i = 0; i < iomem.count; i++)
		printf("%u %" PRIx64 " %" PRIx64 " %s\n", iomem.entries[i].depth,
		       iomem.entries[i].range.start, iomem.entries[i].range.end,
		       iomem.entries[i].name);
	puts(iomem.hidden ? "hidden" : "shown");
	return 0;
}

/* ranges OP...: +START-END, -START-END, low:SIZE:ALIGN:MIN:MAX, high:... */
static int do_ranges(int argc, char **args)
{
	struct ranges ranges cleanup_ranges = { 0 };
	uint64_t a, b, c, d, at;
	struct error *err = NULL;
	char kind[5];
	size_t n;
	int i;

	for (i = 0; i < argc && !err; i++) {
		if (sscanf(args[i], "+%" SCNx64 "-%" SCNx64, &a, &b) == 2) {
			err = ranges_add(&ranges, a, b);
		} else if (sscanf(args[i], "-%" SCNx64 "-%" SCNx64, &a, &b) == 2) {
			err = ranges_subtract(&ranges, a, b);
		} else if (sscanf(args[i], "%4[a-z]:%" SCNx64 ":%" SCNx64 ":%" SCNx64 ":%" SCNx64,
				  kind, &a, &b, &c, &d) == 5) {
			if ((kind[0] == 'l' ? ranges_find_low : ranges_find_high)(&ranges, a, b,
										 c, d, &at))
				printf("%s=%" PRIx64 " ", kind, at);
			else
				printf("%s=none ", kind);
		} else {
			return 2;
		}
	}
	for (n = 0; n < ranges.count; n++)
		printf("%" PRIx64 "-%" PRIx64 " ", ranges.items[n].start, ranges.items[n].end);
	printf("total=%" PRIx64 "\n", ranges_total(&ranges));
	return report(err);
}

/* elfcorehdr DIR: the bytes to stdout */
static int do_elfcorehdr(int argc, char **args)
{
	struct machine machine cleanup_machine = { 0 };
	struct blob blob cleanup_blob = { 0 };

	if (argc != 1)
		return 2;
	if (report(machine_read(args[0], true, &machine)) ||
	    report(elfcorehdr_build(&machine, &blob)))
		return 1;
	return fwrite(blob.data, 1, blob.size, stdout) != blob.size;
}

/* file-bytes DIR FILE: what kexec_file_load would be given of that kernel, to stdout */
static int do_file_bytes(int argc, char **args)
{
	struct file_request request cleanup_file_request = { 0 };
	struct machine machine cleanup_machine = { 0 };
	struct image image cleanup_image = { 0 };
	struct file_wishes wishes = { .crash = true };

	if (argc != 2)
		return 2;
	if (report(machine_read(args[0], true, &machine)) ||
	    report(image_open(args[1], NULL, &image)) ||
	    report(file_request_make(&image, &machine, &wishes, &request)))
		return 1;
	return fwrite(request.kernel, 1, request.kernel_size, stdout) != request.kernel_size;
}

/* explain ERRNO: what is said when the kernel answers so */
static int do_explain(int argc, char **args)
{
	return argc != 1 ? 2 : report(rules_explain(atoi(args[0])));
}

/* permission DIR crash|normal [file] */
static int do_permission(int argc, char **args)
{
	if (argc < 2)
		return 2;
	return report(permission_check(args[0], !strcmp(args[1], "crash"), argc > 2));
}

/* kmsg FILE: one record of /dev/kmsg; its text */
static int do_kmsg(int argc, char **args)
{
	struct blob blob cleanup_blob = { 0 };
	char text[40];

	if (argc != 1 || report(file_read(args[0], 1 << 20, &blob)))
		return 2;
	if (!kernel_log_text((const char *)blob.data, blob.size, text, sizeof(text)))
		return 1;
	puts(text);
	return 0;
}

/* log RECORD...: a refusal, while these came into the kernel's log */
static int do_log(int argc, char **args)
{
	int pair[2], i, result;

	/* Like /dev/kmsg: a record a read, none left is EAGAIN. */
	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, pair) != 0)
		return 2;
	for (i = 0; i < argc; i++)
		if (send(pair[0], args[i], strlen(args[i]), 0) < 0)
			return 2;
	result = report(kernel_log_add(error_new(ERROR_SYSTEM, "refused"), pair[1]));
	close(pair[0]);
	close(pair[1]);
	return result;
}

/*
 * cuts FILE FROM TO: the image cut after FROM, FROM + 1, ... TO - 1 bytes. Says
 * where such a piece was taken for a kernel, or refused without a reason.
 */
static int do_cuts(int argc, char **args)
{
	struct blob blob cleanup_blob = { 0 };
	int fd cleanup_close = memfd_create("cut", MFD_CLOEXEC);
	uint64_t from, to, at;
	char path[40];
	int bad = 0;

	if (argc != 3 || !parse_size(args[1], &from) || !parse_size(args[2], &to) ||
	    report(file_read(args[0], 1 << 30, &blob)) || to > blob.size ||
	    report(fd_write(fd, "cut", blob.data, to)))
		return 2;
	snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
	for (at = to; at-- > from;) {
		struct image image cleanup_image = { 0 };
		struct error *err cleanup_error = NULL;

		if (ftruncate(fd, at) != 0)
			return 2;
		err = image_open(path, NULL, &image);
		if (err && (err->code == ERROR_FORMAT || err->code == ERROR_UNSUPPORTED))
			continue;
		printf("%" PRIu64 ": %s\n", at, err ? err->message : "taken for a kernel");
		bad = 1;
	}
	printf("%" PRIu64 " cuts\n", to - from);
	return bad;
}

/*
 * declared FILE SIZE: each 32-bit word in the first SIZE bytes of the image said
 * to be 2^32-1, 2^31, 2^16 and 0, one at a time. Says how many were
 * still taken for a kernel.
 */
static int do_declared(int argc, char **args)
{
	static const uint32_t values[] = { UINT32_MAX, 1U << 31, 65536, 0 };
	struct blob blob cleanup_blob = { 0 };
	int fd cleanup_close = memfd_create("declared", MFD_CLOEXEC);
	uint64_t size, at;
	int taken = 0, refused = 0;
	char path[40];
	size_t i;

	if (argc != 2 || !parse_size(args[1], &size) ||
	    report(file_read(args[0], 1 << 30, &blob)) || size > blob.size)
		return 2;
	snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
	for (at = 0; at + 4 <= size; at += 2)
		for (i = 0; i < sizeof(values) / sizeof(*values); i++) {
			struct image image cleanup_image = { 0 };
			struct error *err cleanup_error = NULL;
			uint32_t old = get_le32(blob.data + at);

			put_le32(blob.data + at, values[i]);
			err = fd_pwrite(fd, path, blob.data, blob.size, 0);
			put_le32(blob.data + at, old);
			if (!err)
				err = image_open(path, NULL, &image);
			if (err && err->code == ERROR_SYSTEM)
				return report(err);
			taken += !err;
			refused += err != NULL;
		}
	printf("%d taken, %d refused\n", taken, refused);
	return 0;
}

int main(int argc, char **argv)
{
	static const struct {
		const char *verb;
		int (*run)(int argc, char **args);
	} verbs[] = {
		{ "rules", do_rules },   { "remove", do_remove },
		{ "iomem", do_iomem },   { "ranges", do_ranges },
		{ "elfcorehdr", do_elfcorehdr },
		{ "explain", do_explain }, { "permission", do_permission },
		{ "kmsg", do_kmsg },     { "log", do_log },
		{ "cuts", do_cuts },
		{ "declared", do_declared }, { "file-bytes", do_file_bytes },
	};
	size_t i;

	for (i = 0; argc > 1 && i < sizeof(verbs) / sizeof(*verbs); i++)
		if (!strcmp(argv[1], verbs[i].verb))
			return verbs[i].run(argc - 2, argv + 2);
	fprintf(stderr, "probe-kexec: unknown verb\n");
	return 2;
}

/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * lib/ on a command line: one verb a function, arguments in, what it answered
 * out. Exit 0 when the function succeeded, 1 (message on stdout, remedy
 * below) when it failed, 2 when the call itself is wrong.
 */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>

#include "lib/bytes.h"
#include "lib/elfcore.h"
#include "lib/error.h"
#include "lib/file.h"
#include "lib/loongarch.h"
#include "lib/text.h"
#include "lib/units.h"
#include "lib/unpack.h"
#include "lib/vmcoreinfo.h"
#include "tests/unit/probe.h"

/* size NUMBER | parse-size TEXT | parse-hex TEXT | window HEX */
static int do_size(char **args)
{
	char text[UNITS_SIZE_TEXT];
	uint64_t size;

	if (!parse_size(args[0], &size))
		return 2;
	puts(size_text(size, text));
	return 0;
}

static int do_text(char **args)
{
	if (!strcmp(args[0], "utf8"))
		text_make_utf8(args[1]);
	else
		text_make_printable(args[1]);
	puts(args[1]);
	return 0;
}

static int print_number(bool valid, uint64_t value)
{
	if (!valid) {
		puts("refused");
		return 1;
	}
	printf("%" PRIu64 "\n", value);
	return 0;
}

static int do_parse_size(char **args)
{
	uint64_t value = 0;

	bool valid = parse_size(args[0], &value);

	return print_number(valid, value);
}

static int do_parse_hex(char **args)
{
	uint64_t value = 0;

	bool valid = parse_hex(args[0], &value);

	return print_number(valid, value);
}

static int do_window(char **args)
{
	uint64_t virt, phys = 0;
	bool valid;

	if (!parse_hex(args[0], &virt))
		return 2;
	valid = loongarch_window_to_phys(virt, &phys);
	return print_number(valid, phys);
}

/* error LAYER LAYER ... : stacked from the last to the first, remedy set twice */
static int do_error(char **args)
{
	struct error *err = error_errno(2, "%s", args[0]);
	int i;

	err = error_remedy(err, "the inner remedy");
	for (i = 1; args[i]; i++)
		err = error_add(err, "%s", args[i]);
	err = error_remedy(err, "the outer remedy");
	return report(err);
}

/*
 * reader FILE STEP... : u8 u16 u32 u64 be32 (prints), seek:N skip:N bytes:N
 * slice:OFF:LEN (goes on in the slice); ends with the check.
 */
static int do_reader(char **args)
{
	struct blob blob cleanup_blob = { 0 };
	struct reader r;
	uint64_t a, b;
	struct error *err;

	err = file_read(args[0], 1 << 20, &blob);
	if (err)
		return report(err);
	reader_init(&r, blob.data, blob.size, 0, "input");
	for (args++; *args; args++) {
		if (!strcmp(*args, "u8"))
			printf("%" PRIx8 "\n", reader_u8(&r));
		else if (!strcmp(*args, "u16"))
			printf("%" PRIx16 "\n", reader_u16(&r));
		else if (!strcmp(*args, "u32"))
			printf("%" PRIx32 "\n", reader_u32(&r));
		else if (!strcmp(*args, "u64"))
			printf("%" PRIx64 "\n", reader_u64(&r));
		else if (!strcmp(*args, "be"))
			r.big_endian = true;
		else if (sscanf(*args, "seek:%" SCNu64, &a) == 1)
			reader_seek(&r, a);
		else if (sscanf(*args, "skip:%" SCNu64, &a) == 1)
			reader_skip(&r, a);
		else if (sscanf(*args, "bytes:%" SCNu64, &a) == 1)
			puts(reader_bytes(&r, a) ? "there" : "not there");
		else if (sscanf(*args, "slice:%" SCNu64 ":%" SCNu64, &a, &b) == 2)
			r = reader_slice(&r, a, b);
		else
			return 2;
	}
	return report(reader_check(&r, "header"));
}

/* unpack FILE EXPECTED LIMIT OUT: the codec is detected */
static int do_unpack(char **args)
{
	struct blob in cleanup_blob = { 0 }, out cleanup_blob = { 0 };
	uint64_t expected, limit;
	enum codec codec;
	struct error *err;
	FILE *to;

	if (!parse_size(args[1], &expected) || !parse_size(args[2], &limit))
		return 2;
	err = file_read(args[0], 1 << 30, &in);
	if (err)
		return report(err);
	codec = codec_detect(in.data, in.size);
	err = unpack(codec, in.data, in.size, expected, limit, "input", 0, &out);
	if (err)
		return report(err);
	printf("%s %zu\n", codec_name(codec), out.size);
	to = fopen(args[3], "wb");
	if (!to || fwrite(out.data, 1, out.size, to) != out.size || fclose(to))
		return 2;
	return 0;
}

/* vmcoreinfo FILE KIND NAME: KIND is key, symbol, size, offset, length, number */
static int do_vmcoreinfo(char **args)
{
	struct blob blob cleanup_blob = { 0 };
	struct vmcoreinfo *info;
	const char *kind = args[1], *name = args[2], *text;
	uint64_t value = 0;
	int64_t number = 0;
	bool found = false;
	struct error *err;

	err = file_read(args[0], 1 << 20, &blob);
	if (!err)
		err = vmcoreinfo_create((char *)blob.data, blob.size, &info);
	if (err)
		return report(err);
	if (!strcmp(kind, "key")) {
		text = vmcoreinfo_string(info, name);
		found = text;
		puts(text ? text : "refused");
	} else if (!strcmp(kind, "number")) {
		found = vmcoreinfo_number(info, name, &number);
		if (found)
			printf("%" PRId64 "\n", number);
		else
			puts("refused");
	} else {
		if (!strcmp(kind, "symbol"))
			found = vmcoreinfo_symbol(info, name, &value);
		else if (!strcmp(kind, "size"))
			found = vmcoreinfo_size(info, name, &value);
		else if (!strcmp(kind, "offset"))
			found = vmcoreinfo_offset(info, name, &value);
		else if (!strcmp(kind, "length"))
			found = vmcoreinfo_length(info, name, &value);
		else if (!strcmp(kind, "page-size"))
			found = vmcoreinfo_page_size(info, &value);
		print_number(found, value);
	}
	vmcoreinfo_destroy(info);
	return found ? 0 : 1;
}

/* elf-build COUNT OUT | elf-read FILE */
static int do_elf_build(char **args)
{
	struct blob blob cleanup_blob = { 0 };
	struct elf_segment *segments cleanup_free = NULL;
	uint64_t count, i;
	struct error *err;
	FILE *to;

	if (!parse_size(args[0], &count))
		return 2;
	segments = calloc(count ? count : 1, sizeof(*segments));
	if (!segments)
		return 2;
	for (i = 0; i < count; i++)
		segments[i] = (struct elf_segment){
			.type = i ? PT_LOAD : PT_NOTE, .flags = PF_R, .offset = i,
			.paddr = i << 20, .vaddr = loongarch_phys_to_virt(i << 20),
			.filesz = 4096, .memsz = 8192,
		};
	err = elfcore_build_headers(segments, count, &blob);
	if (err)
		return report(err);
	to = fopen(args[1], "wb");
	if (!to || fwrite(blob.data, 1, blob.size, to) != blob.size || fclose(to))
		return 2;
	return 0;
}

static int do_elf_read(char **args)
{
	struct elfcore core = { 0 };
	struct error *err;
	size_t last;
	struct input in = { .path = args[0] };

	err = file_open(args[0], 0, 0, &in.fd);
	if (err)
		return report(err);
	err = elfcore_read(&in, &core);
	close(in.fd);
	if (err)
		return report(err);
	last = core.segment_count - 1;
	printf("machine %u segments %zu headers_end %" PRIu64 " last %" PRIx64
	       " %" PRIx64 " %" PRIu64 " %" PRIu64 "\n",
	       core.machine, core.segment_count, core.headers_end,
	       core.segments[last].vaddr, core.segments[last].paddr,
	       core.segments[last].filesz, core.segments[last].memsz);
	elfcore_deinit(&core);
	return 0;
}

/* elf-cuts FILE: reads it cut to each length shorter than its own */
static int do_elf_cuts(char **args)
{
	struct blob blob cleanup_blob = { 0 };
	size_t cut, refused = 0;
	struct error *err;
	int fd;

	err = file_read(args[0], 1 << 20, &blob);
	if (err)
		return report(err);
	fd = memfd_create("cut", MFD_CLOEXEC);
	for (cut = 0; fd >= 0 && cut < blob.size; cut++) {
		struct input in = { .path = "cut", .fd = fd };
		struct elfcore core = { 0 };

		if (ftruncate(fd, 0) || pwrite(fd, blob.data, cut, 0) != (ssize_t)cut)
			return 2;
		err = elfcore_read(&in, &core);
		refused += err && err->code != ERROR_SYSTEM;
		error_free(err);
		elfcore_deinit(&core);
	}
	printf("%zu cuts, %zu refused\n", cut, refused);
	return 0;
}

/* note-put OUT NAME TEXT... : notes; notes FILE: lists them */
static int do_note_put(char **args)
{
	FILE *to = fopen(args[0], "wb");

	if (!to)
		return 2;
	for (args++; args[0] && args[1]; args += 2) {
		struct elf_note note = {
			.type = 7, .name = args[0], .desc = (uint8_t *)args[1],
			.desc_size = strlen(args[1]),
		};
		struct blob blob cleanup_blob = { 0 };

		if (report(blob_init(&blob, elf_note_size(&note))))
			return 2;
		if (elf_note_put(blob.data, &note) != blob.data + blob.size)
			return 2;
		fwrite(blob.data, 1, blob.size, to);
	}
	return fclose(to) ? 2 : 0;
}

static int do_notes(char **args)
{
	struct blob blob cleanup_blob = { 0 };
	struct elf_note note;
	struct reader r;
	struct error *err;

	err = file_read(args[0], 1 << 20, &blob);
	if (err)
		return report(err);
	reader_init(&r, blob.data, blob.size, 0, "input");
	while (elf_note_next(&r, &note))
		printf("%s %u %.*s\n", note.name, note.type, (int)note.desc_size,
		       (const char *)note.desc);
	return report(reader_check(&r, "note"));
}

/* new-file PATH TEXT commit|commit-late|abandon|drop [exclusive]; commit-late:
 * PATH appears before the commit */
static int do_new_file(char **args)
{
	struct new_file file;
	struct error *err;

	err = new_file_create(args[0], 0600, args[3], &file);
	if (err)
		return report(err);
	err = fd_write(file.fd, file.partial_path, args[1], strlen(args[1]));
	if (!err && !strcmp(args[2], "commit-late"))
		fclose(fopen(args[0], "w"));
	if (!err && !strncmp(args[2], "commit", 6))
		err = new_file_commit(&file);
	if (new_file_abandon(&file, strcmp(args[2], "drop") != 0))
		puts("left a partial file");
	return report(err);
}

static int do_read(char **args)
{
	struct blob blob cleanup_blob = { 0 };
	uint64_t limit;
	struct error *err;

	if (!parse_size(args[1], &limit))
		return 2;
	err = file_read(args[0], limit, &blob);
	if (err)
		return report(err);
	printf("%zu\n", blob.size);
	return 0;
}

static const struct verb {
	const char *name;
	int min_args;
	int (*run)(char **args);
} verbs[] = {
	{ "elf-build", 2, do_elf_build }, { "elf-cuts", 1, do_elf_cuts },
	{ "elf-read", 1, do_elf_read },
	{ "error", 1, do_error },	  { "new-file", 3, do_new_file },
	{ "note-put", 3, do_note_put },	  { "notes", 1, do_notes },
	{ "parse-hex", 1, do_parse_hex }, { "parse-size", 1, do_parse_size },
	{ "read", 2, do_read },		  { "reader", 1, do_reader },
	{ "size", 1, do_size },		  { "text", 2, do_text },
	{ "unpack", 4, do_unpack },
	{ "vmcoreinfo", 3, do_vmcoreinfo }, { "window", 1, do_window },
};

int main(int argc, char **argv)
{
	size_t i;

	for (i = 0; argc > 1 && i < sizeof(verbs) / sizeof(*verbs); i++)
		if (!strcmp(argv[1], verbs[i].name) && argc - 2 >= verbs[i].min_args)
			return verbs[i].run(argv + 2);
	fprintf(stderr, "probe: no such verb, or too few arguments\n");
	return 2;
}

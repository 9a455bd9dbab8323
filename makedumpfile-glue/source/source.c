/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "makedumpfile-glue/source/source.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "lib/elfcore.h"
#include "lib/unpack-file.h"
#include "makedumpfile-glue/source/flat.h"
#include "makedumpfile-glue/source/split.h"

/* 8192 CPUs' registers are 4 MiB; device dumps (vmcoredd) can be larger. */
#define NOTES_MAX ((uint64_t)64 << 20)

static const struct source_ops *const formats[] = { &source_elf, &source_kdump,
						   &source_stream, &source_saved };

/* Known by sight, so that the user is told what the file is. */
static const struct {
	const char *mark;
	const char *what;
} sights[] = {
	{ "DISKDUMP", "a diskdump of an old kernel" },
};

static struct error *unknown_format(const struct input *input)
{
	const char *path = input->path;
	char head[32] = "";
	struct error *err;
	size_t got, i;

	err = input_read_some(input, head, sizeof(head), 0, &got);
	if (err)
		return err;
	if (!got)
		return error_remedy(error_new(ERROR_FORMAT, "%s: the file is empty", path),
				    "/proc/vmcore holds a dump only in the kernel that "
				    "was started by a panic");
	for (i = 0; i < sizeof(sights) / sizeof(sights[0]); i++) {
		size_t len = strlen(sights[i].mark);

		if (got < len || memcmp(head, sights[i].mark, len))
			continue;
		return error_new(ERROR_UNSUPPORTED,
				 "%s: this is %s, which this release does not read",
				 path, sights[i].what);
	}
	return error_remedy(error_new(ERROR_FORMAT,
				      "%s: neither an ELF core nor a kdump-compressed dump, "
				      "nor a file of QEMU or libvirt", path),
			    "give /proc/vmcore, a copy of it, or a dump made of it; of bare "
			    "memory say where it lies: FILE@ADDRESS");
}

/*
 * libvirt packs all of a `virsh dump` when its dump_image_format says so, and
 * people pack dumps: what is inside counts. *input becomes an input of that,
 * *ret_flaw what is wrong with the packing.
 */
static struct error *unwrap(struct input **input, struct error **ret_flaw)
{
	uint8_t head[32];
	struct input *inside;
	struct error *err;
	enum codec codec;
	size_t got;

	*ret_flaw = NULL;
	err = input_read_some(*input, head, sizeof(head), 0, &got);
	if (err)
		return err;
	codec = codec_detect(head, got);
	/* .lzma has no mark of its own; kernels are packed with the legacy lz4. */
	if (codec == CODEC_NONE || codec == CODEC_LZMA || codec == CODEC_LZ4_LEGACY)
		return NULL;
	err = unpack_file(codec, *input, 0, &inside, ret_flaw);
	if (err)
		return err;
	input_close(*input);
	*input = inside;
	return NULL;
}

struct error *source_open_file(const char *path, struct source **ret)
{
	int fd cleanup_close = -1;
	struct input *input;
	struct stat st;
	struct error *err, *flaw;
	size_t i;

	/* Not to wait for the writer of a pipe, which is no source anyway. */
	err = file_open(path, O_RDONLY | O_NONBLOCK, 0, &fd);
	if (err && err->sys_errno == ENOENT && !strcmp(path, "/proc/vmcore"))
		return error_remedy(err, "/proc/vmcore exists only in the kernel that "
					 "was started by a panic");
	if (err)
		return err;
	if (fstat(fd, &st) < 0)
		return error_errno(errno, "looking at %s", path);
	if (S_ISDIR(st.st_mode))
		return error_errno(EISDIR, "reading %s", path);
	if (!S_ISREG(st.st_mode) && !S_ISBLK(st.st_mode))
		return error_remedy(error_new(ERROR_UNSUPPORTED,
					      "%s: not a file that can be read in any order",
					      path),
				    "copy it to a file first; of a flattened stream vmcore "
				    "rebuild makes a dump");
	err = flat_open(path, fd, &input);
	if (err && err->code == ERROR_NOT_MINE) {
		error_free(err);
		err = input_create(path, fd, &input);
	}
	if (err)
		return err;
	fd = -1;
	err = unwrap(&input, &flaw);
	if (err) {
		input_close(input);
		return err;
	}

	for (i = 0; i < sizeof(formats) / sizeof(formats[0]); i++) {
		err = formats[i]->open(input, ret);
		if (!err && flaw) {
			error_free((*ret)->flaw);
			(*ret)->flaw = flaw;
		}
		if (!err)
			return NULL;
		if (err->code != ERROR_NOT_MINE)
			break;
		error_free(err);
		err = NULL;
	}
	if (flaw && !err) {
		err = flaw;
		flaw = NULL;
	} else if (!err) {
		err = unknown_format(input);
	}
	error_free(flaw);
	input_close(input);
	return err;
}

struct error *source_open(const char *path, const char *const *parts, size_t count,
			  struct source **ret)
{
	struct source *source;
	struct error *err = source_open_file(path, &source);

	if (err)
		return err;
	if (source->split)
		return split_open(source, parts, count, ret);
	if (count) {
		source_close(source);
		return error_new(ERROR_USAGE, "--part %s: %s is no part of a split dump",
				 parts[0], path);
	}
	*ret = source;
	return NULL;
}

void source_close(struct source *source)
{
	struct input *input;

	if (!source)
		return;
	input = source->input;
	error_free(source->flaw);
	source->flaw = NULL;
	source->ops->close(source);
	input_close(input);
}

struct error *source_add_notes(struct source *source, uint64_t offset, uint64_t size)
{
	struct blob raw cleanup_blob = { 0 };
	struct blob *notes = &source->notes;
	struct elf_note note;
	struct reader r;
	struct error *err;
	uint8_t *grown, *to;
	size_t total = 0;

	if (size > NOTES_MAX || size + notes->size > NOTES_MAX)
		return error_new(ERROR_LIMIT,
				 "%s: notes of %" PRIu64 " bytes: the limit is %" PRIu64,
				 source->path, size, NOTES_MAX);
	err = blob_init(&raw, size);
	if (!err)
		err = input_read(source->input, raw.data, size, offset);
	/* The memory is there without them, and VMCOREINFO in it, too. */
	if (err && err->code == ERROR_SYSTEM) {
		error_free(source->flaw);
		source->flaw = error_add(err, "the CPUs' registers are lost: ELF notes");
		return NULL;
	}
	if (err)
		return error_add(err, "ELF notes");
	reader_init(&r, raw.data, raw.size, offset, source->path);
	while (elf_note_next(&r, &note))
		total += elf_note_size(&note);
	if (!total)
		return NULL;
	grown = realloc(notes->data, notes->size + total);
	if (!grown)
		return error_nomem();
	to = grown + notes->size;
	reader_init(&r, raw.data, raw.size, offset, source->path);
	while (elf_note_next(&r, &note))
		to = elf_note_put(to, &note);
	*notes = (struct blob){ grown, notes->size + total };
	return NULL;
}

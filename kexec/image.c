/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "kexec/image.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>

#include "kexec/evidence.h"
#include "lib/bytes.h"
#include "lib/loongarch.h"
#include "lib/units.h"

/* zboot first: its files are PE files too. */
static const struct image_ops *const formats[] = { &image_zboot, &image_pe, &image_elf };
#define FORMAT_COUNT (sizeof(formats) / sizeof(*formats))

const char *image_type_name(enum image_type type)
{
	switch (type) {
	case IMAGE_ZBOOT: return "zboot";
	case IMAGE_PE:    return "pe";
	case IMAGE_ELF:   return "elf";
	}
	return "unknown";
}

const char *answer_name(enum answer answer)
{
	switch (answer) {
	case ANSWER_UNKNOWN: return "unknown";
	case ANSWER_NO:      return "no";
	case ANSWER_YES:     return "yes";
	}
	return "unknown";
}

static const struct image_ops *find_format(const char *type)
{
	size_t i;

	for (i = 0; i < FORMAT_COUNT; i++)
		if (!strcmp(type, formats[i]->name) || !strcmp(type, formats[i]->old_name))
			return formats[i];
	return NULL;
}

bool image_type_known(const char *type)
{
	return find_format(type) != NULL;
}

struct error *image_check_shape(struct image *image, const char *name)
{
	uint64_t end;

	if (!image->image_size)
		return error_new(ERROR_FORMAT, "%s: its header declares an image of no size",
				 name);
	if (image->image_size > UNPACK_LIMIT_IMAGE)
		return error_new(ERROR_LIMIT,
				 "%s: its header declares an image of 0x%" PRIx64
				 " bytes; the limit is 0x%zx", name, image->image_size,
				 UNPACK_LIMIT_IMAGE);
	image->image_size = align_up(image->image_size, LOONGARCH_PAGE_SIZE_MAX);
	if (image->text_offset > LOONGARCH_PHYS_MASK ||
	    !is_aligned(image->text_offset, LOONGARCH_PAGE_SIZE_MAX))
		return error_new(ERROR_FORMAT,
				 "%s: its load offset 0x%" PRIx64 " is no 64 KiB boundary",
				 name, image->text_offset);
	end = image->text_offset + image->image_size;
	if (image->entry < image->text_offset || image->entry >= end)
		return error_new(ERROR_FORMAT,
				 "%s: its entry 0x%" PRIx64 " lies outside its image 0x%"
				 PRIx64 "-0x%" PRIx64, name, image->entry,
				 image->text_offset, end - 1);
	/* What a signature adds behind the image is not loaded. */
	if (image->payload_size > image->image_size)
		image->payload_size = image->image_size;
	return NULL;
}

static struct error *unknown_format(const struct image_input *in)
{
	struct error *err;

	/* The boot protocol's mark (arch/x86/boot/header.S). */
	if (in->size >= 0x206 && !memcmp(in->data + 0x202, "HdrS", 4))
		err = error_new(ERROR_UNSUPPORTED,
				"%s: is a kernel for x86 (bzImage), not for loongarch64",
				in->name);
	else if (in->size >= 0x40 && !memcmp(in->data + 0x38, "ARM\x64", 4))
		err = error_new(ERROR_UNSUPPORTED,
				"%s: is a kernel for aarch64, not for loongarch64",
				in->name);
	else if (in->size >= 0x40 && !memcmp(in->data + 0x38, "RSC\x05", 4))
		err = error_new(ERROR_UNSUPPORTED,
				"%s: is a kernel for riscv, not for loongarch64", in->name);
	else if (!in->size)
		err = error_new(ERROR_FORMAT, "%s: is empty", in->name);
	else
		err = error_new(ERROR_FORMAT, "%s: is no kernel image this program knows",
				in->name);
	return error_remedy(err, "Give a loongarch64 vmlinuz, vmlinuz.efi, vmlinux.efi or "
				 "vmlinux, as it is or packed (gzip, xz, zstd, ...).");
}

static struct error *probe(const struct image_input *input, const char *type,
			   struct image *ret)
{
	const struct image_ops *wanted = type ? find_format(type) : NULL;
	size_t i;

	for (i = 0; i < FORMAT_COUNT; i++) {
		struct error *err;

		if (wanted && formats[i] != wanted)
			continue;
		err = formats[i]->probe(input, ret);
		if (!err || err->code != ERROR_NOT_MINE)
			return err;
		error_free(err);
	}
	if (wanted)
		return error_remedy(error_new(ERROR_FORMAT, "%s: is not of type %s",
					      input->name, type),
				    "Leave --type out: the file itself says what it is.");
	return unknown_format(input);
}

static void unmap(struct mapped_file *file)
{
	if (file->mapped)
		munmap((void *)file->data, file->size);
	else
		free((void *)file->data);
	*file = (struct mapped_file){ 0 };
}
#define cleanup_mapped __attribute__((cleanup(unmap)))

/* Pipes and the like cannot be mapped and are read. */
static struct error *map(const char *path, struct mapped_file *ret)
{
	int fd cleanup_close = -1;
	struct blob blob = { 0 };
	struct error *err;
	struct stat st;
	void *data;

	err = file_open(path, O_RDONLY, 0, &fd);
	if (err)
		return error_remedy(err, "Check the path of the kernel.");
	if (fstat(fd, &st) < 0)
		return error_errno(errno, "looking at %s", path);
	if (S_ISREG(st.st_mode) && st.st_size > 0) {
		if ((uint64_t)st.st_size > IMAGE_FILE_LIMIT)
			return error_new(ERROR_LIMIT, "%s: larger than the limit of %zu MiB",
					 path, IMAGE_FILE_LIMIT >> 20);
		data = mmap(NULL, st.st_size, PROT_READ, MAP_PRIVATE, fd, 0);
		if (data == MAP_FAILED)
			return error_errno(errno, "mapping %s", path);
		*ret = (struct mapped_file){ data, st.st_size, true };
		return NULL;
	}
	err = file_read(path, UNPACK_LIMIT_IMAGE, &blob);
	if (!err)
		*ret = (struct mapped_file){ blob.data, blob.size, false };
	return err;
}

struct error *image_open(const char *path, const char *type, struct image *ret)
{
	struct image image cleanup_image = { .kaslr_max = IMAGE_KASLR_MAX_DEFAULT };
	struct mapped_file file cleanup_mapped = { 0 };
	struct blob unwrapped cleanup_blob = { 0 };
	struct image_input input;
	struct error *err;
	enum codec wrapper;

	err = map(path, &file);
	if (err)
		return err;
	input = (struct image_input){ file.data, file.size, path };
	wrapper = codec_detect(file.data, file.size);
	if (wrapper != CODEC_NONE) {
		err = unpack(wrapper, file.data, file.size, 0, UNPACK_LIMIT_IMAGE, path, 0,
			     &unwrapped);
		if (err)
			return err;
		/* The packed bytes are not needed beside the unpacked ones. */
		unmap(&file);
		input = (struct image_input){ unwrapped.data, unwrapped.size, path };
	}
	err = probe(&input, type, &image);
	if (err)
		return err;
	image.wrapper = wrapper;
	if (!image.storage.data && unwrapped.data) {
		image.storage = unwrapped;
		unwrapped.data = NULL;
	} else if (!image.storage.data) {
		image.file = file;
		file = (struct mapped_file){ 0 };
	}
	err = evidence_collect(&image);
	if (!err)
		err = evidence_from_file_beside(path, &image);
	if (err)
		return error_add(err, "%s", path);
	*ret = image;
	image = (struct image){ 0 };
	return NULL;
}

struct error *image_runs_in_reservation(const struct image *image)
{
	if (image->flatmem.value != ANSWER_YES)
		return NULL;
	return error_remedy(
		error_new(ERROR_UNSUPPORTED,
			  "the kernel has its struct pages in one array (CONFIG_FLATMEM, %s) and "
			  "hangs where its memory does not begin at 0, as in a crash reservation",
			  image->flatmem.evidence),
		"Use a kernel built with CONFIG_SPARSEMEM=y for the capture; one with FLATMEM "
		"may be the one that crashes.");
}

void image_deinit(struct image *image)
{
	free(image->version);
	unmap(&image->file);
	blob_deinit(&image->storage);
	*image = (struct image){ 0 };
}

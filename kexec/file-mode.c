/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "kexec/file-mode.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include "kexec/cmdline.h"
#include "lib/bytes.h"
#include "lib/loongarch.h"
#include "lib/units.h"

#define WITH_KEXEC_LOAD "Leave -s out: kexec_load can do it."

/* Places of arch/loongarch/kernel/kexec_efi.c; ELF goes where p_align allows. */
#define PE_ALIGN  ((uint64_t)2 << 20)
#define ELF_ALIGN LOONGARCH_PAGE_SIZE_MAX

static struct error *warn(struct file_request *request, const char *fmt, ...) PRINTF_LIKE(2, 3);
static struct error *warn(struct file_request *request, const char *fmt, ...)
{
	va_list args;
	int len;

	va_start(args, fmt);
	len = vasprintf(&request->warnings[request->warning_count], fmt, args);
	va_end(args);
	if (len < 0)
		return error_nomem();
	request->warning_count++;
	return NULL;
}

void file_request_deinit(struct file_request *request)
{
	size_t i;

	for (i = 0; i < request->warning_count; i++)
		free(request->warnings[i]);
	free(request->command_line);
	*request = (struct file_request){ 0 };
}

/* --- the image --- */

#define PE_HEADER_ENTRY     0x08
#define PE_HEADER_OFFSET    0x3c
#define PE_DIRECTORY_COUNT  0x84 /* from the PE header, PE32+ */
#define PE_CERTIFICATES     0xa8 /* directory 4: file offset, size */
#define PE_CERTIFICATES_NUM 4

/*
 * A zboot's payload is filled up with zeros to the size it needs in memory,
 * also behind a certificate, which has to be the file's end for whoever
 * checks it.
 */
static size_t size_with_certificate(const uint8_t *data, size_t size)
{
	uint64_t end, i;
	struct reader r;
	uint32_t pe;

	reader_init(&r, data, size, 0, "");
	reader_seek(&r, PE_HEADER_OFFSET);
	pe = reader_u32(&r);
	reader_seek(&r, (uint64_t)pe + PE_DIRECTORY_COUNT);
	if (reader_u32(&r) <= PE_CERTIFICATES_NUM)
		return size;
	reader_seek(&r, (uint64_t)pe + PE_CERTIFICATES);
	end = reader_u32(&r);
	if (!end)
		return size;
	end += reader_u32(&r);
	if (r.overrun || end > size)
		return size;
	for (i = end; i < size; i++)
		if (data[i])
			return size;
	return end;
}

/* What kexec_efi.c takes from the header as it stands. */
static struct error *check_pe(const struct image *image, const struct file_request *request)
{
	uint64_t entry = get_le64(request->kernel + PE_HEADER_ENTRY);

	if (entry != image->entry)
		return error_remedy(
			error_new(ERROR_UNSUPPORTED, "the image's header has a virtual entry "
				  "address (0x%" PRIx64 "), which kexec_file_load takes for a "
				  "physical one", entry), WITH_KEXEC_LOAD);
	if (request->kernel_size > image->image_size)
		return error_remedy(
			error_new(ERROR_UNSUPPORTED, "the image has %zu bytes and declares 0x%"
				  PRIx64 " of memory: kexec_file_load refuses that",
				  request->kernel_size, image->image_size), WITH_KEXEC_LOAD);
	return NULL;
}

static struct error *take_image(struct file_request *request, const struct image *image)
{
	/* kexec_elf.c places each PT_LOAD by itself, and counts the entry from
	 * the last one but at the place of the first. */
	if (image->load_count > 1)
		return error_remedy(
			error_new(ERROR_UNSUPPORTED, "the ELF image has %u PT_LOAD segments; "
				  "kexec_file_load would scatter them", image->load_count),
			WITH_KEXEC_LOAD);
	request->unpacked = image->storage.data != NULL;
	request->kernel = request->unpacked ? image->storage.data : image->file.data;
	request->kernel_size = request->unpacked ? image->storage.size : image->file.size;
	if (image->inner != IMAGE_PE)
		return NULL;
	if (request->unpacked)
		request->kernel_size = size_with_certificate(request->kernel,
							     request->kernel_size);
	return check_pe(image, request);
}

/* The kernel does not look (FIXME in both of its loaders). */
static struct error *check_relocatable(struct file_request *request, const struct image *image)
{
	if (image->relocatable.value == ANSWER_NO)
		return error_remedy(
			error_new(ERROR_UNSUPPORTED, "the image is not relocatable (%s); "
				  "kexec_file_load would put it where it cannot run",
				  image->relocatable.evidence), WITH_KEXEC_LOAD);
	if (image->relocatable.value == ANSWER_UNKNOWN)
		return warn(request, "whether the kernel is relocatable cannot be seen (%s); if "
			    "it is not, it will hang when started", image->relocatable.evidence);
	return NULL;
}

/*
 * The initrd is put right behind the kernel. Kernels that know the word
 * kexec_file (6.18) stay where they are when they see it; it also stands in
 * their own code.
 */
static struct error *check_kaslr(struct file_request *request, const struct image *image)
{
	static const char word[] = "kexec_file";

	if (image->kaslr.value == ANSWER_NO || cmdline_has(request->command_line, "nokaslr") ||
	    memmem(request->kernel, request->kernel_size, word, strlen(word)))
		return NULL;
	return warn(request, "the kernel %s move itself (KASLR), over what kexec_file_load puts "
		    "behind it; add nokaslr to its command line",
		    image->kaslr.value == ANSWER_YES ? "may" : "might");
}

/* --- the command line --- */

/*
 * The most that load_other_segments() (machine_kexec_file.c) puts before the
 * user's words: addresses have up to 48 bits, a size of headers 32.
 */
static size_t words_of_kernel(const struct machine *machine, const struct file_wishes *wishes)
{
	size_t len = strlen("kexec_file "), i;

	for (i = 0; wishes->crash && i < machine->crash.count; i++)
		len += snprintf(NULL, 0, "mem=0x%" PRIx64 "@0x%" PRIx64 " ",
				machine->crash.items[i].end - machine->crash.items[i].start,
				machine->crash.items[i].start);
	if (wishes->crash)
		len += strlen("elfcorehdr=0x12345678@0x123456789abc ");
	if (wishes->has_initrd)
		len += snprintf(NULL, 0, "initrd=0x123456789abc,0x%" PRIx64 " ",
				wishes->initrd_size);
	return len;
}

static struct error *take_command_line(struct file_request *request,
				       const struct machine *machine,
				       const struct file_wishes *wishes)
{
	char *dropped cleanup_free = NULL;
	size_t taken = words_of_kernel(machine, wishes), len, limit = machine->cmdline_limit - 1;
	struct error *err = cmdline_remove(wishes->command_line ? wishes->command_line : "",
					   wishes->crash ? cmdline_ours : cmdline_ours_normal,
					   &request->command_line, &dropped);

	if (err)
		return err;
	/* Over the limit the kernel tries other places until it has none left,
	 * and then says that there is no room. */
	len = strlen(request->command_line);
	if (len + taken > limit)
		return error_remedy(
			error_new(ERROR_USAGE, "the command line has %zu characters, and the kernel "
				  "adds up to %zu; it takes %zu (%s)", len, taken, limit,
				  machine->cmdline_limit_evidence),
			"Shorten it by %zu characters.", len + taken - limit);
	if (*dropped)
		err = warn(request, "dropped from the command line: %s (only the running kernel "
			   "can say this to %s kernel)", dropped,
			   wishes->crash ? "a crash" : "the next");
	if (!err && wishes->crash && cmdline_has(request->command_line, "crashkernel"))
		err = warn(request, "the command line has crashkernel=: the crash kernel would set "
			   "memory aside again");
	/* As PLACE_EARLY_TABLES of kexec/place.h has it. */
	if (!err && wishes->crash && cmdline_has(request->command_line, "earlycon"))
		err = warn(request, "earlycon: the crash kernel's first page tables will take the "
			   "highest pages of the reservation, where kexec_file_load puts the headers; "
			   "leave earlycon out, or leave -s out");
	return err;
}

/* --- the reservation --- */

/* What surely does not fit; the old crash image would be gone for nothing. */
static struct error *check_room(const struct image *image, const struct machine *machine,
				const struct file_wishes *wishes)
{
	const struct range *region = machine_crash_region(machine);
	uint64_t start = region->start, need;
	char need_text[UNITS_SIZE_TEXT], have_text[UNITS_SIZE_TEXT];

	if (start < image->text_offset)
		start = image->text_offset;
	start = align_up(start, image->inner == IMAGE_PE ? PE_ALIGN : ELF_ALIGN);
	need = start - region->start + image->image_size + ELF_ALIGN +
	       align_up(wishes->initrd_size, machine->page_size);
	if (need <= region->end - region->start)
		return NULL;
	return error_remedy(
		error_new(ERROR_RULE, "the crash reservation of %s is too small: kernel, initrd and "
			  "headers need %s", size_text(region->end - region->start, have_text),
			  size_text(need, need_text)),
		"Boot with a larger crashkernel= or use a smaller initrd.");
}

struct error *file_request_make(const struct image *image, const struct machine *machine,
				const struct file_wishes *wishes, struct file_request *ret)
{
	struct file_request request cleanup_file_request = {
		.crash = wishes->crash, .has_initrd = wishes->has_initrd,
		.debug = wishes->debug, .no_cma = wishes->no_cma,
	};
	struct error *err = wishes->crash ? machine_require_crash_region(machine) : NULL;

	if (!err)
		err = take_image(&request, image);
	if (!err)
		err = check_relocatable(&request, image);
	if (!err && wishes->crash)
		err = image_runs_in_reservation(image);
	if (!err)
		err = take_command_line(&request, machine, wishes);
	if (!err)
		err = check_kaslr(&request, image);
	if (!err && wishes->crash)
		err = check_room(image, machine, wishes);
	if (err)
		return err;
	*ret = request;
	request = (struct file_request){ 0 };
	return NULL;
}

void file_request_show(FILE *out, const struct file_request *request)
{
	fprintf(out, "kexec_file_load: the running kernel chooses the places\n"
		"  kernel        %zu bytes, %s\n"
		"  initrd        %s\n"
		"  command line  %s\n", request->kernel_size,
		request->unpacked ? "unpacked" : "the file as it is",
		request->has_initrd ? "the file as it is" : "none", request->command_line);
}

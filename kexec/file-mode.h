/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * kexec_file_load: the running kernel reads the image, chooses the places and
 * begins the command line. What it gets wrong, or would only answer with an
 * errno after it dropped the old crash image, is found out here before.
 */
#ifndef KEXEC_FILE_MODE_H
#define KEXEC_FILE_MODE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include "kexec/image.h"
#include "kexec/machine.h"
#include "lib/error.h"

#define FILE_REQUEST_WARNINGS 6

struct file_request {
	bool crash, debug, no_cma;
	bool unpacked;         /* the kernel gets the bytes below, not the file */
	const uint8_t *kernel; /* borrowed from the image */
	size_t kernel_size;
	bool has_initrd;
	char *command_line;    /* the user's words; the kernel adds its own */
	char *warnings[FILE_REQUEST_WARNINGS];
	size_t warning_count;
};

struct file_wishes {
	bool crash;
	bool debug;  /* the kernel says in its log what it does */
	bool no_cma; /* it takes no memory of the contiguous allocator (6.17) */
	bool has_initrd;
	uint64_t initrd_size;
	const char *command_line;
};

/*
 * What is to be handed to the kernel. ERROR_UNSUPPORTED: kexec_load could do
 * it, kexec_file_load cannot. Anything else: neither can.
 */
struct error *file_request_make(const struct image *image, const struct machine *machine,
				const struct file_wishes *wishes, struct file_request *ret)
	MUST_CHECK;
void file_request_deinit(struct file_request *request);
#define cleanup_file_request __attribute__((cleanup(file_request_deinit)))

void file_request_show(FILE *out, const struct file_request *request);

#endif

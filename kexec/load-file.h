/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Loading by kexec_file_load.
 */
#ifndef KEXEC_LOAD_FILE_H
#define KEXEC_LOAD_FILE_H

#include <stdbool.h>

#include "kexec/file-mode.h"
#include "lib/error.h"

/*
 * Hand over what was checked. kernel_fd is the kernel's file, not used when
 * the request has unpacked bytes; initrd_fd is -1 without an initrd. sys_errno
 * of the error is the kernel's answer.
 */
struct error *load_file(const struct file_request *request, int kernel_fd, int initrd_fd)
	MUST_CHECK;

/* Is this failure of load_file() one after which kexec_load may succeed? */
bool load_file_may_fall_back(const struct error *err);

/* Drop an image, also where there is no kexec_load. */
struct error *load_file_unload(bool crash) MUST_CHECK;

#endif

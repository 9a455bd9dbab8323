/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What a kernel image reveals about its configuration: the embedded
 * configuration where there is one, otherwise texts that only a kernel with
 * the option contains. What neither shows stays unknown.
 */
#ifndef KEXEC_EVIDENCE_H
#define KEXEC_EVIDENCE_H

#include "kexec/image.h"
#include "lib/error.h"

/* Fills version, relocatable, kaslr, crash_dump, flatmem, page_size and kaslr_max.
 * What a probe already proved is kept. Fails only without memory. */
struct error *evidence_collect(struct image *image) MUST_CHECK;

/*
 * What is still unknown, from the file config-VERSION in the directory of
 * path, where distributions put it; VERSION is the image's own. A file that
 * is not there is no failure.
 */
struct error *evidence_from_file_beside(const char *path, struct image *image) MUST_CHECK;

#endif

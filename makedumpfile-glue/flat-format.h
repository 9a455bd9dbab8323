/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Flattened files, as makedumpfile -F writes them: a block with a mark, then
 * records in any order, each an offset, a size and that many bytes for that
 * offset; -1 and -1 end them. Later records overwrite earlier ones, and what
 * none speaks of is zero. All values big endian.
 */
#ifndef GLUE_FLAT_FORMAT_H
#define GLUE_FLAT_FORMAT_H

#define FLAT_MARK      "makedumpfile"
#define FLAT_MARK_SIZE 16 /* padded with zeros */

#define FLAT_AT_TYPE     16
#define FLAT_AT_VERSION  24
#define FLAT_TYPE        1
#define FLAT_VERSION     1
#define FLAT_HEADER_SIZE 4096

#define FLAT_RECORD_AT_SIZE 8
#define FLAT_RECORD_SIZE    16
#define FLAT_END            UINT64_MAX

/* No dump of 48 bits of memory reaches this far. What lies behind one that broke off, on
 * a partition of an older one, looks like a record otherwise in one case of eight. */
#define FLAT_OFFSET_MAX ((uint64_t)1 << 52)

#endif

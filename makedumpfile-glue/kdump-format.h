/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Where things stand in a kdump-compressed file. The layout is that of
 * makedumpfile's diskdump_mod.h on a 64-bit machine; crash and libkdumpfile
 * read the same. All values little endian.
 */
#ifndef GLUE_KDUMP_FORMAT_H
#define GLUE_KDUMP_FORMAT_H

/* Block 0. */
#define KDUMP_SIGNATURE      "KDUMP   "
#define KDUMP_SIGNATURE_SIZE 8
#define KDUMP_VERSION        6 /* the one with 64-bit page frame numbers */

#define KDUMP_AT_VERSION       8
#define KDUMP_AT_UTSNAME       12 /* six names of 65 bytes */
#define KDUMP_AT_TIME_SEC      408
#define KDUMP_AT_TIME_USEC     416 /* always 0: a 32-bit header has block_size here */
#define KDUMP_AT_STATUS        424
#define KDUMP_AT_BLOCK_SIZE    428
#define KDUMP_AT_SUB_HDR_SIZE  432 /* in blocks */
#define KDUMP_AT_BITMAP_BLOCKS 436 /* both bitmaps together */
#define KDUMP_AT_MAX_MAPNR     440 /* 32 bits; see the sub header */
#define KDUMP_AT_NR_CPUS       460
#define KDUMP_HEADER_SIZE      464

/* header.status: the codecs used (enum page_codec), and this one. */
#define KDUMP_STATUS_INCOMPLETE 0x08
#define KDUMP_STATUS_CODECS     0x27

#define UTSNAME_FIELDS     6 /* sysname nodename release version machine domainname */
#define UTSNAME_FIELD_SIZE 65
#define UTSNAME_SYSNAME    0
#define UTSNAME_NODENAME   1
#define UTSNAME_RELEASE    2
#define UTSNAME_VERSION    3
#define UTSNAME_MACHINE    4

/* Block 1. */
#define KDUMP_SUB_AT_DUMP_LEVEL        8
#define KDUMP_SUB_AT_SPLIT             12
#define KDUMP_SUB_AT_START_PFN         16 /* before version 6 */
#define KDUMP_SUB_AT_END_PFN           24
#define KDUMP_SUB_AT_OFFSET_VMCOREINFO 32
#define KDUMP_SUB_AT_SIZE_VMCOREINFO   40
#define KDUMP_SUB_AT_OFFSET_NOTE       48
#define KDUMP_SUB_AT_SIZE_NOTE         56
#define KDUMP_SUB_AT_START_PFN_64      80 /* of this file of a split dump */
#define KDUMP_SUB_AT_END_PFN_64        88
#define KDUMP_SUB_AT_MAX_MAPNR_64      96
#define KDUMP_SUB_HEADER_SIZE          104

/*
 * One for each page of the second bitmap, in its order. Offset 0: the page
 * should be there but is not (crash: PAGE_INCOMPLETE).
 */
#define KDUMP_DESC_AT_OFFSET 0
#define KDUMP_DESC_AT_SIZE   8
#define KDUMP_DESC_AT_FLAGS  12
#define KDUMP_DESC_SIZE      24

/* crash maps the bitmaps; a host with 64 KiB pages can only if they start on
 * such a page. */
#define KDUMP_BITMAP_ALIGN 0x10000

#endif

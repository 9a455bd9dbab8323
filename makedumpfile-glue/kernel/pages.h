/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What each page of memory was used for, from the kernel's struct page array,
 * and from that which pages a dump level keeps. One pass over the array;
 * nothing here grows with the size of memory.
 *
 * Everything is taken from VMCOREINFO and tested against what must be so. A
 * key that is absent or contradicts itself switches off the filters that need
 * it: those pages are kept, and a note says so.
 */
#ifndef GLUE_KERNEL_PAGES_H
#define GLUE_KERNEL_PAGES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "lib/error.h"
#include "lib/vmcoreinfo.h"
#include "makedumpfile-glue/extents.h"
#include "makedumpfile-glue/source/source.h"

/* Dump levels are sums of these (makedumpfile(8), -d). */
#define DUMP_LEVEL_ZERO          1
#define DUMP_LEVEL_CACHE         2 /* page cache without private data */
#define DUMP_LEVEL_CACHE_PRIVATE 4 /* all page cache */
#define DUMP_LEVEL_USER          8
#define DUMP_LEVEL_FREE          16
#define DUMP_LEVEL_MAX           31
/* Those for which page types must be known. */
#define DUMP_LEVEL_TYPES (DUMP_LEVEL_MAX & ~DUMP_LEVEL_ZERO)

enum page_type {
	PAGE_TYPE_KERNEL, /* all that is nothing of the others */
	PAGE_TYPE_SLAB,
	PAGE_TYPE_FREE,
	PAGE_TYPE_UNACCEPTED, /* counts as free */
	PAGE_TYPE_CACHE,
	PAGE_TYPE_CACHE_PRIVATE,
	PAGE_TYPE_ANONYMOUS,
	PAGE_TYPE_HUGETLB,
	PAGE_TYPE_OFFLINE,  /* dropped at every level */
	PAGE_TYPE_POISONED, /* dropped at every level */
	PAGE_TYPE_UNKNOWN,  /* no struct page for it in the dump */
	PAGE_TYPES
};

/* "free", "cache", ... */
const char *page_type_name(enum page_type type);

/* Does that level drop such pages? */
bool page_type_dropped(enum page_type type, unsigned int level);

struct page_scan {
	uint64_t count[PAGE_TYPES]; /* pages of each type */
	struct extents kept;        /* frames the level keeps */
	unsigned int levels;        /* of the page tables; 0: there was no need */
	unsigned int filters;       /* bits of the dump level that work */
	bool done;                  /* false: no page's type is known */
	uint64_t spared;            /* dropped by type, kept to have fewer runs */
	char **notes;               /* what is off, and why; for people */
	size_t note_count;
};

/* Is there anything that is dropped even at level 0? */
bool pages_always_dropped(const struct vmcoreinfo *info);

/*
 * The pages in `pages` (frames of the source), sorted into types; kept are
 * those that `level` does not drop, in at most max_runs runs (0: no need for
 * kept). What cannot be found out ends in the notes, not in an error; info
 * may be NULL. Errors are lack of memory only.
 */
struct error *pages_scan(struct source *source, const struct vmcoreinfo *info,
			 unsigned int page_shift, const struct extents *pages,
			 unsigned int level, size_t max_runs, struct page_scan *ret)
	MUST_CHECK;
void page_scan_deinit(struct page_scan *scan);

/* One more line for scan->notes. */
void PRINTF_LIKE(2, 3) page_scan_note(struct page_scan *scan, const char *fmt, ...);

#endif

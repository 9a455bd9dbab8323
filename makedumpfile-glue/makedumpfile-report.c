/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "makedumpfile-glue/makedumpfile-report.h"

#include <inttypes.h>
#include <string.h>

#include "makedumpfile-glue/destination.h"

void makedumpfile_done(FILE *out, const struct dump *dump,
		       const struct save_options *options, const struct save_counts *c)
{
	size_t i;

	(void)dump;
	if (options->dry_run)
		return;
	fprintf(out, "\nThe dumpfile%s saved to ", options->part_count > 1 ? "s are" : " is");
	for (i = 0; i < options->part_count; i++)
		fprintf(out, "%s%s", i ? ", " : "", destination_name(options->parts[i]));
	fprintf(out, ".\n\nmakedumpfile Completed%s.\n", c->lost ? ", with pages missing" : "");
}

void makedumpfile_report(FILE *out, const struct dump *dump,
			 const struct save_options *options, const struct save_counts *c)
{
	const uint64_t zero = options->level & DUMP_LEVEL_ZERO ? c->zero : 0;
	const struct {
		const char *label;
		uint64_t pages;
	} rows[] = {
		{ "Pages filled with zero  ", zero },
		{ "Non-private cache pages ", c->dropped[PAGE_TYPE_CACHE] },
		{ "Private cache pages     ", c->dropped[PAGE_TYPE_CACHE_PRIVATE] },
		{ "User process data pages ", c->dropped[PAGE_TYPE_ANONYMOUS] +
					      c->dropped[PAGE_TYPE_HUGETLB] },
		{ "Free pages              ", c->dropped[PAGE_TYPE_FREE] +
					      c->dropped[PAGE_TYPE_UNACCEPTED] },
		{ "Hwpoison pages          ", c->dropped[PAGE_TYPE_POISONED] },
		{ "Offline pages           ", c->dropped[PAGE_TYPE_OFFLINE] },
	};
	const uint64_t total = extents_total(&dump->pages);
	const uint64_t span = extents_end(&dump->present);
	uint64_t excluded = 0;
	size_t i;

	for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
		excluded += rows[i].pages;
	fprintf(out, "\nOriginal pages  : 0x%016" PRIx64 "\n", total);
	fprintf(out, "  Excluded pages   : 0x%016" PRIx64 "\n", excluded);
	for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
		fprintf(out, "    %s: 0x%016" PRIx64 "\n", rows[i].label, rows[i].pages);
	fprintf(out, "  Remaining pages  : 0x%016" PRIx64 "\n", total - excluded);
	fprintf(out, "  (The number of pages is reduced to %" PRIu64 "%%.)\n",
		total ? (total - excluded) * 100 / total : 100);
	fprintf(out, "Memory Hole     : 0x%016" PRIx64 "\n", span - total);
	fprintf(out, "--------------------------------------------------\n");
	fprintf(out, "Total pages     : 0x%016" PRIx64 "\n", span);
	if (!options->dry_run)
		fprintf(out, "Write bytes     : %" PRIu64 "\n", c->bytes_out);
	makedumpfile_done(out, dump, options, c);
}

struct error *makedumpfile_mem_usage(const struct dump *dump)
{
	static const struct {
		const char *name;
		const char *excludable;
		const char *what;
		unsigned int bits; /* of the level, that drop such pages */
	} rows[] = {
		{ "NON_PRI_CACHE", "yes", "Cache pages without private flag", DUMP_LEVEL_CACHE },
		{ "PRI_CACHE", "yes", "Cache pages with private flag",
		  DUMP_LEVEL_CACHE_PRIVATE },
		{ "USER", "yes", "User process pages", DUMP_LEVEL_USER },
		{ "FREE", "yes", "Free pages", DUMP_LEVEL_FREE },
	};
	const uint64_t total = extents_total(&dump->pages);
	struct page_scan scan;
	uint64_t named = 0;
	struct error *err;
	size_t i;

	err = pages_scan(dump->source, dump->vmcoreinfo, dump->page_shift, &dump->pages,
			 DUMP_LEVEL_MAX, 0, &scan);
	if (err)
		return err;
	if (!scan.done) {
		err = error_new(ERROR_UNSUPPORTED, "%s: %s", dump->path,
				scan.note_count ? scan.notes[0] :
						  "page types are not known");
		page_scan_deinit(&scan);
		return err;
	}
	printf("%-15s %-23s %-15s %s\n", "TYPE", "PAGES", "EXCLUDABLE", "DESCRIPTION");
	printf("----------------------------------------------------------------------\n");
	for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		uint64_t pages = 0;
		unsigned int type;

		/* The cache without private data is dropped by 4 as well. */
		for (type = 0; type < PAGE_TYPES; type++)
			if (!page_type_dropped(type, 0) &&
			    page_type_dropped(type, rows[i].bits) &&
			    (rows[i].bits != DUMP_LEVEL_CACHE_PRIVATE ||
			     !page_type_dropped(type, DUMP_LEVEL_CACHE)))
				pages += scan.count[type];
		named += pages;
		printf("%-15s %-23" PRIu64 " %-15s %s\n", rows[i].name, pages,
		       rows[i].excludable, rows[i].what);
	}
	printf("%-15s %-23" PRIu64 " %-15s %s\n\n", "KERN_DATA", total - named, "no",
	       "Dumpable kernel data, and pages filled with zero");
	printf("page size:              %-16" PRIu64 "\n", (uint64_t)1 << dump->page_shift);
	printf("Total pages on system:  %-16" PRIu64 "\n", total);
	printf("Total size on system:   %-16" PRIu64 " Byte\n", total << dump->page_shift);
	page_scan_deinit(&scan);
	return NULL;
}

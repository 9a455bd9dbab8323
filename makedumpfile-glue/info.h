/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What vmcore info knows about a dump before it prints it. */
#ifndef GLUE_INFO_H
#define GLUE_INFO_H

#include "makedumpfile-glue/dump.h"
#include "makedumpfile-glue/kernel/log.h"
#include "makedumpfile-glue/kernel/pages.h"

#define INFO_TEXT_SIZE 512

struct info_facts {
	const struct dump *dump;
	/* Printable; NULL: not known. */
	char *release, *version, *host, *build_id;
	char *panic; /* the line of the log */
	uint64_t page_size;
	struct log_counts log;
	struct error *log_error;
	char vmlinux[INFO_TEXT_SIZE];
	char *command;
	int64_t section_bits; /* 0: not known */
	struct page_scan scan;
};

/* Reads the log and scans the struct pages of *dump, which must outlive *f. Also
 * after an error *f is to be deinitialised. */
struct error *info_facts(const struct dump *dump, struct info_facts *f);
void info_facts_deinit(struct info_facts *f);

/* Pages that a dump of that level holds; zero pages are told only by reading
 * all of them, and count as kept. */
uint64_t info_kept_pages(const struct info_facts *f, unsigned int level);

bool info_flattened(const struct source *source);

/* On standard output. */
void info_print_text(const struct info_facts *f);
void info_print_json(const struct info_facts *f);

#endif

/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A dump of any format vmcore reads: opened, some pages and the log read. */
#include "makedumpfile-glue/dump.h"
#include "makedumpfile-glue/kernel/log.h"
#include "tests/fuzz/fuzz.h"

static struct error *drop(const struct log_record *record, void *arg)
{
	char *line cleanup_free = NULL;
	size_t len;

	(void)arg;
	return log_format(record, &line, &len);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static uint8_t pages[4 << 16];
	const struct dump_options options = { 0 };
	char path[FUZZ_PATH_SIZE];
	struct log_counts counts;
	struct error *err, *why = NULL;
	struct dump *dump;
	int fd = fuzz_file(data, size, path);
	bool lost[4] = { 0 };
	size_t i;

	err = dump_open(path, &options, &dump);
	if (err) {
		error_free(err);
		close(fd);
		return 0;
	}
	for (i = 0; i < dump->pages.count && i < 8; i++) {
		const struct extent *run = &dump->pages.run[i];
		uint64_t count = run->end - run->start;

		dump_read_pages(dump, run->start, count < 4 ? count : 4, pages, lost,
				&why);
		dump_read_pages(dump, run->end - 1, 1, pages, lost, &why);
	}
	error_free(why);
	if (dump->vmcoreinfo)
		error_free(log_read(dump->source, dump->vmcoreinfo, drop, NULL, &counts));
	dump_close(dump);
	close(fd);
	return 0;
}

/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * codecs VMCORE LEVEL DIR: what the codecs alone take for the pages that a level
 * keeps, one thread, all pages in memory before; what is saved by pages that
 * never reach a codec; and as the limit what nobody is spared: the others packed,
 * all that is kept read once, as many bytes as come out written into DIR.
 */
#include "config.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "lib/units.h"
#include "makedumpfile-glue/compress.h"
#include "makedumpfile-glue/dump.h"
#include "makedumpfile-glue/kernel/pages.h"
#include "makedumpfile-glue/page-tests.h"
#include "makedumpfile-glue/progress.h"
#include "makedumpfile-glue/repeats.h"

#define ROUNDS 3

/* Read and written at a time. */
#define PIECE ((size_t)512 << 10)

/* More than this is a sample: every so many-th page. */
#define MEMORY_MAX ((uint64_t)1 << 30)

struct pages {
	uint8_t *data;
	size_t size; /* of one */
	size_t count;
	size_t zero, repeated, random; /* of all there were */
	struct page_scan scan;
	double part; /* count by all that are not zero */
	bool *skipped;
};

static void fail(struct error *err)
{
	error_print(stderr, "codecs", err);
	exit(1);
}

/* All kept pages that are not zero. */
static void load(struct dump *dump, unsigned int level, struct pages *p)
{
	struct page_scan *scan = &p->scan;
	struct repeats *seen = NULL;
	struct repeat before;
	uint64_t frame, kept, step, room, n = 0;
	struct error *err = pages_scan(dump->source, dump->vmcoreinfo, dump->page_shift,
				       &dump->pages, level, SIZE_MAX / 2, scan);
	size_t i;

	if (!err)
		err = repeats_create((size_t)64 << 20, &seen);
	if (err)
		fail(err);
	p->size = (size_t)1 << dump->page_shift;
	kept = extents_total(&scan->kept);
	room = MEMORY_MAX / p->size;
	p->data = malloc((kept < room ? kept : room) * p->size);
	p->skipped = calloc(kept < room ? kept : room, sizeof(*p->skipped));
	if (!p->data || !p->skipped)
		fail(error_nomem());
	step = 1;
again:
	p->count = p->zero = p->repeated = p->random = n = 0;
	repeats_clear(seen);
	for (i = 0; i < scan->kept.count; i++)
		for (frame = scan->kept.run[i].start; frame < scan->kept.run[i].end; frame++) {
			uint8_t page[65536];
			bool lost;
			struct error *why = NULL;
			struct repeat this = { .frame = frame, .place = p->count };

			dump_read_pages(dump, frame, 1, page, &lost, &why);
			error_free(why);
			if (lost || page_is_zero(page, p->size)) {
				p->zero++;
				continue;
			}
			this.key = page_key(page, p->size);
			if (n++ % step)
				continue;
			if (p->count == room) {
				step *= 2;
				goto again;
			}
			memcpy(p->data + p->count * p->size, page, p->size);
			if (repeats_find(seen, this.key, false, &before) &&
			    !memcmp(p->data + before.place * p->size, page, p->size)) {
				p->repeated++;
				p->skipped[p->count] = true;
			} else if (page_looks_random(page, p->size)) {
				p->random++;
				p->skipped[p->count] = true;
			}
			repeats_add(seen, &this);
			p->count++;
		}
	p->part = n ? (double)p->count / n : 1;
	repeats_destroy(seen);
}

/* Seconds to read all that is kept, zeros too; the least of some rounds. */
static double read_all(struct dump *dump, const struct pages *p)
{
	const size_t at_once = PIECE / p->size;
	uint8_t *to = malloc(PIECE);
	bool *lost = calloc(at_once, sizeof(*lost));
	double least = 0;
	size_t i;
	int round;

	if (!to || !lost)
		fail(error_nomem());
	for (round = 0; round < ROUNDS; round++) {
		double started = progress_now(), took;

		for (i = 0; i < p->scan.kept.count; i++) {
			uint64_t at = p->scan.kept.run[i].start, end = p->scan.kept.run[i].end;

			while (at < end) {
				size_t n = end - at < at_once ? end - at : at_once;
				struct error *why = NULL;

				dump_read_pages(dump, at, n, to, lost, &why);
				error_free(why);
				at += n;
			}
		}
		took = progress_now() - started;
		if (!round || took < least)
			least = took;
	}
	free(to);
	free(lost);
	return least;
}

/* Seconds to write so many bytes into a new file. */
static double write_all(const char *dir, size_t bytes)
{
	uint8_t *from = calloc(1, PIECE);
	char *path;
	double least = 0;
	int round;

	if (!from || asprintf(&path, "%s/written", dir) < 0)
		fail(error_nomem());
	for (round = 0; round < ROUNDS; round++) {
		double started = progress_now(), took;
		size_t done = 0;
		int fd;
		struct error *err = file_open(path, O_WRONLY | O_CREAT | O_EXCL, 0600, &fd);

		for (; !err && done < bytes; done += PIECE)
			err = fd_write(fd, path, from, bytes - done < PIECE ? bytes - done : PIECE);
		took = progress_now() - started;
		if (err)
			fail(err);
		close(fd);
		unlink(path);
		if (!round || took < least)
			least = took;
	}
	free(from);
	free(path);
	return least;
}

/* Seconds for all of them, or for those that reach a codec; the least of some
 * rounds, as if none had been left out of the sample. */
static double pack_all(const struct pages *p, struct packer *packer, uint8_t *to,
		       bool skip, size_t *ret_size)
{
	double least = 0;
	int round;

	for (round = 0; round < ROUNDS; round++) {
		double started = progress_now(), took;
		size_t size = 0, i;

		for (i = 0; i < p->count; i++) {
			size_t packed;

			if (skip && p->skipped[i])
				continue;
			packed = packer_pack(packer, p->data + i * p->size, p->size, to);
			size += packed ? packed : p->size;
		}
		took = (progress_now() - started) / p->part;
		if (!round || took < least)
			least = took;
		*ret_size = size / p->part;
	}
	return least;
}

int main(int argc, char **argv)
{
	static const enum page_codec codecs[] = { PAGE_ZLIB, PAGE_ZSTD, PAGE_LZO, PAGE_SNAPPY };
	const struct dump_options options = { 0 };
	struct pages p = { 0 };
	struct dump *dump;
	double moving;
	uint64_t level;
	uint8_t *to;
	struct error *err;
	size_t i;

	if (argc != 4 || !parse_size(argv[2], &level) || level > DUMP_LEVEL_MAX) {
		fputs("usage: codecs VMCORE LEVEL DIR\n", stderr);
		return 1;
	}
	err = dump_open(argv[1], &options, &dump);
	if (err)
		fail(err);
	load(dump, level, &p);
	printf("%zu pages of zeros; %zu others%s, of these %zu repeat others, %zu look "
	       "random\n", p.zero, p.count, p.part < 1 ? " (a sample)" : "", p.repeated,
	       p.random);
	moving = read_all(dump, &p);
	to = malloc(p.size + packer_slack(p.size));
	for (i = 0; i < sizeof(codecs) / sizeof(codecs[0]) && to; i++) {
		struct packer *packer;
		size_t all, some;
		double seconds, rest, limit;

		if (!page_codec_built(codecs[i]))
			continue;
		err = packer_create(codecs[i], &packer);
		if (err)
			fail(err);
		seconds = pack_all(&p, packer, to, false, &all);
		rest = pack_all(&p, packer, to, true, &some);
		limit = rest + moving + write_all(argv[3], some + p.random * p.size);
		printf("%-6s %.3f s, %zu bytes; %.3f s and %zu bytes for those that reach it; "
		       "limit %.3f s\n", page_codec_name(codecs[i]), seconds, all, rest, some,
		       limit);
		packer_destroy(packer);
	}
	printf("zlib by %s; reading all that is kept %.3f s\n", compress_library(), moving);
	page_scan_deinit(&p.scan);
	free(to);
	free(p.data);
	free(p.skipped);
	dump_close(dump);
	return 0;
}

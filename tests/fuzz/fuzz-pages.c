/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Types of pages, of a kernel with 1 MiB of memory that is right but for the
 * input. Its first byte chooses what kernel that is; then come changes: three
 * bytes say where, one how many bytes and one what is put there, in memory or,
 * beyond its end, in the text of VMCOREINFO. Every page must be counted once,
 * and what is kept must be there.
 */
#include <string.h>

#include "lib/bytes.h"
#include "lib/loongarch.h"
#include "makedumpfile-glue/kernel/pages.h"
#include "tests/fuzz/fuzz.h"

#define MEMORY_SIZE ((size_t)1 << 20)
#define FRAMES      (MEMORY_SIZE >> 12)
#define BLOCKS      ((FRAMES - 64) / 16)
#define WINDOW      LOONGARCH_WINDOW_CACHED
#define VMEMMAP     0xffffffff00000000
#define SECTIONS    0x8000
#define STRUCTS     0x10000
#define STRUCT_SIZE 64
#define NODE        0x20000
#define AREAS       256
#define AREA_SIZE   40
#define ORDERS      6
#define TYPES       2
#define TABLES      0x30000 /* one for each level */
#define TEXT_SIZE   4096

enum { NO_VMEMMAP = 1, NO_TYPE = 2, OLD = 4, MASK = 8 }; /* the first byte */

static uint8_t memory[MEMORY_SIZE];
static char text[TEXT_SIZE];

static uint8_t *struct_page(uint64_t frame)
{
	return memory + STRUCTS + frame * STRUCT_SIZE;
}

static uint64_t address(unsigned int kind, uint64_t frame)
{
	return (kind & NO_VMEMMAP ? WINDOW + STRUCTS : VMEMMAP) + frame * STRUCT_SIZE;
}

static void put_page(uint64_t frame, uint64_t flags, uint64_t mapping, uint32_t mapcount,
		     uint32_t refcount)
{
	uint8_t *page = struct_page(frame);

	put_le64(page, flags);
	put_le64(page + 24, mapping);
	put_le32(page + 48, mapcount);
	put_le32(page + 52, refcount);
}

/* Frames from 64 on: a free block, one page of each other kind, a compound one. */
static void put_pages(unsigned int kind)
{
	const uint32_t buddy = kind & OLD ? ~0x80u : 0xf0000000;
	uint64_t frame, before = WINDOW + NODE + AREAS + 2 * AREA_SIZE, i;
	uint8_t *head = memory + NODE + AREAS + 2 * AREA_SIZE;

	for (frame = 0; frame < FRAMES; frame++)
		put_page(frame, 1 << 12, 0, UINT32_MAX, 1);
	for (frame = 64; frame < FRAMES; frame += 16) {
		uint64_t entry = address(kind, frame) + 8;

		for (i = 0; i < 4; i++)
			put_page(frame + i, 0, 0, i ? UINT32_MAX : buddy, 0);
		put_le64(struct_page(frame) + 40, 2);
		put_le64(struct_page(frame) + 16, before);
		put_le64(before == WINDOW + NODE + AREAS + 2 * AREA_SIZE ?
				 head : struct_page(frame - 16) + 8, entry);
		before = entry;
		put_page(frame + 4, 1 << 5, WINDOW + 0x1000, UINT32_MAX, 1);
		put_page(frame + 5, 1 << 5 | 1 << 17, WINDOW + 0x1001, 0, 1);
		put_page(frame + 6, kind & OLD ? 1 << 9 : 0, WINDOW + 0x777,
			 kind & OLD ? UINT32_MAX : 0xf5000000, 1);
		put_page(frame + 7, 1 << 21, 0, UINT32_MAX, 1);
		put_page(frame + 8, 1 << 6, WINDOW + 0x1001, kind & OLD ? UINT32_MAX : 0xf4000000, 1);
		for (i = 1; i < 4; i++) {
			put_page(frame + 8 + i, i == 1 ? 2 | 1 << 8 : 0, 0, UINT32_MAX, 0);
			put_le64(struct_page(frame + 8 + i) + 8,
				 kind & MASK ? (0 - (uint64_t)(STRUCT_SIZE * 4)) | 1 :
					       address(kind, frame + 8) | 1);
		}
	}
	put_le64(struct_page(FRAMES - 16) + 8, WINDOW + NODE + AREAS + 2 * AREA_SIZE);
	put_le64(head + 8, before);
}

static void build(unsigned int kind)
{
	uint64_t i, order, type;
	size_t len;

	memset(memory, 0, sizeof(memory));
	put_le64(memory + SECTIONS, (kind & NO_VMEMMAP ? WINDOW + STRUCTS : VMEMMAP) | 3);
	for (i = 0; i < 3; i++) {
		uint8_t *table = memory + TABLES + i * 4096;
		unsigned int index = VMEMMAP >> (30 - 9 * i) & 511;

		put_le64(table + 8 * index, WINDOW + TABLES + (i + 1) * 4096);
	}
	for (i = 0; i < 4; i++)
		put_le64(memory + TABLES + 2 * 4096 + 8 * i, (STRUCTS + i * 4096) | 0x1d3);
	put_le32(memory + NODE + 4096, 1);
	for (order = 0; order < ORDERS; order++)
		for (type = 0; type < TYPES; type++) {
			uint64_t at = NODE + AREAS + order * AREA_SIZE + 16 * type;

			put_le64(memory + at, WINDOW + at);
			put_le64(memory + at + 8, WINDOW + at);
		}
	put_pages(kind);
	len = snprintf(text, sizeof(text),
		"OSRELEASE=fuzz\nPAGESIZE=4096\n"
		"SYMBOL(_stext)=9000000000001000\nSYMBOL(swapper_pg_dir)=%llx\n"
		"SYMBOL(mem_section)=%llx\nLENGTH(mem_section)=16\nSIZE(mem_section)=16\n"
		"OFFSET(mem_section.section_mem_map)=0\nNUMBER(SECTION_SIZE_BITS)=20\n"
		"NUMBER(MAX_PHYSMEM_BITS)=24\nSIZE(page)=64\nOFFSET(page.flags)=0\n"
		"OFFSET(page.lru)=8\nOFFSET(page.compound_head)=8\nOFFSET(page.mapping)=24\n"
		"OFFSET(page.private)=40\nOFFSET(page._mapcount)=48\n"
		"OFFSET(page._refcount)=52\nSYMBOL(contig_page_data)=%llx\nSIZE(zone)=2048\n"
		"OFFSET(pglist_data.node_zones)=0\nOFFSET(pglist_data.nr_zones)=4096\n"
		"OFFSET(zone.free_area)=256\nSIZE(free_area)=40\nSIZE(list_head)=16\n"
		"OFFSET(free_area.free_list)=0\nOFFSET(list_head.next)=0\n"
		"OFFSET(list_head.prev)=8\nLENGTH(zone.free_area)=6\n"
		"LENGTH(free_area.free_list)=2\nNUMBER(PG_lru)=5\nNUMBER(PG_private)=14\n"
		"NUMBER(PG_swapcache)=10\nNUMBER(PG_swapbacked)=17\nNUMBER(PG_hwpoison)=21\n"
		"NUMBER(PG_head_mask)=64\n",
		WINDOW + TABLES + 0ull, WINDOW + SECTIONS + 0ull, WINDOW + NODE + 0ull);
	if (!(kind & NO_VMEMMAP))
		len += snprintf(text + len, sizeof(text) - len, "SYMBOL(vmemmap)=%llx\n",
				VMEMMAP + 0ull);
	if (kind & OLD)
		len += snprintf(text + len, sizeof(text) - len,
				"NUMBER(PG_slab)=9\nNUMBER(PG_hugetlb)=8\n%s",
				kind & NO_TYPE ? "" : "NUMBER(PAGE_BUDDY_MAPCOUNT_VALUE)=-129\n");
	else
		len += snprintf(text + len, sizeof(text) - len,
				"NUMBER(PAGE_SLAB_MAPCOUNT_VALUE)=-184549376\n"
				"NUMBER(PAGE_HUGETLB_MAPCOUNT_VALUE)=-201326592\n%s",
				kind & NO_TYPE ? "" : "NUMBER(PAGE_BUDDY_MAPCOUNT_VALUE)="
						      "-268435456\n");
}

static struct error *read_memory(struct source *source, uint64_t phys, void *to, size_t len)
{
	(void)source;
	if (phys > MEMORY_SIZE || len > MEMORY_SIZE - phys)
		abort();
	memcpy(to, memory + phys, len);
	return NULL;
}

static void change(const uint8_t *data, size_t size)
{
	for (; size >= 5; data += 5, size -= 5) {
		size_t at = data[0] | data[1] << 8 | (data[2] & 0x1f) << 16;
		size_t len = data[3] % 8 + 1;

		if (at < MEMORY_SIZE)
			memset(memory + at, data[4], len < MEMORY_SIZE - at ? len : 1);
		else if (strlen(text) > len)
			memset(text + at % (strlen(text) - len), data[4] ? data[4] : '0', len);
	}
}

static void check(const struct page_scan *scan, bool changed)
{
	uint64_t total = 0;
	size_t i;

	for (i = 0; i < PAGE_TYPES; i++)
		total += scan->count[i];
	if (total != FRAMES || extents_end(&scan->kept) > FRAMES)
		abort();
	if (!changed && (scan->count[PAGE_TYPE_FREE] != BLOCKS * 4 ||
			 scan->count[PAGE_TYPE_HUGETLB] != BLOCKS * 4 ||
			 scan->count[PAGE_TYPE_ANONYMOUS] != BLOCKS))
		abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const struct source_ops ops = { .format = "fuzz", .read = read_memory };
	struct extent ram = { 0, MEMORY_SIZE }, frames = { 0, FRAMES };
	struct source source = { .ops = &ops, .path = "fuzz", .memory = { &ram, 1, 1 } };
	const struct extents pages = { &frames, 1, 1 };
	struct vmcoreinfo *info;
	struct page_scan scan;
	struct error *err;

	if (!size)
		return 0;
	build(data[0]);
	change(data + 1, size - 1);
	err = vmcoreinfo_create(text, strlen(text), &info);
	if (!err) {
		err = pages_scan(&source, info, 12, &pages, data[0] & 0x80 ? 31 : 16, 40, &scan);
		if (!err) {
			check(&scan, size > 1);
			page_scan_deinit(&scan);
		}
		vmcoreinfo_destroy(info);
	}
	error_free(err);
	return 0;
}

/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "makedumpfile-glue/kernel/find.h"

#include <stdlib.h>
#include <string.h>

#include "lib/bytes.h"
#include "lib/elfcore.h"
#include "lib/loongarch.h"
#include "makedumpfile-glue/kernel/memory.h"
#include "makedumpfile-glue/kernel/page-map.h"

/* Every page of every page size begins on such a boundary. */
#define STEP       ((size_t)4096)
#define CHUNK_SIZE ((size_t)1 << 20)

/* Header and name of the note; the text follows. */
#define NOTE_HEAD 24

#define TEXT_MARK "OSRELEASE="

/* Memory full of copies is somebody's test or somebody's trap. */
#define COPIES_MAX 4096
/* Of those that agree with the memory; each costs a walk through page tables. */
#define OWNERS_MAX 256

/* The kernel image of any configuration is smaller. */
#define IMAGE_SIZE_MAX ((uint64_t)256 << 20)

/* A VMCOREINFO that differs from all others found. */
struct copy {
	struct vmcoreinfo *info;
	uint64_t phys;
	bool checked;
	bool owned; /* it lies in a page of that kernel's own */
	bool build_id_fits;
	size_t votes; /* addresses of find_hints.text that lie in its image */
};

struct place {
	uint64_t phys; /* of the text */
	size_t size;   /* its length at most */
};

struct finder {
	struct source *source;
	struct place *places;
	size_t place_count;
	struct copy *copies;
	size_t copy_count;
	size_t owners_asked;
};

bool find_utsname(struct source *source, const struct vmcoreinfo *info,
		  utsname_fields ret)
{
	const char *release = vmcoreinfo_string(info, "OSRELEASE");
	utsname_fields name;
	uint64_t symbol, offset;
	struct error *err;
	unsigned int i;

	if (!release || !vmcoreinfo_symbol(info, "init_uts_ns", &symbol) ||
	    !vmcoreinfo_offset(info, "uts_namespace.name", &offset))
		return false;
	err = memory_read(source, symbol + offset, name, sizeof(name));
	if (err) {
		error_free(err);
		return false;
	}
	for (i = 0; i < UTSNAME_FIELDS; i++)
		if (!memchr(name[i], 0, sizeof(name[i])))
			return false;
	if (strcmp(name[UTSNAME_SYSNAME], "Linux") ||
	    strcmp(name[UTSNAME_RELEASE], release))
		return false;
	memcpy(ret, name, sizeof(name));
	return true;
}

static struct error *add_place(struct finder *f, uint64_t phys, size_t size)
{
	struct place *grown;

	if (f->place_count == COPIES_MAX)
		return NULL;
	grown = reallocarray(f->places, f->place_count + 1, sizeof(*grown));
	if (!grown)
		return error_nomem();
	f->places = grown;
	f->places[f->place_count++] = (struct place){ phys, size };
	return NULL;
}

/* Is this page's start what we look for? *ret_skip: where its text begins. In
 * the kernel's own pages zeros end the text; in a file's page the note's size
 * must. */
static bool begins_text(const uint8_t *page, size_t *ret_skip, size_t *ret_size)
{
	if (!memcmp(page, TEXT_MARK, sizeof(TEXT_MARK) - 1)) {
		*ret_skip = 0;
		*ret_size = VMCOREINFO_SIZE_MAX;
		return true;
	}
	*ret_skip = NOTE_HEAD;
	*ret_size = get_le32(page + 4);
	return get_le32(page) == sizeof(ELF_NOTE_VMCOREINFO) && !get_le32(page + 8) &&
	       !memcmp(page + 12, ELF_NOTE_VMCOREINFO, sizeof(ELF_NOTE_VMCOREINFO)) &&
	       !memcmp(page + NOTE_HEAD, TEXT_MARK, sizeof(TEXT_MARK) - 1);
}

static struct error *look_at(struct finder *f, const uint8_t *data, size_t size,
			     uint64_t phys)
{
	struct error *err = NULL;
	size_t at, skip, text;

	for (at = 0; at + STEP <= size && !err; at += STEP)
		if (begins_text(data + at, &skip, &text))
			err = add_place(f, phys + at + skip, text);
	return err;
}

/* Where a chunk cannot be read as a whole, its pages may. */
static struct error *scan_pages(struct finder *f, uint64_t phys, uint64_t end,
				uint8_t *room)
{
	struct error *err = NULL;

	for (; phys + STEP <= end && !err; phys += STEP) {
		struct error *unread = source_read(f->source, phys, room, STEP);

		if (!unread)
			err = look_at(f, room, STEP, phys);
		error_free(unread);
	}
	return err;
}

static struct error *scan_run(struct finder *f, const struct extent *run, uint8_t *room)
{
	uint64_t phys = align_up(run->start, STEP);

	while (phys < run->end) {
		uint64_t data = source_next_data(f->source, phys), n;
		struct error *err;

		if (data >= run->end)
			break;
		if (data > phys)
			phys = align_down(data, STEP);
		n = run->end - phys < CHUNK_SIZE ? run->end - phys : CHUNK_SIZE;
		err = source_read(f->source, phys, room, n);
		if (err) {
			error_free(err);
			err = scan_pages(f, phys, phys + n, room);
		} else {
			err = look_at(f, room, n, phys);
		}
		if (err)
			return err;
		phys += n;
	}
	return NULL;
}

/* The text there as VMCOREINFO, or NULL when it makes none. */
static struct error *parse_place(struct finder *f, struct place place,
				 struct vmcoreinfo **ret)
{
	const struct extents *memory = &f->source->memory;
	const uint64_t end = memory->run[extents_find(memory, place.phys)].end;
	char *text cleanup_free = NULL;
	uint64_t symbol, page_size;
	size_t size = place.size;
	struct error *err;

	*ret = NULL;
	if (size > VMCOREINFO_SIZE_MAX)
		return NULL;
	if (size > end - place.phys)
		size = end - place.phys;
	text = malloc(size + 1);
	if (!text)
		return error_nomem();
	/* The pages behind the one it is in may be unreadable. */
	for (err = source_read(f->source, place.phys, text, size); err && size > STEP;) {
		error_free(err);
		size /= 2;
		err = source_read(f->source, place.phys, text, size);
	}
	if (!err)
		err = vmcoreinfo_create(text, size, ret);
	if (err && err->code == ERROR_NOMEM)
		return err;
	error_free(err);
	if (*ret && (!vmcoreinfo_page_size(*ret, &page_size) ||
		     !vmcoreinfo_symbol(*ret, "init_uts_ns", &symbol))) {
		vmcoreinfo_destroy(*ret);
		*ret = NULL;
	}
	return NULL;
}

static bool same_text(const struct vmcoreinfo *a, const struct vmcoreinfo *b)
{
	size_t a_size, b_size;
	const char *a_text = vmcoreinfo_text(a, &a_size);
	const char *b_text = vmcoreinfo_text(b, &b_size);

	return a_size == b_size && !memcmp(a_text, b_text, a_size);
}

/* Do both speak of one kernel? What the kernel adds when it crashes is no
 * difference, nor is what a page that was overwritten lost. */
static bool same_kernel(const struct vmcoreinfo *a, const struct vmcoreinfo *b)
{
	const char *a_id = vmcoreinfo_string(a, "BUILD-ID");
	const char *b_id = vmcoreinfo_string(b, "BUILD-ID");
	uint64_t a_uts = 0, b_uts = 0;

	vmcoreinfo_symbol(a, "init_uts_ns", &a_uts);
	vmcoreinfo_symbol(b, "init_uts_ns", &b_uts);
	return a_uts == b_uts && !strcmp(vmcoreinfo_string(a, "OSRELEASE"),
					 vmcoreinfo_string(b, "OSRELEASE")) &&
	       (!a_id || !b_id || !strcmp(a_id, b_id));
}

/* Is the address in the image of that kernel? *ret_start: where that begins. */
static bool may_be_in(const struct copy *copy, uint64_t phys, uint64_t *ret_start)
{
	uint64_t text;

	return copy->checked && vmcoreinfo_symbol(copy->info, "_stext", &text) &&
	       loongarch_window_to_phys(text, ret_start) && phys >= *ret_start &&
	       phys - *ret_start < IMAGE_SIZE_MAX;
}

/* How long an image is nobody says: an address is of the one that begins last before it. */
static void count_votes(struct finder *f, const struct find_hints *hints)
{
	uint64_t phys, start, last;
	size_t i, k;

	for (i = 0; i < hints->text_count; i++) {
		if (!loongarch_window_to_phys(hints->text[i], &phys))
			continue;
		for (k = 0, last = 0; k < f->copy_count; k++)
			if (may_be_in(&f->copies[k], phys, &start) && start > last)
				last = start;
		for (k = 0; k < f->copy_count; k++)
			f->copies[k].votes += may_be_in(&f->copies[k], phys, &start) &&
					      start == last;
	}
}

/* Does its kernel use the page at phys for itself? Files that are cached may hold a text
 * of that very kernel, of a crash before it was booted again; so may pages that are free. */
static struct error *find_owner(struct finder *f, struct copy *copy, uint64_t phys)
{
	struct page_scan scan = { 0 };
	struct page_map map;
	uint64_t page_size;
	struct error *err;
	bool found;

	if (!copy->checked || copy->owned || f->owners_asked == OWNERS_MAX ||
	    !vmcoreinfo_page_size(copy->info, &page_size))
		return NULL;
	f->owners_asked++;
	err = page_map_init(&map, f->source, copy->info, __builtin_ctzll(page_size), &scan,
			    &found);
	copy->owned = !err && found && page_map_is_kernels(&map, phys);
	if (copy->owned)
		copy->phys = phys;
	page_map_deinit(&map);
	page_scan_deinit(&scan);
	return err;
}

static struct error *add_copy(struct finder *f, const struct find_hints *hints,
			      struct place place)
{
	struct copy copy = { .phys = place.phys }, *grown;
	utsname_fields name;
	const char *build_id;
	struct error *err = parse_place(f, place, &copy.info);
	size_t i;

	if (err || !copy.info)
		return err;
	for (i = 0; i < f->copy_count; i++)
		if (same_text(f->copies[i].info, copy.info)) {
			vmcoreinfo_destroy(copy.info);
			return find_owner(f, &f->copies[i], place.phys);
		}
	build_id = vmcoreinfo_string(copy.info, "BUILD-ID");
	copy.checked = find_utsname(f->source, copy.info, name);
	copy.build_id_fits = hints->build_id && build_id && !strcmp(build_id, hints->build_id);
	err = find_owner(f, &copy, place.phys);
	grown = err ? NULL : reallocarray(f->copies, f->copy_count + 1, sizeof(*grown));
	if (!grown) {
		vmcoreinfo_destroy(copy.info);
		return err ? err : error_nomem();
	}
	f->copies = grown;
	f->copies[f->copy_count++] = copy;
	return NULL;
}

/* Is a the better answer? What disagrees with the memory is none if anything
 * else is at hand. */
static bool is_better(const struct copy *a, const struct copy *b)
{
	size_t a_size, b_size;
	bool a_crashed, b_crashed;

	if (a->checked != b->checked)
		return a->checked;
	if (a->owned != b->owned)
		return a->owned;
	if (a->build_id_fits != b->build_id_fits)
		return a->build_id_fits;
	if (!same_kernel(a->info, b->info)) {
		if (a->votes != b->votes)
			return a->votes > b->votes;
		a_crashed = vmcoreinfo_string(a->info, "CRASHTIME");
		b_crashed = vmcoreinfo_string(b->info, "CRASHTIME");
		return a_crashed && !b_crashed;
	}
	/* The longer one of the same kernel: the other was cut, or is from
	 * before the crash. */
	vmcoreinfo_text(a->info, &a_size);
	vmcoreinfo_text(b->info, &b_size);
	return a_size > b_size;
}

static void choose(struct finder *f, struct find_result *ret)
{
	struct copy *best = NULL, *other = NULL;
	size_t i;

	for (i = 0; i < f->copy_count; i++)
		if (!best || is_better(&f->copies[i], best))
			best = &f->copies[i];
	if (!best)
		return;
	for (i = 0; i < f->copy_count; i++)
		if (f->copies[i].checked && !same_kernel(f->copies[i].info, best->info) &&
		    (!other || is_better(&f->copies[i], other)))
			other = &f->copies[i];
	ret->info = best->info;
	ret->phys = best->phys;
	ret->checked = best->checked;
	best->info = NULL;
	if (other) {
		ret->other = other->info;
		ret->other_phys = other->phys;
		other->info = NULL;
	}
}

struct error *find_vmcoreinfo(struct source *source, const struct find_hints *hints,
			      struct find_result *ret)
{
	const struct extents *memory = &source->memory;
	struct finder f = { .source = source };
	uint8_t *room cleanup_free = malloc(CHUNK_SIZE);
	struct error *err = room ? NULL : error_nomem();
	size_t i;

	*ret = (struct find_result){ 0 };
	for (i = 0; i < memory->count && !err; i++)
		err = scan_run(&f, &memory->run[i], room);
	for (i = 0; i < f.place_count && !err; i++)
		err = add_copy(&f, hints, f.places[i]);
	if (!err) {
		count_votes(&f, hints);
		ret->copies = f.place_count;
		choose(&f, ret);
	}
	for (i = 0; i < f.copy_count; i++)
		vmcoreinfo_destroy(f.copies[i].info);
	free(f.copies);
	free(f.places);
	return err;
}

void find_result_deinit(struct find_result *result)
{
	vmcoreinfo_destroy(result->info);
	vmcoreinfo_destroy(result->other);
	*result = (struct find_result){ 0 };
}

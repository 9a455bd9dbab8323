/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "makedumpfile-glue/source/split.h"

#include <dirent.h>
#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

/* As many as makedumpfile could ever be told to write. */
#define PARTS_MAX 4096

struct part {
	char *path; /* NULL: borrowed by the source */
	struct source *source;
};

struct split_source {
	struct source source; /* first */
	struct part *parts;   /* sorted by split_start, then split_end */
	size_t part_count;
};

static void split_close(struct source *source)
{
	struct split_source *s = (struct split_source *)source;
	size_t i;

	for (i = 0; i < s->part_count; i++) {
		source_close(s->parts[i].source);
		free(s->parts[i].path);
	}
	free(s->parts);
	free(s->source.files);
	extents_deinit(&s->source.memory);
	extents_deinit(&s->source.machine);
	blob_deinit(&s->source.notes);
	free(s);
}

/* path: NULL, or for free(); taken in any case, as is the source. */
static struct error *add_part(struct split_source *s, struct source *source, char *path)
{
	struct part *grown = s->part_count < PARTS_MAX ?
				     reallocarray(s->parts, s->part_count + 1,
						  sizeof(*grown)) : NULL;

	if (!grown) {
		source_close(source);
		free(path);
		return error_nomem();
	}
	s->parts = grown;
	s->parts[s->part_count++] = (struct part){ path, source };
	return NULL;
}

/* It says nothing of the file. */
static bool is_shortage(const struct error *err)
{
	return err && (err->code == ERROR_NOMEM || err->sys_errno == EMFILE ||
		       err->sys_errno == ENFILE);
}

/* Takes path. wanted: named by the user, so that anything else than a part of
 * this dump is an error. */
static struct error *try_part(struct split_source *s, char *path, bool wanted)
{
	const struct source *first = s->parts[0].source;
	struct source *source;
	struct error *err = source_open_file(path, &source);

	if (!err && kdump_same_dump(first, source))
		return add_part(s, source, path);
	if (!err) {
		source_close(source);
		err = error_new(ERROR_USAGE, "%s and %s are not of the same split dump",
				first->path, path);
	}
	free(path);
	if (wanted || is_shortage(err))
		return err;
	error_free(err);
	return NULL;
}

/* Opening a file may wait, for the writer of a pipe for instance: only regular
 * ones that are not the first one. */
static bool worth_a_try(const char *path, const struct stat *first)
{
	struct stat st;

	return stat(path, &st) == 0 && S_ISREG(st.st_mode) &&
	       (st.st_dev != first->st_dev || st.st_ino != first->st_ino);
}

static struct error *look_around(struct split_source *s)
{
	const char *path = s->parts[0].source->path, *slash = strrchr(path, '/');
	int dir_length = slash ? (int)(slash + 1 - path) : 0;
	char *dir_path cleanup_free = NULL;
	struct error *err = NULL;
	struct dirent *entry;
	struct stat first;
	DIR *dir;

	if (asprintf(&dir_path, "%.*s", dir_length ? dir_length : 1,
		     dir_length ? path : ".") < 0) {
		dir_path = NULL;
		return error_nomem();
	}
	/* A directory that may not be listed is one without the others. */
	if (stat(path, &first) < 0 || !(dir = opendir(dir_path)))
		return NULL;
	while (!err && (entry = readdir(dir))) {
		char *name;

		if (asprintf(&name, "%.*s%s", dir_length, path, entry->d_name) < 0)
			err = error_nomem();
		else if (worth_a_try(name, &first))
			err = try_part(s, name, false);
		else
			free(name);
	}
	closedir(dir);
	return err;
}

static int compare_parts(const void *a, const void *b)
{
	const struct source *x = ((const struct part *)a)->source;
	const struct source *y = ((const struct part *)b)->source;

	if (x->split_start != y->split_start)
		return x->split_start < y->split_start ? -1 : 1;
	/* One that holds nothing comes before the one that begins where it does. */
	return x->split_end < y->split_end ? -1 : x->split_end > y->split_end;
}

static struct error *check_parts(struct split_source *s)
{
	size_t i;

	qsort(s->parts, s->part_count, sizeof(*s->parts), compare_parts);
	for (i = 1; i < s->part_count; i++) {
		const struct source *a = s->parts[i - 1].source, *b = s->parts[i].source;

		if (a->split_end > b->split_start)
			return error_remedy(error_new(ERROR_FORMAT,
						      "%s and %s hold the same pages of a "
						      "split dump", a->path, b->path),
					    "say with --part which files belong together");
	}
	return NULL;
}

/* Everything that is one for all parts. */
static struct error *join(struct split_source *s)
{
	struct source *first = s->parts[0].source;
	struct error *err = NULL;
	size_t i, k;

	s->source.path = first->path;
	s->source.promised = first->promised;
	s->source.page_size = first->page_size;
	s->source.dump_level = first->dump_level;
	s->source.codec = first->codec;
	s->source.pages_tell = true;
	s->source.machine = first->machine;
	first->machine = (struct extents){ 0 };
	s->source.notes = first->notes;
	first->notes = (struct blob){ 0 };
	s->source.files = calloc(s->part_count, sizeof(*s->source.files));
	if (!s->source.files)
		return error_nomem();
	for (i = 0; i < s->part_count && !err; i++) {
		const struct source *part = s->parts[i].source;

		s->source.marked_incomplete |= part->marked_incomplete;
		s->source.pages_tell &= part->pages_tell;
		s->source.files[s->source.file_count++] = part->path;
		for (k = 0; k < part->memory.count && !err; k++)
			err = extents_add(&s->source.memory, part->memory.run[k].start,
					  part->memory.run[k].end);
	}
	extents_normalize(&s->source.memory);
	return err;
}

struct error *split_open(struct source *first, const char *const *others, size_t count,
			 struct source **ret)
{
	struct split_source *s = calloc(1, sizeof(*s));
	struct error *err;
	size_t i;

	if (!s) {
		source_close(first);
		return error_nomem();
	}
	s->source.ops = &source_split;
	file_allow_many();
	err = add_part(s, first, NULL);
	for (i = 0; i < count && !err; i++) {
		char *path = strdup(others[i]);

		err = path ? try_part(s, path, true) : error_nomem();
	}
	if (!err && !count)
		err = look_around(s);
	if (!err)
		err = check_parts(s);
	if (!err)
		err = join(s);
	if (err) {
		split_close(&s->source);
		return err;
	}
	*ret = &s->source;
	return NULL;
}

static struct error *split_read(struct source *source, uint64_t phys, void *to, size_t len)
{
	struct split_source *s = (struct split_source *)source;
	uint8_t *at = to;
	size_t i = 0;

	while (len) {
		uint64_t end, n = len;
		struct error *err;

		while (i + 1 < s->part_count && s->parts[i].source->split_end <= phys)
			i++;
		end = s->parts[i].source->split_end;
		if (end > phys && end - phys < n)
			n = end - phys;
		err = source_read(s->parts[i].source, phys, at, n);
		if (err)
			return err;
		phys += n;
		at += n;
		len -= n;
	}
	return NULL;
}

const struct source_ops source_split = {
	.format = "kdump-compressed",
	.read = split_read,
	.close = split_close,
};

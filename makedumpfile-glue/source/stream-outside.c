/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * RAM blocks whose bytes stayed outside the stream: shared memory, with
 * x-ignore-shared and in the cpr modes. Each is a file or a device of its own.
 */
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "lib/units.h"
#include "makedumpfile-glue/source/stream.h"

struct error *outside_open(struct ram_block *block, const char *path)
{
	char has[UNITS_SIZE_TEXT], needs[UNITS_SIZE_TEXT];
	int fd cleanup_close = -1;
	struct error *err = file_open(path, O_RDONLY | O_NONBLOCK, 0, &fd);
	struct stat st;
	off_t size;

	if (err)
		return err;
	if (fstat(fd, &st) == 0 && S_ISDIR(st.st_mode))
		return error_errno(EISDIR, "reading %s", path);
	size = lseek(fd, 0, SEEK_END);
	if (size < 0)
		return error_errno(errno, "finding the size of %s", path);
	if (!block->size)
		block->size = align_down(size, GUEST_PAGE);
	if ((uint64_t)size < block->size || !block->size)
		return error_new(ERROR_FORMAT, "%s: %s, RAM block '%s' is of %s", path,
				 size_text(size, has), block->name,
				 size_text(block->size, needs));
	block->path = strdup(path);
	if (!block->path)
		return error_nomem();
	block->outside = true;
	block->fd = fd;
	fd = -1;
	return NULL;
}

/* The block a file is for: the one it is said to be, else the next that is
 * missing. *ret_path: the file's own name. */
static struct error *find_block(struct stream *s, const char *said, struct ram_block **ret,
				const char **ret_path)
{
	const char *equals = strchr(said, '=');
	size_t i;

	*ret_path = said;
	for (i = 0; i < s->ram.block_count; i++) {
		struct ram_block *block = &s->ram.blocks[i];

		if (!block->outside || block->fd >= 0)
			continue;
		if (equals && access(said, F_OK) < 0 &&
		    (strlen(block->name) != (size_t)(equals - said) ||
		     strncmp(block->name, said, equals - said)))
			continue;
		if (equals && access(said, F_OK) < 0)
			*ret_path = equals + 1;
		*ret = block;
		return NULL;
	}
	return error_new(ERROR_USAGE, "--ram %s: no RAM block of %s is waiting for it", said,
			 s->source.path);
}

/* One error that names all that is missing. */
static struct error *name_missing(const struct stream *s)
{
	char *names cleanup_free = NULL, size[UNITS_SIZE_TEXT];
	const char *first = NULL;
	size_t i;

	for (i = 0; i < s->ram.block_count; i++) {
		const struct ram_block *block = &s->ram.blocks[i];
		char *longer;

		if (!block->outside || block->fd >= 0)
			continue;
		if (asprintf(&longer, "%s%s'%s' (%s)", names ? names : "", names ? ", " : "",
			     block->name, size_text(block->size, size)) < 0)
			return error_nomem();
		free(names);
		names = longer;
		if (!first)
			first = block->name;
	}
	if (!names)
		return NULL;
	return error_remedy(error_new(ERROR_UNSUPPORTED,
				      "%s: the memory of RAM block %s is not in it: shared "
				      "memory that was left where it is", s->source.path, names),
			    "give the file of each memory backend: --ram %s=FILE", first);
}

struct error *stream_add_ram(struct source *source, const char *const *files, size_t count)
{
	struct stream *s = (struct stream *)source;
	struct error *err = NULL;
	size_t i;

	for (i = 0; i < count && !err; i++) {
		struct ram_block *block = NULL;
		const char *path = NULL;

		err = find_block(s, files[i], &block, &path);
		if (!err)
			err = error_add(outside_open(block, path), "--ram %s", files[i]);
	}
	if (!err)
		err = name_missing(s);
	return err ? err : stream_lay_out(source, 0);
}

/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "makedumpfile-glue/output/target.h"

#include <errno.h>
#include <inttypes.h>
#include <string.h>
#include <unistd.h>

#include "lib/bytes.h"
#include "lib/file.h"
#include "lib/units.h"
#include "makedumpfile-glue/flat-format.h"

struct error *target_init(struct target *target, int fd, const char *path, bool flat,
			  uint64_t limit)
{
	uint8_t header[FLAT_HEADER_SIZE] = FLAT_MARK;
	struct error *err;

	*target = (struct target){
		.fd = fd, .path = path, .flat = flat, .limit = limit,
		.lock = PTHREAD_MUTEX_INITIALIZER,
	};
	if (!flat)
		return NULL;
	put_be64(header + FLAT_AT_TYPE, FLAT_TYPE);
	put_be64(header + FLAT_AT_VERSION, FLAT_VERSION);
	err = fd_write(fd, path, header, sizeof(header));
	if (!err)
		target->written = sizeof(header);
	return err;
}

void target_deinit(struct target *target)
{
	pthread_mutex_destroy(&target->lock);
}

static struct error *over_the_limit(const struct target *target)
{
	char limit[UNITS_SIZE_TEXT];
	struct error *err = error_new(ERROR_LIMIT, "writing %s: it would be larger than %s",
				      target->path, size_text(target->limit, limit));

	err->sys_errno = EFBIG;
	return error_remedy(err, "allow more, or leave more out with a higher level");
}

static struct error *write_record(struct target *target, const void *data, size_t size,
				  uint64_t offset)
{
	uint8_t record[FLAT_RECORD_SIZE];
	struct error *err;

	put_be64(record, offset);
	put_be64(record + FLAT_RECORD_AT_SIZE, size);
	pthread_mutex_lock(&target->lock);
	err = fd_write(target->fd, target->path, record, sizeof(record));
	if (!err)
		err = fd_write(target->fd, target->path, data, size);
	if (!err && offset + size > target->end)
		target->end = offset + size;
	pthread_mutex_unlock(&target->lock);
	return err;
}

struct error *target_write(struct target *target, const void *data, size_t size,
			   uint64_t offset)
{
	const size_t whole = size + (target->flat ? FLAT_RECORD_SIZE : 0);
	uint64_t total;

	/* A record without data would look odd to readers. */
	if (!size)
		return NULL;
	total = __atomic_add_fetch(&target->written, whole, __ATOMIC_RELAXED);
	if (target->limit && total > target->limit) {
		__atomic_sub_fetch(&target->written, whole, __ATOMIC_RELAXED);
		return over_the_limit(target);
	}
	if (target->flat)
		return write_record(target, data, size, offset);
	return fd_pwrite(target->fd, target->path, data, size, offset);
}

struct error *target_set_size(struct target *target, uint64_t size)
{
	if (target->flat)
		return size > target->end ? target_write(target, "", 1, size - 1) : NULL;
	while (ftruncate(target->fd, (off_t)size) < 0)
		if (errno != EINTR)
			return error_errno(errno, "setting the size of %s to %" PRIu64,
					   target->path, size);
	return NULL;
}

struct error *target_finish(struct target *target)
{
	uint8_t record[FLAT_RECORD_SIZE];
	struct error *err;

	if (!target->flat)
		return NULL;
	put_be64(record, FLAT_END);
	put_be64(record + FLAT_RECORD_AT_SIZE, FLAT_END);
	err = fd_write(target->fd, target->path, record, sizeof(record));
	if (!err)
		target->written += sizeof(record);
	return err;
}

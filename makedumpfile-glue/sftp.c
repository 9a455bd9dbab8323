/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "makedumpfile-glue/sftp.h"

#include <ctype.h>
#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "lib/bytes.h"
#include "lib/file.h"

#define VERSION 3

enum packet {
	PACKET_INIT = 1, PACKET_VERSION = 2, PACKET_OPEN = 3, PACKET_CLOSE = 4,
	PACKET_WRITE = 6, PACKET_REMOVE = 13, PACKET_MKDIR = 14, PACKET_STAT = 17,
	PACKET_RENAME = 18, PACKET_STATUS = 101, PACKET_HANDLE = 102, PACKET_ATTRS = 105,
	PACKET_EXTENDED = 200, PACKET_EXTENDED_REPLY = 201,
};

enum status {
	STATUS_OK, STATUS_EOF, STATUS_NO_SUCH_FILE, STATUS_PERMISSION_DENIED,
	STATUS_FAILURE, STATUS_BAD_MESSAGE, STATUS_NO_CONNECTION, STATUS_CONNECTION_LOST,
	STATUS_UNSUPPORTED,
};

#define OPEN_NEW     (0x02 | 0x08 | 0x10) /* write, create, truncate */
#define HAVE_MODE    0x04

/* What every server must take, and more than one sends to the requests here. */
#define PACKET_MAX   34000
#define HANDLE_MAX   256
#define WRITE_SIZE   32768
#define WINDOW       64
/* Server's words in a message. */
#define WORDS_MAX    200
/* A disk with less than this free is full. */
#define FULL         ((uint64_t)1 << 20)

/* A write that was not answered yet. */
struct pending {
	uint32_t id;
	uint64_t offset;
};

struct sftp {
	int in, out;
	uint32_t id; /* of the last request */
	bool has_fsync, has_rename, has_statvfs;
	size_t size; /* of the request in `request` */
	bool too_long;
	struct pending pending[WINDOW];
	size_t pending_count;
	struct error *write_error; /* of the first write that failed */
	uint8_t request[PACKET_MAX];
	uint8_t answer[PACKET_MAX];
};

struct sftp_file {
	struct sftp *server;
	char *path;
	uint8_t handle[HANDLE_MAX];
	size_t handle_size;
	/* What follows without a gap is sent together. */
	uint64_t start;
	size_t fill;
	uint8_t buffer[WRITE_SIZE];
};

static const char server_name[] = "the server's answer";

static uint8_t *put(struct sftp *s, size_t size)
{
	uint8_t *at = s->request + s->size;

	if (size > sizeof(s->request) - s->size) {
		s->too_long = true;
		return NULL;
	}
	s->size += size;
	return at;
}

static void put_u32(struct sftp *s, uint32_t value)
{
	uint8_t *at = put(s, 4);

	if (at)
		put_be32(at, value);
}

static void put_u64(struct sftp *s, uint64_t value)
{
	uint8_t *at = put(s, 8);

	if (at)
		put_be64(at, value);
}

static void put_string(struct sftp *s, const void *bytes, size_t size)
{
	uint8_t *at;

	put_u32(s, size);
	at = put(s, size);
	if (at)
		memcpy(at, bytes, size);
}

static void put_text(struct sftp *s, const char *text)
{
	put_string(s, text, strlen(text));
}

static void begin(struct sftp *s, enum packet type)
{
	s->size = 4; /* the packet's size, once it is known */
	s->too_long = false;
	*put(s, 1) = type;
	put_u32(s, ++s->id);
}

static void begin_extended(struct sftp *s, const char *name)
{
	begin(s, PACKET_EXTENDED);
	put_text(s, name);
}

static struct error *connection_ended(void)
{
	return error_new(ERROR_SYSTEM, "the connection to the server ended");
}

static struct error *send_request(struct sftp *s)
{
	struct error *err;

	if (s->too_long)
		return error_new(ERROR_LIMIT, "the name is too long");
	put_be32(s->request, s->size - 4);
	err = fd_write(s->out, "to the server", s->request, s->size);
	if (err && err->sys_errno == EPIPE) {
		error_free(err);
		return connection_ended();
	}
	return err;
}

/* Letters and signs of what may be anything; returns buffer. */
static const char *words(const uint8_t *bytes, size_t size, char buffer[WORDS_MAX])
{
	size_t i;

	for (i = 0; i < size && i < WORDS_MAX - 1; i++)
		buffer[i] = isascii(bytes[i]) && isprint(bytes[i]) ? bytes[i] : '?';
	buffer[i] = 0;
	return buffer;
}

static struct error *check_size(const uint8_t bytes[4], uint32_t size)
{
	char text[WORDS_MAX];

	if (size && size <= PACKET_MAX)
		return NULL;
	return error_remedy(error_new(ERROR_FORMAT, "the server sent a packet of %" PRIu32
				      " bytes, or what is none: \"%s\"", size,
				      words(bytes, 4, text)),
			    "whether it serves sftp, and prints nothing of its own before, "
			    "the command sftp shows");
}

/* One packet; the reader stands behind its type. */
static struct error *receive(struct sftp *s, uint8_t *ret_type, struct reader *ret)
{
	uint8_t head[4];
	struct reader r;
	uint32_t size;
	size_t got;
	struct error *err = fd_read_some(s->in, "from the server", head, sizeof(head), &got);

	if (err)
		return err;
	if (got < sizeof(head))
		return connection_ended();
	reader_init(&r, head, sizeof(head), 0, server_name);
	r.big_endian = true;
	size = reader_u32(&r);
	err = check_size(head, size);
	if (!err)
		err = fd_read_some(s->in, "from the server", s->answer, size, &got);
	if (err)
		return err;
	if (got < size)
		return connection_ended();
	reader_init(&r, s->answer, size, 0, server_name);
	r.big_endian = true;
	*ret_type = reader_u8(&r);
	*ret = r;
	return NULL;
}

static struct error *unexpected(uint8_t type, uint32_t id)
{
	return error_new(ERROR_FORMAT, "the server sent a packet of type %u, number %" PRIu32
			 ", that answers nothing", type, id);
}

/* What a status says: NULL where it is OK. */
static struct error *read_status(struct reader *r)
{
	char text[WORDS_MAX];
	uint32_t code = reader_u32(r), size;
	struct error *err = reader_check(r, "status");
	const uint8_t *said;
	int number = 0;

	if (err || code == STATUS_OK)
		return err;
	/* Old servers say no more than the number. */
	size = reader_left(r) ? reader_u32(r) : 0;
	said = reader_bytes(r, size);
	err = reader_check(r, "words of a status");
	if (err)
		return err;
	switch (code) {
	case STATUS_NO_SUCH_FILE: number = ENOENT; break;
	case STATUS_PERMISSION_DENIED: number = EACCES; break;
	case STATUS_UNSUPPORTED: number = EOPNOTSUPP; break;
	}
	if (number)
		err = error_new(ERROR_SYSTEM, "%s", strerror(number));
	else if (size)
		err = error_new(ERROR_SYSTEM, "the server says \"%s\"",
				words(said, size, text));
	else
		err = error_new(ERROR_SYSTEM, "the server says number %" PRIu32, code);
	err->sys_errno = number;
	return err;
}

/* Sends the request and waits for its answer, of the type wanted; a status in
 * its place is the error it stands for. */
static struct error *ask(struct sftp *s, uint8_t wanted, struct reader *ret)
{
	struct reader r;
	uint8_t type;
	uint32_t id;
	struct error *err = send_request(s);

	if (!err)
		err = receive(s, &type, &r);
	if (err)
		return err;
	id = reader_u32(&r);
	err = reader_check(&r, "number of a request");
	if (err)
		return err;
	if (id != s->id || (type != wanted && type != PACKET_STATUS))
		return unexpected(type, id);
	if (type == PACKET_STATUS) {
		err = read_status(&r);
		return err || wanted == PACKET_STATUS ? err : unexpected(type, id);
	}
	*ret = r;
	return NULL;
}

/* The same where the answer is a status. */
static struct error *demand(struct sftp *s)
{
	struct reader r;

	return ask(s, PACKET_STATUS, &r);
}

static bool is_text(const uint8_t *bytes, size_t size, const char *text)
{
	return size == strlen(text) && !memcmp(bytes, text, size);
}

static struct error *read_extensions(struct sftp *s, struct reader *r)
{
	while (reader_left(r)) {
		uint32_t name_size = reader_u32(r), value_size;
		const uint8_t *name = reader_bytes(r, name_size), *value;
		struct error *err;

		value_size = reader_u32(r);
		value = reader_bytes(r, value_size);
		err = reader_check(r, "extensions");
		if (err)
			return err;
		if (is_text(name, name_size, "fsync@openssh.com"))
			s->has_fsync = is_text(value, value_size, "1");
		else if (is_text(name, name_size, "posix-rename@openssh.com"))
			s->has_rename = is_text(value, value_size, "1");
		else if (is_text(name, name_size, "statvfs@openssh.com"))
			s->has_statvfs = is_text(value, value_size, "2");
	}
	return NULL;
}

static struct error *greet(struct sftp *s)
{
	struct reader r;
	uint32_t version;
	uint8_t type;
	struct error *err;

	s->size = 4;
	*put(s, 1) = PACKET_INIT;
	put_u32(s, VERSION);
	err = send_request(s);
	if (!err)
		err = receive(s, &type, &r);
	if (err)
		return err;
	version = reader_u32(&r);
	err = reader_check(&r, "version");
	if (err)
		return err;
	if (type != PACKET_VERSION)
		return unexpected(type, version);
	if (version != VERSION)
		return error_new(ERROR_UNSUPPORTED, "the server speaks version %" PRIu32
				 " of sftp, not %d", version, VERSION);
	return read_extensions(s, &r);
}

struct error *sftp_open(int in, int out, struct sftp **ret)
{
	struct sftp *s = calloc(1, sizeof(*s));
	struct error *err;

	if (!s)
		return error_nomem();
	s->in = in;
	s->out = out;
	err = greet(s);
	if (err) {
		sftp_close(s);
		return err;
	}
	*ret = s;
	return NULL;
}

void sftp_close(struct sftp *s)
{
	if (!s)
		return;
	error_free(s->write_error);
	free(s);
}

struct error *sftp_exists(struct sftp *s, const char *path, bool *ret)
{
	struct reader r;
	struct error *err;

	begin(s, PACKET_STAT);
	put_text(s, path);
	err = ask(s, PACKET_ATTRS, &r);
	*ret = !err;
	if (err && err->sys_errno == ENOENT) {
		error_free(err);
		return NULL;
	}
	return error_add(err, "looking for %s", path);
}

struct error *sftp_make_directory(struct sftp *s, const char *path, mode_t mode)
{
	begin(s, PACKET_MKDIR);
	put_text(s, path);
	put_u32(s, HAVE_MODE);
	put_u32(s, mode);
	return error_add(demand(s), "making %s", path);
}

struct error *sftp_remove(struct sftp *s, const char *path)
{
	begin(s, PACKET_REMOVE);
	put_text(s, path);
	return error_add(demand(s), "removing %s", path);
}

static struct error *rename_once(struct sftp *s, const char *from, const char *to)
{
	if (s->has_rename)
		begin_extended(s, "posix-rename@openssh.com");
	else
		begin(s, PACKET_RENAME);
	put_text(s, from);
	put_text(s, to);
	return demand(s);
}

struct error *sftp_rename(struct sftp *s, const char *from, const char *to)
{
	struct error *err = rename_once(s, from, to);

	/* The protocol's own replaces nothing. */
	if (err && err->code == ERROR_SYSTEM && !s->has_rename) {
		struct error *removal = sftp_remove(s, to);

		if (!removal) {
			error_free(err);
			err = rename_once(s, from, to);
		}
		error_free(removal);
	}
	return error_add(err, "renaming %s to %s", from, to);
}

struct error *sftp_free_space(struct sftp *s, const char *path, uint64_t *ret)
{
	uint64_t fragment, blocks;
	struct reader r;
	struct error *err;

	if (!s->has_statvfs)
		return error_new(ERROR_UNSUPPORTED, "the server does not tell its free space");
	begin_extended(s, "statvfs@openssh.com");
	put_text(s, path);
	err = ask(s, PACKET_EXTENDED_REPLY, &r);
	if (!err) {
		reader_u64(&r); /* the size of a block */
		fragment = reader_u64(&r);
		reader_u64(&r); /* all of them */
		reader_u64(&r); /* those free for root */
		blocks = reader_u64(&r);
		err = reader_check(&r, "free space");
	}
	if (err)
		return error_add(err, "asking for the space in %s", path);
	if (mul_overflows(fragment, blocks, ret))
		*ret = UINT64_MAX;
	return NULL;
}

struct error *sftp_create(struct sftp *s, const char *path, mode_t mode,
			  struct sftp_file **ret)
{
	struct sftp_file *file = calloc(1, sizeof(*file));
	struct reader r;
	struct error *err;

	if (file)
		file->path = strdup(path);
	if (!file || !file->path) {
		free(file);
		return error_nomem();
	}
	file->server = s;
	begin(s, PACKET_OPEN);
	put_text(s, path);
	put_u32(s, OPEN_NEW);
	put_u32(s, HAVE_MODE);
	put_u32(s, mode);
	err = ask(s, PACKET_HANDLE, &r);
	if (!err) {
		file->handle_size = reader_u32(&r);
		if (file->handle_size > HANDLE_MAX)
			err = error_new(ERROR_FORMAT, "the server sent a handle of %zu bytes",
					file->handle_size);
	}
	if (!err) {
		reader_copy(&r, file->handle, file->handle_size);
		err = reader_check(&r, "handle");
	}
	if (err) {
		sftp_abandon(file);
		return error_add(err, "making %s", path);
	}
	*ret = file;
	return NULL;
}

void sftp_abandon(struct sftp_file *file)
{
	if (!file)
		return;
	free(file->path);
	free(file);
}

/* One answer to a write; they may come in any order. A write that failed is no
 * error here, it is kept. */
static struct error *take_answer(struct sftp_file *file)
{
	struct sftp *s = file->server;
	struct reader r;
	uint8_t type;
	uint32_t id;
	size_t i = 0;
	struct error *err = receive(s, &type, &r);

	if (err)
		return err;
	id = reader_u32(&r);
	err = reader_check(&r, "number of a request");
	if (err)
		return err;
	while (i < s->pending_count && s->pending[i].id != id)
		i++;
	if (i == s->pending_count || type != PACKET_STATUS)
		return unexpected(type, id);
	err = read_status(&r);
	if (err && err->code == ERROR_FORMAT)
		return err;
	if (err && !s->write_error) {
		s->write_error = error_add(err, "at offset 0x%" PRIx64, s->pending[i].offset);
		err = NULL;
	}
	error_free(err);
	s->pending[i] = s->pending[--s->pending_count];
	return NULL;
}

static struct error *take_answers(struct sftp_file *file)
{
	struct error *err = NULL;

	while (!err && file->server->pending_count)
		err = take_answer(file);
	return err;
}

/* The server has no word for a full disk. */
static struct error *write_failed(struct sftp_file *file)
{
	struct sftp *s = file->server;
	struct error *err = take_answers(file), *failed = s->write_error;
	uint64_t free_space;

	s->write_error = NULL;
	if (!err && !failed->sys_errno) {
		err = sftp_free_space(s, file->path, &free_space);
		if (!err && free_space < FULL) {
			error_free(failed);
			failed = error_new(ERROR_SYSTEM, "%s", strerror(ENOSPC));
			failed->sys_errno = ENOSPC;
		}
	}
	error_free(err);
	return error_add(failed, "writing %s", file->path);
}

static struct error *flush(struct sftp_file *file)
{
	struct sftp *s = file->server;
	struct error *err = NULL;

	if (!file->fill)
		return NULL;
	while (!err && s->pending_count == WINDOW)
		err = take_answer(file);
	if (!err && s->write_error)
		return write_failed(file);
	if (!err) {
		begin(s, PACKET_WRITE);
		put_string(s, file->handle, file->handle_size);
		put_u64(s, file->start);
		put_string(s, file->buffer, file->fill);
		err = send_request(s);
	}
	if (err)
		return error_add(err, "writing %s", file->path);
	s->pending[s->pending_count++] = (struct pending){ s->id, file->start };
	file->fill = 0;
	return NULL;
}

struct error *sftp_write(struct sftp_file *file, const void *data, size_t size,
			 uint64_t offset)
{
	const uint8_t *from = data;

	if (offset > INT64_MAX || size > INT64_MAX - offset)
		return error_new(ERROR_LIMIT, "writing %s: offset 0x%" PRIx64
				 " is beyond any file", file->path, offset);
	while (size) {
		struct error *err = NULL;
		size_t n;

		if (file->fill == WRITE_SIZE || offset != file->start + file->fill)
			err = flush(file);
		if (err)
			return err;
		if (!file->fill)
			file->start = offset;
		n = WRITE_SIZE - file->fill < size ? WRITE_SIZE - file->fill : size;
		memcpy(file->buffer + file->fill, from, n);
		file->fill += n;
		from += n;
		offset += n;
		size -= n;
	}
	return NULL;
}

static struct error *demand_of(struct sftp_file *file, const char *what)
{
	put_string(file->server, file->handle, file->handle_size);
	return error_add(demand(file->server), "%s %s", what, file->path);
}

struct error *sftp_settle(struct sftp_file *file)
{
	struct sftp *s = file->server;
	struct error *err = flush(file);

	if (!err)
		err = error_add(take_answers(file), "writing %s", file->path);
	if (!err && s->write_error)
		err = write_failed(file);
	if (!err && s->has_fsync) {
		begin_extended(s, "fsync@openssh.com");
		err = demand_of(file, "syncing");
	}
	if (!err) {
		begin(s, PACKET_CLOSE);
		err = demand_of(file, "closing");
	}
	sftp_abandon(file);
	return err;
}

/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A client of the SSH file transfer protocol, version 3, as far as bringing
 * files to a server needs it. What carries the bytes (ssh, with its keys and
 * checks) is somebody else's; here are two file descriptors. Nothing the
 * server sends is trusted.
 */
#ifndef GLUE_SFTP_H
#define GLUE_SFTP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "lib/error.h"

struct sftp;
struct sftp_file;

/* Greets the server. in and out stay the caller's. */
struct error *sftp_open(int in, int out, struct sftp **ret) MUST_CHECK;
/* Also NULL. */
void sftp_close(struct sftp *s);

/*
 * What the server refuses is ERROR_SYSTEM, with sys_errno where the protocol
 * can say why. One file at a time may be open, and while it is nothing else
 * may be asked.
 */
struct error *sftp_exists(struct sftp *s, const char *path, bool *ret) MUST_CHECK;
struct error *sftp_make_directory(struct sftp *s, const char *path, mode_t mode)
	MUST_CHECK;
struct error *sftp_remove(struct sftp *s, const char *path) MUST_CHECK;
/* An existing `to` is replaced. */
struct error *sftp_rename(struct sftp *s, const char *from, const char *to) MUST_CHECK;
/* Bytes that may still be written there. ERROR_UNSUPPORTED: the server does not
 * tell. */
struct error *sftp_free_space(struct sftp *s, const char *path, uint64_t *ret) MUST_CHECK;

/* Empty, also where there was one. */
struct error *sftp_create(struct sftp *s, const char *path, mode_t mode,
			  struct sftp_file **ret) MUST_CHECK;

/*
 * Does not wait for the answer, unless many are outstanding: what one call
 * did wrong a later one says. A server whose disk is full says no more than
 * "Failure"; where its free space can be asked the error carries ENOSPC.
 */
struct error *sftp_write(struct sftp_file *file, const void *data, size_t size,
			 uint64_t offset) MUST_CHECK;

/* All has been written, and is on the server's disk if it can do that. The
 * file is closed, also on failure, and freed. */
struct error *sftp_settle(struct sftp_file *file) MUST_CHECK;
/* Frees; what has been sent stays. Also NULL. */
void sftp_abandon(struct sftp_file *file);

#endif

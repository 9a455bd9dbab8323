/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What an sftp server says, all of it in advance: the client goes through its
 * requests one after the other, as far as the answers let it.
 */
#include <fcntl.h>
#include <unistd.h>

#include "makedumpfile-glue/sftp.h"
#include "tests/fuzz/fuzz.h"

static struct error *bring(struct sftp *s)
{
	static const uint8_t bytes[100000];
	struct sftp_file *file;
	struct error *err = sftp_create(s, "/a/b-incomplete", 0600, &file);

	if (err)
		return err;
	err = sftp_write(file, bytes, sizeof(bytes), 0);
	if (!err)
		err = sftp_write(file, bytes, 5, 200);
	if (err) {
		sftp_abandon(file);
		return err;
	}
	return sftp_settle(file);
}

static struct error *talk(struct sftp *s)
{
	uint64_t space;
	bool there;
	struct error *err = sftp_exists(s, "/a", &there);

	if (!err && !there)
		err = sftp_make_directory(s, "/a", 0700);
	if (!err)
		err = sftp_free_space(s, "/a", &space);
	error_free(err);
	err = bring(s);
	return err ? err : sftp_rename(s, "/a/b-incomplete", "/a/b");
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char path[FUZZ_PATH_SIZE];
	int in = fuzz_file(data, size, path), out = open("/dev/null", O_WRONLY | O_CLOEXEC);
	struct sftp *s = NULL;
	struct error *err;

	if (out < 0 || lseek(in, 0, SEEK_SET) < 0)
		abort();
	err = sftp_open(in, out, &s);
	if (!err)
		err = talk(s);
	error_free(err);
	sftp_close(s);
	close(in);
	close(out);
	return 0;
}

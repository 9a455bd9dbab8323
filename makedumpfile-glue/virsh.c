/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "makedumpfile-glue/virsh.h"

#include <errno.h>
#include <fcntl.h>
#include <spawn.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include "lib/file.h"
#include "makedumpfile-glue/signals.h"

#define OUTPUT_MAX ((size_t)256 << 20)
#define WORDS_MAX  16

extern char **environ;

/* What would end us, and the end of virsh. */
static sigset_t awaited(void)
{
	sigset_t set = signals_to_end();

	sigaddset(&set, SIGCHLD);
	return set;
}

void virsh_init(const char *uri, struct virsh *ret)
{
	const sigset_t set = awaited();

	*ret = (struct virsh){ .uri = uri };
	/* virsh says a domain's state in the user's language otherwise. */
	setenv("LC_ALL", "C", 1);
	/* Children of a process that ignores it leave no exit status. */
	signal(SIGCHLD, SIG_DFL);
	sigprocmask(SIG_BLOCK, &set, &ret->old_signals);
}

void virsh_deinit(struct virsh *virsh)
{
	sigprocmask(SIG_SETMASK, &virsh->old_signals, NULL);
}

/* The signals stay blocked in the child, as they are here. */
static struct error *start(char *const *argv, int out, int errors, pid_t *ret)
{
	posix_spawn_file_actions_t actions;
	int failed = posix_spawn_file_actions_init(&actions);

	if (failed)
		return error_nomem();
	failed = posix_spawn_file_actions_addopen(&actions, 0, "/dev/null", O_RDONLY, 0);
	if (!failed)
		failed = posix_spawn_file_actions_adddup2(&actions, out, 1);
	if (!failed)
		failed = posix_spawn_file_actions_adddup2(&actions, errors, 2);
	if (!failed)
		failed = posix_spawnp(ret, argv[0], &actions, NULL, argv, environ);
	posix_spawn_file_actions_destroy(&actions);
	if (failed == ENOENT)
		return error_remedy(error_errno(failed, "running %s", argv[0]),
				    "install libvirt's clients (libvirt-clients, or "
				    "libvirt-client), on the machine the guest runs on");
	return failed ? error_errno(failed, "running %s", argv[0]) : NULL;
}

static void abort_job(struct virsh *virsh)
{
	const char *domain = virsh->abort;

	virsh->abort = NULL;
	if (domain)
		error_free(virsh_run(virsh, NULL, "domjobabort", "--domain", domain, NULL));
}

static struct error *wait_for(struct virsh *virsh, pid_t pid, int *ret_status)
{
	const sigset_t set = awaited();

	for (;;) {
		pid_t ended = waitpid(pid, ret_status, WNOHANG);
		int number;

		if (ended == pid)
			return NULL;
		if (ended < 0 && errno != EINTR)
			return error_errno(errno, "waiting for virsh");
		number = sigwaitinfo(&set, NULL);
		if (number > 0 && number != SIGCHLD) {
			virsh->caught = number;
			abort_job(virsh);
		}
	}
}

static struct error *read_back(int fd, char **ret)
{
	struct blob blob;
	off_t size = lseek(fd, 0, SEEK_END);
	size_t len;
	struct error *err;

	if (size < 0 || (uint64_t)size > OUTPUT_MAX)
		return error_new(ERROR_LIMIT, "virsh printed too much");
	err = blob_init(&blob, size);
	if (!err)
		err = fd_pread(fd, "what virsh printed", blob.data, size, 0);
	if (err)
		return err;
	len = strlen((char *)blob.data);
	while (len && blob.data[len - 1] == '\n')
		blob.data[--len] = 0;
	*ret = (char *)blob.data;
	return NULL;
}

/* virsh's lines as one, without its own "error: ". */
static void join_lines(char *text)
{
	static const char prefix[] = "error: ";
	const char *from = text;
	char *to = text;

	while (*from) {
		if (!strncmp(from, prefix, sizeof(prefix) - 1))
			from += sizeof(prefix) - 1;
		while (*from && *from != '\n')
			*to++ = *from++;
		if (*from && *++from) {
			*to++ = ';';
			*to++ = ' ';
		}
	}
	*to = 0;
}

static struct error *failed(const char *command, int status, int errors)
{
	char *text cleanup_free = NULL;
	struct error *err = read_back(errors, &text);

	if (err)
		return err;
	join_lines(text);
	if (WIFSIGNALED(status))
		return error_new(ERROR_SYSTEM, "virsh %s: ended by signal %d", command,
				 WTERMSIG(status));
	return error_new(ERROR_SYSTEM, "virsh %s: %s", command,
			 *text ? text : "failed, and did not say why");
}

struct error *virsh_run_words(struct virsh *virsh, char **ret, const char *const *words)
{
	int out cleanup_close = memfd_create("virsh", MFD_CLOEXEC);
	int errors cleanup_close = memfd_create("virsh", MFD_CLOEXEC);
	char **argv cleanup_free = NULL;
	size_t count = 0, used = 0, i;
	struct error *err;
	int status;
	pid_t pid;

	if (out < 0 || errors < 0)
		return error_errno(errno, "making room for what virsh prints");
	while (words[count])
		count++;
	argv = calloc(count + 5, sizeof(*argv));
	if (!argv)
		return error_nomem();
	argv[used++] = "virsh";
	argv[used++] = "-q";
	if (virsh->uri) {
		argv[used++] = "-c";
		argv[used++] = (char *)virsh->uri;
	}
	for (i = 0; i < count; i++)
		argv[used++] = (char *)words[i];
	err = start(argv, out, errors, &pid);
	if (!err)
		err = wait_for(virsh, pid, &status);
	if (err)
		return err;
	if (!WIFEXITED(status) || WEXITSTATUS(status))
		return failed(words[0], status, errors);
	return ret ? read_back(out, ret) : NULL;
}

struct error *virsh_run(struct virsh *virsh, char **ret, const char *command, ...)
{
	const char *words[WORDS_MAX] = { command };
	size_t count = 1;
	va_list args;

	va_start(args, command);
	while (count < WORDS_MAX - 1 && (words[count] = va_arg(args, const char *)))
		count++;
	va_end(args);
	return virsh_run_words(virsh, ret, words);
}

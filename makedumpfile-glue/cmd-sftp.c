/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What the capture needs of a server that gives sftp and no shell. The
 * command behind -- carries the connection; it says itself, on standard
 * error, what it cannot do.
 */
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <signal.h>
#include <spawn.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "lib/file.h"
#include "lib/units.h"
#include "makedumpfile-glue/commands.h"
#include "makedumpfile-glue/open-options.h"
#include "makedumpfile-glue/sftp.h"
#include "makedumpfile-glue/source/flat.h"

static const char help[] =
	"Usage: vmcore sftp free DIR -- COMMAND...\n"
	"       vmcore sftp mkdir DIR -- COMMAND...\n"
	"       vmcore sftp put [--as NAME] [--size SIZE] FILE... DIR -- COMMAND...\n"
	"Bring dumps to a server that gives sftp and no shell. COMMAND carries the\n"
	"connection, as in: ssh -s USER@HOST sftp.\n"
	"\n"
	"free prints how many bytes may be written where DIR is, or will be; or \"unknown\".\n"
	"mkdir makes DIR, mode 0700, and what is missing above it. Where DIR is there\n"
	"already it is DIR.2 and so on; its name is printed, then what free prints.\n"
	"put brings each FILE to DIR under its own name, mode 0600; one of that name is\n"
	"replaced. - is standard input. What is flattened arrives as the plain dump.\n"
	"While it is written a file is called NAME-incomplete, and it stays that where it\n"
	"is not whole.\n"
	"\n"
	"      --as NAME        the name of the one FILE on the server\n"
	"      --size SIZE      how many bytes standard input must have, where it is not\n"
	"                       flattened\n"
	"  -h, --help           this text\n"
	"\n"
	"Exit status: 0 done; 1 failed; 3 what came from standard input was not whole.\n";

enum { OPTION_AS = 256, OPTION_SIZE };

static const struct option long_options[] = {
	{ "as", required_argument, NULL, OPTION_AS },
	{ "size", required_argument, NULL, OPTION_SIZE },
	{ 0 },
};

struct arguments {
	char **command; /* behind -- */
	const char *name;
	uint64_t size;
	bool has_size;
};

/* The command behind -- while it runs. */
struct carrier {
	const char *name;
	int in, out;
	pid_t pid;
};

extern char **environ;

static const struct command command;

static struct error *take(int option, void *arguments)
{
	struct arguments *a = arguments;

	if (option == OPTION_AS) {
		a->name = optarg;
		if (!*optarg || strchr(optarg, '/'))
			return error_new(ERROR_USAGE, "--as %s: must be a name", optarg);
		return NULL;
	}
	a->has_size = true;
	if (!parse_size(optarg, &a->size))
		return error_new(ERROR_USAGE, "--size %s: must be a number of bytes, also as "
				 "in 512M or 2G", optarg);
	return NULL;
}

static struct error *spawn(char **argv, int in, int out, pid_t *ret)
{
	posix_spawn_file_actions_t actions;
	int failed = posix_spawn_file_actions_init(&actions);

	if (failed)
		return error_nomem();
	failed = posix_spawn_file_actions_adddup2(&actions, in, STDIN_FILENO);
	if (!failed)
		failed = posix_spawn_file_actions_adddup2(&actions, out, STDOUT_FILENO);
	if (!failed)
		failed = posix_spawnp(ret, argv[0], &actions, NULL, argv, environ);
	posix_spawn_file_actions_destroy(&actions);
	return failed ? error_errno(failed, "running %s", argv[0]) : NULL;
}

static struct error *carrier_start(char **argv, struct carrier *ret)
{
	int there[2], back[2];
	struct error *err;

	if (pipe2(there, O_CLOEXEC) < 0)
		return error_errno(errno, "making a pipe");
	if (pipe2(back, O_CLOEXEC) < 0) {
		err = error_errno(errno, "making a pipe");
		close(there[0]);
		close(there[1]);
		return err;
	}
	err = spawn(argv, there[0], back[1], &ret->pid);
	close(there[0]);
	close(back[1]);
	if (err) {
		close(there[1]);
		close(back[0]);
		return err;
	}
	ret->name = argv[0];
	ret->in = back[0];
	ret->out = there[1];
	return NULL;
}

/* It ends by itself when nothing more comes; one that does not is ended, for
 * all that was asked has been answered, or never will be. */
static struct error *carrier_end(struct carrier *c, struct error *err)
{
	const struct timespec nap = { .tv_nsec = 50000000 };
	int status = 0, tries;
	pid_t ended = 0;

	close(c->out);
	close(c->in);
	for (tries = 0; tries < 100 && !ended; tries++) {
		ended = waitpid(c->pid, &status, WNOHANG);
		if (!ended)
			nanosleep(&nap, NULL);
	}
	if (!ended) {
		kill(c->pid, SIGKILL);
		waitpid(c->pid, &status, 0);
	}
	if (err && ended > 0 && WIFEXITED(status) && WEXITSTATUS(status))
		return error_add(err, "%s ended with status %d", c->name,
				 WEXITSTATUS(status));
	if (err && ended > 0 && WIFSIGNALED(status))
		return error_add(err, "%s was ended by signal %d", c->name, WTERMSIG(status));
	return err;
}

static struct error *parent_of(const char *path, char **ret)
{
	const char *end = path + strlen(path);
	char *parent;

	while (end > path && end[-1] == '/')
		end--;
	while (end > path && end[-1] != '/')
		end--;
	while (end > path + 1 && end[-1] == '/')
		end--;
	parent = end == path ? strdup(*path == '/' ? "/" : ".") : strndup(path, end - path);
	if (!parent)
		return error_nomem();
	*ret = parent;
	return NULL;
}

static bool is_top(const char *path)
{
	return !path[strspn(path, "/")] || !strcmp(path, ".");
}

/* Of the directory, or the next above it that is there. */
static struct error *print_free(struct sftp *s, const char *directory)
{
	char *path cleanup_free = strdup(directory);
	uint64_t space = 0;
	struct error *err;

	if (!path)
		return error_nomem();
	while ((err = sftp_free_space(s, path, &space)) && err->sys_errno == ENOENT &&
	       !is_top(path)) {
		char *parent;

		error_free(err);
		err = parent_of(path, &parent);
		if (err)
			return err;
		free(path);
		path = parent;
	}
	if (err && err->code == ERROR_UNSUPPORTED) {
		error_free(err);
		puts("unknown");
		return NULL;
	}
	if (!err)
		printf("%" PRIu64 "\n", space);
	return err;
}

/* What is missing above it. */
static struct error *make_above(struct sftp *s, const char *path)
{
	char *parent cleanup_free = NULL;
	struct error *err = parent_of(path, &parent);
	bool there = true;

	if (!err && !is_top(parent))
		err = sftp_exists(s, parent, &there);
	if (!err && !there)
		err = make_above(s, parent);
	return err || there ? err : sftp_make_directory(s, parent, 0777);
}

/* *ret_there: something is there under this name already. */
static struct error *make_new(struct sftp *s, const char *path, bool *ret_there)
{
	struct error *err = sftp_exists(s, path, ret_there);

	return err || *ret_there ? err : sftp_make_directory(s, path, 0700);
}

#define NAMES_MAX 10000

static struct error *run_mkdir(struct sftp *s, const char *path)
{
	char *name cleanup_free = strdup(path);
	struct error *err = name ? make_above(s, path) : error_nomem();
	bool there = true;
	int i;

	for (i = 2; !err; i++) {
		err = make_new(s, name, &there);
		if (err || !there)
			break;
		if (i > NAMES_MAX)
			return error_new(ERROR_LIMIT, "%s and %d more are there", path, i - 2);
		free(name);
		if (asprintf(&name, "%s.%d", path, i) < 0) {
			name = NULL;
			return error_nomem();
		}
	}
	if (err)
		return err;
	puts(name);
	err = print_free(s, name);
	if (err && err->code == ERROR_SYSTEM) {
		/* A server that will not say; the directory is there. */
		error_free(err);
		err = NULL;
		puts("unknown");
	}
	return err;
}

static struct error *write_there(void *to, const void *data, size_t size, uint64_t offset)
{
	return sftp_write(to, data, size, offset);
}

/* Was all of it there? Only the reader of a flattened stream knows by itself. */
static bool is_whole(const struct flat_copy *copy, const struct arguments *a, bool piped,
		     uint64_t file_size)
{
	if (!copy->plain)
		return copy->whole;
	if (!piped)
		return copy->written >= file_size;
	return a->has_size ? copy->written == a->size : copy->written;
}

static struct error *open_file(const char *path, int *ret, uint64_t *ret_size)
{
	struct stat st;
	struct error *err = file_open(path, O_RDONLY, 0, ret);

	if (err)
		return err;
	if (fstat(*ret, &st) < 0)
		return error_errno(errno, "looking at %s", path);
	if (S_ISDIR(st.st_mode))
		return error_errno(EISDIR, "reading %s", path);
	*ret_size = st.st_size;
	return NULL;
}

/* *ret_whole: it has its name. */
static struct error *send_stream(struct sftp *s, const struct arguments *a, int from,
				 const char *from_name, bool piped, uint64_t file_size,
				 const char *path, bool *ret_whole)
{
	char *partial cleanup_free = NULL;
	struct flat_copy copy = { 0 };
	struct sftp_file *file;
	struct error *err;

	if (asprintf(&partial, "%s-incomplete", path) < 0) {
		partial = NULL;
		return error_nomem();
	}
	err = sftp_create(s, partial, 0600, &file);
	if (err)
		return err;
	err = flat_copy(from, from_name, true, write_there, file, &copy);
	if (err) {
		sftp_abandon(file);
		return err;
	}
	err = sftp_settle(file);
	if (err)
		return err;
	*ret_whole = is_whole(&copy, a, piped, file_size);
	if (*ret_whole)
		return sftp_rename(s, partial, path);
	fprintf(stderr, "vmcore: warning: %s %s%s\n", from_name,
		copy.written ? "breaks off; what came is on the server, as " : "is empty",
		copy.written ? partial : "");
	return copy.written ? NULL : sftp_remove(s, partial);
}

static struct error *send_file(struct sftp *s, const struct arguments *a, const char *from,
			       const char *directory, bool *ret_whole)
{
	const bool piped = !strcmp(from, "-");
	const char *slash = strrchr(from, '/'), *name = a->name;
	char *path cleanup_free = NULL;
	int fd cleanup_close = -1;
	uint64_t size = 0;
	struct error *err = NULL;

	if (!name)
		name = slash ? slash + 1 : from;
	if (!piped)
		err = open_file(from, &fd, &size);
	if (!err)
		err = path_join(directory, name, &path);
	if (!err)
		err = send_stream(s, a, piped ? STDIN_FILENO : fd,
				  piped ? "standard input" : from, piped, size, path, ret_whole);
	return err;
}

static struct error *run_put(struct sftp *s, const struct arguments *a, char **files,
			     int count, const char *directory, bool *ret_whole)
{
	struct error *err = NULL;
	int i;

	for (i = 0; i < count && !err; i++) {
		bool whole = false;

		err = send_file(s, a, files[i], directory, &whole);
		*ret_whole = *ret_whole && whole;
	}
	return err;
}

static struct error *check_put(const struct arguments *a, char **files, int count)
{
	int i;

	if (!count)
		return error_new(ERROR_USAGE, "put needs FILE and DIR");
	if (a->name && count > 1)
		return error_new(ERROR_USAGE, "--as is for one FILE; %d are given", count);
	for (i = 0; i < count; i++)
		if (!strcmp(files[i], "-") && !a->name)
			return error_new(ERROR_USAGE, "standard input needs --as");
	return NULL;
}

static struct error *check(const struct arguments *a, char **operands, int count)
{
	const char *action = operands[0];

	if (!a->command || !a->command[0])
		return error_new(ERROR_USAGE, "sftp needs a command behind --");
	if (!strcmp(action, "put"))
		return check_put(a, operands + 1, count - 2);
	if (strcmp(action, "free") && strcmp(action, "mkdir"))
		return error_new(ERROR_USAGE, "%s: must be free, mkdir or put", action);
	return count == 2 ? NULL : error_new(ERROR_USAGE, "%s needs DIR", action);
}

static int run(void *arguments, char **operands, int count)
{
	const struct arguments *a = arguments;
	const char *action = operands[0], *directory = operands[count - 1];
	struct carrier carrier = { 0 };
	struct sftp *s = NULL;
	bool whole = true;
	struct error *err = check(a, operands, count);

	if (err)
		return command_misused(&command, err);
	/* Children of a process that ignores it leave no exit status. */
	signal(SIGCHLD, SIG_DFL);
	err = carrier_start(a->command, &carrier);
	if (err)
		return fail(err);
	signal(SIGPIPE, SIG_IGN);
	err = sftp_open(carrier.in, carrier.out, &s);
	if (!err && *action == 'f')
		err = print_free(s, directory);
	else if (!err && *action == 'm')
		err = run_mkdir(s, directory);
	else if (!err)
		err = run_put(s, a, operands + 1, count - 2, directory, &whole);
	sftp_close(s);
	err = carrier_end(&carrier, err);
	if (!err && fflush(stdout))
		err = error_errno(errno, "writing standard output");
	if (err)
		return fail(err);
	return whole ? EXIT_DONE : EXIT_INCOMPLETE;
}

static const struct command command = {
	.name = "sftp",
	.help = help,
	.letters = "",
	.options = long_options,
	.take = take,
	.operands = "an action and DIR",
	.operands_min = 2,
	.operands_max = 1024,
	.run = run,
};

int cmd_sftp(int argc, char **argv)
{
	struct arguments a = { 0 };
	int i;

	for (i = 1; i < argc && strcmp(argv[i], "--"); i++)
		;
	if (i < argc) {
		a.command = argv + i + 1;
		argc = i;
	}
	return command_run(&command, argc, argv, &a, NULL);
}

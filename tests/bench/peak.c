/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * peak CMD...: runs it, and prints the peak of its memory in KiB. The kernel
 * counts a process from its fork on, so who starts it must be small.
 */
#include <stdio.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

int main(int argc, char **argv)
{
	struct rusage usage;
	int status;
	pid_t child;

	if (argc < 2) {
		fputs("usage: peak CMD...\n", stderr);
		return 2;
	}
	child = fork();
	if (!child) {
		execvp(argv[1], argv + 1);
		_exit(127);
	}
	if (child < 0 || wait4(child, &status, 0, &usage) < 0 || status)
		return 1;
	printf("%ld\n", usage.ru_maxrss);
	return 0;
}

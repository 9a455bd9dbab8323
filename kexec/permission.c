/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "kexec/permission.h"

#include <stdlib.h>
#include <string.h>

#include "kexec/rules.h"
#include "lib/file.h"

#define SMALL_FILE   ((size_t)65536)
#define CAP_SYS_BOOT 22

/* The file's text, NULL when there is none to read. *ret is for free(). */
static void read_quietly(const char *root, const char *path, char **ret)
{
	char *joined cleanup_free = NULL;
	struct error *err cleanup_error = path_join(root, path, &joined);

	*ret = NULL;
	if (!err)
		err = file_read_text(joined, SMALL_FILE, ret);
	if (err)
		*ret = NULL;
}

static bool file_says(const char *root, const char *path, const char *value)
{
	char *text cleanup_free = NULL;

	read_quietly(root, path, &text);
	return text && !strcmp(text, value);
}

static bool has_capability(const char *root, unsigned int number)
{
	char *text cleanup_free = NULL;
	const char *line;

	read_quietly(root, "proc/self/status", &text);
	line = text ? strstr(text, "\nCapEff:") : NULL;
	/* Unreadable: let the kernel decide. */
	return !line || strtoull(line + 8, NULL, 16) >> number & 1;
}

/* The mode in brackets: "none [integrity] confidentiality". */
static bool is_locked_down(const char *root)
{
	char *text cleanup_free = NULL;

	read_quietly(root, "sys/kernel/security/lockdown", &text);
	return text && strchr(text, '[') && !strstr(text, "[none]");
}

struct error *permission_check(const char *root, bool crash, bool by_file)
{
	if (!has_capability(root, CAP_SYS_BOOT))
		return error_remedy(
			error_new(ERROR_RULE, "kernel rule 1 (permission): this process has no "
				  "CAP_SYS_BOOT"), "Run this as root.");
	if (file_says(root, "proc/sys/kernel/kexec_load_disabled", "1"))
		return error_remedy(
			error_new(ERROR_RULE, "kernel rule 1 (permission): loading was switched "
				  "off (kernel.kexec_load_disabled=1)"),
			"It can only be switched on by a reboot; look for it in /etc/sysctl.d.");
	if (file_says(root, crash ? "proc/sys/kernel/kexec_load_limit_panic" :
				    "proc/sys/kernel/kexec_load_limit_reboot", "0"))
		return error_remedy(
			error_new(ERROR_RULE, "kernel rule 1 (permission): the number of allowed "
				  "%s kernel loads is used up (kernel.kexec_load_limit_%s=0)",
				  crash ? "crash" : "next", crash ? "panic" : "reboot"),
			"It can only be raised by a reboot; look for it in /etc/sysctl.d.");
	if (!by_file && is_locked_down(root))
		return error_remedy(
			error_new(ERROR_RULE, "kernel rule 2 (lockdown): the kernel is locked "
				  "down and refuses kexec_load"), "%s", rules[1].remedy);
	return NULL;
}

/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "kexec/cmdline.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lib/file.h"

const char *const cmdline_not_reused[] = {
	"BOOT_IMAGE", "crashkernel", "kexec", "kexec_file", "initrd", "mem", "elfcorehdr",
	NULL,
};

const char *const cmdline_ours[] = { "initrd", "mem", "elfcorehdr", NULL };

const char *const cmdline_not_reused_normal[] = {
	"BOOT_IMAGE", "kexec", "kexec_file", "initrd", "elfcorehdr", NULL,
};

const char *const cmdline_ours_normal[] = { "initrd", "elfcorehdr", NULL };

/* A word: where it begins, how long it is, how long its name is. */
struct word {
	const char *text;
	size_t len, name_len;
	const char *name; /* after an opening quote */
};

static bool next_word(const char **text, struct word *ret)
{
	const char *at = *text;
	bool quoted = false;
	const char *equals = NULL;

	while (isspace((unsigned char)*at))
		at++;
	if (!*at)
		return false;
	ret->text = at;
	for (; *at && (quoted || !isspace((unsigned char)*at)); at++) {
		if (*at == '"')
			quoted = !quoted;
		else if (*at == '=' && !equals)
			equals = at;
	}
	ret->len = at - ret->text;
	ret->name = ret->text + (*ret->text == '"');
	ret->name_len = (equals ? equals : at) - ret->name;
	/* next_arg() drops the closing quote of a word quoted as a whole. */
	if (!equals && ret->name != ret->text && ret->name_len && at[-1] == '"')
		ret->name_len--;
	*text = at;
	return true;
}

static bool is_named(const struct word *word, const char *name)
{
	return strlen(name) == word->name_len && !memcmp(word->name, name, word->name_len);
}

static bool ends_ours(const struct word *word)
{
	return word->len == 2 && !memcmp(word->text, "--", 2);
}

static void append(char *to, size_t *used, const struct word *word)
{
	if (*used)
		to[(*used)++] = ' ';
	memcpy(to + *used, word->text, word->len);
	*used += word->len;
	to[*used] = 0;
}

struct error *cmdline_remove(const char *text, const char *const *names, char **ret,
			     char **ret_removed)
{
	char *kept = calloc(1, strlen(text) + 1), *removed = calloc(1, strlen(text) + 1);
	size_t kept_len = 0, removed_len = 0, i;
	bool for_init = false;
	struct word word;

	if (!kept || !removed) {
		free(kept);
		free(removed);
		return error_nomem();
	}
	while (next_word(&text, &word)) {
		bool drop = false;

		for_init = for_init || ends_ours(&word);
		for (i = 0; !for_init && names[i]; i++)
			drop = drop || is_named(&word, names[i]);
		if (drop)
			append(removed, &removed_len, &word);
		else
			append(kept, &kept_len, &word);
	}
	*ret = kept;
	if (ret_removed)
		*ret_removed = removed;
	else
		free(removed);
	return NULL;
}

bool cmdline_has(const char *text, const char *name)
{
	struct word word;

	while (next_word(&text, &word) && !ends_ours(&word))
		if (is_named(&word, name))
			return true;
	return false;
}

struct error *cmdline_join(const char *first, const char *second, char **ret)
{
	bool both = first && *first && second && *second;

	if (asprintf(ret, "%s%s%s", first ? first : "", both ? " " : "",
		     second ? second : "") < 0)
		return error_nomem();
	return NULL;
}

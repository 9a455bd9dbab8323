/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "lib/vmcoreinfo.h"

#include <stdlib.h>
#include <string.h>

#include "lib/file.h"
#include "lib/loongarch.h"
#include "lib/units.h"

struct line {
	const char *key; /* both point into vmcoreinfo.words */
	const char *value;
};

struct vmcoreinfo {
	char *text;  /* as given */
	size_t size;
	char *words; /* a copy, cut into keys and values */
	struct line *lines;
	size_t line_count;
};

void vmcoreinfo_destroy(struct vmcoreinfo *info)
{
	if (!info)
		return;
	free(info->text);
	free(info->words);
	free(info->lines);
	free(info);
}

static int compare_lines(const void *a, const void *b)
{
	return strcmp(((const struct line *)a)->key, ((const struct line *)b)->key);
}

/* Cuts ->words at '=' and newline and sorts the lines by key. */
static bool cut_lines(struct vmcoreinfo *info)
{
	size_t newlines = 1;
	char *at, *save = NULL;

	for (at = info->words; *at; at++)
		newlines += *at == '\n';
	info->lines = calloc(newlines, sizeof(*info->lines));
	if (!info->lines)
		return false;
	for (at = strtok_r(info->words, "\n", &save); at;
	     at = strtok_r(NULL, "\n", &save)) {
		char *equals = strchr(at, '=');

		if (!equals || equals == at)
			continue;
		*equals = 0;
		info->lines[info->line_count++] = (struct line){ at, equals + 1 };
	}
	qsort(info->lines, info->line_count, sizeof(*info->lines), compare_lines);
	return true;
}

struct error *vmcoreinfo_create(const char *text, size_t size, struct vmcoreinfo **ret)
{
	struct vmcoreinfo *info;

	size = strnlen(text, size);
	if (size > VMCOREINFO_SIZE_MAX)
		return error_new(ERROR_FORMAT, "VMCOREINFO of %zu bytes: the limit is %d",
				 size, VMCOREINFO_SIZE_MAX);
	info = calloc(1, sizeof(*info));
	if (!info)
		return error_nomem();
	info->size = size;
	info->text = strndup(text, size);
	info->words = strndup(text, size);
	if (!info->text || !info->words || !cut_lines(info)) {
		vmcoreinfo_destroy(info);
		return error_nomem();
	}
	if (!vmcoreinfo_string(info, "OSRELEASE")) {
		vmcoreinfo_destroy(info);
		return error_new(ERROR_FORMAT,
				 "VMCOREINFO of %zu bytes holds no OSRELEASE", size);
	}
	*ret = info;
	return NULL;
}

const char *vmcoreinfo_text(const struct vmcoreinfo *info, size_t *ret_size)
{
	*ret_size = info->size;
	return info->text;
}

const char *vmcoreinfo_string(const struct vmcoreinfo *info, const char *key)
{
	const struct line wanted = { .key = key };
	const struct line *line = bsearch(&wanted, info->lines, info->line_count,
					  sizeof(*info->lines), compare_lines);

	return line ? line->value : NULL;
}

/* Value of "KIND(name)", or NULL. */
static const char *lookup(const struct vmcoreinfo *info, const char *kind,
			  const char *name)
{
	char *key cleanup_free = NULL;

	if (asprintf(&key, "%s(%s)", kind, name) < 0) {
		key = NULL;
		return NULL;
	}
	return vmcoreinfo_string(info, key);
}

static bool lookup_unsigned(const struct vmcoreinfo *info, const char *kind,
			    const char *name, uint64_t *ret)
{
	const char *value = lookup(info, kind, name);

	return value && parse_size(value, ret);
}

bool vmcoreinfo_symbol(const struct vmcoreinfo *info, const char *name, uint64_t *ret)
{
	const char *value = lookup(info, "SYMBOL", name);

	return value && parse_hex(value, ret);
}

bool vmcoreinfo_size(const struct vmcoreinfo *info, const char *name, uint64_t *ret)
{
	return lookup_unsigned(info, "SIZE", name, ret);
}

bool vmcoreinfo_offset(const struct vmcoreinfo *info, const char *name, uint64_t *ret)
{
	return lookup_unsigned(info, "OFFSET", name, ret);
}

bool vmcoreinfo_length(const struct vmcoreinfo *info, const char *name, uint64_t *ret)
{
	return lookup_unsigned(info, "LENGTH", name, ret);
}

bool vmcoreinfo_number(const struct vmcoreinfo *info, const char *name, int64_t *ret)
{
	const char *value = lookup(info, "NUMBER", name);
	uint64_t magnitude;
	bool negative;

	if (!value)
		return false;
	negative = *value == '-';
	if (!parse_size(value + negative, &magnitude))
		return false;
	*ret = negative ? (int64_t)(0 - magnitude) : (int64_t)magnitude;
	return true;
}

bool vmcoreinfo_page_size(const struct vmcoreinfo *info, uint64_t *ret)
{
	const char *value = vmcoreinfo_string(info, "PAGESIZE");
	uint64_t size;

	if (!value || !parse_size(value, &size) || !loongarch_page_size_valid(size))
		return false;
	*ret = size;
	return true;
}

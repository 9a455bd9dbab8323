/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "kexec/evidence.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>

#include "kexec/scan.h"
#include "lib/units.h"

/*
 * init/version-timestamp.c; arch/loongarch/kernel/relocate.c (built for
 * RELOCATABLE, the nokaslr text only for RANDOMIZE_BASE);
 * arch/loongarch/kernel/setup.c (only for PROC_VMCORE, which needs
 * CRASH_DUMP); kernel/configs.c, a mark before a gzip stream.
 */
enum { BANNER, RELOCATED, NO_KASLR, ELFCOREHDR, CONFIG, NEEDLES };

#define TEXT(text) { text, sizeof(text) - 1, NULL }
static const struct needle wanted[NEEDLES] = {
	[BANNER] = TEXT("Linux version "),
	[RELOCATED] = TEXT("Kernel relocated by 0x"),
	[NO_KASLR] = TEXT("KASLR is disabled."),
	[ELFCOREHDR] = TEXT("elfcorehdr is overlapped"),
	[CONFIG] = TEXT("IKCFG_ST\x1f\x8b\x08"),
};

#define CONFIG_MARK  8
#define CONFIG_LIMIT ((size_t)4 << 20)
#define VERSION_MAX  128

static const char embedded[] = "embedded configuration";

/* The value of CONFIG_<name> into buffer; false when the option is not set. */
static bool config_value(const char *config, const char *name, char *buffer, size_t size)
{
	const char *line = config;
	size_t len = strlen(name);

	for (; line; line = strchr(line, '\n')) {
		size_t value;

		line += *line == '\n';
		if (strncmp(line, "CONFIG_", 7) || strncmp(line + 7, name, len) ||
		    line[7 + len] != '=')
			continue;
		line += 7 + len + 1;
		value = strcspn(line, "\n");
		if (value >= size)
			return false;
		memcpy(buffer, line, value);
		buffer[value] = 0;
		return true;
	}
	return false;
}

static enum answer config_answer(const char *config, const char *name)
{
	char value[8];

	return config_value(config, name, value, sizeof(value)) && !strcmp(value, "y") ?
		       ANSWER_YES : ANSWER_NO;
}

static void set_fact(struct fact *fact, enum answer value, const char *evidence,
		     bool only_unknown)
{
	if (!only_unknown || fact->value == ANSWER_UNKNOWN)
		*fact = (struct fact){ value, evidence };
}

/* only_unknown: leave alone what the image itself already told. */
static void read_config(struct image *image, const char *config, const char *evidence,
			bool only_unknown)
{
	/* Up to v6.7 the size and the levels were one option. */
	static const struct {
		const char *option;
		uint64_t size;
	} pages[] = {
		{ "PAGE_SIZE_4KB", 4096 },  { "PAGE_SIZE_16KB", 16384 },
		{ "PAGE_SIZE_64KB", 65536 }, { "4KB_3LEVEL", 4096 },
		{ "4KB_4LEVEL", 4096 },     { "16KB_2LEVEL", 16384 },
		{ "16KB_3LEVEL", 16384 },   { "64KB_2LEVEL", 65536 },
		{ "64KB_3LEVEL", 65536 },
	};
	char value[32];
	size_t i;

	set_fact(&image->relocatable, config_answer(config, "RELOCATABLE"), evidence,
		 only_unknown);
	set_fact(&image->kaslr, config_answer(config, "RANDOMIZE_BASE"), evidence,
		 only_unknown);
	set_fact(&image->crash_dump, config_answer(config, "CRASH_DUMP"), evidence,
		 only_unknown);
	set_fact(&image->flatmem, config_answer(config, "FLATMEM"), evidence, only_unknown);
	for (i = 0; i < sizeof(pages) / sizeof(*pages); i++)
		if (config_answer(config, pages[i].option) == ANSWER_YES) {
			image->page_size = pages[i].size;
			image->page_size_evidence = evidence;
		}
	if (config_value(config, "RANDOMIZE_BASE_MAX_OFFSET", value, sizeof(value)))
		parse_hex(value, &image->kaslr_max);
}

/* A stream that does not unpack is no configuration; the texts then decide. */
static bool try_config(struct image *image, const uint8_t *at, const uint8_t *end)
{
	struct blob config cleanup_blob = { 0 };
	struct error *err cleanup_error =
		unpack(CODEC_GZIP, at + CONFIG_MARK, end - at - CONFIG_MARK, 0, CONFIG_LIMIT,
		       "embedded configuration", 0, &config);

	if (err)
		return false;
	read_config(image, (const char *)config.data, embedded, false);
	return true;
}

static struct error *read_version(struct image *image, const uint8_t *banner,
				  const uint8_t *end)
{
	const char *text = (const char *)banner + wanted[BANNER].len;
	size_t room = (const char *)end - text, len = 0;

	while (len < room && len < VERSION_MAX && isgraph((unsigned char)text[len]))
		len++;
	if (!len || len == VERSION_MAX || len == room)
		return NULL;
	image->version = strndup(text, len);
	if (!image->version)
		return error_nomem();
	image->version_evidence = "text \"Linux version ...\" in the image";
	return NULL;
}

static void judge_texts(struct image *image, const struct needle *found)
{
	if (found[RELOCATED].found || found[NO_KASLR].found) {
		if (image->relocatable.value != ANSWER_YES)
			image->relocatable = (struct fact){
				ANSWER_YES, found[RELOCATED].found ?
				"text \"Kernel relocated by 0x\" in the image" :
				"text \"KASLR is disabled.\" in the image" };
	} else if (image->relocatable.value == ANSWER_UNKNOWN &&
		   !image->relocatable.evidence) {
		image->relocatable.evidence = "no text of the relocation code in the image";
	}

	if (found[NO_KASLR].found)
		image->kaslr = (struct fact){ ANSWER_YES,
					      "text \"KASLR is disabled.\" in the image" };
	else if (found[RELOCATED].found)
		image->kaslr = (struct fact){ ANSWER_NO,
					      "relocation code without its KASLR text" };
	else if (image->relocatable.value == ANSWER_NO)
		image->kaslr = (struct fact){ ANSWER_NO, "it cannot be relocated" };
	else
		image->kaslr.evidence = "no text of the relocation code in the image";

	if (found[ELFCOREHDR].found)
		image->crash_dump = (struct fact){
			ANSWER_YES, "text \"elfcorehdr is overlapped\" in the image" };
	else
		image->crash_dump.evidence = "no text of /proc/vmcore's code in the image";
}

struct error *evidence_collect(struct image *image)
{
	const uint8_t *end = image->payload + image->payload_size;
	struct needle needles[NEEDLES];
	struct error *err;

	memcpy(needles, wanted, sizeof(wanted));
	err = scan(image->payload, image->payload_size, needles, NEEDLES);
	if (err)
		return err;
	image->page_size_evidence = "no embedded configuration";
	if (!needles[CONFIG].found || !try_config(image, needles[CONFIG].found, end))
		judge_texts(image, needles);
	if (needles[BANNER].found)
		return read_version(image, needles[BANNER].found, end);
	return NULL;
}

struct error *evidence_from_file_beside(const char *path, struct image *image)
{
	const char *slash = strrchr(path, '/');
	char *config_path cleanup_free = NULL;
	struct blob config cleanup_blob = { 0 };
	struct error *err;

	/* An embedded configuration has told all there is. */
	if (image->page_size || !image->version || strchr(image->version, '/'))
		return NULL;
	if (asprintf(&config_path, "%.*sconfig-%s", slash ? (int)(slash + 1 - path) : 0, path,
		     image->version) < 0) {
		config_path = NULL;
		return error_nomem();
	}
	err = file_read(config_path, CONFIG_LIMIT, &config);
	if (err) { /* not there, or not for us to read: nothing is known from it */
		error_free(err);
		return NULL;
	}
	read_config(image, (const char *)config.data, "file config-VERSION beside the image",
		    true);
	return NULL;
}

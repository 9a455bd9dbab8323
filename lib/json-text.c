/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "lib/json-text.h"

#include <string.h>

#include "lib/file.h"
#include "lib/text.h"

struct json_object *json_text(const char *text)
{
	char *copy cleanup_free = text ? strdup(text) : NULL;

	if (!copy)
		return NULL;
	text_make_utf8(copy);
	return json_object_new_string(copy);
}

void json_print(FILE *out, struct json_object *document)
{
	fprintf(out, "%s\n", json_object_to_json_string_ext(document,
				JSON_C_TO_STRING_PRETTY | JSON_C_TO_STRING_NOSLASHESCAPE));
	json_object_put(document);
}

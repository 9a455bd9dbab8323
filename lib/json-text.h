/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What --json needs: strings, and vmcore's way of printing; kexec's plans have blanks
 * behind the colons. */
#ifndef LIB_JSON_TEXT_H
#define LIB_JSON_TEXT_H

#include <json-c/json.h>
#include <stdio.h>

/* A string of any bytes, as JSON can hold it; null for NULL. */
struct json_object *json_text(const char *text);

/* Prints the whole document and frees it. */
void json_print(FILE *out, struct json_object *document);

#endif

/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Text out of foreign files, before it is shown: bytes that stand for no
 * character become '?', one for each, in place.
 */
#ifndef LIB_TEXT_H
#define LIB_TEXT_H

/* What is no UTF-8: for JSON, which escapes the rest itself. */
void text_make_utf8(char *text);

/* That, and what a terminal acts on; newlines and tabs stay. */
void text_make_printable(char *text);

#endif

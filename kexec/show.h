/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Plans and images, for people and for programs.
 */
#ifndef KEXEC_SHOW_H
#define KEXEC_SHOW_H

#include <stdbool.h>
#include <stdio.h>

#include "kexec/image.h"
#include "kexec/machine.h"
#include "kexec/plan.h"
#include "kexec/rules.h"

/* What an image is and how that is known. */
void show_image(FILE *out, const char *path, const struct image *image);

/* Segments, entry and command line. */
void show_plan(FILE *out, const struct plan *plan, const struct machine *machine);

/* The rules a plan was held against, one line each. */
void show_rules(FILE *out, const struct rule_result results[RULE_COUNT]);

/* The reservation to scale, then what lies in it, free pieces included. */
void show_map(FILE *out, const struct plan *plan);
void show_map_svg(FILE *out, const struct plan *plan);

/* The same as one JSON document; plan, machine and results may be NULL. */
struct error *show_json(FILE *out, const struct image *image, const struct machine *machine,
			const struct plan *plan, const struct rule_result *results) MUST_CHECK;

#endif

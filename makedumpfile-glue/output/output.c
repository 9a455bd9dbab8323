/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "makedumpfile-glue/output/output.h"

#include <string.h>

const struct output_ops *output_find(const char *name)
{
	static const struct output_ops *const outputs[] = { &output_kdump, &output_elf };
	size_t i;

	for (i = 0; i < sizeof(outputs) / sizeof(outputs[0]); i++)
		if (!strcmp(outputs[i]->name, name))
			return outputs[i];
	return NULL;
}

/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "makedumpfile-glue/source/domain.h"

#include <stdlib.h>
#include <string.h>

#include "lib/bytes.h"

/* Behind "<element", where its attributes or its end follow. */
static const char *find_element(const char *xml, const char *element)
{
	const size_t len = strlen(element);
	const char *at = xml;

	while ((at = strchr(at, '<'))) {
		at++;
		if (!strncmp(at, element, len) && strchr(" \t\r\n>", at[len]) && at[len])
			return at + len;
	}
	return NULL;
}

bool domain_attribute(const char *xml, const char *element, const char *name, char *ret,
		      size_t room)
{
	const char *at = find_element(xml, element);
	const size_t name_len = strlen(name);

	while (at && *at && *at != '>') {
		size_t len;

		at += strspn(at, " \t\r\n");
		len = strcspn(at, "=>");
		if (at[len] != '=' || at[len + 1] != '\'')
			return false;
		if (len == name_len && !strncmp(at, name, len)) {
			at += len + 2;
			len = strcspn(at, "'");
			if (!at[len])
				return false;
			if (len >= room)
				len = room - 1;
			memcpy(ret, at, len);
			ret[len] = 0;
			return true;
		}
		at = strchr(at + len + 2, '\'');
		if (at)
			at++;
	}
	return false;
}

/* The number that an element holds, or 0. */
static unsigned long long number_in(const char *xml, const char *element)
{
	const char *at = find_element(xml, element);

	at = at ? strchr(at, '>') : NULL;
	return at ? strtoull(at + 1, NULL, 10) : 0;
}

size_t domain_cpus(const char *xml)
{
	char current[16];

	/* The others can be plugged in later. */
	if (domain_attribute(xml, "vcpu", "current", current, sizeof(current)))
		return strtoul(current, NULL, 10);
	return number_in(xml, "vcpu");
}

uint64_t domain_memory(const char *xml)
{
	char unit[8];
	uint64_t size;

	/* libvirt writes KiB, whatever it was given. */
	if (domain_attribute(xml, "memory", "unit", unit, sizeof(unit)) && strcmp(unit, "KiB"))
		return 0;
	return mul_overflows(number_in(xml, "memory"), 1024, &size) ? 0 : size;
}

bool domain_dimm(const char **at, unsigned int *ret_slot, uint64_t *ret_base)
{
	static const char end[] = "</memory>";
	const char *found;

	while ((found = find_element(*at, "memory"))) {
		const char *tag = strchr(found, '>'), *stop = strstr(found, end);
		char *element, slot[16], base[32];
		bool good;

		if (!tag || !stop)
			return false;
		/* That of <numatune> ends by itself: what follows is not in it. */
		if (tag[-1] == '/') {
			*at = tag;
			continue;
		}
		*at = stop + strlen(end);
		element = strndup(found, stop - found);
		good = element && domain_attribute(element, "address", "slot", slot, sizeof(slot)) &&
		       domain_attribute(element, "address", "base", base, sizeof(base));
		free(element);
		if (!good)
			continue;
		*ret_slot = strtoul(slot, NULL, 0);
		*ret_base = strtoull(base, NULL, 0);
		return true;
	}
	return false;
}

/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "lib/units.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

const char *size_text(uint64_t size, char buffer[UNITS_SIZE_TEXT])
{
	static const char *const unit[] = { "KiB", "MiB", "GiB", "TiB", "PiB" };
	double value = (double)size / 1024;
	unsigned int i = 0;

	if (size < 1024) {
		snprintf(buffer, UNITS_SIZE_TEXT, "%" PRIu64 " bytes", size);
		return buffer;
	}
	while (value >= 1024 && i < 4) {
		value /= 1024;
		i++;
	}
	/* Whole numbers stand without a fraction: "512 MiB", but "1.50 GiB". */
	snprintf(buffer, UNITS_SIZE_TEXT,
		 value == (double)(uint64_t)value ? "%.0f %s" : "%.2f %s", value,
		 unit[i]);
	return buffer;
}

/* strtoull alone takes signs and blanks; neither is a number here. */
static bool parse_digits(const char *text, int base, uint64_t *ret, const char **end)
{
	static const char decimal[] = "0123456789";
	static const char hex[] = "0123456789abcdefABCDEF";
	size_t digits = strspn(text, base == 16 ? hex : decimal);
	unsigned long long value;

	if (!digits)
		return false;
	errno = 0;
	value = strtoull(text, NULL, base);
	if (errno)
		return false;
	*end = text + digits;
	*ret = value;
	return true;
}

static const char *skip_0x(const char *text)
{
	return text[0] == '0' && (text[1] == 'x' || text[1] == 'X') ? text + 2 : text;
}

bool parse_size(const char *text, uint64_t *ret)
{
	const char *digits = skip_0x(text), *end;
	unsigned int shift = 0;
	uint64_t value;

	if (!parse_digits(digits, digits == text ? 10 : 16, &value, &end))
		return false;
	switch (*end) {
	case 'K': case 'k': shift = 10; break;
	case 'M': case 'm': shift = 20; break;
	case 'G': case 'g': shift = 30; break;
	case 'T': case 't': shift = 40; break;
	}
	if (shift)
		end++;
	if (*end || (shift && value >> (64 - shift)))
		return false;
	*ret = value << shift;
	return true;
}

bool parse_hex(const char *text, uint64_t *ret)
{
	const char *end;
	uint64_t value;

	if (!parse_digits(skip_0x(text), 16, &value, &end) || *end)
		return false;
	*ret = value;
	return true;
}

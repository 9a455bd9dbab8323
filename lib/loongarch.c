/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "lib/loongarch.h"

bool loongarch_page_size_valid(uint64_t page_size)
{
	return page_size == 0x1000 || page_size == 0x4000 || page_size == 0x10000;
}

bool loongarch_window_to_phys(uint64_t virt, uint64_t *ret)
{
	/* 0x8... uncached, 0x9... cached, 0xa... write-combining (DMW3): the
	 * windows differ in the top byte only. */
	switch (virt & ~LOONGARCH_PHYS_MASK) {
	case 0x8000000000000000ULL:
	case 0x9000000000000000ULL:
	case 0xa000000000000000ULL:
		*ret = virt & LOONGARCH_PHYS_MASK;
		return true;
	default:
		return false;
	}
}

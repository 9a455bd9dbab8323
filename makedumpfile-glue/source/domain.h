/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The few things we ask of a libvirt domain's XML, as libvirt itself writes it:
 * attributes in ' ', and < only where a tag begins.
 */
#ifndef GLUE_SOURCE_DOMAIN_H
#define GLUE_SOURCE_DOMAIN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* The value of an attribute of the first <element>, cut to the room there is for
 * it; false when there is none. */
bool domain_attribute(const char *xml, const char *element, const char *name, char *ret,
		      size_t room);

/* CPUs it runs with; 0 when the XML does not say. */
size_t domain_cpus(const char *xml);

/* Bytes of memory it starts with; 0 when the XML does not say. */
uint64_t domain_memory(const char *xml);

/* The next DIMM behind *at that has an address; *at moves on. */
bool domain_dimm(const char **at, unsigned int *ret_slot, uint64_t *ret_base);

#endif

/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The envelope of a stream (QEMU's migration/savevm.c): sections, of which RAM
 * tells its own length and the others do not. Behind each stands a footer with
 * its number, which is how the others are passed over.
 */
#include <ctype.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "lib/bytes.h"
#include "makedumpfile-glue/source/stream.h"

#define STREAM_VERSION 3

enum section_type {
	SECTION_EOF = 0x00,
	SECTION_START = 0x01,
	SECTION_PART = 0x02,
	SECTION_END = 0x03,
	SECTION_FULL = 0x04,
	SECTION_SUBSECTION = 0x05,
	SECTION_VMDESC = 0x06,
	SECTION_CONFIGURATION = 0x07,
	SECTION_COMMAND = 0x08,
	SECTION_FOOTER = 0x7e,
};

/* enum qemu_vm_cmd: from these on memory travels on demand, another way. */
#define COMMAND_POSTCOPY_ADVISE 3
#define COMMAND_POSTCOPY_LISTEN 4
#define COMMAND_POSTCOPY_RUN    5
#define COMMAND_PACKAGED        8

#define MACHINE_NAME_MAX 64
#define CAPABILITIES_MAX 256
#define SECTION_ID_MAX   65536
#define COMMANDS_MAX     16 /* in a row */

/* target/loongarch/machine.c: r0 to r31 and the PC come first in every
 * version; CRMD to BADV follow from version 1 on, where version 0 had the
 * floating-point registers. */
#define CPU_GPRS          32
#define CPU_CSRS          8
#define CPU_CSR_VERSION   1
#define CPU_TID           33 /* words between BADV and TID: BADI to PRCFG3, 16 of SAVE */

struct parser {
	struct stream *s;
	struct cursor c;
	uint32_t ram_id;
	bool ram_seen;
	uint8_t started[SECTION_ID_MAX / 8]; /* a bit for each section that goes on in parts */
};

static bool is_started(const struct parser *p, uint32_t id)
{
	return p->started[id / 8] >> id % 8 & 1;
}

/* Capabilities that change the stream are named in it. */
static void take_capabilities(struct parser *p)
{
	uint32_t count = cursor_u32(&p->c), i;

	for (i = 0; i < count && i < CAPABILITIES_MAX && !cursor_stuck(&p->c); i++) {
		char name[CURSOR_NAME_SIZE];

		cursor_name(&p->c, name);
		p->s->ignores_shared |= !strcmp(name, "x-ignore-shared");
		p->s->mapped |= !strcmp(name, "mapped-ram");
	}
}

static struct error *take_configuration(struct parser *p)
{
	struct cursor *c = &p->c;
	uint32_t len = cursor_u32(c);
	char name[CURSOR_NAME_SIZE];

	if (len > MACHINE_NAME_MAX)
		return error_new(ERROR_FORMAT, "a machine's name of %u bytes", len);
	cursor_copy(c, p->s->machine, len);
	for (;;) {
		const uint64_t at = c->at;

		if (cursor_u8(c) != SECTION_SUBSECTION) {
			if (!c->ended)
				c->at = at;
			return NULL;
		}
		cursor_name(c, name);
		cursor_u32(c); /* its version */
		if (!strcmp(name, "configuration/target-page-bits"))
			cursor_u32(c);
		else if (!strcmp(name, "configuration/capabilities"))
			take_capabilities(p);
		else if (!strcmp(name, "configuration/uuid"))
			cursor_skip(c, 16);
		else
			return error_new(ERROR_UNSUPPORTED, "a configuration '%s', which is "
					 "not known", name);
	}
}

static struct error *take_command(struct parser *p)
{
	uint16_t command = cursor_u16(&p->c), len = cursor_u16(&p->c);

	if (command == COMMAND_POSTCOPY_ADVISE)
		p->s->postcopy = true;
	if (command == COMMAND_POSTCOPY_LISTEN || command == COMMAND_POSTCOPY_RUN ||
	    command == COMMAND_PACKAGED)
		return error_remedy(error_new(ERROR_UNSUPPORTED,
					      "the guest went over to postcopy: from there on "
					      "its memory was fetched page by page by the other "
					      "side and is not in this stream"),
				    "take the dump with virsh dump, or migrate file: without "
				    "postcopy");
	cursor_skip(&p->c, len);
	return NULL;
}

/* EOF is the last of it, but for the description of the devices, a JSON object. */
static bool plausible_end(struct cursor *c)
{
	uint8_t type = cursor_u8(c);

	if (c->ended)
		return true;
	cursor_u32(c); /* its length */
	return type == SECTION_VMDESC && (cursor_u8(c) == '{' || c->ended);
}

/* What follows a footer: a device's bytes may look like one, and most of them are
 * zeros, which are EOFs, too. */
static bool plausible_next(const struct parser *p, struct cursor *c, unsigned int commands)
{
	char name[CURSOR_NAME_SIZE];
	uint8_t type = cursor_u8(c);
	uint16_t len;
	uint32_t id;
	size_t i;

	/* At the end of a file that was cut nothing can be told. */
	if (c->ended)
		return true;
	switch (type) {
	case SECTION_EOF:
		return plausible_end(c);
	case SECTION_COMMAND:
		cursor_u16(c); /* what it says */
		len = cursor_u16(c);
		if (c->ended)
			return true;
		return commands && cursor_skip(c, len) && plausible_next(p, c, commands - 1);
	case SECTION_PART:
	case SECTION_END:
		id = cursor_u32(c);
		return c->ended || (id < SECTION_ID_MAX && is_started(p, id));
	case SECTION_START:
	case SECTION_FULL:
		id = cursor_u32(c);
		cursor_name(c, name);
		for (i = 0; name[i] && isprint((unsigned char)name[i]); i++)
			;
		return c->ended || (id < SECTION_ID_MAX && i && !name[i]);
	default:
		return false;
	}
}

static bool plausible_after(struct parser *p)
{
	struct cursor *c = &p->c;
	const uint64_t at = c->at;
	const bool ended = c->ended;
	const bool good = plausible_next(p, c, COMMANDS_MAX);

	c->at = at;
	c->ended = ended;
	return good;
}

/* Passes over what is left of a section whose length nobody tells. False: its
 * end is not there. */
static bool skip_section(struct parser *p, uint32_t id)
{
	struct cursor *c = &p->c;
	const uint64_t start = c->at;
	uint8_t footer[5] = { SECTION_FOOTER, id >> 24, id >> 16, id >> 8, id };

	while (cursor_find(c, footer, sizeof(footer))) {
		c->at += sizeof(footer);
		if (plausible_after(p))
			return true;
		c->at -= sizeof(footer) - 1;
	}
	c->at = start;
	return false;
}

static struct error *take_cpu(struct parser *p, uint32_t index, uint32_t version)
{
	static const unsigned int csrs[CPU_CSRS] = {
		LOONGARCH_REG_CRMD, LOONGARCH_REG_PRMD, LOONGARCH_REG_EUEN, LOONGARCH_REG_COUNT,
		LOONGARCH_REG_ECFG, LOONGARCH_REG_ESTAT, LOONGARCH_REG_COUNT, LOONGARCH_REG_BADV,
	};
	struct registers *registers = &p->s->registers;
	struct cpu_registers *cpu, read = { .pid = index + 1 };
	struct error *err;
	unsigned int i;
	size_t at;

	for (i = 0; i < CPU_GPRS; i++)
		read.reg[i] = cursor_u64(&p->c);
	/* NT_PRSTATUS has the PC where the exception return address stands. */
	read.reg[LOONGARCH_REG_ERA] = cursor_u64(&p->c);
	for (i = 0; i < CPU_CSRS && version >= CPU_CSR_VERSION; i++) {
		uint64_t value = cursor_u64(&p->c);

		if (csrs[i] < LOONGARCH_REG_COUNT)
			read.reg[csrs[i]] = value;
	}
	if (cursor_stuck(&p->c) || index >= CPU_INDEX_MAX)
		return NULL;
	for (i = 0; i <= CPU_TID && version >= CPU_CSR_VERSION; i++)
		read.number = cursor_u64(&p->c);
	read.era = read.reg[LOONGARCH_REG_ERA];
	read.sp = read.reg[LOONGARCH_REG_SP];
	err = registers_add(registers, &cpu);
	if (err)
		return err;
	/* In the order of their numbers, as NT_PRSTATUS notes must be. */
	for (at = registers->count - 1; at && registers->cpus[at - 1].pid > read.pid; at--)
		registers->cpus[at] = registers->cpus[at - 1];
	registers->cpus[at] = read;
	return NULL;
}

/* START and FULL have a name, PART and END go on with what START named. */
static struct error *take_section(struct parser *p, enum section_type type, bool *ret_lost)
{
	struct cursor *c = &p->c;
	char name[CURSOR_NAME_SIZE] = "";
	uint32_t id = cursor_u32(c), instance = 0, version = 0;
	struct error *err = NULL;

	if (type == SECTION_START || type == SECTION_FULL) {
		cursor_name(c, name);
		instance = cursor_u32(c);
		version = cursor_u32(c);
	}
	if (cursor_stuck(c))
		return NULL;
	if (type == SECTION_START && id < SECTION_ID_MAX)
		p->started[id / 8] |= 1 << id % 8;
	if (type == SECTION_START && !strcmp(name, "ram")) {
		if (p->ram_seen)
			return error_new(ERROR_FORMAT, "two RAM sections");
		p->ram_seen = true;
		p->ram_id = id;
	} else if (!p->ram_seen || id != p->ram_id) {
		if (type == SECTION_FULL && !strcmp(name, "cpu"))
			err = take_cpu(p, instance, version);
		if (!err)
			*ret_lost = !skip_section(p, id);
		return err;
	}
	err = stream_parse_ram(p->s, c);
	if (!err && type == SECTION_END && !cursor_stuck(c))
		p->s->ram_ended = true;
	return err;
}

static struct error *take_sections(struct parser *p)
{
	struct cursor *c = &p->c;
	struct error *err = NULL;
	bool lost = false;

	while (!err && !lost && !cursor_stuck(c)) {
		const uint64_t at = c->at;
		uint8_t type = cursor_u8(c);

		p->s->finished = type == SECTION_EOF && !c->ended;
		if (c->ended || type == SECTION_EOF)
			break;
		switch (type) {
		case SECTION_START:
		case SECTION_PART:
		case SECTION_END:
		case SECTION_FULL: err = take_section(p, type, &lost); break;
		case SECTION_CONFIGURATION: err = take_configuration(p); break;
		case SECTION_COMMAND: err = take_command(p); break;
		case SECTION_FOOTER: cursor_u32(c); break;
		default: err = error_new(ERROR_FORMAT, "section of type 0x%x", type);
		}
		err = error_add(err, "offset 0x%" PRIx64, at);
	}
	return err;
}

struct error *stream_parse(struct stream *s, uint64_t at)
{
	struct parser p = { .s = s };
	struct error *err = cursor_init(&p.c, s->data, at + STREAM_MARK_SIZE);
	uint32_t version;

	if (err)
		return err;
	version = cursor_u32(&p.c);
	if (p.c.ended)
		err = error_new(ERROR_FORMAT, "cut after its mark");
	else if (version != STREAM_VERSION)
		err = error_new(ERROR_UNSUPPORTED, "a migration stream of version %u; %d is "
				"known", version, STREAM_VERSION);
	if (!err)
		err = take_sections(&p);
	/* What lies behind the RAM cannot make it worse, but the CPUs are there. */
	if (err && s->ram_ended && err->code == ERROR_FORMAT) {
		s->source.flaw = error_add(err, "%s: behind its RAM", s->source.path);
		err = NULL;
	}
	if (!err && p.c.err) {
		err = p.c.err;
		p.c.err = NULL;
	}
	if (!err && !p.ram_seen)
		err = error_new(ERROR_FORMAT, "no RAM section in the stream");
	else if (!err && !s->index)
		err = error_new(ERROR_FORMAT, "cut before the list of RAM blocks");
	cursor_deinit(&p.c);
	return err;
}

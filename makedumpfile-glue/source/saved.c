/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What `virsh save`, managed save and snapshots of memory write (libvirt's
 * src/qemu/qemu_saveimage.h): a header, the domain's XML, and the guest's
 * migration stream, packed as a whole or, "sparse", as a mapped-ram file.
 */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "lib/bytes.h"
#include "lib/unpack-file.h"
#include "makedumpfile-glue/source/domain.h"
#include "makedumpfile-glue/source/stream.h"

#define SAVED_MARK  "LibvirtQemudSave"
#define PARTIAL_MARK "LibvirtQemudPart"
#define MARK_SIZE   16
#define HEADER_SIZE 92

#define VERSION_MAX 2

/* The XML and the room libvirt leaves for edits. */
#define XML_MAX ((uint32_t)64 << 20)

/* enum virQEMUSaveFormat */
static const struct {
	const char *name;
	enum codec codec;
} formats[] = {
	{ "raw", CODEC_NONE },	 { "gzip", CODEC_GZIP }, { "bzip2", CODEC_BZIP2 },
	{ "xz", CODEC_XZ },	 { "lzop", CODEC_LZO },	 { "zstd", CODEC_ZSTD },
	{ "sparse", CODEC_NONE },
};
#define FORMAT_COUNT (sizeof(formats) / sizeof(formats[0]))

struct saved {
	struct input *input;
	uint64_t stream_at;
	uint32_t format;
	char *xml;
	size_t cpus; /* as the XML has it; 0: it does not say */
	bool partial;
};

static struct error *read_header(struct saved *saved, uint32_t *ret_xml_size)
{
	const char *path = saved->input->path;
	uint8_t header[HEADER_SIZE];
	uint32_t version;
	struct reader r;
	size_t got;
	struct error *err = input_read_some(saved->input, header, sizeof(header), 0, &got);

	if (err)
		return err;
	reader_init(&r, header, got, 0, path);
	saved->partial = reader_match(&r, PARTIAL_MARK, MARK_SIZE);
	if (!saved->partial && !reader_match(&r, SAVED_MARK, MARK_SIZE))
		return error_new(ERROR_NOT_MINE, "%s: no save image", path);
	version = reader_u32(&r);
	*ret_xml_size = reader_u32(&r);
	reader_u32(&r); /* whether the guest was running */
	saved->format = reader_u32(&r);
	reader_seek(&r, HEADER_SIZE);
	err = reader_check(&r, "virsh save image: header");
	if (err)
		return err;
	if (!version || version > VERSION_MAX)
		return error_new(ERROR_UNSUPPORTED, "%s: a virsh save image of version %u; 1 and "
				 "%d are known", path, version, VERSION_MAX);
	if (saved->format >= FORMAT_COUNT)
		return error_new(ERROR_UNSUPPORTED, "%s: a virsh save image packed in way %u, "
				 "which is not known", path, saved->format);
	if (*ret_xml_size > XML_MAX)
		return error_new(ERROR_FORMAT, "%s: a domain's XML of %u bytes", path,
				 *ret_xml_size);
	saved->stream_at = HEADER_SIZE + (uint64_t)*ret_xml_size;
	if (saved->stream_at >= saved->input->size)
		return error_new(ERROR_FORMAT, "%s: cut in the domain's XML, after %" PRIu64
				 " bytes", path, saved->input->size);
	return NULL;
}

static struct error *read_xml(struct saved *saved, uint32_t size)
{
	char *xml = malloc((size_t)size + 1), arch[64];
	struct error *err;

	if (!xml)
		return error_nomem();
	saved->xml = xml;
	err = input_read(saved->input, xml, size, HEADER_SIZE);
	if (err)
		return err;
	xml[size] = 0;
	if (domain_attribute(xml, "type", "arch", arch, sizeof(arch)) &&
	    strcmp(arch, "loongarch64"))
		return error_new(ERROR_UNSUPPORTED, "%s: a guest of %s, not of loongarch64",
				 saved->input->path, arch);
	saved->cpus = domain_cpus(xml);
	return NULL;
}

static struct error *open_stream(struct saved *saved, struct source **ret)
{
	const enum codec codec = formats[saved->format].codec;
	struct input *data = saved->input;
	uint64_t at = saved->stream_at;
	char mark[STREAM_MARK_SIZE];
	struct error *err, *flaw = NULL;
	size_t got;

	if (codec != CODEC_NONE) {
		err = unpack_file(codec, saved->input, at, &data, &flaw);
		if (err)
			return err;
		at = 0;
	}
	err = input_read_some(data, mark, sizeof(mark), at, &got);
	if (!err && (got < sizeof(mark) || memcmp(mark, STREAM_MARK, sizeof(mark)))) {
		err = flaw;
		flaw = NULL;
		if (!err)
			err = error_new(ERROR_FORMAT, "%s: no migration stream behind the "
					"domain's XML, at 0x%" PRIx64, saved->input->path,
					saved->stream_at);
	}
	if (!err)
		err = stream_open_at(&source_saved, saved->input, data, at, ret);
	if (err) {
		error_free(flaw);
		if (data != saved->input)
			input_close(data);
		return err;
	}
	if (flaw) {
		error_free((*ret)->flaw);
		(*ret)->flaw = flaw;
	}
	return NULL;
}

/* Where the DIMMs of the domain lie; libvirt names their blocks by their slots. */
static struct error *place_dimms(const struct saved *saved, struct stream *s)
{
	const char *at = saved->xml;
	unsigned int slot;
	uint64_t base;
	bool some = false;

	while (domain_dimm(&at, &slot, &base)) {
		static const char *const forms[] = { "memdimm%u", "/objects/memdimm%u" };
		size_t i;

		for (i = 0; i < sizeof(forms) / sizeof(forms[0]); i++) {
			char name[GUEST_NAME_SIZE];
			struct ram_block *block;

			snprintf(name, sizeof(name), forms[i], slot);
			block = guest_ram_find(&s->ram, name);
			if (!block || !is_aligned(base, GUEST_PAGE) || base < GUEST_LOW_SIZE ||
			    base > LOONGARCH_PHYS_MASK + 1 - block->size)
				continue;
			block->has_base = true;
			block->base = base;
			some = true;
		}
	}
	return some ? stream_lay_out(&s->source, 0) : NULL;
}

/* A stream does not say how many CPUs it should tell of. */
static void count_cpus(const struct saved *saved, struct source *source)
{
	const struct stream *s = (const struct stream *)source;

	if (saved->cpus > s->registers.count && !source->flaw)
		source->flaw = error_new(ERROR_FORMAT, "%s: the domain has %zu CPUs, the "
					 "registers of %zu are in it", source->path,
					 saved->cpus, s->registers.count);
}

static struct error *saved_open(struct input *input, struct source **ret)
{
	struct saved saved = { .input = input };
	uint32_t xml_size = 0;
	struct error *err = read_header(&saved, &xml_size);

	if (!err)
		err = read_xml(&saved, xml_size);
	if (!err)
		err = open_stream(&saved, ret);
	if (!err) {
		err = place_dimms(&saved, (struct stream *)*ret);
		if (err)
			stream_close(*ret);
	}
	free(saved.xml);
	if (saved.partial)
		err = error_add(err, "%s: a virsh save image that was not finished", input->path);
	if (!err) {
		(*ret)->marked_incomplete |= saved.partial;
		count_cpus(&saved, *ret);
	}
	return err;
}

const struct source_ops source_saved = {
	.format = "virsh save image",
	.reads_in_parallel = true,
	.open = saved_open,
	.read = stream_read,
	.next_data = stream_next_data,
	.lay_out = stream_lay_out,
	.testify = stream_testify,
	.settle = stream_settle,
	.add_ram = stream_add_ram,
	.close = stream_close,
};

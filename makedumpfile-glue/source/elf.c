/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * ELF cores: /proc/vmcore, copies of it, our own ELF output, QEMU's
 * dump-guest-memory.
 */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "lib/elfcore.h"
#include "lib/loongarch.h"
#include "makedumpfile-glue/source/source.h"

/* The mark of an unfinished dump (crash's netdump.h, DUMP_ELF_INCOMPLETE). It
 * counts only alone: loongarch's own ABI flags have that bit set too. */
#define E_FLAGS_INCOMPLETE 1

/* Memory that lies in the file. */
struct piece {
	uint64_t phys;
	uint64_t size;
	uint64_t offset;
};

struct elf_source {
	struct source source; /* first */
	/* Sorted by phys, disjoint. Memory of source.memory that no piece holds
	 * is zero (p_memsz beyond p_filesz). */
	struct piece *pieces;
	size_t piece_count;
};

static const char *machine_name(uint16_t machine)
{
	switch (machine) {
	case EM_386: return "i386";
	case EM_MIPS: return "mips";
	case EM_PPC: return "powerpc";
	case EM_PPC64: return "powerpc64";
	case EM_S390: return "s390x";
	case EM_ARM: return "arm";
	case EM_X86_64: return "x86_64";
	case EM_AARCH64: return "aarch64";
	case EM_RISCV: return "riscv";
	default: return "another architecture";
	}
}

/* Says no to ELF files that lib/elfcore rightly does not take for a core of
 * ours, where "not mine" would hide what the user mixed up. */
static struct error *check_ident(const struct input *input)
{
	const char *path = input->path;
	uint8_t head[sizeof(Elf64_Ehdr)];
	size_t got;
	struct error *err = input_read_some(input, head, sizeof(head), 0, &got);
	uint16_t type, machine;

	if (err)
		return err;
	if (got < SELFMAG || memcmp(head, ELFMAG, SELFMAG))
		return error_new(ERROR_NOT_MINE, "%s: not an ELF file", path);
	if (got < sizeof(head))
		return error_new(ERROR_FORMAT,
				 "%s: cut inside the ELF header, after %zu bytes", path,
				 got);
	type = get_le16(head + offsetof(Elf64_Ehdr, e_type));
	machine = get_le16(head + offsetof(Elf64_Ehdr, e_machine));
	if (head[EI_DATA] == ELFDATA2MSB) {
		type = type >> 8 | type << 8;
		machine = machine >> 8 | machine << 8;
	}
	if (type != ET_CORE)
		return error_remedy(error_new(ERROR_UNSUPPORTED,
					      "%s: an ELF file of type %u, not a core dump "
					      "(type %u)", path, type, ET_CORE),
				    "if this is the vmlinux: the dump is another file");
	if (machine != LOONGARCH_EM || head[EI_CLASS] != ELFCLASS64 ||
	    head[EI_DATA] != ELFDATA2LSB)
		return error_new(ERROR_UNSUPPORTED,
				 "%s: a %s-bit %s-endian dump of %s (ELF machine %u), "
				 "not of loongarch64", path,
				 head[EI_CLASS] == ELFCLASS64 ? "64" : "32",
				 head[EI_DATA] == ELFDATA2LSB ? "little" : "big",
				 machine_name(machine), machine);
	return NULL;
}

static struct error *read_notes(struct elf_source *s, const struct elf_segment *segment,
				uint64_t file_size)
{
	uint64_t size = segment->filesz;

	if (segment->offset >= file_size)
		return NULL;
	if (size > file_size - segment->offset)
		size = file_size - segment->offset;
	return source_add_notes(&s->source, segment->offset, size);
}

static int compare_pieces(const void *a, const void *b)
{
	const struct piece *x = a, *y = b;

	if (x->phys != y->phys)
		return x->phys < y->phys ? -1 : 1;
	return x->offset < y->offset ? -1 : x->offset > y->offset;
}

/* Cuts what an earlier piece holds already off each later one: kexec-tools
 * writes the kernel text a second time as a segment of its own. */
static void drop_overlaps(struct elf_source *s)
{
	uint64_t covered = 0;
	size_t in, out = 0;

	qsort(s->pieces, s->piece_count, sizeof(*s->pieces), compare_pieces);
	for (in = 0; in < s->piece_count; in++) {
		struct piece piece = s->pieces[in];
		uint64_t end = piece.phys + piece.size;

		if (end <= covered)
			continue;
		if (piece.phys < covered) {
			piece.offset += covered - piece.phys;
			piece.size = end - covered;
			piece.phys = covered;
		}
		covered = end;
		s->pieces[out++] = piece;
	}
	s->piece_count = out;
}

/* One PT_LOAD: a piece for what the file holds, memory for that and for the
 * zeros after it, promised for all it speaks of. */
static struct error *add_segment(struct elf_source *s, const struct elf_segment *segment,
				 uint64_t file_size, struct extents *promised)
{
	uint64_t start = segment->paddr, in_file = segment->filesz, end;
	uint64_t size = segment->memsz > in_file ? segment->memsz : in_file;
	struct error *err;

	/* Virtual memory without a physical address (/proc/kcore). */
	if (start == UINT64_MAX || !size)
		return NULL;
	if (add_overflows(start, size, &end) || end > LOONGARCH_PHYS_MASK + 1)
		return error_new(ERROR_FORMAT,
				 "%s: a segment of 0x%" PRIx64 " bytes at physical 0x%"
				 PRIx64 ", beyond the 48 bits of loongarch64",
				 s->source.path, size, start);
	err = extents_add(promised, start, end);
	if (err)
		return err;
	if (segment->offset >= file_size)
		in_file = 0;
	else if (in_file > file_size - segment->offset)
		in_file = file_size - segment->offset;
	if (in_file)
		s->pieces[s->piece_count++] =
			(struct piece){ start, in_file, segment->offset };
	err = extents_add(&s->source.memory, start, start + in_file);
	if (!err)
		err = extents_add(&s->source.memory, start + segment->filesz, end);
	return err;
}

static struct error *read_segments(struct elf_source *s, const struct elfcore *core,
				   uint64_t file_size)
{
	struct extents promised cleanup_extents = { 0 };
	struct error *err = NULL;
	size_t i;

	s->pieces = calloc(core->segment_count, sizeof(*s->pieces));
	if (!s->pieces)
		return error_nomem();
	for (i = 0; i < core->segment_count && !err; i++) {
		if (core->segments[i].type == PT_NOTE)
			err = read_notes(s, &core->segments[i], file_size);
		else if (core->segments[i].type == PT_LOAD)
			err = add_segment(s, &core->segments[i], file_size, &promised);
	}
	if (err)
		return err;
	drop_overlaps(s);
	extents_normalize(&s->source.memory);
	extents_normalize(&promised);
	s->source.promised = extents_total(&promised);
	if (!s->source.promised)
		return error_new(ERROR_FORMAT, "%s: the ELF core holds no memory segments",
				 s->source.path);
	if (!s->source.memory.count)
		return error_new(ERROR_FORMAT,
				 "%s: cut after %" PRIu64 " bytes, before the first memory",
				 s->source.path, file_size);
	return NULL;
}

static void elf_close(struct source *source)
{
	struct elf_source *s = (struct elf_source *)source;

	extents_deinit(&s->source.memory);
	blob_deinit(&s->source.notes);
	free(s->pieces);
	free(s);
}

static struct error *elf_open(struct input *input, struct source **ret)
{
	struct elfcore core = { 0 };
	struct elf_source *s;
	struct error *err;

	err = check_ident(input);
	if (!err)
		err = elfcore_read(input, &core);
	if (err)
		return err;
	s = calloc(1, sizeof(*s));
	if (!s) {
		elfcore_deinit(&core);
		return error_nomem();
	}
	s->source.ops = &source_elf;
	s->source.input = input;
	s->source.path = input->path;
	s->source.marked_incomplete = core.flags == E_FLAGS_INCOMPLETE ||
				     input->incomplete;
	err = read_segments(s, &core, input->size);
	elfcore_deinit(&core);
	if (err) {
		error_free(s->source.flaw);
		elf_close(&s->source);
		return err;
	}
	*ret = &s->source;
	return NULL;
}

/* Index of the first piece that ends after phys. */
static size_t find_piece(const struct elf_source *s, uint64_t phys)
{
	size_t low = 0, high = s->piece_count;

	while (low < high) {
		size_t middle = low + (high - low) / 2;

		if (s->pieces[middle].phys + s->pieces[middle].size <= phys)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

static struct error *elf_read(struct source *source, uint64_t phys, void *to, size_t len)
{
	struct elf_source *s = (struct elf_source *)source;
	size_t i = find_piece(s, phys);
	uint8_t *at = to;

	while (len) {
		const struct piece *piece = i < s->piece_count ? &s->pieces[i] : NULL;
		uint64_t skip, n = len;

		if (!piece || phys < piece->phys) {
			if (piece && piece->phys - phys < n)
				n = piece->phys - phys;
			memset(at, 0, n);
		} else {
			struct error *err;

			skip = phys - piece->phys;
			if (piece->size - skip < n)
				n = piece->size - skip;
			err = input_read(source->input, at, n, piece->offset + skip);
			if (err)
				return err;
			i++;
		}
		phys += n;
		at += n;
		len -= n;
	}
	return NULL;
}

static const uint8_t *elf_see(struct source *source, struct input_window *window,
			      uint64_t phys, size_t len)
{
	const struct elf_source *s = (const struct elf_source *)source;
	const size_t i = find_piece(s, phys);
	const struct piece *piece = &s->pieces[i];

	if (i == s->piece_count || phys < piece->phys ||
	    len > piece->size - (phys - piece->phys))
		return NULL;
	return input_see(source->input, window, piece->offset + (phys - piece->phys), len);
}

static uint64_t elf_next_data(struct source *source, uint64_t phys)
{
	const struct elf_source *s = (const struct elf_source *)source;
	size_t i;

	for (i = find_piece(s, phys); i < s->piece_count; i++) {
		const struct piece *piece = &s->pieces[i];
		uint64_t skip = phys > piece->phys ? phys - piece->phys : 0;
		uint64_t data = input_next_data(source->input, piece->offset + skip);

		if (data < piece->offset + piece->size)
			return piece->phys + (data - piece->offset);
	}
	return UINT64_MAX;
}

const struct source_ops source_elf = {
	.format = "ELF core",
	.reads_in_parallel = true,
	.open = elf_open,
	.read = elf_read,
	.see = elf_see,
	.next_data = elf_next_data,
	.close = elf_close,
};

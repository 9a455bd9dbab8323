# SPDX-License-Identifier: GPL-2.0-or-later
"""For make-vmcore: the kernel's account of its memory, as kernels of every
layout have it (tests/data/vmcore/kernels.txt): mem_section, struct pages of
every type, free lists, and page tables that map them.

Sections are of 16 MiB, so that all of it stays small; the kernel exports their
size, and readers must ask.
"""
import os
import struct

WINDOW = 0x9000000000000000
M64 = (1 << 64) - 1
KERNELS = os.path.join(os.path.dirname(os.path.abspath(__file__)), "../data/vmcore/kernels.txt")
BYTES = {"free": 0xf0, "offline": 0xf1, "table": 0xf2, "hugetlb": 0xf4, "slab": 0xf5, "unaccepted": 0xf7, "large_kmalloc": 0xf8}
BITS = {
    "low": {"free": 0x80, "offline": 0x100, "table": 0x200, "hugetlb": 0x800, "slab": 0x1000},
    "high": {"free": 1 << 30, "offline": 1 << 29, "table": 1 << 28, "hugetlb": 1 << 26, "slab": 1 << 25},
}
SWAPCACHE, SWAPBACKED, PRIVATE, LRU, SLAB, HEAD, POISON, HUGETLB, RESERVED = (1 << b for b in (10, 17, 14, 5, 9, 6, 21, 8, 12))
ZONE = 1 << 49  # of two: the second one
# struct page, and what else VMCOREINFO tells the places of
FLAGS, LRU_AT, MAPPING, INDEX, PRIVATE_AT, MAPCOUNT, REFCOUNT = 0, 8, 24, 32, 40, 48, 52
NODE_ZONES, NR_ZONES, ZONE_SIZE, FREE_AREA, MIGRATE_TYPES = 0, 15392, 1792, 256, 6
FREE_AREA_SIZE = 16 * MIGRATE_TYPES + 8
DTOR_AT = {"dtor": 36, "folio-dtor": 16}  # in the first tail

# Type and order of each block, over and over; small enough for 64K pages.
PATTERN = (("free", 3), ("cache", 0), ("cache-private", 0), ("anonymous", 0), ("slab", 0), ("kernel", 0),
           ("swapcache", 0), ("anonymous", 2), ("cache", 1), ("hugetlb", 2), ("slab", 1), ("table", 0),
           ("offline", 0), ("free", 0), ("poison", 0), ("kernel", 1), ("free", 2), ("cache-private", 2))
NAMES = {"swapcache": "cache", "table": "kernel", "large_kmalloc": "kernel", "poison": "hwpoison"}


def kernels():
    """{name: {column: value}} of the table."""
    rows = [line.split() for line in open(KERNELS) if line.strip() and line[0] != "#"]
    return {row[0]: dict(zip(rows[0], row)) for row in rows[1:]}


def list_head(zone, order, kind):
    """Offset in struct pglist_data."""
    return NODE_ZONES + zone * ZONE_SIZE + FREE_AREA + order * FREE_AREA_SIZE + 16 * kind


class Pages:
    VMEMMAP = 0xffffffff00000000
    SECTION_BITS, PHYSMEM_BITS, ENTRY = 24, 36, 16

    def __init__(self, a, runs):
        self.a, self.page = a, a.page_size
        self.kernel = kernels()[a.kernel]
        self.orders = a.orders or (4 if self.kernel["unaccepted"] == "yes" else 12)
        self.shift = a.page_size.bit_length() - 1
        self.per = 1 << self.SECTION_BITS - self.shift
        self.levels, _, how = a.pages.partition(":")
        self.levels, self.how = int(self.levels), how
        self.types = BYTES if self.kernel["types"] == "byte" else BITS[self.kernel["types"]]
        self.chunk = self.page << (self.shift - 3) if how == "huge" else self.page
        self.base = self.at = a.pages_at  # physical: where all this lies
        self.chunks, self.tables, self.level_of = {}, {}, {}
        self.root = self.take(self.page, self.page)
        self.invalid = [self.take(self.page, self.page) for _ in range(self.levels - 1)]
        self.node = self.take(16384, 64)
        self.nodes = self.node + 16128  # behind what is used of it
        self.truth, self.structs, self.free = {}, {}, {}
        for i, (start, size, _) in enumerate(runs):
            self.describe(start >> self.shift, (start + size) >> self.shift, i)

    def take(self, size, align):
        self.at = self.at + align - 1 & -align
        at, self.at = self.at, self.at + size
        return at

    def pattern(self):
        more = []
        if self.kernel["unaccepted"] == "yes":
            more.append(("unaccepted", self.orders - 1))
        if self.kernel["types"] == "byte":
            more.append(("large_kmalloc", 1))
        if self.a.hvo:
            more.append(("hugetlb", (2 * self.page // self.a.struct_size).bit_length() - 1))
        for text in self.a.more:
            kind, order = text.split(":")
            more.append((kind, int(order)))
        return PATTERN + tuple(more)

    def describe(self, first, last, run):
        if not run:  # the kernel's own
            for frame in range(first, last):
                self.put(frame, "reserved", 0)
            return
        frame, step, pattern = first, 0, self.pattern()
        while frame < last:
            kind, order = pattern[step % len(pattern)]
            step += 1
            while frame % (1 << order) and frame < last:
                self.put(frame, "kernel", 0)
                frame += 1
            if frame + (1 << order) <= last:
                self.put(frame, kind, order)
                frame += 1 << order

    def mapcount(self, kind):
        """Of the first page: the type, where the kernel has one for it."""
        kernel = self.kernel
        typed = {"slab": kernel["slab"] == "type", "hugetlb": kernel["hugetlb"] == "type"}.get(kind, kind in self.types)
        if not typed:
            return 0 if kind == "anonymous" else -1
        if kernel["types"] == "byte":
            return self.types[kind] << 24 | {"slab": 0xabcdef, "free": 0}.get(kind, 0xffff)
        return ~self.types[kind]

    def put(self, frame, kind, order):
        size, kernel = self.a.struct_size, self.kernel
        flags, mapping, private, refcount = ZONE, 0, 0, 1
        if self.how == "flat":
            flags |= frame // self.per << 52
        place = flags
        unused = kind in ("free", "unaccepted")
        if unused:
            private, refcount = order if kind == "free" else 0, 0
        elif kind.startswith("cache"):
            flags |= LRU
            mapping = WINDOW + 0x1230
            if kind == "cache-private":
                flags, private = flags | PRIVATE, WINDOW + 0x4440
        elif kind == "swapcache":
            flags |= SWAPBACKED | SWAPCACHE
        elif kind == "anonymous":
            flags, mapping = flags | LRU | SWAPBACKED, WINDOW + 0x1231
        elif kind == "slab":
            mapping = WINDOW + 0x777  # its own data, with bit 0 set
            flags |= SLAB if kernel["slab"] == "flag" else 0
        elif kind == "poison":
            flags |= POISON | LRU
        elif kind == "table":
            mapping = 1
        elif kind == "reserved":
            flags |= RESERVED
        for i in range(1 << order):
            self.truth[frame + i] = NAMES.get(kind, "kernel" if kind == "reserved" else kind)
            page, link = bytearray(size), None
            word = flags | (HEAD if order and not i and not unused else 0)
            if i and not unused:
                link = (1 << 64) - (size << order) | 1 if self.a.mask else ("tail", frame)
                word = place | (order if i == 1 else 0)
                # What a tail's other words hold looks like anything but a tail.
                struct.pack_into("<Q", page, MAPPING, 1)
            elif not i and not unused:
                struct.pack_into("<QQ", page, LRU_AT, WINDOW + 0x5550, WINDOW + 0x5560)
                struct.pack_into("<Q", page, MAPPING, mapping)
            if i == 1 and not unused and kernel["hugetlb"] in DTOR_AT:
                struct.pack_into("<Q", page, MAPPING, 0)
                page[DTOR_AT[kernel["hugetlb"]]] = 2 if kind == "hugetlb" else 1
            elif i == 1 and kind == "hugetlb" and kernel["hugetlb"] == "flag":
                word |= HUGETLB
            first = not i
            struct.pack_into("<Q", page, FLAGS, word)
            struct.pack_into("<Q", page, PRIVATE_AT, private if first else 0)
            struct.pack_into("<II", page, MAPCOUNT, (self.mapcount(kind) if first else -1) & 0xffffffff, refcount if first else 0)
            self.structs[frame + i] = [page, link]
        if kind == "free":
            self.free.setdefault((order, frame >> order & 1), []).append(frame)
        if self.a.hvo and kind == "hugetlb":
            # The vmemmap pages behind the first one are that page once more;
            # where tails hold a mask, one page of tails.
            once = self.page // size
            for i in range(once, 1 << order):
                self.structs[frame + i] = self.structs[frame + (2 if self.a.mask else i % once)]

    # ---- Into memory ----

    def address(self, frame):
        return self.maps[frame // self.per] + frame * self.a.struct_size

    def place(self, memory):
        """Everything; returns the VMCOREINFO lines and the end."""
        size, per = self.a.struct_size, self.per
        sections = {frame // per for frame in self.structs}
        # This region's own pages, and frames no run has in a section that is there.
        own = self.base >> self.SECTION_BITS
        sections |= set(range(own, own + (4 if self.how == "huge" else 1) * max(1, self.chunk >> 22)))
        self.maps, arrays = {}, {}
        if self.how == "one":  # CONFIG_FLATMEM: holes have struct pages, too
            sections = set(range(max(sections) + 8))
            self.one = self.take(size * per * len(sections), self.page)
            arrays = {section: self.one + section * per * size for section in sections}
            self.mem_map = self.take(8, 8)
            memory[self.mem_map] = struct.pack("<Q", WINDOW + self.one)
        for section in sorted(sections):
            self.maps[section] = WINDOW + self.one if self.how == "one" else self.VMEMMAP
            if self.how == "flat":
                arrays[section] = self.take(size * per, self.page)
                self.maps[section] = WINDOW + arrays[section] - section * per * size
        self.link(memory)
        self.damage()
        for section in sorted(sections):
            data = self.section(section)
            if section in arrays:
                memory[arrays[section]] = data
            else:
                self.place_virtual(memory, self.VMEMMAP + section * per * size, data)
        self.tables.setdefault(self.root, {})
        for i, table in enumerate(self.invalid):
            memory[table] = struct.pack("<Q", WINDOW + self.invalid[i + 1] if i + 1 < len(self.invalid) else 0) * (self.page // 8)
        for table, (level, entries) in ((t, (self.level_of.get(t, 0), e)) for t, e in self.tables.items()):
            empty = WINDOW + self.invalid[level] if level < len(self.invalid) else 1 << 6
            memory[table] = b"".join(struct.pack("<Q", entries.get(i, empty)) for i in range(self.page // 8))
        return self.info(memory), self.at

    def section(self, section):
        size = self.a.struct_size
        data = bytearray(size * self.per)
        blank = bytearray(size)
        struct.pack_into("<Q", blank, FLAGS, ZONE | RESERVED | (section << 52 if self.how == "flat" else 0))
        struct.pack_into("<iI", blank, MAPCOUNT, -1, 1)
        for i in range(self.per):
            data[i * size:(i + 1) * size] = self.structs.get(section * self.per + i, (blank, None))[0]
        return bytes(data)

    def place_virtual(self, memory, virt, data):
        done = 0
        while done < len(data):
            chunk = (virt + done) // self.chunk * self.chunk
            if chunk not in self.chunks:
                self.chunks[chunk] = self.take(self.chunk, self.chunk)
                self.map(chunk, self.chunks[chunk])
            within = virt + done - chunk
            n = min(len(data) - done, self.chunk - within)
            memory[self.chunks[chunk] + within] = data[done:done + n]
            done += n

    def link(self, memory):
        """Tails to their heads, free blocks into the lists of the second zone."""
        for page, link in self.structs.values():
            if link:
                struct.pack_into("<Q", page, LRU_AT, self.address(link[1]) | 1 if isinstance(link, tuple) else link)
        node = bytearray(16384)
        struct.pack_into("<IQQQI", node, NR_ZONES, 2, 0, 0, 0, 0)
        for zone in range(2):
            for order in range(self.orders):
                for kind in range(MIGRATE_TYPES):
                    at = list_head(zone, order, kind)
                    blocks = self.free.get((order, kind), []) if zone else []
                    self.chain(node, at, [WINDOW + self.node + at] + [self.address(frame) + LRU_AT for frame in blocks], blocks)
        self.damage_lists(node)
        memory[self.node] = node
        if self.a.nodes:
            memory[self.nodes] = struct.pack("<4Q", 0, WINDOW + self.node, 0, 0)
            memory[self.nodes + 64] = struct.pack("<Q", 1 << 1)

    def damage_lists(self, node):
        """OFFSET:HEX, or OFFSET:@FRAME, in struct pglist_data."""
        for text in self.a.node_bytes:
            offset, value = text.split(":")
            value = struct.pack("<Q", self.address(int(value[1:], 0)) + LRU_AT) if value[0] == "@" else bytes.fromhex(value)
            node[int(offset, 0):int(offset, 0) + len(value)] = value

    def chain(self, node, at, places, blocks):
        for i, place in enumerate(places):
            both = struct.pack("<QQ", places[(i + 1) % len(places)], places[i - 1])
            if i:
                self.structs[blocks[i - 1]][0][LRU_AT:LRU_AT + 16] = both
            else:
                node[at:at + 16] = both

    def damage(self):
        """FRAME:OFFSET:HEX, or FRAME:OFFSET:@FRAME for the address of that one's list entry."""
        for text in self.a.page_bytes:
            frame, offset, value = text.split(":")
            value = struct.pack("<Q", self.address(int(value[1:], 0)) + LRU_AT) if value[0] == "@" else bytes.fromhex(value)
            self.structs[int(frame, 0)][0][int(offset):int(offset) + len(value)] = value

    def map(self, virt, phys):
        bits, table = self.shift - 3, self.root
        for level in range(self.levels):
            shift = self.shift + bits * (self.levels - 1 - level)
            entries = self.tables.setdefault(table, {})
            index = virt >> shift & (1 << bits) - 1
            flags = 1 | 1 << 1 | 1 << 4 | 1 << 7 | 1 << 8 | 1 << 61 | 1 << 62
            if self.how == "huge" and level == self.levels - 2:
                entries[index] = phys | flags | 1 << 6 | 1 << 12
                return
            if level == self.levels - 1:
                entries[index] = phys | flags | 1 << 6
                return
            if index not in entries:
                entries[index] = WINDOW + self.take(self.page, self.page)
                self.level_of[entries[index] - WINDOW] = level + 1
            table = entries[index] - WINDOW

    def place_sections(self, memory):
        """mem_section; returns where it is and its length."""
        total = 1 << self.PHYSMEM_BITS - self.SECTION_BITS
        per_root = self.page // self.ENTRY
        roots = -(-total // per_root)
        flags = int(self.a.section_flags, 0)
        if self.a.static_sections:
            table = self.take(total * self.ENTRY, 64)
            for section, base in self.maps.items():
                memory[table + section * self.ENTRY] = struct.pack("<Q", base | flags)
            return table, total
        table, pointers = self.take(8 * roots, 8), [0] * roots
        for section, base in self.maps.items():
            root = section // per_root
            if not pointers[root]:
                pointers[root] = WINDOW + self.take(self.page, 64)
            memory[pointers[root] - WINDOW + section % per_root * self.ENTRY] = struct.pack("<Q", base | flags)
        memory[table] = struct.pack(f"<{roots}Q", *pointers)
        return table, roots

    def model(self, memory):
        """Where the struct pages are."""
        if self.how == "one":
            return [f"SYMBOL(mem_map)={WINDOW + self.mem_map:x}", "OFFSET(pglist_data.node_mem_map)=15384"]
        table, length = self.place_sections(memory)
        lines = [] if self.how == "flat" else [f"SYMBOL(vmemmap)={self.VMEMMAP:x}"]
        if not self.a.nodes:  # not of CONFIG_FLATMEM, and empty
            lines.append(f"SYMBOL(mem_map)={WINDOW + self.node + 16120:x}")
        return lines + [f"SYMBOL(mem_section)={WINDOW + table:x}", f"LENGTH(mem_section)={length}", f"SIZE(mem_section)={self.ENTRY}",
                        "OFFSET(mem_section.section_mem_map)=0", f"NUMBER(SECTION_SIZE_BITS)={self.SECTION_BITS}",
                        f"NUMBER(MAX_PHYSMEM_BITS)={self.PHYSMEM_BITS}"]

    def info(self, memory):
        """In the order of kernel/vmcore_info.c."""
        kernel = self.kernel
        lines = [f"SYMBOL(swapper_pg_dir)={WINDOW + self.root:x}", f"SYMBOL(_stext)={WINDOW + 0x200000:x}",
                 f"NUMBER(VMALLOC_START)=0x{0xffff800082000000 + 2 * self.page:x}"]
        if self.a.nodes:
            lines += [f"SYMBOL(node_data)={WINDOW + self.nodes:x}", f"SYMBOL(node_online_map)={WINDOW + self.nodes + 64:x}"]
        else:
            lines.append(f"SYMBOL(contig_page_data)={WINDOW + self.node:x}")
        lines += self.model(memory)
        lines += [f"SIZE(page)={self.a.struct_size}", "SIZE(pglist_data)=16384",
                  f"SIZE(zone)={ZONE_SIZE}", f"SIZE(free_area)={FREE_AREA_SIZE}", "SIZE(list_head)=16", "SIZE(nodemask_t)=8",
                  f"OFFSET(page.flags)={FLAGS}", f"OFFSET(page._refcount)={REFCOUNT}", f"OFFSET(page.mapping)={MAPPING}",
                  f"OFFSET(page.lru)={LRU_AT}", f"OFFSET(page._mapcount)={MAPCOUNT}", f"OFFSET(page.private)={PRIVATE_AT}"]
        if kernel["hugetlb"] == "dtor":
            lines += [f"OFFSET(page.compound_dtor)={DTOR_AT['dtor']}", "OFFSET(page.compound_order)=37"]
        elif kernel["hugetlb"] == "folio-dtor":
            lines += [f"OFFSET(folio._folio_dtor)={self.a.struct_size + DTOR_AT['folio-dtor']}", f"OFFSET(folio._folio_order)={self.a.struct_size + 17}"]
        lines += [f"OFFSET(page.compound_{kernel['compound']})={LRU_AT}", f"OFFSET(pglist_data.node_zones)={NODE_ZONES}",
                  f"OFFSET(pglist_data.nr_zones)={NR_ZONES}", f"OFFSET(pglist_data.node_start_pfn)={NR_ZONES + 8}",
                  f"OFFSET(pglist_data.node_spanned_pages)={NR_ZONES + 24}", f"OFFSET(pglist_data.node_id)={NR_ZONES + 32}",
                  f"OFFSET(zone.free_area)={FREE_AREA}", "OFFSET(zone.vm_stat)=1600", "OFFSET(zone.spanned_pages)=152",
                  "OFFSET(free_area.free_list)=0", "OFFSET(list_head.next)=0", "OFFSET(list_head.prev)=8",
                  f"LENGTH(zone.free_area)={self.orders}", f"LENGTH(free_area.free_list)={MIGRATE_TYPES}", "NUMBER(NR_FREE_PAGES)=0",
                  "NUMBER(PG_lru)=5", "NUMBER(PG_private)=14", "NUMBER(PG_swapcache)=10", "NUMBER(PG_swapbacked)=17"]
        lines += ["NUMBER(PG_slab)=9"] if kernel["slab"] == "flag" else [self.type_line("SLAB")]
        lines += ["NUMBER(PG_hwpoison)=21", "NUMBER(PG_head_mask)=64", self.type_line("BUDDY", "free")]
        lines += [{"flag": "NUMBER(PG_hugetlb)=8", "type": self.type_line("HUGETLB")}.get(kernel["hugetlb"], "NUMBER(HUGETLB_PAGE_DTOR)=2"),
                  self.type_line("OFFLINE")]
        if kernel["unaccepted"] == "yes":
            lines.append(self.type_line("UNACCEPTED"))
        return lines

    def type_line(self, name, kind=None):
        """The number as C prints an int."""
        value = self.types[kind or name.lower()]
        value = value << 24 if self.kernel["types"] == "byte" else ~value & 0xffffffff
        return f"NUMBER(PAGE_{name}_MAPCOUNT_VALUE)={value - (1 << 32)}"

# vmcore save: every page of the source is in the dump and equal, and the
# headers are as crash and libkdumpfile want them.

setup() {
    load common
    load vmcore
    cd "$BATS_TEST_TMPDIR" || exit 1
}

# round_trip SIZE LEVEL OPTION...
round_trip() {
    local size=$1 level=$2
    shift 2
    make_vmcore raw --page-size "$size"
    ok "$VMCORE" save -q -d "$level" "$@" raw dump
    pages_equal raw dump
}

@test "save: zlib, level 0, 4K pages" { round_trip 4K 0 -c; }
@test "save: zlib, level 0, 16K pages" { round_trip 16K 0 -c; }
@test "save: zlib, level 0, 64K pages" { round_trip 64K 0 -c; }
@test "save: zlib, level 1, 4K pages" { round_trip 4K 1 -c; }
@test "save: zlib, level 1, 16K pages" { round_trip 16K 1 -c; }
@test "save: zlib, level 1, 64K pages" { round_trip 64K 1 -c; }
@test "save: raw, level 0, 4K pages" { round_trip 4K 0 --raw; }
@test "save: raw, level 0, 16K pages" { round_trip 16K 0 --raw; }
@test "save: raw, level 0, 64K pages" { round_trip 64K 0 --raw; }
@test "save: raw, level 1, 4K pages" { round_trip 4K 1 --raw; }
@test "save: raw, level 1, 16K pages" { round_trip 16K 1 --raw; }
@test "save: raw, level 1, 64K pages" { round_trip 64K 1 --raw; }
@test "save: ELF, level 0, 4K pages" { round_trip 4K 0 --format elf; }
@test "save: ELF, level 0, 16K pages" { round_trip 16K 0 --format elf; }
@test "save: ELF, level 0, 64K pages" { round_trip 64K 0 --format elf; }
@test "save: ELF, level 1, 4K pages" { round_trip 4K 1 --format elf; }
@test "save: ELF, level 1, 16K pages" { round_trip 16K 1 --format elf; }
@test "save: ELF, level 1, 64K pages" { round_trip 64K 1 --format elf; }

# codec OPTION STATUS: every page through the codec's own library, too.
codec() {
    "$VMCORE" --version | grep -q "$3" || skip "$3 is not in this build"
    local size
    for size in 4K 64K; do
        make_vmcore raw --page-size $size --memory 2M+1M --memory 2G+1M
        ok "$VMCORE" save -q -f "$1" raw dump
        [ "$(field dump 424 4)" -eq "$2" ]
        pages_equal raw dump
        assert_output --partial " $3)"
        ok "$VMCORE" save -q -f dump again
        pages_equal raw again
    done
}

@test "save: lzo" { codec -l 2 lzo; }
@test "save: snappy" { codec -p 4 snappy; }
@test "save: zstd" { codec -z 32 zstd; }

# Threads are only started for 16 MiB each.
@test "save: many threads put every page, in ELF to the same place" {
    make_vmcore raw --memory 2M+4M --memory 1G+64M:zero --memory 2G+48M
    local option threads
    for option in -c -z --raw; do
        ok "$VMCORE" save -q -f --threads 1 $option raw one
        ok "$VMCORE" save -q -f --threads 1 $option raw again
        cmp one again
        for threads in 2 7; do
            ok "$VMCORE" save -q -f --threads $threads $option raw many
            pages_equal raw many
        done
    done
    ok "$VMCORE" save -q --threads 1 --format=elf raw elf
    ok "$VMCORE" save -q -f --threads 7 --format=elf raw many
    cmp elf many
    # Also from a source that only one thread may read.
    ok "$VMCORE" save -q -f --threads 4 one two
    pages_equal raw two
    fails 1 "$VMCORE" save --threads 0 raw dump
    fails 1 "$VMCORE" save --threads x raw dump
}

@test "save: what it wrote can be its source: kdump to ELF to kdump" {
    make_vmcore raw
    ok "$VMCORE" save -q raw one
    ok "$VMCORE" save -q --format elf one two
    ok "$VMCORE" save -q --raw two three
    ok "$VMCORE" save -q three four
    pages_equal raw two
    pages_equal raw three
    cmp one four
}

@test "save: defaults are level 1, zlib, kdump-compressed" {
    make_vmcore raw
    ok "$VMCORE" save -q raw dump
    ok "$VMCORE" save -q -d 1 -c --format kdump raw same
    cmp dump same
    [ "$(field dump 424 4)" -eq 1 ]
}

@test "save: header fields, byte for byte" {
    make_vmcore raw
    ok "$VMCORE" save -q raw dump
    [ "$(head -c 8 dump)" = "KDUMP   " ]
    [ "$(field dump 8 4)" -eq 6 ]                # version
    [ "$(field dump 408 8)" -eq 1795000000 ]     # tv_sec is CRASHTIME
    [ "$(field dump 416 8)" -eq 0 ]              # tv_usec
    [ "$(field dump 424 4)" -eq 1 ]              # status: zlib
    [ "$(field dump 428 4)" -eq 16384 ]          # block_size
    [ "$(field dump 432 4)" -eq 3 ]              # sub_hdr_size: bitmaps at 64K
    [ "$(field dump 436 4)" -eq 4 ]              # bitmap_blocks
    [ "$(field dump 440 4)" -eq $((0x20100)) ]   # max_mapnr
    [ "$(field dump 456 4)" -eq 0 ]              # current_cpu
    [ "$(field dump 460 4)" -eq 2 ]              # nr_cpus
    [ "$(field dump 16384 8)" -eq 0 ]            # phys_base
    [ "$(field dump 16392 4)" -eq 1 ]            # dump_level
    [ "$(field dump 16396 4)" -eq 0 ]            # split
    [ "$(field dump $((16384 + 48)) 8)" -eq $((16384 + 104)) ]  # offset_note
    [ "$(field dump $((16384 + 96)) 8)" -eq $((0x20100)) ]      # max_mapnr_64
    local at
    at=$(field dump $((16384 + 32)) 8)           # offset_vmcoreinfo
    [ "$(tail -c +$((at + 1)) dump | head -n 1)" = "OSRELEASE=6.12.0-test" ]
    ok "$UNIT/compare-dump" --header raw dump
    assert_line "names=Linux|testhost|6.12.0-test|#1 SMP synthetic|loongarch64|(none) time=1795000000 status=1 block=16384 level=1 cpus=2 max_mapnr=0x20100"
}

@test "save: bitmaps start on 64 KiB with 4K and 64K blocks too, and with many notes" {
    local size
    for size in 4096 65536; do
        make_vmcore raw --page-size $size --cpus 300
        ok "$VMCORE" save -q -f raw dump
        pages_equal raw dump
        [ $(((1 + $(field dump 432 4)) * size % 65536)) -eq 0 ]
        [ "$(field dump 460 4)" -eq 300 ]
    done
}

@test "save: the status says raw when pages are raw" {
    make_vmcore raw
    ok "$VMCORE" save -q --raw raw dump
    [ "$(field dump 424 4)" -eq 0 ]
}

@test "save: pages of zeros share one; in ELF they are holes at level 1" {
    make_vmcore raw --memory 2M+1M --memory 4G+64M:zero
    ok "$VMCORE" save -q -d 0 --raw raw dump
    ok "$VMCORE" save -q --format elf -d 1 raw holes
    ok "$VMCORE" save -q --format elf -d 0 raw full
    [ "$(du -k dump | cut -f 1)" -lt 2048 ]
    [ "$(du -k holes | cut -f 1)" -lt 2048 ]
    [ "$(du -k full | cut -f 1)" -gt 65536 ]
    cmp holes full
}

@test "save: a page that differs from zeros in one byte only is kept" {
    make_vmcore raw --memory 2M+1M --memory 1G+4M:mix --seed 7
    ok "$VMCORE" save -q raw dump
    pages_equal raw dump
}

@test "save: memory of node 1 at 1 << 44 costs what it holds" {
    local size
    for size in 4K 16K 64K; do
        make_vmcore raw --page-size $size --memory 2M+2M --memory 0x100000000000+2M --memory 0x300000000000+1M
        ok "$VMCORE" save -q -f --raw raw dump
        pages_equal raw dump
        [ "$(du -k dump | cut -f 1)" -lt 8192 ]
        ok "$VMCORE" save -q -f --format elf raw elf
        pages_equal raw elf
        ok "$VMCORE" save -q -f dump again
        pages_equal raw again
    done
}

# peak_memory CMD...: sets $peak to the largest resident size, in KiB.
peak_memory() {
    ok /usr/bin/python3 -c 'import resource, subprocess, sys
status = subprocess.call(sys.argv[1:])
print(resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss)
sys.exit(status)' "$@"
    peak=$output
}

@test "save: 1 GiB of memory and a node 3 take no more memory than 16 MiB" {
    local peak small format
    make_vmcore little --memory 2M+16M:zero
    make_vmcore large --memory 2M+1G:zero --memory 0x300000000000+16M:text
    for format in kdump elf; do
        peak_memory "$VMCORE" save -q --threads 1 --format $format little a
        small=$peak
        # The table of pages that may repeat grows with the dump up to 4 MiB.
        peak_memory "$VMCORE" save -q --threads 1 --format $format large b
        [ $((peak - small)) -lt 8192 ]
        sanitized "$VMCORE" || [ "$peak" -lt 20480 ]
        peak_memory "$VMCORE" save -q --threads 1 b c
        [ $((peak - small)) -lt 8192 ]
        rm a b c
    done
}

@test "save: memory that two segments speak of counts once" {
    make_vmcore raw --memory 2M+4M --overlap 0x280000+0x130000 --overlap 2M+64K --overlap 0x280000+64K
    ok "$VMCORE" save -q raw dump
    pages_equal raw dump
    ok "$VMCORE" info raw
    assert_line --partial "4 MiB (4194304 bytes) in 1 runs, 256 pages"
}

@test "save: a segment with p_memsz beyond p_filesz is zeros" {
    make_vmcore raw --memory 2M+1M --tail 1G+1M
    ok "$VMCORE" save -q raw dump
    pages_equal raw dump
    ok "$VMCORE" save -q --format elf raw elf
    pages_equal raw elf
}

@test "save: pages that repeat are stored once, and only equal ones" {
    # 32 MiB of text, 16 of its pages again further on; then pages of one word.
    make_vmcore raw --memory 2M+32M:text --memory 1G+4M:zero
    /usr/bin/python3 - raw <<'END'
import struct, sys
with open(sys.argv[1], "r+b") as f:
    head = f.read(64 + 56 * 3)
    first, second = (struct.unpack_from("<IIQQQQQQ", head, 64 + 56 * i)[2] for i in (1, 2))
    f.seek(first + 300 * 16384)
    page = f.read(16384)
    for i in range(16):
        f.seek(second + i * 16384)
        f.write(page)
    for i in range(16, 48):
        f.seek(second + i * 16384)
        f.write(bytes([i % 3 + 1] * 8) * 2048)
    # Alike but for one byte.
    for i in range(64, 192):
        at = i * 83
        f.seek(second + i * 16384)
        f.write(page[:at] + bytes([page[at] ^ 1]) + page[at + 1:])
END
    local option
    for option in -c -l --raw; do
        ok "$VMCORE" save -f --threads 1 "$option" raw dump
        assert_line --regexp ' 45 repeated,'
        pages_equal raw dump
        ok "$VMCORE" save -q -f --threads 7 "$option" raw many
        pages_equal raw many
    done
    ok "$VMCORE" save -f --threads 1 --raw --show-stats raw dump
    [ "$(stat -c %s dump)" -lt $((347 * 1048576 / 10)) ]
    assert_line 'spared: 45 pages equal earlier ones, 720 KiB less to write; 0 look random, no codec was tried'
    ok "$VMCORE" save -f --json --threads 1 --raw raw dump
    assert_line --partial '"repeated_bytes":737280,'
    assert_line --partial '"looks_random":0,'
    # A table of nothing, and of all memory.
    for option in 1 64K 1G 1T; do
        ok "$VMCORE" save -q -f --memory-budget $option raw dump
        pages_equal raw dump
    done
}

@test "save: pages that do not pack are found before the codec" {
    make_vmcore raw --memory 2M+4M:random
    ok "$VMCORE" save -f --show-stats raw dump
    assert_line 'spared: 0 pages equal earlier ones, 0 bytes less to write; 255 look random, no codec was tried'
    assert_line --regexp '^pages: 256 \(0 zero, 0 repeated, 1 packed, 255 as they are,' # one is the kernel's
    pages_equal raw dump
}

@test "save: pages at the ragged ends of memory are kept, filled up with zeros" {
    make_vmcore raw --memory 0x200000+0x100123 --memory 0x1000fff+0x5002 --memory 0x2000100+0x10 \
        --memory 0x3000000+0x1800:text --memory 0x3001800+0x2900:text --memory 0x3005000+0x800:text
    local option
    for option in -c --raw --format=elf; do
        ok "$VMCORE" save -q -f "$option" raw dump
        pages_equal raw dump
    done
}

@test "save: 65600 segments (PN_XNUM) read and written" {
    make_vmcore raw --page-size 4K --memory 2M+1M
    /usr/bin/python3 - raw many <<'END'
import struct, sys
raw = open(sys.argv[1], "rb").read()
ph = [struct.unpack_from("<IIQQQQQQ", raw, 64 + 56 * i) for i in range(2)]
notes = raw[ph[0][2]:ph[0][2] + ph[0][5]]
memory = raw[ph[1][2]:ph[1][2] + ph[1][5]]
n = 65600
# One page in two of the memory above 4G, all of them the same bytes here.
total = n + 2
at = 64 + 56 * total + 64
data = (at + len(notes) + 4095) // 4096 * 4096
out = bytearray(struct.pack("<16sHHIQQQIHHHHHH", b"\x7fELF\2\1\1", 4, 258, 1, 0, 64, 64 + 56 * total, 0, 64, 56, 0xffff, 64, 1, 0))
out += struct.pack("<IIQQQQQQ", 4, 0, at, 0, 0, len(notes), len(notes), 0)
out += struct.pack("<IIQQQQQQ", 1, 7, data, 0, ph[1][4], len(memory), len(memory), 0)
for i in range(n):
    out += struct.pack("<IIQQQQQQ", 1, 7, data + i % 256 * 4096, 0, (1 << 32) + i * 8192, 4096, 4096, 0)
out += struct.pack("<IIQQQQIIQQ", 0, 0, 0, 0, 0, 0, 0, total, 0, 0)
out += notes
out += bytes(data - len(out)) + memory
open(sys.argv[2], "wb").write(out)
END
    ok "$VMCORE" save -q many dump
    pages_equal many dump
    ok "$VMCORE" save -q --format elf dump elf
    pages_equal many elf
    [ "$(field elf 56 2)" -eq 65535 ]
}

@test "save: the dump is readable by its owner only, whatever the umask" {
    make_vmcore raw
    umask 022
    ok "$VMCORE" save -q raw dump
    [ "$(stat -c %a dump)" = 600 ]
    ok "$VMCORE" save -q --format elf raw elf
    [ "$(stat -c %a elf)" = 600 ]
}

@test "save: a summary on stdout, nothing with --quiet" {
    make_vmcore raw
    ok "$VMCORE" save raw dump
    assert_line "dump: kdump-compressed, zlib"
    assert_line --regexp '^pages: 512 \([0-9]+ zero, [0-9]+ repeated, [0-9]+ packed, [0-9]+ as they are, 0 unreadable\)$'
    assert_line --regexp '^bytes: 8388608 in \(8 MiB\), [0-9]+ out \(.* MiB\), ratio [0-9.]+$'
    assert_line --regexp '^time: [0-9.]+ s, .*/s$'
    ok "$VMCORE" save --quiet --force raw dump
    [ -z "$output" ]
}

@test "save: without VMCOREINFO the dump is written, with warnings" {
    make_vmcore raw --no-vmcoreinfo
    fails 0 "$VMCORE" save -q raw dump
    [[ $stderr = *"raw: no VMCOREINFO"* ]]
    [[ $stderr = *"16384 is taken; --page-size says it"* ]]
    pages_equal --page-size 16384 raw dump
    fails 0 "$VMCORE" save -q --page-size 4K raw small
    pages_equal --page-size 4096 raw small
}

@test "save: without notes, too" {
    make_vmcore raw --no-notes
    fails 0 "$VMCORE" save -q raw dump
    pages_equal --page-size 16384 raw dump
    fails 0 "$VMCORE" save -q --format elf --page-size 64K raw elf
    pages_equal --page-size 65536 raw elf
}

@test "save: the release stands in for an unreadable init_uts_ns" {
    make_vmcore raw --set "SYMBOL(init_uts_ns)=-"
    ok "$VMCORE" save -q raw dump
    ok "$UNIT/compare-dump" --header raw dump
    assert_line --partial "names=Linux||6.12.0-test||loongarch64| time"
    make_vmcore raw --set "OSRELEASE=6.12.1-other"
    ok "$VMCORE" save -q -f raw dump
    ok "$UNIT/compare-dump" --header raw dump
    assert_line --partial "names=Linux||6.12.1-other||loongarch64| time"
}

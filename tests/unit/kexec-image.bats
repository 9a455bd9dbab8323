#!/usr/bin/env bats
# Kernel files: what they are, how that is known, and what is wrong with them.

load common
load kexec-common

facts() {
    ok "$KEXEC" --inspect --json "$IMAGE"
    field "$output" "'%s %s %s %s' % tuple(d['image'][k] for k in ('type', 'inner', 'compression', 'wrapper'))"
}

# lz4 and lzo are libraries a build may do without.
can_unpack() {
    image probe --kind zboot --compression "$1"
    run "$KEXEC" --inspect "$IMAGE"
    [ "$status" -eq 0 ] || [[ $output != *"which this build cannot unpack"* ]]
}

@test "zboot with lz4 (legacy frame) and lzo, where this build has them" {
    for how in lz4 lzo; do
        if can_unpack "$how"; then
            for slack in 0 4 12; do
                image "$how" --kind zboot --compression "$how" --slack "$slack"
                same "$(facts)" "zboot pe $how None"
            done
        else
            fails 1 "$KEXEC" --inspect "$IMAGE"
            [[ $stderr == *"compressed with \"$how\""*"Unpack it by hand"*"$how"* ]]
        fi
    done
}

@test "every zboot compression of this release is unpacked" {
    for how in gzip zstd zstd22 xz xzkern lzma; do
        image "$how" --kind zboot --compression "$how"
        same "$(facts)" "zboot pe $how None"
        ok "$KEXEC" --inspect --json "$IMAGE"
        same "$(field "$output" "d['image']['entry'] + ' ' + d['image']['text_offset'] + ' ' + str(d['image']['image_size'])")" \
            "0x12e9000 0x200000 27262976"
    done
}

@test "zboot with an ELF inside" {
    image z --kind zboot --inner elf --section .rela.dyn
    same "$(facts)" "zboot elf zstd None"
}

@test "PE, PE without the magic of newer kernels, ELF" {
    image pe --kind pe
    same "$(facts)" "pe None None None"
    image old --kind pe --no-magic
    same "$(facts)" "pe None None None"
    ok "$KEXEC" --inspect "$IMAGE"
    assert_output --partial "no kernel header magic (old kernel)"
    image elf --kind elf --elf-type dyn
    same "$(facts)" "elf None None None"
}

@test "one wrapper around any of them" {
    for row in gzip:zboot xz:pe lzma:elf zstd:zboot gzip:elf; do
        image "$row" --kind "${row#*:}" --wrap "${row%:*}"
        assert_equal "$(facts | sed 's/.* //')" "${row%:*}"
    done
    # Those whose libraries a build may do without.
    for pack in "bzip2 -c" "lz4 -qc" "lz4 -qcl" "lzop -c"; do
        image plain --kind pe
        $pack "$IMAGE" >"$BATS_TEST_TMPDIR/packed"
        run --separate-stderr "$KEXEC" --inspect --json "$BATS_TEST_TMPDIR/packed"
        if [ "$status" -eq 0 ]; then
            same "$(field "$output" "d['image']['type'], d['image']['wrapper'] in ('bzip2', 'lz4', 'lz4 (legacy frame)', 'lzo')")" "('pe', True)"
        else
            assert_regex "$stderr" "packed with .*, which this build cannot unpack"
        fi
    done
    image twice --wrap gzip
    gzip "$IMAGE"
    fails 1 "$KEXEC" --inspect "$IMAGE.gz"
    [[ $stderr == *"is no kernel image this program knows"* ]]
}

@test "the zboot payload size of every kernel: up to 12 bytes short (facts: v6.2 to now)" {
    for row in gzip:8 gzip:12 zstd:4 zstd:12 lzma:12 xzkern:8; do
        image z --kind zboot --compression "${row%:*}" --slack "${row#*:}"
        ok "$KEXEC" --inspect "$IMAGE"
    done
}

@test "an unpacked size that lies is only a hint" {
    image z --kind zboot --compression zstd
    size=$(stat -c %s "$IMAGE")
    for lie in 00000000 01000000 ffffffff ffffff1f; do
        image z --kind zboot --compression zstd --patch "$((size - 4))=$lie"
        ok "$KEXEC" --inspect "$IMAGE"
    done
}

@test "several PT_LOADs that begin on no page become one piece" {
    image elf --kind elf --loads 2 --section .la_abs
    ok "$KEXEC" --inspect --json "$IMAGE"
    same "$(field "$output" "d['image']['payload_size']")" 27262976
}

@test "evidence: texts of the relocation code, KASLR and /proc/vmcore" {
    image pe --text "Linux version 6.18.3-test (me) #1" --text "Kernel relocated by 0x%lx" \
        --text "elfcorehdr is overlapped"
    ok "$KEXEC" --inspect "$IMAGE"
    assert_line 'version       6.18.3-test (text "Linux version ..." in the image)'
    assert_line 'relocatable   yes (text "Kernel relocated by 0x" in the image)'
    assert_line 'KASLR         no (relocation code without its KASLR text)'
    assert_line 'crash dump    yes (text "elfcorehdr is overlapped" in the image)'
    assert_line 'page size     unknown (no embedded configuration)'
    image pe --text "KASLR is disabled."
    ok "$KEXEC" --inspect "$IMAGE"
    assert_line 'relocatable   yes (text "KASLR is disabled." in the image)'
    assert_line 'KASLR         yes (text "KASLR is disabled." in the image)'
}

@test "evidence: what cannot be known is unknown" {
    image pe
    ok "$KEXEC" --inspect "$IMAGE"
    assert_line 'version       unknown'
    assert_line 'relocatable   unknown (no text of the relocation code in the image)'
    assert_line 'KASLR         unknown (no text of the relocation code in the image)'
    assert_line "crash dump    unknown (no text of /proc/vmcore's code in the image)"
}

@test "evidence: the file config-VERSION beside the image tells what the image does not" {
    image pe --text "Linux version 6.18.3-test (somebody)" --text "KASLR is disabled."
    printf 'CONFIG_RELOCATABLE=y\nCONFIG_CRASH_DUMP=y\nCONFIG_PAGE_SIZE_64KB=y\n' >"${IMAGE%/*}/config-6.18.3-test"
    ok "$KEXEC" --inspect "$IMAGE"
    assert_line 'page size     65536 (file config-VERSION beside the image)'
    assert_line 'crash dump    yes (file config-VERSION beside the image)'
    # The file is silent on it, the image is not: the image is right.
    assert_line 'KASLR         yes (text "KASLR is disabled." in the image)'
    rm "${IMAGE%/*}/config-6.18.3-test"
    ok "$KEXEC" --inspect "$IMAGE"
    assert_line 'page size     unknown (no embedded configuration)'
}

@test "evidence: the embedded configuration beats the texts" {
    image pe --text "KASLR is disabled." \
        --config 'CONFIG_RELOCATABLE=y\n# CONFIG_RANDOMIZE_BASE is not set\nCONFIG_PAGE_SIZE_4KB=y\n'
    ok "$KEXEC" --inspect "$IMAGE"
    assert_line 'relocatable   yes (embedded configuration)'
    assert_line 'KASLR         no (embedded configuration)'
    assert_line 'crash dump    no (embedded configuration)'
    assert_line 'page size     4096 (embedded configuration)'
    for option in PAGE_SIZE_64KB:65536 16KB_3LEVEL:16384; do
        image pe --config "CONFIG_${option%:*}=y\\n"
        ok "$KEXEC" --inspect "$IMAGE"
        assert_line "page size     ${option#*:} (embedded configuration)"
    done
}

@test "evidence: ELF sections as relocate.c uses them; EXEC alone proves nothing either way" {
    for section in .la_abs .rela.dyn .relr.dyn; do
        image elf --kind elf --section "$section"
        ok "$KEXEC" --inspect "$IMAGE"
        assert_line "relocatable   yes (non-empty section $section)"
    done
    image elf --kind elf --section .text
    ok "$KEXEC" --inspect "$IMAGE"
    assert_line 'relocatable   no (no section .la_abs, .rela.dyn or .relr.dyn)'
    image elf --kind elf --stripped
    ok "$KEXEC" --inspect "$IMAGE"
    assert_line 'relocatable   unknown (ELF file without section headers)'
    image elf --kind elf --stripped --elf-type dyn
    ok "$KEXEC" --inspect "$IMAGE"
    assert_line 'relocatable   yes (ELF type DYN)'
}

@test "a zboot name that does not end, is empty or not printable" {
    for name in "$(printf '41%.0s' {1..32})" 00 677a0a00; do
        image z --kind zboot --patch "0x18=$name"
        fails 1 "$KEXEC" --inspect "$IMAGE"
        same "$stderr" "kexec: inspecting: $IMAGE: zboot header names no compression at offset 0x18"
    done
}

@test "a zboot, PE and ELF cut at every byte of their headers are refused, never misread" {
    for args in "--kind zboot" "--kind zboot --inner elf" "--kind pe" "--kind pe --no-magic" "--kind elf" "--kind elf --loads 2"; do
        # shellcheck disable=SC2086
        image whole $args
        ok "$PROBE_KEXEC" cuts "$IMAGE" 0 4300
        same "$output" "4300 cuts"
    done
    head -c 70 "$IMAGE" >"$BATS_TEST_TMPDIR/cut"
    fails 1 "$KEXEC" --inspect "$BATS_TEST_TMPDIR/cut"
    same "$stderr" "kexec: inspecting: $BATS_TEST_TMPDIR/cut: ELF program headers at offset 0x44: needs 4 bytes, 2 are there
kexec: Copy or install the kernel again."
}

@test "sizes and offsets of up to 2^32-1 in every word of the headers: no crash, no memory to speak of" {
    for args in "--kind zboot --compression gzip" "--kind zboot --inner elf" "--kind pe" "--kind elf" "--kind elf --loads 2"; do
        # shellcheck disable=SC2086
        image whole $args --size 0x40000 --entry 0x209000
        ok /usr/bin/python3 -SE - "$PROBE_KEXEC" declared "$IMAGE" 340 <<'PYTHON'
import os, sys
child = os.fork()
if child == 0:
    os.execv(sys.argv[1], sys.argv[1:])
_, status, usage = os.wait4(child, 0)
print("memory", usage.ru_maxrss < 400 * 1024)
sys.exit(os.waitstatus_to_exitcode(status))
PYTHON
        assert_line --regexp "^[0-9]+ taken, [0-9]+ refused$"
        assert_line "memory True"
    done
}

@test "decompression bombs stop at 512 MiB, as a whole file and inside a zboot" {
    /usr/bin/python3 -SE - "$BATS_TEST_TMPDIR" <<'PYTHON'
import struct, sys, zlib
out = sys.argv[1]
# 600 times the same MiB of zeros.
packer = zlib.compressobj(9, zlib.DEFLATED, -15)
mib = packer.compress(bytes(1 << 20)) + packer.flush(zlib.Z_FULL_FLUSH)
gzip = bytes.fromhex("1f8b0800000000000003") + mib * 600 + b"\x03\0" + bytes(8)
# 4800 runs of 128 KiB; the frame does not say how long it is.
run = struct.pack("<I", 1 << 1 | (128 << 10) << 3)[:3] + b"\0"
zstd = struct.pack("<IBB", 0xFD2FB528, 0, 0x58) + run * 4800 + b"\x01\0\0"
# The same, saying 2^32-1.
said = struct.pack("<IBI", 0xFD2FB528, 0xA0, 0xFFFFFFFF) + run * 4800 + b"\x01\0\0"
for name, data in ("gzip", gzip), ("zstd", zstd), ("said", said):
    open(out + "/" + name, "wb").write(data)
PYTHON
    for name in gzip said; do
        fails 1 "$KEXEC" --inspect "$BATS_TEST_TMPDIR/$name"
        [[ $stderr == *" stream at offset 0x0: more than the limit of 512 MiB unpacked"* ]] || fail "$name: $stderr"
    done
    for name in zstd said; do
        size=$(stat -c %s "$BATS_TEST_TMPDIR/$name")
        image z --kind zboot
        { head -c 12 "$IMAGE"; printf '%b' "$(printf '\\x%02x' $((size & 255)) $((size >> 8 & 255)) $((size >> 16 & 255)) 0)"; head -c 512 "$IMAGE" | tail -c +17; cat "$BATS_TEST_TMPDIR/$name"; } >"$BATS_TEST_TMPDIR/bomb"
        fails 1 "$KEXEC" --inspect "$BATS_TEST_TMPDIR/bomb"
        [[ $stderr == *" stream at offset 0x200: more than the limit of 512 MiB unpacked"* ]] || fail "$name: $stderr"
    done
}

@test "a zboot cut inside its payload says how much is there" {
    image z --kind zboot --truncate 600
    fails 1 "$KEXEC" --inspect "$IMAGE"
    says "inspecting: $IMAGE: zboot payload at offset 0x200 should have 8204 bytes, the file ends after 600 bytes" \
        "Copy or install the kernel again."
}

@test "a damaged stream of each kind" {
    for how in gzip zstd xzkern lzma; do
        image z --kind zboot --compression "$how" --patch 0x208=ffffffffffffffffffffffff
        fails 1 "$KEXEC" --inspect "$IMAGE"
        [[ $stderr == *"stream at offset 0x200"* ]] || fail "$how: $stderr"
    done
}

@test "other architectures are called by their names" {
    image z --kind zboot --machine 0xaa64
    fails 1 "$KEXEC" --inspect "$IMAGE"
    says "inspecting: $IMAGE: is a zboot image for aarch64, not for loongarch64" "Give a kernel built for loongarch64."
    for row in pe:--machine=0x8664:x86_64 pe:--machine=0xaa64:aarch64 pe:--machine=0x5064:riscv64 \
        pe:--machine=0x6232:loongarch32 elf:--elf-machine=62:x86_64 elf:--elf-machine=183:aarch64; do
        IFS=: read -r kind option name <<<"$row"
        image other --kind "$kind" "$option"
        fails 1 "$KEXEC" --inspect "$IMAGE"
        [[ $stderr == *" for $name, not for loongarch64"* ]] || fail "$stderr"
    done
    head -c 1024 /dev/zero >"$BATS_TEST_TMPDIR/bz"
    printf HdrS | dd of="$BATS_TEST_TMPDIR/bz" bs=1 seek=514 conv=notrunc status=none
    fails 1 "$KEXEC" --inspect "$BATS_TEST_TMPDIR/bz"
    [[ $stderr == *"is a kernel for x86 (bzImage)"* ]]
}

@test "what is no kernel" {
    for row in core:"a core dump" rel:"an object file or module"; do
        image elf --kind elf --elf-type "${row%%:*}"
        fails 1 "$KEXEC" --inspect "$IMAGE"
        same "$stderr" "kexec: inspecting: $IMAGE: is ${row#*:}, not a kernel"
    done
    image elf --kind elf --interp
    fails 1 "$KEXEC" --inspect "$IMAGE"
    [[ $stderr == *"is a program for Linux, not a kernel" ]]
    image efi --no-magic --size 0 --text-offset 0
    fails 1 "$KEXEC" --inspect "$IMAGE"
    [[ $stderr == *"is an EFI program for loongarch64, not a kernel"* ]]
    echo hello >"$BATS_TEST_TMPDIR/text"
    fails 1 "$KEXEC" --inspect "$BATS_TEST_TMPDIR/text"
    [[ $stderr == *"is no kernel image this program knows"* ]]
    fails 1 "$KEXEC" --inspect "$BATS_TEST_TMPDIR/nowhere"
    says "inspecting: opening $BATS_TEST_TMPDIR/nowhere: No such file or directory" "Check the path of the kernel."
}

@test "header numbers that make no sense" {
    image pe --size 0
    fails 1 "$KEXEC" --inspect "$IMAGE"
    [[ $stderr == *"declares an image of no size" ]]
    image pe --size 0xffffffffffffffff
    fails 1 "$KEXEC" --inspect "$IMAGE"
    [[ $stderr == *"declares an image of 0xffffffffffffffff bytes; the limit is 0x20000000" ]]
    image pe --entry 0x1fffff
    fails 1 "$KEXEC" --inspect "$IMAGE"
    [[ $stderr == *"its entry 0x1fffff lies outside its image 0x200000-0x1bfffff" ]]
    image pe --entry 0x1c00000
    fails 1 "$KEXEC" --inspect "$IMAGE"
    image pe --text-offset 0x200800 --entry 0x300000
    fails 1 "$KEXEC" --inspect "$IMAGE"
    [[ $stderr == *"its load offset 0x200800 is no 64 KiB boundary" ]]
}

@test "an entry given as a window address is masked to the physical one" {
    image pe --entry 0x90000000012e9000
    ok "$KEXEC" --inspect --json "$IMAGE"
    same "$(field "$output" "d['image']['entry']")" 0x12e9000
}

@test "PE and ELF files that were cut short" {
    image pe --truncate 5000
    fails 1 "$KEXEC" --inspect "$IMAGE"
    [[ $stderr == *"is cut short: section 0 ends at byte 8192, the image has 5000"* ]]
    image elf --kind elf --truncate 5000
    fails 1 "$KEXEC" --inspect "$IMAGE"
    [[ $stderr == *"is cut short: ELF segment 0"* ]]
    for size in 1 3 20 63 64 66 70 71 85 239 240 270; do
        for kind in pe elf; do
            image cut --kind "$kind" --truncate "$size"
            fails 1 "$KEXEC" --inspect "$IMAGE"
        done
    done
}

@test "--type accepts only what the file is, by our names and kexec-tools'" {
    image z --kind zboot
    ok "$KEXEC" --inspect -t zboot "$IMAGE"
    ok "$KEXEC" --inspect --type=pez-loongarch "$IMAGE"
    fails 1 "$KEXEC" --inspect --type=elf-loongarch "$IMAGE"
    [[ $stderr == *"is not of type elf-loongarch"* ]]
    fails 1 "$KEXEC" --inspect --type=vmlinux "$IMAGE"
    [[ $stderr == *"--type=vmlinux: unknown type"* ]]
}

@test "a kernel from a pipe" {
    image pe
    ok bash -c '"$1" --inspect <(cat "$2")' - "$KEXEC" "$IMAGE"
}

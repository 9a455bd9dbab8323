# vmcore check: whole, incomplete, of no use, of another kernel.

setup() {
    load common
    load vmcore
    cd "$BATS_TEST_TMPDIR" || exit 1
}

@test "check: a whole dump of each format" {
    make_vmcore raw --pages 3
    "$UNIT/make-vmlinux" vmlinux
    ok "$VMCORE" check --vmlinux vmlinux raw
    assert_line --regexp '^ok +vmlinux +vmlinux is of this kernel$'
    assert_line --regexp '^ok +data +all 7 things'
    assert_line "raw: whole"
    local format
    for format in kdump elf flat; do
        ok "$VMCORE" save -q -d 31 --format $format raw dump
        ok "$VMCORE" check dump
        assert_line "dump: whole"
        refute_line --regexp '^(note|BAD)'
        ok "$VMCORE" check -q dump
        [ -z "$output" ]
        rm dump
    done
    ok "$VMCORE" save -q -d 31 --split 2 raw part
    ok "$VMCORE" check part.2
}

@test "check: a damaged page is named, all others are counted" {
    make_vmcore raw --memory 2M+4M:text
    ok "$VMCORE" save -q raw dump
    local desc=$(((4 + 2) * 16384)) at
    for page in 100 101 120; do
        at=$(field dump $((desc + 24 * page)) 8)
        printf '\377\377\377\377' | dd of=dump bs=1 seek="$at" conv=notrunc status=none
    done
    fails 3 "$VMCORE" check dump
    assert_line --regexp '^BAD +pages +dump: page frame 0xe4: a zlib stream'
    assert_line --regexp '^BAD +pages +dump: page frame 0xf8: a zlib stream'
    assert_line --regexp '^BAD +pages +3 of 256 cannot be read$'
    assert_line "dump: readable, not complete"
}

@test "check: a descriptor that lies" {
    make_vmcore raw --memory 2M+1M:text
    ok "$VMCORE" save -q raw dump
    local desc=$(((4 + 2) * 16384))
    # Offset beyond the file, size beyond a page, flags nobody knows.
    printf '\377\377\377\377\377\377\377\177' | dd of=dump bs=1 seek=$((desc + 24 * 40)) conv=notrunc status=none
    printf '\1\100\0\0' | dd of=dump bs=1 seek=$((desc + 24 * 41 + 8)) conv=notrunc status=none
    printf '\200' | dd of=dump bs=1 seek=$((desc + 24 * 42 + 12)) conv=notrunc status=none
    fails 3 "$VMCORE" check dump
    assert_line --regexp '^BAD +pages +3 of 64 cannot be read$'
}

@test "check: version 5, whose notes begin where version 6 has a number of frames" {
    make_vmcore raw --memory 2M+1M:text
    ok "$VMCORE" save -q raw dump
    printf '\5' | dd of=dump bs=1 seek=8 conv=notrunc status=none
    printf '\220\0\0\0\0\0\0\0' | dd of=dump bs=1 seek=$((16384 + 96)) conv=notrunc status=none
    ok "$VMCORE" check dump
    assert_line --regexp '^ok +pages +all 64 can be read$'
}

@test "check: cut, unfinished, without pages" {
    make_vmcore raw --memory 2M+4M:random
    truncate -s -1000000 raw
    fails 3 "$VMCORE" check raw
    assert_line --regexp '^BAD +layout +976.56 KiB of 4 MiB of memory are missing$'
    make_vmcore raw --memory 2M+4M:random
    ok "$VMCORE" save -q -F raw flat
    truncate -s -16 flat
    fails 3 "$VMCORE" check flat
    assert_line --regexp '^BAD +layout +its flattened records end early$'
    ok "$VMCORE" save -q raw dump
    # All descriptors gone: nothing can be read.
    dd if=/dev/zero of=dump bs=16384 seek=6 count=1 conv=notrunc status=none
    fails 1 "$VMCORE" check dump
    assert_line "dump: of no use"
    head -c 1000 raw >cut
    fails 1 "$VMCORE" check cut
}

@test "check: the kernel's own data and log" {
    make_vmcore raw --memory 2M+1M --set 'SYMBOL(swapper_pg_dir)=9000000001000000'
    fails 3 "$VMCORE" check raw
    assert_line --regexp "^BAD +data +the kernel's swapper_pg_dir, at 0x1000000, is not in the dump$"
    make_vmcore raw --memory 2M+1M --set 'SYMBOL(init_uts_ns)=9000000000240000'
    fails 3 "$VMCORE" check raw
    assert_line --partial "the kernel's own name is not in memory where it should be"
    make_vmcore raw --memory 2M+1M --ring descs=0x9000000000300000
    fails 3 "$VMCORE" check raw
    assert_line --regexp '^BAD +log '
}

@test "check: of another kernel" {
    make_vmcore raw --memory 2M+256K
    "$UNIT/make-vmlinux" --build-id 12345678 vmlinux
    fails 2 "$VMCORE" check --vmlinux vmlinux raw
}

@test "check: what others stumble over" {
    make_vmcore raw --memory 2M+1M
    ok "$VMCORE" save -q raw dump
    printf '\0\100' | dd of=dump bs=1 seek=416 conv=notrunc status=none
    ok "$VMCORE" check dump
    assert_line --regexp '^note +layout +its time has microseconds'
    ok "$VMCORE" save -q --format elf raw elf
    # p_align of the second segment; e_flags as the ABI has them.
    printf '\0\20' | dd of=elf bs=1 seek=$((64 + 56 + 48)) conv=notrunc status=none
    printf '\103' | dd of=elf bs=1 seek=48 conv=notrunc status=none
    ok "$VMCORE" check elf
    assert_line --regexp '^note +layout +1 segments have p_align set'
    assert_line --regexp '^note +layout +e_flags is 0x43'
}

@test "check: JSON" {
    make_vmcore raw --memory 2M+1M
    ok "$VMCORE" check --json raw
    same "$(echo "$output" | /usr/bin/python3 -c 'import json, sys
o = json.load(sys.stdin)
print(o["verdict"], o["pages"], o["pages_lost"], {c["verdict"] for c in o["checks"] if c["check"] == "pages"})')" "whole 64 0 {'ok'}"
    truncate -s -1 raw
    fails 3 "$VMCORE" check --json raw
    assert_output --partial '"exit_status":3'
}

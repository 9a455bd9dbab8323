#!/usr/bin/env bats
# What kexec-tools 2.0.32 gets wrong on loongarch64, by reading its code: each
# a test here, so that none of it comes back with another program.

load common
load kexec-common

RELOCATABLE=(--text "Kernel relocated by 0x")

# distance PLAN: from the kernel's place to the entry.
distance() {
    field "$1" "hex(int(d['load']['entry'], 0) - [int(s['mem'], 0) for s in d['load']['segments'] if s['role'] == 'kernel'][0])"
}
LINKED=$(printf '0x%x' $((0x12e9000 - 0x200000)))

@test "defect 1: the load offset counts twice, and a region that is large enough is refused" {
    # 112 KiB above the kernel where 2 MiB would be asked for.
    machine just-fits
    image pe "${RELOCATABLE[@]}"
    run --separate-stderr plan --json
    assert_success
    same "$(field "$output" "[s['mem'] for s in d['load']['segments'] if s['role'] == 'kernel'], all(c['ok'] for c in d['checks'])")" \
        "(['0xd0200000'], True)"
}

@test "defect 2: the kernel is moved to an aligned place, the entry is not" {
    for pages in 4k 16k 64k; do
        machine "pages-$pages"
        image pe "${RELOCATABLE[@]}"
        ok plan --json
        same "$(distance "$output")" "$LINKED"
        # Moved it was: the region begins a few pages after a multiple of 2 MiB.
        same "$(field "$output" "[s['mem'] for s in d['load']['segments'] if s['role'] == 'kernel'], d['load']['entry']")" \
            "(['0xd0400000'], '0xd14e9000')"
    done
}

@test "defect 3: --mem-min moves the kernel and leaves the entry behind" {
    machine qemu-2g
    image pe "${RELOCATABLE[@]}"
    for min in 0xd0000000 0xd0004000 0xd4100000 0xe0000000; do
        ok plan --json --mem-min="$min"
        same "$(distance "$output")" "$LINKED"
        same "$(field "$output" "all(int(s['mem'], 0) >= $min for s in d['load']['segments'])")" True
    done
}

@test "defect 4: nothing checks that segments lie in the region the kernel means" {
    # Of two, the upper one counts, whichever comes first in the file.
    for order in "f0000000-f7ffffff 430000000-46fffffff" "430000000-46fffffff f0000000-f7ffffff"; do
        rm -rf "$BATS_TEST_TMPDIR/regions"
        cp -r "$KDATA/machines/qemu-2g" "$BATS_TEST_TMPDIR/regions"
        {
            echo "00200000-0fffffff : System RAM"
            echo "90000000-47fffffff : System RAM"
            printf '  %s : Crash kernel\n' ${order}
        } >"$BATS_TEST_TMPDIR/regions/proc/iomem"
        SYSTEM=$BATS_TEST_TMPDIR/regions
        image pe "${RELOCATABLE[@]}"
        ok plan --json
        same "$(field "$output" "all(0x430000000 <= int(s['mem'], 0) and int(s['mem'], 0) + s['memsz'] <= 0x470000000 for s in d['load']['segments'])")" True
    done
    # The report's numbers with the entry put right: the kernel's place is named.
    run "$PROBE_KEXEC" rules "$KDATA/openeuler.rules" "entry 0xae3c9000"
    assert_equal "$status" 1
    [[ $output == "kernel rule 13 "*"segment 0 (kernel) 0x200000+0x3344000 lies 0xacc00000 bytes below Crash kernel"* ]]
}

@test "defect 5: memory called Reserved inside RAM is used for the next kernel's initrd" {
    machine qemu-2g
    image pe "${RELOCATABLE[@]}"
    bytes 3391720 initrd
    KIND=-l ok plan --json --initrd="$FILE"
    # The highest RAM is the reservation and 16 KiB pieces of Reserved below.
    same "$(field "$output" "[s['mem'] for s in d['load']['segments'] if s['role'] == 'initrd'][0]")" 0xcf964000
}

# The prefix of the QEMU machine without an initrd, with the blank before the words.
PREFIX="kexec elfcorehdr=16K@3932016K mem=524288K@3407872K "

@test "defect 6: the length of the command line is checked without the words put before it" {
    machine qemu-2g
    image pe "${RELOCATABLE[@]}"
    words=$(head -c $((4089 - ${#PREFIX})) /dev/zero | tr '\0' x)
    for more in x xx xxx xxxx xxxxx xxxxxx; do
        ok plan --json --append="$words$more"
        same "$(field "$output" "len(d['load']['command_line'])")" $((4089 + ${#more}))
    done
    fails 1 plan --append="${words}xxxxxxx"
    says "planning the crash kernel: the command line has 4096 characters, 51 of them kexec's own; this kernel takes 4095 (kernel 6.17 or newer)" \
        "Shorten it by 1 characters."
    # Longer than any buffer: words of a length that passes without the prefix.
    for length in 4090 4095 4096 5000 60000; do
        fails 1 plan --append="$(head -c "$length" /dev/zero | tr '\0' x)"
        assert_regex "$stderr" "the command line has $((length + ${#PREFIX})) characters"
    done
}

@test "defect 7: a packed initrd is unpacked before it is loaded" {
    machine qemu-2g
    image pe "${RELOCATABLE[@]}"
    bytes 300000 plain
    for pack in "gzip -c" "zstd -qc" "xz -c" "xz --format=lzma -c"; do
        $pack "$FILE" >"$BATS_TEST_TMPDIR/packed"
        ok plan --json --initrd="$BATS_TEST_TMPDIR/packed"
        same "$(field "$output" "[s['bufsz'] for s in d['load']['segments'] if s['role'] == 'initrd']")" "[$(stat -c %s "$BATS_TEST_TMPDIR/packed")]"
    done
}

@test "defect 8: a third reservation does not fit a table of two" {
    cp -r "$KDATA/machines/qemu-2g" "$BATS_TEST_TMPDIR/many"
    SYSTEM=$BATS_TEST_TMPDIR/many
    image pe "${RELOCATABLE[@]}"
    for count in 3 4 9; do
        {
            echo "00200000-0fffffff : System RAM"
            echo "80000000-1ffffffff : System RAM"
            for ((i = 0; i < count; i++)); do
                printf '  %x-%x : Crash kernel\n' $((0x90000000 + i * 0x20000000)) $((0x9fffffff + i * 0x20000000))
            done
        } >"$SYSTEM/proc/iomem"
        ok plan --json
        same "$(field "$output" "len(d['machine']['crash_regions']), d['load']['command_line'].count(' mem=')")" "($count, $count)"
        same "$(field "$output" "min(int(s['mem'], 0) for s in d['load']['segments']) >= 0x90000000 + ($count - 1) * 0x20000000")" True
    done
}

@test "defect 9: a kernel that cannot be moved is taken, or refused without the reason" {
    machine qemu-2g
    image elf --kind elf --section .text
    fails 1 plan
    says "planning the crash kernel: the kernel is not relocatable (no section .la_abs, .rela.dyn or .relr.dyn): it runs at 0x200000, the crash reservation needs it at 0xd0200000" \
        "Use a kernel built with CONFIG_RELOCATABLE=y."
    image pe --config 'CONFIG_CRASH_DUMP=y\n'
    fails 1 plan
    [[ $stderr == *"not relocatable (embedded configuration)"* ]]
    # Relocations come in three kinds of section.
    for section in .la_abs .rela.dyn .relr.dyn; do
        image elf --kind elf --section "$section"
        ok plan
    done
}

@test "defect 10: with holes in the numbering of CPUs the last ones have no note" {
    machine sparse-cpus
    "$PROBE_KEXEC" elfcorehdr "$SYSTEM" >"$BATS_TEST_TMPDIR/hdr"
    same "$(readelf -lW "$BATS_TEST_TMPDIR/hdr" | awk '$1 == "NOTE" { print $2 }' | head -n -1)" "0x7000000
0x7020000
0x7030000
0x7110000"
    machine 1024-ranges
    "$PROBE_KEXEC" elfcorehdr "$SYSTEM" >"$BATS_TEST_TMPDIR/hdr"
    same "$(readelf -hW "$BATS_TEST_TMPDIR/hdr" | sed -n 's/.*Number of program headers: *//p')" "$((256 + 1 + 2 + 1024))"
    same "$(readelf -lW "$BATS_TEST_TMPDIR/hdr" | grep -c '^  LOAD')" 1026
}

@test "defect 11: -d changes what is asked of the kernel, depending on where it stands" {
    machine qemu-2g
    image pe "${RELOCATABLE[@]}"
    for words in "-p" "-d -p" "-p -d" "--debug -p"; do
        # shellcheck disable=SC2086
        ok "$KEXEC" $words --dry-run --json --system="$SYSTEM" "$IMAGE"
        same "$(field "$output" "d['load']['flags']")" 0x1020001
    done
    ok "$KEXEC" -d -l --dry-run --json --system="$SYSTEM" "$IMAGE"
    same "$(field "$output" "d['load']['flags']")" 0x1020000
    cp -r "$SYSTEM" "$BATS_TEST_TMPDIR/status"
    echo 1 >"$BATS_TEST_TMPDIR/status/sys/kernel/kexec_crash_loaded"
    echo 0 >"$BATS_TEST_TMPDIR/status/sys/kernel/kexec_loaded"
    for words in "-S" "-d -S" "-S -d" "-p -S -d"; do
        # shellcheck disable=SC2086
        fails 1 "$KEXEC" $words --system="$BATS_TEST_TMPDIR/status"
    done
    fails 0 "$KEXEC" -d -S -l --system="$BATS_TEST_TMPDIR/status"
}

@test "defect 12: the test for 64 bits and little endian is the wrong way round" {
    image elf --kind elf
    ok "$KEXEC" --inspect "$IMAGE"
    for patch in 4=01 5=02 4=00 5=00; do
        image elf --kind elf --patch "$patch"
        fails 1 "$KEXEC" --inspect "$IMAGE"
        assert_regex "$stderr" "32-bit or big-endian|for .*, not for loongarch64"
    done
    image object --kind elf --elf-type rel
    fails 1 "$KEXEC" --inspect "$IMAGE"
    assert_regex "$stderr" "is an object file or module, not a kernel"
}

@test "defect 13: stray words on standard output, temporary files, memory not given back" {
    machine qemu-2g
    for args in "--kind pe" "--kind elf --section .la_abs" "--kind zboot" "--kind zboot --wrap gzip" "--kind zboot --inner elf --section .la_abs"; do
        # shellcheck disable=SC2086
        image kernel "${RELOCATABLE[@]}" $args
        # No file may grow by a byte; what leaks ends a sanitized build's run.
        ok env TMPDIR=/nowhere bash -c 'ulimit -f 0; exec "$@" | cat' - "$KEXEC" -p --dry-run --json --system="$SYSTEM" "$IMAGE"
        same "$(field "$output" "d['load']['kind']")" crash
    done
}

@test "defect 14: a zboot header's offset and size are added before they are checked" {
    image z --kind zboot --patch 8=f0ffffff --patch 12=20000000
    fails 1 "$KEXEC" --inspect "$IMAGE"
    [[ $stderr == *"payload at offset 0xfffffff0 should have 32 bytes"* ]]
    image z --kind zboot --payload-says 0xffffffff
    fails 1 "$KEXEC" --inspect "$IMAGE"
    [[ $stderr == *"should have 4294967295 bytes"* ]]
    image z --kind zboot --payload-says 0
    fails 1 "$KEXEC" --inspect "$IMAGE"
    # And what is inside is trusted without its size.
    for size in 16 63 64 100 300; do
        image inner --truncate "$size"
        gzip -nkf "$IMAGE"
        image z --kind zboot --compression gzip
        head -c 512 "$IMAGE" >"$BATS_TEST_TMPDIR/short"
        cat "$BATS_TEST_TMPDIR/inner.gz" >>"$BATS_TEST_TMPDIR/short"
        printf "%08x" "$(stat -c %s "$BATS_TEST_TMPDIR/inner.gz")" | sed 's/\(..\)\(..\)\(..\)\(..\)/\\x\4\\x\3\\x\2\\x\1/' >"$BATS_TEST_TMPDIR/size"
        printf '%b' "$(<"$BATS_TEST_TMPDIR/size")" | dd of="$BATS_TEST_TMPDIR/short" bs=1 seek=12 conv=notrunc status=none
        fails 1 "$KEXEC" --inspect "$BATS_TEST_TMPDIR/short"
        assert_regex "$stderr" "the kernel inside|PE"
    done
}

@test "defect 15: a zboot of an unknown compression is taken for a plain PE kernel" {
    image z --kind zboot --compression brotli
    fails 1 "$KEXEC" --inspect "$IMAGE"
    says "inspecting: $IMAGE: is a zboot image compressed with \"brotli\", which this build cannot unpack" \
        "Unpack by hand, with a tool that knows brotli, the 8192 bytes from offset 512 of the file, and give the result instead."
    machine qemu-2g
    fails 1 plan
    assert_regex "$stderr" "is a zboot image compressed with"
}

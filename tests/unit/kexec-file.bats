#!/usr/bin/env bats
# kexec -s as far as it goes without a kernel: what is handed over, and what
# is refused before the kernel is asked.

load common
load kexec-common

# The running kernel has to know kexec_file's word, or move the image.
STAYS=(--text "Kernel relocated by 0x" --text "kexec_file")

setup() {
    machine qemu-2g
}

file_plan() {
    "$KEXEC" "${KIND:--p}" -s --dry-run --system="$SYSTEM" "$@" "$IMAGE"
}

@test "a plain image is passed as it is, a packed one unpacked" {
    while IFS='|' read -r size how args; do
        # shellcheck disable=SC2086
        image kernel "${STAYS[@]}" $args
        ok file_plan --command-line "a b"
        assert_line "kexec_file_load: the running kernel chooses the places"
        assert_line --regexp "^  kernel +$size bytes, $how$"
        assert_line --regexp "^  initrd +none$"
        assert_line --regexp "^  command line +a b$"
    done <<'TABLE'
8192|the file as it is|--kind pe
8192|unpacked|--kind pe --wrap gzip
8192|unpacked|--kind zboot
8192|unpacked|--kind zboot --compression gzip --wrap xz
27262976|unpacked|--kind zboot --pad
[0-9]+|the file as it is|--kind elf --section .la_abs
[0-9]+|unpacked|--kind zboot --inner elf --section .la_abs
TABLE
}

@test "a signed kernel in a zboot: the zeros behind its certificate are cut, the certificate is the end" {
    /usr/bin/python3 -SE - "$UNIT/make-image" "$BATS_TEST_TMPDIR" <<'PYTHON'
import gzip, struct, subprocess, sys
make, where = sys.argv[1:]
def image(name, *args):
    subprocess.run([make, where + "/" + name, "--text", "Kernel relocated by 0x",
                    "--text", "kexec_file", *args], check=True)
    return bytearray(open(where + "/" + name, "rb").read())
data = image("plain", "--pad")
head = image("zboot", "--kind", "zboot", "--compression", "gzip")[:512]
pe = struct.unpack_from("<I", data, 0x3C)[0]
struct.pack_into("<I", data, pe + 0x84, 6)
struct.pack_into("<II", data, pe + 0xA8, 0x4000, 0x100)
data[0x4000:0x4100] = b"c" * 0x100
def write(name):
    stream = gzip.compress(data, 1)
    struct.pack_into("<I", head, 12, len(stream))
    open(where + "/" + name, "wb").write(head + stream)
    open(where + "/" + name + ".gz", "wb").write(stream)
write("signed")
open(where + "/expected", "wb").write(data[:0x4100])
data[0x5000] = 1
write("not-the-end")
# A table that ends outside of the file, or has no certificate in it.
data[0x5000] = 0
struct.pack_into("<II", data, pe + 0xA8, 0x4000, 0xFFFFFFFF)
write("outside")
struct.pack_into("<II", data, pe + 0xA8, 0, 0)
write("unsigned")
PYTHON
    for kind in "" .gz; do
        IMAGE=$BATS_TEST_TMPDIR/signed$kind
        ok file_plan
        assert_line --regexp "^  kernel +16640 bytes, unpacked$"
        "$PROBE_KEXEC" file-bytes "$SYSTEM" "$IMAGE" | cmp - "$BATS_TEST_TMPDIR/expected"
        for name in not-the-end outside unsigned; do
            IMAGE=$BATS_TEST_TMPDIR/$name$kind
            ok file_plan
            assert_line --regexp "^  kernel +27262976 bytes, unpacked$"
        done
    done
}

@test "what kexec_file_load would get wrong is refused, with the way that works" {
    with_load="Leave -s out: kexec_load can do it."
    image pe "${STAYS[@]}" --entry 0x90000000012e9000
    fails 1 file_plan
    says "planning the crash kernel: the image's header has a virtual entry address (0x90000000012e9000), which kexec_file_load takes for a physical one" "$with_load"
    image elf --kind elf --loads 2 --section .la_abs
    fails 1 file_plan
    says "planning the crash kernel: the ELF image has 2 PT_LOAD segments; kexec_file_load would scatter them" "$with_load"
    image fixed --kind elf
    fails 1 file_plan
    says "planning the crash kernel: the image is not relocatable (no section .la_abs, .rela.dyn or .relr.dyn); kexec_file_load would put it where it cannot run" "$with_load"
    image pe "${STAYS[@]}" --size 0x3000 --payload 0x12000 --entry 0x201000
    fails 1 file_plan
    says "planning the crash kernel: the image has 73728 bytes and declares 0x10000 of memory: kexec_file_load refuses that" "$with_load"
    image pe "${STAYS[@]}" --config 'CONFIG_RELOCATABLE=y\nCONFIG_FLATMEM=y\n'
    fails 1 file_plan
    [[ $stderr = *"hangs where its memory does not begin at 0"* ]] || fail "$stderr"
}

@test "the command line: what only the kernel can say is dropped, the length counts its words" {
    image pe "${STAYS[@]}"
    bytes 4096 initrd
    run --separate-stderr file_plan --command-line "mem=1G a initrd=1,2 elfcorehdr=3 b"
    assert_success
    same "$stderr" "kexec: warning: dropped from the command line: mem=1G initrd=1,2 elfcorehdr=3 (only the running kernel can say this to a crash kernel)"
    assert_line --regexp "^  command line +a b$"
    KIND=-l ok file_plan --command-line "mem=1G a"
    assert_line --regexp "^  command line +mem=1G a$"
    # kexec_file, one mem=, elfcorehdr=, initrd=
    taken=$((11 + 26 + 37 + 29))
    ok file_plan --initrd "$FILE" --command-line "$(printf "%0$((4095 - taken))d" 0)"
    fails 1 file_plan --initrd "$FILE" --command-line "$(printf "%0$((4096 - taken))d" 0)"
    assert_regex "$stderr" "the command line has $((4096 - taken)) characters, and the kernel adds up to $taken; it takes 4095"
    assert_regex "$stderr" "Shorten it by 1 characters."
}

@test "a kernel that may move over its initrd: warned about, unless told not to" {
    image pe --text "Kernel relocated by 0x" --text "KASLR is disabled."
    run --separate-stderr file_plan
    assert_success
    assert_regex "$stderr" "the kernel may move itself \(KASLR\), over what kexec_file_load puts behind it; add nokaslr"
    ok file_plan --command-line nokaslr
}

@test "the reservation: none, and one that is surely too small" {
    image pe "${STAYS[@]}"
    truncate -s 600M "$BATS_TEST_TMPDIR/huge"
    fails 1 file_plan --initrd "$BATS_TEST_TMPDIR/huge"
    assert_regex "$stderr" "the crash reservation of 512 MiB is too small: kernel, initrd and headers need"
    KIND=-l ok file_plan --initrd "$BATS_TEST_TMPDIR/huge"
    machine no-reservation
    fails 1 file_plan
    assert_regex "$stderr" "crashkernel="
}

@test "the initrd: missing, empty, no file" {
    image pe "${STAYS[@]}"
    : >"$BATS_TEST_TMPDIR/empty"
    for row in "nothing|opening .*: No such file" "empty|is empty" ".|is no regular file"; do
        fails 1 file_plan --initrd "$BATS_TEST_TMPDIR/${row%%|*}"
        assert_regex "$stderr" "the initrd: .*${row#*|}"
        assert_regex "$stderr" "Check --initrd="
    done
}

@test "-a plans what -c plans, without a word" {
    image pe "${STAYS[@]}"
    ok plan -c --json
    planned=$output
    ok plan -a --json
    same "$output" "$planned"
    ok plan --json
    same "$output" "$planned"
}

@test "on another architecture nothing is loaded" {
    if [ "$(uname -m)" = loongarch64 ]; then
        skip "this is a loongarch64 machine"
    fi
    image pe
    for call in -s -a; do
        fails 1 "$KEXEC" -l $call "$IMAGE"
        assert_regex "$stderr" "^kexec: loading the next kernel: this build of kexec runs on $(uname -m); planning works"
    done
}

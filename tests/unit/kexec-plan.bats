#!/usr/bin/env bats
# Plans: where everything goes, and why something cannot.

load common
load kexec-common

RELOCATABLE=(--text "Kernel relocated by 0x")

golden() {
    ok plan --json "${ARGS[@]}"
    same "$output" "$(<"$KDATA/plans/$NAME.json")"
}

@test "a kernel with FLATMEM hangs in a reservation: refused there, taken as the next kernel" {
    machine qemu-2g
    image pe --config 'CONFIG_RELOCATABLE=y\nCONFIG_CRASH_DUMP=y\nCONFIG_FLATMEM=y\n'
    fails 1 plan
    says "planning the crash kernel: the kernel has its struct pages in one array (CONFIG_FLATMEM, embedded configuration) and hangs where its memory does not begin at 0, as in a crash reservation" \
        "Use a kernel built with CONFIG_SPARSEMEM=y for the capture; one with FLATMEM may be the one that crashes."
    KIND=-l ok plan
    image pe --config 'CONFIG_RELOCATABLE=y\nCONFIG_CRASH_DUMP=y\n# CONFIG_FLATMEM is not set\n'
    ok plan
}

@test "golden plans: every row of the table" {
    each_plan plans golden
    assert_equal "$COUNT" 11
}

@test "the openEuler machine gets kernel 0xad000000, entry 0xae3c9000" {
    plan=$(<"$KDATA/plans/openeuler-sp2.json")
    same "$(field "$plan" "d['load']['entry'], d['load']['segments'][1]['mem'], all(c['ok'] for c in d['checks'])")" \
        "('0xae3c9000', '0xad000000', True)"
}

@test "the QEMU machine gets kernel 0xd0200000, entry 0xd12e9000, as booted" {
    plan=$(<"$KDATA/plans/qemu-2g.json")
    same "$(field "$plan" "d['load']['entry'], d['load']['segments'][1]['mem'], all(c['ok'] for c in d['checks'])")" \
        "('0xd12e9000', '0xd0200000', True)"
}

@test "two regions: all segments in the upper one, a mem= for each" {
    plan=$(<"$KDATA/plans/high-low.json")
    same "$(field "$plan" "all(0x430000000 <= int(s['mem'], 0) and int(s['mem'], 0) + s['memsz'] <= 0x470000000 for s in d['load']['segments'])")" True
    [[ $plan == *"mem=1048576K@17563648K mem=131072K@3932160K "* ]]
}

@test "a reservation that is just large enough, to the page" {
    machine just-fits
    image pe "${RELOCATABLE[@]}"
    bytes 100000 initrd
    fails 0 plan --json --initrd="$FILE"
    same "$(field "$output" "all(c['ok'] for c in d['checks'])")" True
    same "$(field "$output" "max(int(s['mem'], 0) + s['memsz'] for s in d['load']['segments']) == 0xd1c1c000")" True
    [[ $stderr == "kexec: warning: only "*" of the reservation are left for the crash kernel to run in; crashkernel=256M would be safer" ]] ||
        fail "$stderr"
}

@test "a reservation that is one page too small: how much is needed, there, missing" {
    machine too-small
    image pe "${RELOCATABLE[@]}"
    bytes 100000 initrd
    fails 1 plan --initrd="$FILE"
    says "planning the crash kernel: the crash reservation 0xd0000000-0xd1c17fff is too small: 29474816 bytes are needed, 29458432 are there, 16384 are missing" \
        "Boot with crashkernel=256M on the kernel command line (segments and memory to run in), or use a smaller initrd."
    same "$output" ""
}

@test "--mem-min and --mem-max that leave nothing" {
    machine qemu-2g
    image pe "${RELOCATABLE[@]}"
    for options in --mem-min=0xf0000000 --mem-min=0xffffffffffffffff --mem-max=0xcfffffff --mem-max=0 \
        "--mem-min=0xd0000001 --mem-max=0xd0000002"; do
        # shellcheck disable=SC2086
        fails 1 plan $options
        [[ $stderr == *"--mem-min and --mem-max leave nothing of the crash reservation 0xd0000000-0xefffffff"* ]] ||
            fail "$options: $stderr"
    done
    fails 1 plan --mem-min=0xd1000000 --mem-max=0xd2000000
    [[ $stderr == *"what --mem-min and --mem-max leave of the crash reservation 0xd1000000-0xd1ffffff is too small: 29360128 bytes are needed, 16777216 are there"* ]] || fail "$stderr"
}

@test "no reservation" {
    machine no-reservation
    image pe
    fails 1 plan
    says "planning the crash kernel: no memory is reserved for a crash kernel (no \"Crash kernel\" in /proc/iomem)" \
        "Boot with crashkernel=512M on the kernel command line, then load again."
}

@test "zeros in iomem: not root, and said so" {
    machine hidden
    image pe
    fails 1 plan
    says "planning the crash kernel: looking at the system: reading /proc/iomem: every address in it is zero: the kernel hides them from this user" \
        "Record the system again as root: kexec --snapshot DIR."
}

@test "a missing initrd, an empty one, a missing kernel" {
    machine qemu-2g
    image pe
    fails 1 plan --initrd=/nowhere/initrd
    says "planning the crash kernel: the initrd: opening /nowhere/initrd: No such file or directory" \
        "Check --initrd=, or build the initrd first."
    : >"$BATS_TEST_TMPDIR/empty"
    fails 1 plan --initrd="$BATS_TEST_TMPDIR/empty"
    [[ $stderr == *"the initrd: $BATS_TEST_TMPDIR/empty is empty"* ]]
    IMAGE=/nowhere/vmlinuz
    fails 1 plan
    says "planning the crash kernel: opening /nowhere/vmlinuz: No such file or directory" "Check the path of the kernel."
}

@test "a kernel for another architecture" {
    machine qemu-2g
    image pe --machine 0x8664
    fails 1 plan
    says "planning the crash kernel: $IMAGE: is a PE image for x86_64, not for loongarch64" "Give a kernel built for loongarch64."
}

@test "where it cannot be seen, there is a warning" {
    machine qemu-2g
    image pe
    fails 0 plan
    same "$stderr" "kexec: warning: whether the kernel is relocatable cannot be seen (no text of the relocation code in the image); if it is not, it will hang when started"
}

@test "KASLR: room above the kernel, or a warning that says nokaslr" {
    machine qemu-2g
    image roomy --text "KASLR is disabled."
    ok plan
    machine just-fits
    fails 0 plan
    [[ $stderr == *"kexec: warning: the crash kernel may move itself (KASLR) up to 0xd4600000, beyond the end of the reservation at 0xd1c1c000; add nokaslr to its command line"* ]] ||
        fail "$stderr"
    fails 0 plan --append="quiet nokaslr"
    [[ $stderr != *KASLR* ]]
    machine qemu-2g
    image wide --config 'CONFIG_RELOCATABLE=y\nCONFIG_RANDOMIZE_BASE=y\nCONFIG_CRASH_DUMP=y\nCONFIG_RANDOMIZE_BASE_MAX_OFFSET=0x20000000\n'
    fails 0 plan
    [[ $stderr == *"(KASLR) up to 0xf3600000, beyond the elfcorehdr at 0xeffdc000"* ]] || fail "$stderr"
}

@test "earlycon: what the crash kernel needs is not at the top, where its first page tables go" {
    machine qemu-2g
    image pe "${RELOCATABLE[@]}"
    bytes 100000 initrd
    ok plan --json --initrd="$FILE" --append=earlycon
    same "$(field "$output" "max(int(s['mem'], 0) + s['memsz'] for s in d['load']['segments']) == 0xf0000000 - 0x20000")" True
    machine just-fits
    fails 0 plan --initrd="$FILE" --append=quiet
    refute_regex "$stderr" earlycon
    fails 0 plan --initrd="$FILE" --append=earlycon=uart8250
    assert_regex "$stderr" "kexec: warning: earlycon: the crash kernel's first page tables will take the highest pages of the reservation, where the initrd lies; leave earlycon out, or use a larger crashkernel="
    # The kernel that chooses the places itself leaves no room there.
    machine qemu-2g
    image file "${RELOCATABLE[@]}" --text kexec_file
    fails 0 plan -s --append=earlycon
    same "$stderr" "kexec: warning: earlycon: the crash kernel's first page tables will take the highest pages of the reservation, where kexec_file_load puts the headers; leave earlycon out, or leave -s out"
}

@test "an initrd that does not fit is refused before a byte of it is read" {
    machine qemu-2g
    image pe "${RELOCATABLE[@]}"
    truncate -s 1G "$BATS_TEST_TMPDIR/huge"
    fails 1 /usr/bin/python3 -SE - "$KEXEC" -p --dry-run --system="$SYSTEM" --initrd="$BATS_TEST_TMPDIR/huge" "$IMAGE" <<'PYTHON'
import os, resource, sys
child = os.fork()
if child == 0:
    os.execv(sys.argv[1], sys.argv[1:])
_, status, usage = os.wait4(child, 0)
print(usage.ru_maxrss < 256 * 1024)
sys.exit(os.waitstatus_to_exitcode(status))
PYTHON
    assert_output True
    assert_regex "$stderr" "is too small: [0-9]+ bytes are needed"
    truncate -s 3G "$BATS_TEST_TMPDIR/huge"
    fails 1 plan --initrd="$BATS_TEST_TMPDIR/huge"
    says "planning the crash kernel: the initrd: $BATS_TEST_TMPDIR/huge has 3221225472 bytes, the limit is 2147483648" \
        "Check --initrd=, or build the initrd first."
}

@test "an initrd from a pipe" {
    machine qemu-2g
    image pe "${RELOCATABLE[@]}"
    bytes 100000 initrd
    ok plan --json --initrd="$FILE"
    first=$output
    mkfifo "$BATS_TEST_TMPDIR/fifo"
    cat "$FILE" >"$BATS_TEST_TMPDIR/fifo" &
    ok plan --json --initrd="$BATS_TEST_TMPDIR/fifo"
    same "$output" "$first"
}

@test "the command line: ours first, so that -- cannot hide it" {
    machine qemu-2g
    image pe "${RELOCATABLE[@]}"
    ok plan --json --append="quiet -- single"
    same "$(field "$output" "d['load']['command_line']")" \
        "kexec elfcorehdr=16K@3932016K mem=524288K@3407872K quiet -- single"
    same "$(field "$output" "d['load']['segments'][0]['role'], d['load']['segments'][0]['bufsz']")" "('cmdline', 4096)"
}

@test "--reuse-cmdline takes over what belongs to the new kernel, --append is added" {
    cp -r "$KDATA/machines/qemu-2g" "$BATS_TEST_TMPDIR/system"
    chmod -R u+w "$BATS_TEST_TMPDIR/system"
    SYSTEM=$BATS_TEST_TMPDIR/system
    image pe "${RELOCATABLE[@]}"
    echo 'BOOT_IMAGE=/vmlinuz root=/dev/vda1 crashkernel=512M kexec kexec_file initrd=1,2 mem=1K@0K elfcorehdr=1K@2K quiet initrdmem=7 a="b crashkernel=1 c"' \
        >"$SYSTEM/proc/cmdline"
    ok plan --json --reuse-cmdline --append="panic=10"
    same "$(field "$output" "d['load']['command_line']")" \
        'kexec elfcorehdr=16K@3932016K mem=524288K@3407872K root=/dev/vda1 quiet initrdmem=7 a="b crashkernel=1 c" panic=10'
}

@test "words only kexec may say are dropped from --command-line, with a warning" {
    machine qemu-2g
    image pe "${RELOCATABLE[@]}"
    fails 0 plan --json --command-line="mem=1G@0 root=/dev/vda elfcorehdr=0x1000 memtest=1"
    same "$stderr" "kexec: warning: dropped from the command line: mem=1G@0 elfcorehdr=0x1000 (only kexec can say this to a crash kernel)"
    same "$(field "$output" "d['load']['command_line']")" \
        "kexec elfcorehdr=16K@3932016K mem=524288K@3407872K root=/dev/vda memtest=1"
}

@test "kernels whose command line ends at 511, and those where it may" {
    machine no-reservation
    image pe "${RELOCATABLE[@]}"
    words=$(head -c 500 /dev/zero | tr '\0' x)
    for row in "5.19.0|1|512|kernel older than 6.6" "6.4.2|1|512|kernel older than 6.6" \
        "6.1.170|0|4096|kernels before 6.17" "6.6.0-104.oe2403sp2|0|4096|kernels before 6.17"; do
        IFS='|' read -r release expected limit evidence <<<"$row"
        sed "s/^release=.*/release=$release/" "$KDATA/machines/sparse-cpus.txt" >"$BATS_TEST_TMPDIR/m.txt"
        "$UNIT/make-machine" "$BATS_TEST_TMPDIR/m.txt" "$BATS_TEST_TMPDIR/m-$release"
        SYSTEM=$BATS_TEST_TMPDIR/m-$release
        fails "$expected" plan --append="$words"
        [[ $stderr == *"$evidence"* ]] || fail "$release: $stderr"
        ok plan --json --append=short
        same "$(field "$output" "d['machine']['cmdline_limit']")" "$limit"
    done
}

@test "pages of 4, 16 and 64 KiB: every segment on the running kernel's pages" {
    for page in 4 16 64; do
        plan=$(<"$KDATA/plans/pages-${page}k.json")
        same "$(field "$plan" "all(int(s['mem'], 0) % ($page * 1024) == 0 and s['memsz'] % ($page * 1024) == 0 for s in d['load']['segments'])")" True
        same "$(field "$plan" "int(d['load']['segments'][1]['mem'], 0) % 0x200000")" 0
    done
}

@test "the map shows every block, smaller than a cell or not" {
    machine qemu-2g
    image pe "${RELOCATABLE[@]}"
    bytes 100000 initrd
    ok plan --initrd="$FILE"
    assert_line "Crash kernel 0xd0000000-0xefffffff, 512 MiB, a cell is 8 MiB"
    assert_line "|xKKK.........................................................cIe|"
    assert_line --regexp '^  K  0x0000d0200000-0x0000d1bfffff +26 MiB  kernel$'
    machine just-fits
    fails 0 plan --initrd="$FILE"
    [[ $output == *"|xce"*"KKKK"*"I|"* ]] || fail "$output"
}

@test "the map as SVG: well formed, nothing else printed, blocks to scale and labelled" {
    machine qemu-2g
    image pe "${RELOCATABLE[@]}"
    bytes 100000 initrd
    ok plan --map=svg --initrd="$FILE"
    printf '%s\n' "$output" >"$BATS_TEST_TMPDIR/map.svg"
    ok /usr/bin/python3 - "$BATS_TEST_TMPDIR/map.svg" <<'PY'
import sys, xml.etree.ElementTree as tree
root = tree.parse(sys.argv[1]).getroot()
ns = "{http://www.w3.org/2000/svg}"
bars = [r for r in root.iter(ns + "rect") if r.get("width") == "150" and r.get("fill") != "none"]
frame = next(r for r in root.iter(ns + "rect") if r.get("width") == "150" and r.get("fill") == "none")
heights = sum(float(r.get("height")) for r in bars)
kernel = max((r for r in bars if r.get("fill") == "#4878a8"), key=lambda r: float(r.get("height")))
labels = [t for t in root.iter(ns + "text") if t.get("class") != "address"][1:]
ys = [float(t.get("y")) for t in labels]
print(abs(heights - float(frame.get("height"))) < 0.1,
      round(float(kernel.get("height")) / float(frame.get("height")) * 512),
      [t.text.split(",")[0] for t in labels],
      all(b - a >= 25.9 for a, b in zip(ys, ys[1:])))
PY
    assert_output "True 26 ['free', 'elfcorehdr', 'initrd', 'cmdline', 'free', 'kernel', 'free', \"control code and vmcoreinfo (the kernel's own)\"] True"
}

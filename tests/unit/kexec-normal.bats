#!/usr/bin/env bats
# Plans for the next kernel (kexec -l).

load common
load kexec-common

RELOCATABLE=(--text "Kernel relocated by 0x")

setup() {
    # shellcheck disable=SC2034 # plan uses it
    KIND=-l
}

golden() {
    ok plan --json "${ARGS[@]}"
    same "$output" "$(<"$KDATA/plans/$NAME.json")"
    same "$(field "$output" "all(c['ok'] for c in d['checks']), d['load']['flags']")" "(True, '0x1020000')"
    run /usr/bin/python3 -SE - "$KDATA/plans/$NAME.json" "$SYSTEM/proc/iomem" <<'PYTHON'
import json, sys
plan = json.load(open(sys.argv[1]))
ram, taken = [], [(0, 0x1fffff, "low")]
for line in open(sys.argv[2]):
    places, name = line.strip().split(" : ")
    start, end = (int(n, 16) for n in places.split("-"))
    if name == "System RAM":
        ram.append((start, end))
    elif name in ("Reserved", "Crash kernel"):
        taken.append((start, end, name))
for s in plan["load"]["segments"]:
    first, last = int(s["mem"], 0), int(s["mem"], 0) + s["memsz"] - 1
    if not any(a <= first and last <= b for a, b in ram):
        print(s["role"], "not in RAM")
    for a, b, name in taken:
        # 1bfee30-1bfffff: the tail of the running kernel's last 64 KiB
        if first <= b and a <= last and a != 0x1bfee30:
            print(s["role"], "on", name, hex(a))
PYTHON
    assert_success
    refute_output
}

@test "golden plans: every row of the table, and no segment in memory that is not free" {
    each_plan normal golden
    assert_equal "$COUNT" 9
}

@test "at the link address where that is free, as 5494664 of kexec-tools had it" {
    plan=$(<"$KDATA/plans/normal-qemu-2g.json")
    same "$(field "$plan" "d['load']['entry'], d['load']['segments'][1]['mem']")" "('0x12e9000', '0x200000')"
}

@test "a kernel too large for the place moves, on 2 MiB, and its entry with it" {
    plan=$(<"$KDATA/plans/normal-moved.json")
    same "$(field "$plan" "d['load']['entry'], d['load']['segments'][1]['mem']")" "('0x890e9000', '0x88000000')"
}

@test "a kernel that is not relocatable does not move: refused with what it needs" {
    machine qemu-2g
    image fixed --kind elf --size 0x3344000
    fails 1 plan
    says "planning the next kernel: the kernel is not relocatable (no section .la_abs, .rela.dyn or .relr.dyn) and needs 0x200000-0x354ffff, which is not all free" \
        "Use a kernel built with CONFIG_RELOCATABLE=y; /proc/iomem shows what lies there."
}

@test "an initrd larger than every free piece says how much is there" {
    machine qemu-2g
    image pe "${RELOCATABLE[@]}"
    truncate -s 1200M "$BATS_TEST_TMPDIR/huge"
    fails 1 plan --initrd="$BATS_TEST_TMPDIR/huge"
    [[ $stderr == "kexec: planning the next kernel: the initrd needs 1258291200 bytes (1.17 GiB) in one piece; the largest free piece of memory has "* ]] ||
        fail "$stderr"
}

@test "rule 12: more than half of the memory is refused by name" {
    machine qemu-2g
    image pe "${RELOCATABLE[@]}"
    truncate -s 1000M "$BATS_TEST_TMPDIR/huge"
    fails 1 plan --initrd="$BATS_TEST_TMPDIR/huge"
    [[ $stderr == *"kernel rule 12 ("* ]] || fail "$stderr"
}

@test "mem= and crashkernel= are the user's; initrd= and elfcorehdr= are not" {
    machine qemu-2g
    image pe "${RELOCATABLE[@]}"
    fails 0 plan --append="mem=1G@0 crashkernel=512M initrd=1,2 elfcorehdr=1K@1K quiet"
    assert_line "command line: kexec mem=1G@0 crashkernel=512M quiet"
    [[ $stderr == "kexec: warning: dropped from the command line: initrd=1,2 elfcorehdr=1K@1K (only kexec can say this to the next kernel)" ]] ||
        fail "$stderr"
}

@test "--entry stands in for the header's" {
    machine qemu-2g
    image pe "${RELOCATABLE[@]}"
    ok plan --json --entry=0x300000
    same "$(field "$output" "d['load']['entry']")" 0x300000
    KIND=-p
    fails 1 plan --entry=0x300000
    [[ $stderr == *"kernel rule 8 ("*"entry 0x300000 lies "* ]] || fail "$stderr"
}

@test "no crash notes, no vmcoreinfo: the next kernel needs neither" {
    machine qemu-2g
    cp -r "$SYSTEM" "$BATS_TEST_TMPDIR/bare"
    rm -r "$BATS_TEST_TMPDIR/bare/sys"
    SYSTEM=$BATS_TEST_TMPDIR/bare
    image pe "${RELOCATABLE[@]}"
    ok plan
}

@test "the map of a normal load is of all memory" {
    machine qemu-2g
    image pe "${RELOCATABLE[@]}"
    ok plan --map
    assert_line "Memory 0x0-0xefffffff, 3.75 GiB, a cell is 60 MiB"
    refute_line --partial "control code"
}

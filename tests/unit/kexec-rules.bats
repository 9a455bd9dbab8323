#!/usr/bin/env bats
# The kernel's rules, each broken alone, and the pure parts below the plan.

load common
load kexec-common

@test "a sound load keeps every rule" {
    ok "$PROBE_KEXEC" rules "$KDATA/rules.base"
    same "$output" ""
}

# rule NUMBER COUNT: each of the table's COUNT rows of that rule breaks it and no other.
rule() {
    local count=0 number changes expected lines i
    while IFS='|' read -r number changes expected; do
        [ "$(trim "$number")" = "$1" ] || continue
        lines=()
        IFS=';' read -ra lines <<<"$(trim "$changes")"
        if [ "${lines[1]}" = "17 segments" ]; then
            lines=(clear "segment cmdline 0xd0000000 0x4000 0x1000 kexec")
            for ((i = 1; i < 17; i++)); do
                lines+=("segment initrd $((0xd0000000 + i * 0x8000)) 0x4000 1")
            done
        fi
        run "$PROBE_KEXEC" rules "$KDATA/rules.base" "${lines[@]}"
        assert_equal "$status" 1
        [[ ${lines[*]} && $output == "kernel rule $1 ("*"): $(trim "$expected")"$'\n'"remedy: "?* ]] ||
            fail "rule $1, $changes: $output"
        count=$((count + 1))
    done < <(rows "$KDATA/rules.table")
    assert_equal "$count" "$2"
}

# answers ERRNO TEXT: what is said when the kernel answers so, all the same.
answers() {
    run "$PROBE_KEXEC" explain "$1"
    assert_equal "$status" 1
    [[ $output == *"$2"*$'\n'"remedy: "?* ]] || fail "$output"
}

# permission KIND FILE CONTENT TEXT: with that file in a system, loading is refused so.
permission() {
    local dir=$BATS_TEST_TMPDIR/permission
    rm -rf "$dir"
    mkdir -p "$dir/$(dirname "$2")"
    printf '%s\n' "$3" >"$dir/$2"
    # shellcheck disable=SC2086
    run "$PROBE_KEXEC" permission "$dir" $1
    if [ -z "$4" ]; then
        same "$output" ""
        assert_equal "$status" 0
    else
        [[ $output == "$4"*$'\n'"remedy: "?* ]] || fail "$1 $2: $output"
    fi
}

@test "rule 1, permission: no capability, loading switched off, loads used up" {
    permission crash proc/self/status $'Name:\tx\nCapEff:\t000001ffffbfffff' "kernel rule 1 (permission): this process has no CAP_SYS_BOOT"
    permission crash proc/self/status $'Name:\tx\nCapEff:\t000001ffffffffff' ""
    permission crash proc/self/status $'Name:\tx' ""
    permission crash proc/sys/kernel/kexec_load_disabled 1 "kernel rule 1 (permission): loading was switched off (kernel.kexec_load_disabled=1)"
    permission crash proc/sys/kernel/kexec_load_disabled 0 ""
    permission crash proc/sys/kernel/kexec_load_limit_panic 0 "kernel rule 1 (permission): the number of allowed crash kernel loads is used up (kernel.kexec_load_limit_panic=0)"
    permission normal proc/sys/kernel/kexec_load_limit_reboot 0 "kernel rule 1 (permission): the number of allowed next kernel loads is used up (kernel.kexec_load_limit_reboot=0)"
    permission normal proc/sys/kernel/kexec_load_limit_panic 0 ""
    permission crash proc/sys/kernel/kexec_load_limit_panic -1 ""
    answers 1 "kernel rule 1 (permission) or 2 (lockdown and security policy): kexec_load failed: Operation not permitted"
}

@test "rule 2, lockdown: kexec_load is refused, kexec_file_load is not" {
    for mode in "none [integrity] confidentiality" "none integrity [confidentiality]"; do
        permission crash sys/kernel/security/lockdown "$mode" "kernel rule 2 (lockdown): the kernel is locked down and refuses kexec_load"
        permission "crash file" sys/kernel/security/lockdown "$mode" ""
    done
    permission crash sys/kernel/security/lockdown "[none] integrity confidentiality" ""
    answers 13 "kexec_load failed: Permission denied"
}

@test "rule 3, known flags" {
    rule 3 2
    answers 22 "kernel rule 3 (known flags) or 4 ("
}

@test "rule 4, at most 16 segments" {
    rule 4 1
}

@test "rule 5, the architecture in the flags" {
    rule 5 1
}

@test "rule 6, no other load under way: only the kernel can tell, its answer is explained" {
    answers 16 "kernel rule 6 (no other load under way): kexec_load failed: Device or resource busy"
    [[ $output == *"remedy: Wait until the other kexec has ended, then try again." ]]
}

@test "rule 7, the old crash image is dropped first: so a plan that breaks any rule goes no further" {
    machine qemu-2g
    image pe --text "Kernel relocated by 0x"
    ok plan -d
    assert_line --regexp '^ +7 +- +the old crash image is dropped first$'
    fails 1 plan -d --entry=0x300000
    assert_regex "$stderr" "kernel rule 8 "
    assert_line --regexp '^ +8 +BROKEN +entry inside the crash reservation: entry 0x300000 lies '
}

@test "rule 8, the entry inside the crash reservation" {
    rule 8 2
    answers 99 "kernel rule 8 (entry inside the crash reservation) or 9 (segments on page boundaries) or 13 ("
}

@test "rule 9, segments on page boundaries" {
    rule 9 3
}

@test "rule 10, segments do not overlap" {
    rule 10 1
}

@test "rule 11, a buffer not larger than its memory" {
    rule 11 1
}

@test "rule 12, at most half of the memory" {
    rule 12 2
}

@test "rule 13, segments inside the crash reservation" {
    rule 13 2
}

@test "rule 14, a page for control code" {
    rule 14 1
    answers 12 "kernel rule 14 (a page for control code) or 16 (a page for vmcoreinfo)"
}

@test "rule 15, a command line segment, and none before it that looks like one" {
    rule 15 2
}

@test "rule 16, a page for vmcoreinfo" {
    rule 16 1
}

@test "rule 17, buffers that can be copied" {
    rule 17 2
    answers 14 "kernel rule 17 (buffers can be copied): kexec_load failed: Bad address"
}

@test "the table breaks no other rule; an answer of no rule, and of a kernel without kexec" {
    assert_equal "$(rows "$KDATA/rules.table" | wc -l)" 21
    answers 5 "kexec_load failed: Input/output error"
    answers 38 "kexec_load failed: Function not implemented"
    [[ $output == *"remedy: The running kernel needs CONFIG_KEXEC=y." ]]
}

@test "what the kernel wrote into its log: the text of a record, without what a terminal would obey" {
    while IFS='|' read -r record expected; do
        printf '%b' "$record" >"$BATS_TEST_TMPDIR/record"
        run "$PROBE_KEXEC" kmsg "$BATS_TEST_TMPDIR/record"
        same "$output" "$expected"
    done <<'TABLE'
3,339,5140900,-;Command line not included\n|Command line not included
3,339,5140900,-;one\n SUBSYSTEM=x\n DEVICE=y\n|one
3,339,5140900,-;a\033[31mb\tc\n|a?[31mb?c
3,339,5140900,-;no end|no end
3,339,5140900,-;0123456789012345678901234567890123456789|012345678901234567890123456789012345678
no record|
;|
TABLE
}

@test "what the kernel wrote into its log: the last three records stand with the refusal" {
    run "$PROBE_KEXEC" log
    same "$output" "refused"
    run "$PROBE_KEXEC" log $'3,1,2,-;Command line not included in the provided image\n'
    same "$output" "the kernel's log says \"Command line not included in the provided image\": refused"
    run "$PROBE_KEXEC" log '6,1,2,-;one' '6,2,2,-;two' 'no record' '6,3,2,-;three' '6,4,2,-;four'
    same "$output" "the kernel's log says \"two / three / four\": refused"
}

@test "the openEuler report's own numbers are refused by rule 8, with the distance" {
    run "$PROBE_KEXEC" rules "$KDATA/openeuler.rules"
    assert_equal "$status" 1
    same "$output" "kernel rule 8 (entry inside the crash reservation, kernel/kexec.c kimage_alloc_init()): entry 0x15c9000 lies 0xab837000 bytes below Crash kernel 0xace00000-0xecdfffff
remedy: The kernel has to be placed inside the reservation; this command does so: kexec -p KERNEL."
}

@test "words of a command line are removed exactly" {
    count=0
    while IFS='|' read -r text names kept removed; do
        # shellcheck disable=SC2086
        run "$PROBE_KEXEC" remove "$text" $names
        same "$text: $output" "$text: $kept|$removed"
        count=$((count + 1))
    done < <(rows "$KDATA/cmdline.table")
    assert_equal "$count" 16
}

@test "ranges: joined, cut, and searched from both ends" {
    while IFS='|' read -r operations expected; do
        # shellcheck disable=SC2086
        run "$PROBE_KEXEC" ranges $operations
        same "$(trim "$operations") = $output" "$(trim "$operations") = $(trim "$expected")"
    done <<'TABLE'
+10-20 +20-30 | 10-30 total=20
+10-20 +30-40 +15-35 | 10-40 total=30
+30-40 +10-20 +0-5 | 0-5 10-20 30-40 total=25
+10-20 +12-14 | 10-20 total=10
+10-40 -20-30 | 10-20 30-40 total=20
+10-40 -0-20 -30-50 | 20-30 total=10
+10-20 +30-40 -0-100 | total=0
+10-20 -20-30 -0-10 | 10-20 total=10
+10-20 -20-20 -18-12 | 10-20 total=10
+100-200 low:80:1:0:1000 high:80:1:0:1000 | low=100 high=180 100-200 total=100
+100-200 low:101:1:0:1000 high:101:1:0:1000 | low=none high=none 100-200 total=100
+101-2ff low:10:100:0:1000 high:10:100:0:1000 | low=200 high=200 101-2ff total=1fe
+100-200 +300-400 low:10:10:250:1000 high:10:10:0:250 | low=300 high=1f0 100-200 300-400 total=200
+fffffffffffff000-ffffffffffffffff low:1:10000:0:ffffffffffffffff | low=none fffffffffffff000-ffffffffffffffff total=fff
TABLE
}

@test "iomem keeps the nesting and takes the end as the last byte" {
    printf '00000000-0c5dffff : System RAM\n  00200000-012fffff : Kernel code\n    00200000-002fffff : x : y\n' \
        >"$BATS_TEST_TMPDIR/iomem"
    ok "$PROBE_KEXEC" iomem "$BATS_TEST_TMPDIR/iomem"
    same "$output" "0 0 c5e0000 System RAM
1 200000 1300000 Kernel code
2 200000 300000 x : y
shown"
}

@test "iomem lines that are none are refused with their number" {
    while IFS= read -r line; do
        printf '00000000-0000ffff : System RAM\n%s\n' "$line" >"$BATS_TEST_TMPDIR/iomem"
        run "$PROBE_KEXEC" iomem "$BATS_TEST_TMPDIR/iomem"
        assert_equal "$status" 1
        [[ $output == "iomem: line 2 is not \"START-END : NAME\": "* ]] || fail "$output"
    done <<'LINES'
hello
1000
1000-
1000-2000
1000-2000 :
-2000 : System RAM
2000-1000 : System RAM
1000-2000: System RAM
10000000000000000-10000000000000001 : System RAM
LINES
}

@test "elfcorehdr: a note per CPU, vmcoreinfo, RAM without the reservation, in the window" {
    machine sparse-cpus
    "$PROBE_KEXEC" elfcorehdr "$SYSTEM" >"$BATS_TEST_TMPDIR/hdr"
    run bash -c 'readelf -lW "$1" | awk "\$1 == \"NOTE\" || \$1 == \"LOAD\" { print \$1, \$2, \$3, \$4, \$5, \$6, \$7 }"' - "$BATS_TEST_TMPDIR/hdr"
    same "$output" "NOTE 0x7000000 0x0000000000000000 0x0000000007000000 0x000200 0x000200 0
NOTE 0x7020000 0x0000000000000000 0x0000000007020000 0x000200 0x000200 0
NOTE 0x7030000 0x0000000000000000 0x0000000007030000 0x000200 0x000200 0
NOTE 0x7110000 0x0000000000000000 0x0000000007110000 0x000200 0x000200 0
NOTE 0x6460000 0x0000000000000000 0x0000000006460000 0x004024 0x004024 0
LOAD 0x200000 0x9000000000200000 0x0000000000200000 0xfe00000 0xfe00000 RWE
LOAD 0x80000000 0x9000000080000000 0x0000000080000000 0x50000000 0x50000000 RWE"
}

@test "both regions are left out of the elfcorehdr" {
    machine high-low
    "$PROBE_KEXEC" elfcorehdr "$SYSTEM" >"$BATS_TEST_TMPDIR/hdr"
    same "$(readelf -lW "$BATS_TEST_TMPDIR/hdr" | awk '$1 == "LOAD" { print $4, $6 }')" \
        "0x0000000000200000 0xfe00000
0x0000000090000000 0x60000000
0x00000000f8000000 0x6000000
0x0000000100000000 0x330000000
0x0000000470000000 0x10000000"
}

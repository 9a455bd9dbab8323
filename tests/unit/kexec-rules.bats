#!/usr/bin/env bats
# The kernel's rules, each broken alone, and the pure parts below the plan.

load common
load kexec-common

@test "a sound load keeps every rule" {
    ok "$PROBE_KEXEC" rules "$KDATA/rules.base"
    same "$output" ""
}

@test "every rule that a plan can be held against, broken alone" {
    count=0
    while IFS='|' read -r rule changes expected; do
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
        [[ ${lines[*]} && $output == "kernel rule $(trim "$rule") ("*"): $(trim "$expected")"$'\n'"remedy: "?* ]] ||
            fail "rule $rule, $changes: $output"
        count=$((count + 1))
    done < <(rows "$KDATA/rules.table")
    assert_equal "$count" 20
}

@test "the openEuler report's own numbers are refused by rule 8, with the distance" {
    run "$PROBE_KEXEC" rules "$KDATA/openeuler.rules"
    assert_equal "$status" 1
    same "$output" "kernel rule 8 (entry inside the crash reservation, kernel/kexec.c kimage_alloc_init()): entry 0x15c9000 lies 0xab837000 bytes below Crash kernel 0xace00000-0xecdfffff
remedy: The kernel has to be placed inside the reservation; this command does so: kexec -p KERNEL."
}

@test "and with its entry put right, by rule 13 for the kernel segment (defect 1.8-4)" {
    run "$PROBE_KEXEC" rules "$KDATA/openeuler.rules" "entry 0xae3c9000"
    assert_equal "$status" 1
    [[ $output == "kernel rule 13 "*"segment 0 (kernel) 0x200000+0x3344000 lies 0xacc00000 bytes below Crash kernel"* ]]
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

@test "defect 1.8-10: sparse CPU numbers lose no note; 1024 pieces of RAM and 256 CPUs all appear" {
    machine 1024-ranges
    "$PROBE_KEXEC" elfcorehdr "$SYSTEM" >"$BATS_TEST_TMPDIR/hdr"
    same "$(readelf -hW "$BATS_TEST_TMPDIR/hdr" | sed -n 's/.*Number of program headers: *//p')" "$((256 + 1 + 2 + 1024))"
    same "$(readelf -lW "$BATS_TEST_TMPDIR/hdr" | grep -c '^  LOAD')" 1026
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

#!/usr/bin/env bats
# Dump levels on the real thing: a guest with page cache, shared and anonymous
# memory panics, and the capture kernel saves it at levels 0, 1, 17 and 31.
# The counts are held against what the guest itself said before the panic and
# what crash counts in the unfiltered dump.

load machine

setup_file() {
    guest_disk "$BATS_FILE_TMPDIR/disk" levels
    guest_run levels 6G "crashkernel=512M" 600
}

setup() {
    GUEST=$BATS_FILE_TMPDIR/levels
}

# pages TYPE...: of the types together, as info in the guest said.
pages() {
    result info | /usr/bin/python3 -c 'import json, sys; d = json.load(sys.stdin)["page_types"]
print(sum(d[t]["pages"] for t in sys.argv[1:]))' "$@"
}

# meminfo KEY...: pages, the keys added up.
meminfo() {
    local key sum=0
    for key in "$@"; do
        sum=$((sum + $(awk -v k="$key:" '$1 == k { print $2 }' "$GUEST/out/meminfo.out")))
    done
    echo $((sum / 16))
}

# near WHAT A B PERCENT PAGES: differs by at most PERCENT of B and PAGES.
near() {
    local off=$(($2 - $3))
    [ "${off#-}" -le $(($3 * $4 / 100 + $5)) ] || fail "$1: $2 pages, expected about $3"
}

@test "levels: nothing is in doubt: no notes, three levels of tables" {
    run result info
    assert_output --partial '"filter_notes":[]'
    assert_output --partial '"page_table_levels":3'
}

@test "levels: free, cache, anonymous and slab pages are what the guest counted" {
    near free "$(pages free)" "$(meminfo MemFree)" 5 200
    near cache "$(pages cache cache-private)" "$(meminfo Cached Buffers)" 3 100
    near anonymous "$(pages anonymous)" "$(meminfo AnonPages)" 5 100
    near slab "$(pages slab)" "$(meminfo Slab)" 5 50
    assert [ "$(pages anonymous)" -gt 500 ]
    assert [ "$(pages cache)" -gt 1500 ]
    assert_equal "$(pages unknown)" 0
}

# crash reads the zones' counter, of which each CPU holds back up to 125 pages
# (mm/vmstat.c, calculate_normal_threshold).
@test "levels: crash counts as many free pages in the dump" {
    run crash_says "$GUEST/vmcore.c.1" "kmem -i"
    assert_success
    near free "$(pages free)" "$(printf '%s\n' "$output" | awk '$1 == "FREE" { print $2; exit }')" 0 250
}

# The guest copied /proc/kpageflags twice, then made the copies safe and
# panicked: a page may have changed since, but few did.
@test "levels: every page dropped is of a dropped type by /proc/kpageflags" {
    local level dropped right changing wrong missed
    for level in 17 31; do
        ok "$TOP/tests/machine/frame-types" "$GUEST/out/flags.1" "$GUEST/out/flags.2" "$GUEST/vmcore.c.$level" $level
        echo "level $level: $output"
        eval "$output"
        assert [ "$dropped" -gt 60000 ]
        assert [ "$wrong" -le $((dropped / 1000 + 10)) ]
        assert [ "$changing" -le 1200 ]
        assert [ "$missed" -le 300 ]
    done
}

@test "levels: /proc/vmcore is mapped, which gives the same file as reading it" {
    local pages mapped
    pages=$(result mapped | sed -n 's/^pages: \([0-9]*\) .*/\1/p')
    mapped=$(result mapped | sed -n 's/^mapped: \([0-9]*\) pages.*/\1/p')
    assert [ "$mapped" -gt $((pages * 9 / 10)) ]
    run result read
    refute_line --regexp '^mapped:'
    cmp "$GUEST/vmcore.mapped" "$GUEST/vmcore.read"
    echo "mapped $(result mapped | grep '^time: ')" "read $(result read | grep '^time: ')"
}

# dropped LEVEL: pages left out for their type.
dropped() {
    case $1 in
    17) pages free ;;
    31) pages free cache cache-private anonymous hugetlb ;;
    *) echo 0 ;;
    esac
}

@test "levels: with each codec every page a level keeps equals the raw copy, and no other is there" {
    local codec level
    for level in 0 1 17 31; do
        for codec in c l z; do
            result $codec.$level >/dev/null
            ok "$UNIT/compare-dump" --dropped "$(dropped $level)" "$GUEST/vmcore.raw" "$GUEST/vmcore.$codec.$level"
        done
    done
    local dump
    for dump in p.31 elf.31; do
        result $dump >/dev/null
        ok "$UNIT/compare-dump" --dropped "$(dropped 31)" "$GUEST/vmcore.raw" "$GUEST/vmcore.$dump"
    done
}

@test "levels: each is smaller than the one before" {
    assert [ "$(stat -c %s "$GUEST/vmcore.c.17")" -lt "$(stat -c %s "$GUEST/vmcore.c.1")" ]
    assert [ "$(stat -c %s "$GUEST/vmcore.c.31")" -lt "$(stat -c %s "$GUEST/vmcore.c.17")" ]
}

@test "levels: the native build makes the capture kernel's file of the raw copy" {
    ok "$VMCORE" save -q -d 31 "$GUEST/vmcore.raw" "$BATS_TEST_TMPDIR/dump"
    ok "$UNIT/compare-dump" --dropped "$(dropped 31)" "$GUEST/vmcore.raw" "$BATS_TEST_TMPDIR/dump"
}

@test "levels: crash says of each, with each codec, what it says of level 1" {
    local dump
    for dump in c.1 c.0 c.17 c.31 l.0 l.1 l.17 l.31 z.0 z.1 z.17 z.31 p.31; do
        run crash_says "$GUEST/vmcore.$dump" sys bt ps "kmem -i" "kmem -s" files log
        assert_success
        printf '%s\n' "$output" | grep -v -e DUMPFILE -e "COMMIT LIMIT" -e "error trace" >"$BATS_TEST_TMPDIR/$dump"
        ok diff "$BATS_TEST_TMPDIR/c.1" "$BATS_TEST_TMPDIR/$dump"
    done
    assert [ "$(wc -l <"$BATS_TEST_TMPDIR/c.31")" -gt 300 ]
}

# The raw copy once more, in the forms that are not saved in the guest.
other_forms() {
    local form=$1
    shift
    ok "$VMCORE" save -q -f -d 31 "$@" "$GUEST/vmcore.raw" "$GUEST/vmcore.$form"
}

@test "readers: libkdumpfile reads every page, plain, flattened, split and ELF" {
    local expected
    expected="pages of 16384: $(kept) equal"
    other_forms flat -F
    other_forms part --split 3
    other_forms elf --format elf
    for files in vmcore.c.31 vmcore.flat "vmcore.part.1 vmcore.part.2 vmcore.part.3" vmcore.elf; do
        # shellcheck disable=SC2086
        run lab enter env -C "$GUEST" python3 "$TOP/tests/machine/read-others" kdumpfile vmcore.raw $files
        assert_success
        assert_output --partial ", 7.2"
        assert_output --partial "$expected, "
    done
}

# Pages that level 31 keeps, as info in the guest said.
kept() {
    result info | /usr/bin/python3 -c 'import json, sys; print(json.load(sys.stdin)["pages_kept_by_level"][31])'
}

@test "readers: drgn walks the task list of the ELF form" {
    other_forms elf --format elf
    run lab enter python3 "$TOP/tests/machine/read-others" drgn "$(lab path vmlinux)" "$GUEST/vmcore.elf"
    assert_success
    assert_line "release $(lab path release)"
    assert_line --regexp "^tasks [0-9]+ init True$"
}

@test "readers: crash reads flattened and split dumps, and takes them for whole" {
    other_forms flat -F
    other_forms part --split 3
    local files
    for files in "$GUEST/vmcore.flat" "$GUEST/vmcore.part.1 $GUEST/vmcore.part.2 $GUEST/vmcore.part.3"; do
        run crash_says "$files" sys bt
        assert_success
        assert_output --partial "sysrq triggered crash"
        assert_output --partial "__crash_kexec"
        refute_output --partial "INCOMPLETE"
    done
}

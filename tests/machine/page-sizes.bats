#!/usr/bin/env bats
# Kernels with other pages than everybody's: 4K with four and with three levels
# of tables, 64K with two; and 16K with two, whose struct pages are in one array
# (FLATMEM). Those with three and with 16K have theirs in the direct mapping, so
# that nothing tells how many levels there are. Each panics with memory of every kind in use, saves
# itself, and what is left out is held against its own /proc/kpageflags. They
# are made only when named (lab setup kernel4k kernel4k3 kernel16k2 kernel64k).

load machine

# How many hugetlb pages there are to be, of 512 MiB each. With pages of 4K the
# kernel itself dies of them (7.2: at boot by hugepages=16, later by nr_hugepages).
declare -gA hugepages=([kernel4k]=0 [kernel4k3]=0 [kernel16k2]=0 [kernel64k]=1)

setup() {
    KERNEL=${BATS_TEST_DESCRIPTION%%:*}
    GUEST=$BATS_FILE_TMPDIR/$KERNEL
    [ -d "$(lab path cache)/$KERNEL" ] || skip "the lab has no $KERNEL (lab setup $KERNEL makes it)"
    [ -e "$GUEST.log" ] || panic
}

# The guest of this kernel, with what levels.bats has in memory, too.
panic() {
    local dir=$BATS_FILE_TMPDIR/disk
    guest_disk "$dir" levels
    # One with FLATMEM cannot run in a reservation: its array begins with its own memory, and
    # is used as if with frame 0 (alloc_node_mem_map() of mm/mm_init.c). There the stock one does.
    [ "$KERNEL" = kernel16k2 ] || cp "$(lab path "$KERNEL-vmlinuz")" "$dir/vmlinuz"
    guest_run "$KERNEL" 6G "crashkernel=512M hugepages=${hugepages[$KERNEL]}" 600 --kernel "$(lab path "$KERNEL-vmlinuz")"
}

# info NAME...: values of the guest's own vmcore info.
info() {
    result info | /usr/bin/python3 -c 'import json, sys; d = json.load(sys.stdin)
for path in sys.argv[1:]:
    value = d
    for name in path.split("."):
        value = value[name]
    print(value)' "$@"
}

# knows PAGE LEVELS HUGETLB: nothing is in doubt, and all hugetlb pages are seen.
knows() {
    run info page_size page_table_levels filter_notes page_types.unknown.pages page_types.hugetlb.pages
    assert_success
    assert_output "$1
$2
[]
0
$3"
}

# What each level keeps equals the raw copy, and nothing else is there.
keeps() {
    local level size
    size=$(info page_size)
    for level in 0 1 17 31; do
        result c.$level >/dev/null
        result z.$level >/dev/null
        ok "$UNIT/compare-dump" --page-size "$size" --dropped "$(($(info pages) - $(info pages_kept_by_level | tr -d '[],' | cut -d ' ' -f $((level + 1)))))" \
            "$GUEST/vmcore.raw" "$GUEST/vmcore.c.$level"
    done
}

# By /proc/kpageflags, as levels.bats has it; more small pages change.
drops_the_right_ones() {
    local level dropped right wrong missed # and changing
    for level in 17 31; do
        ok "$TOP/tests/machine/frame-types" "$GUEST/out/flags.1" "$GUEST/out/flags.2" "$GUEST/vmcore.c.$level" $level
        echo "level $level: $output"
        eval "$output"
        assert [ "$right" -gt $((dropped * 97 / 100)) ]
        assert [ "$wrong" -le $((dropped / 1000 + 10)) ]
        assert [ "$missed" -le $((dropped / 100 + 10)) ]
    done
}

# crash on the dump of level 31.
crash_reads_it() {
    run own_crash "$KERNEL" "$GUEST/vmcore.c.31" sys bt ps log
    assert_success
    assert_line --regexp 'PANIC: "Kernel panic - not syncing: sysrq triggered crash"'
    assert_line --regexp "^ *#[0-9]+ .* sysrq_handle_crash"
    assert_line --regexp ' sort$'
}

@test "kernel4k: its pages are known" { knows 4096 4 0; }
@test "kernel4k: each level keeps what it should, equal to the raw copy" { keeps; }
@test "kernel4k: every page dropped is of a dropped type by /proc/kpageflags" { drops_the_right_ones; }
@test "kernel4k: crash reads the dump" { crash_reads_it; }

@test "kernel4k3: its pages are known" { knows 4096 None 0; }
@test "kernel4k3: each level keeps what it should, equal to the raw copy" { keeps; }
@test "kernel4k3: every page dropped is of a dropped type by /proc/kpageflags" { drops_the_right_ones; }
@test "kernel4k3: crash reads the dump" { crash_reads_it; }

@test "kernel16k2: its pages are known" { knows 16384 None 0; }
@test "kernel16k2: each level keeps what it should, equal to the raw copy" { keeps; }
@test "kernel16k2: every page dropped is of a dropped type by /proc/kpageflags" { drops_the_right_ones; }
@test "kernel16k2: crash reads the dump" { crash_reads_it; }

@test "kernel64k: its pages are known, huge ones too" { knows 65536 2 $((1 * 8192)); }
@test "kernel64k: each level keeps what it should, equal to the raw copy" { keeps; }
@test "kernel64k: every page dropped is of a dropped type by /proc/kpageflags" { drops_the_right_ones; }
@test "kernel64k: crash reads the dump" { crash_reads_it; }

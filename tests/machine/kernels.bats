#!/usr/bin/env bats
# Our own kernel crashes: unlike the stock one it was moved at boot (KASLR) and
# carries its configuration. Three images in turn are its crash kernel: its own
# gzip zboot, its own vmlinux (plain ELF), and the stock zboot of another
# release. Each time crash reads the dump.

load machine

setup_file() {
    local dir=$BATS_FILE_TMPDIR/disk ends="console=ttyS0,115200 maxcpus=1 reset_devices panic=10"
    guest_disk "$dir" kernels
    rm "$dir/vmlinuz"
    # The only one that is free to move in its reservation.
    crash_loop zboot testkernel-vmlinuz "$ends"
    crash_loop elf testkernel-stripped "$ends nokaslr"
    crash_loop stock vmlinuz "$ends nokaslr"
}

crash_loop() { # NAME IMAGE COMMAND_LINE
    cp "$(lab path "$2")" "$BATS_FILE_TMPDIR/disk/image"
    printf '%s' "$3" >"$BATS_FILE_TMPDIR/disk/line"
    guest_run "$1" 640M "crashkernel=512M loongdump.first" 300 --kernel "$(lab path testkernel-vmlinuz)"
}

setup() {
    GUEST=$BATS_FILE_TMPDIR/${BATS_TEST_DESCRIPTION%%:*}
    LOG=$GUEST.log
}

# Symbols of the running kernel lie this far behind where the linker put them.
displacement() { # STEP
    local linked
    linked=$(lab enter loongarch64-linux-gnu-nm "$(lab path testkernel-vmlinux)" | awk '$3 == "_stext" { print $1 }')
    printf '0x%x' $((0x$(result "$1" | cut -d ' ' -f 1) - 0x$linked))
}

loaded_and_captured() { # RELEASE
    result load
    result save
    assert_equal "$(result release)" "$(lab path testkernel-release)"
    assert_equal "$(result capture-release)" "$1"
    assert_regex "$(result capture-cmdline)" "elfcorehdr="
    run /usr/bin/python3 -c 'import json,sys; print(all(c["ok"] for c in json.load(sys.stdin)["checks"]))' \
        <<<"$(result dry-run)"
    assert_output True
    sed -n '/Starting crashdump kernel/,$p' "$LOG" >"$BATS_TEST_TMPDIR/second"
    run grep -E 'Oops|BUG:|kernel BUG|Call Trace|elfcorehdr is overlapped' "$BATS_TEST_TMPDIR/second"
    refute_output
}

crash_reads_it() {
    run own_crash testkernel "$GUEST/vmcore" sys bt log
    assert_success
    assert_line --regexp "RELEASE: $(lab path testkernel-release | sed 's/[.+]/\\&/g')"
    assert_line --regexp 'PANIC: "Kernel panic - not syncing: sysrq triggered crash"'
    assert_line --regexp "^ *#[0-9]+ .* sysrq_handle_crash"
    assert_line --partial "loongdump.first"
}

@test "zboot: the crashed kernel had been moved" {
    local moved
    moved=$(displacement stext)
    assert [ $((moved)) -gt 0 ]
    result info >/dev/null
}

@test "zboot: what the image is, is known from the configuration it carries" {
    run result inspect
    assert_output --partial "gzip"
    assert_output --regexp "KASLR.*yes"
}

@test "zboot: gzip, free to move: loaded, captured, saved" {
    loaded_and_captured "$(lab path testkernel-release)"
}

@test "zboot: crash reads the dump" {
    crash_reads_it
}

@test "elf: the plain vmlinux: loaded, captured, saved" {
    loaded_and_captured "$(lab path testkernel-release)"
}

@test "elf: crash reads the dump" {
    crash_reads_it
}

@test "stock: the other release's zboot: loaded, captured, saved" {
    loaded_and_captured "$(lab path release)"
}

@test "stock: crash reads the dump" {
    crash_reads_it
}

# free_pages OPTION...: what info counts, and what it says about the filters.
free_pages() {
    "$VMCORE" info --json "$@" "$GUEST/vmcore" | /usr/bin/python3 -c 'import json, sys
d = json.load(sys.stdin)
print(d["page_types"]["free"]["pages"], *d["filter_notes"])'
}

@test "zboot: the zones' lists give the free pages that the type of pages gives" {
    local by_type by_lists text=$BATS_TEST_TMPDIR/vmcoreinfo
    "$VMCORE" info --print-vmcoreinfo "$GUEST/vmcore" | grep -v BUDDY >"$text"
    by_type=$(free_pages)
    by_lists=$(free_pages --vmcoreinfo "$text")
    assert [ "$by_type" -gt 20000 ]
    assert_equal "${by_lists%% *}" "$by_type"
    assert_regex "$by_lists" "told by the zones' lists"
}

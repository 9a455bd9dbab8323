#!/usr/bin/env bats
# A partition without a file system as target, from crash to crash on the stock
# kernel: what is there is taken at the next start, a start that finds no room
# leaves it, a second crash does not write over it, a start that is cut off is
# gone through again. kdumpctl, kexec and the capture are the real ones; the
# system around them is busybox.

load machine

setup_file() {
    local dir=$BATS_FILE_TMPDIR
    guest_disk "$dir/disk" raw
    cp -r "$TOP/kdumpctl" "$dir/disk/kdumpctl"
    printf '%s\n' 'raw /dev/vdb' 'fallback ext4 /dev/vda' 'path /disk/crash' >"$dir/disk/kdump.conf"
    printf '%s\n' 'KDUMP_IMG=/disk/vmlinuz' 'KDUMP_INITRD=/disk/initrd-capture' >"$dir/disk/sysconfig"
    capture_tree "$dir/tree" facts=1 host=saturn "core_collector=vmcore save -d 31" failure_action=reboot \
        final_action=reboot targets=2 target1_kind=raw target1_source=/dev/vdb \
        target2_kind=fs target2_source=/dev/vda target2_fstype=ext4 target2_path=/second
    lab initramfs "$dir/disk/initrd-capture" "$dir/tree"
    lab initramfs "$dir/initrd"
    truncate -s 200M "$dir/b.img"
    guest_run raw 512M "crashkernel=192M" 900 --mem 768M --initrd "$dir/initrd" --reboots -- \
        -drive "file=$dir/b.img,format=raw,if=none,id=xb,cache=unsafe" -device virtio-blk-pci,drive=xb
}

setup() {
    GUEST=$BATS_FILE_TMPDIR/raw
    LOG=$BATS_FILE_TMPDIR/raw.log
}

# said STEP TEXT: on stderr or stdout of a step that exited 0.
said() {
    result "$1" >/dev/null
    run cat "$GUEST/out/$1.out" "$GUEST/out/$1.err"
    assert_line --partial "$2"
}

@test "a start without room leaves the dump where it is, says so, and loads" {
    said full "/dev/vdb keeps the dump that is on it (above); until a start takes it, no other is written there"
    said full "No space left on device"
    said full "kexec: loaded the crash kernel"
    same "$(result left-full)" ""
}

@test "a second crash does not write over it: its dump goes to the next target" {
    grep -q "/dev/vdb holds the dump of an earlier crash" "$LOG"
    local dirs=("$GUEST"/second/saturn-*)
    assert_equal ${#dirs[@]} 1
    ok "$VMCORE" check "${dirs[0]}/vmcore"
    grep -q "BOOT 2" "${dirs[0]}/vmcore-dmesg.txt"
}

@test "the power goes while the dump is taken: what is there has no dump's name" {
    refute [ -e "$GUEST/out/cut.status" ]
    run result left-cut
    assert_line .kdump-recovering
    refute_line --regexp "^saturn-"
}

@test "the next start takes it whole, once, and crash opens it: the first crash" {
    said taken "there is a dump on /dev/vdb; taking it to /disk/crash"
    said taken ": the dump, from /dev/vdb"
    run result left
    assert_output --regexp "^saturn-[0-9:-]*$"
    local dump=$GUEST/crash/$output
    same "$(cd "$dump" && echo *)" "README.txt vmcore vmcore-dmesg.txt"
    ok "$VMCORE" check "$dump/vmcore"
    grep -q "BOOT 1" "$dump/vmcore-dmesg.txt"
    run grep -c "BOOT" "$dump/vmcore-dmesg.txt"
    assert_output 1
    run crash_says "$dump/vmcore" bt
    assert_success
    assert_line --partial "sysrq_handle_crash"
}

@test "one that was taken but not marked is not taken twice" {
    said again "the dump on /dev/vdb was taken to /disk/crash/$(result left) already"
    same "$(result left-again)" "$(result left)"
    result marked
    run cat "$GUEST/out/marked.out" "$GUEST/out/marked.err"
    refute_output --partial "dump on /dev/vdb"
}

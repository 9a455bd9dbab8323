#!/usr/bin/env bats
# The capture with a target that is mounted, under each shell: what is saved,
# what is said, what is done to the machine.

setup() {
    load common
    load capture
}

facts() { # LINE...: a target on a disk, and the lines
    printf '%s\n' host=saturn target1_kind=fs target1_source=UUID=1234 \
        target1_fstype=ext4 target1_path=/var/crash "$@"
}

whole() {
    machine < <(facts)
    capture
    local dir
    dir=$(dump)
    [[ ${dir##*/} =~ ^saturn-20[0-9][0-9]-[0-9][0-9]-[0-9][0-9]-[0-9][0-9]:[0-9][0-9]:[0-9][0-9]$ ]] || fail "$dir"
    same "$(cd "$dir" && echo *)" "README.txt kexec-dmesg.log vmcore vmcore-dmesg.txt"
    ok "$UNIT/compare-dump" "$ROOT/proc/vmcore" "$dir/vmcore"
    assert_equal "$(stat -c %a "$dir" "$dir/vmcore" "$dir/vmcore-dmesg.txt")" "700
600
600"
    grep -q "Linux version 6.12.0-test" "$dir/vmcore-dmesg.txt"
    grep -q "the capture kernel" "$dir/kexec-dmesg.log"
    run cat "$dir/README.txt"
    assert_line "A kernel crash dump of saturn"
    assert_line --regexp "^Status: +the dump, filtered$"
    assert_line --regexp "^Size: +$(stat -c %s "$dir/vmcore") bytes, vmcore$"
    assert_line --regexp "^To open it: +crash .*vmlinux.* vmcore$"
    deeds "mount -t ext4 -o rw /dev/disk/by-uuid/1234 /run/kdump/mnt.1
umount /run/kdump/mnt.1
reboot -f -f"
}

@test "capture: log, dump, README, the capture kernel's log; then a restart" {
    each_shell whole
}

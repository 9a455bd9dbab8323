#!/usr/bin/env bats
# The whole of it, as an administrator meets it: a Debian with systemd and dracut
# under UEFI firmware, its stock kernel, what `make install` put there;
# `systemctl enable --now kdump`, a crash on purpose, and the machine that comes
# back from it with the dump, read here. The initramfs is dracut's; with
# WHOLE_INITRAMFS=initramfs-tools (once made by `lab setup initramfs-tools`) theirs.

load machine

setup_file() {
    local dir=$BATS_FILE_TMPDIR tree=$BATS_FILE_TMPDIR/tree
    "$TOP/tests/machine/whole-tree" "$tree" whole ${WHOLE_INITRAMFS:+"$WHOLE_INITRAMFS"}
    lab initramfs "$dir/initrd"
    lab root "$dir/root.img" "$tree"
    rm -rf "$tree"
    lab boot --reboots --root "$dir/root.img" --initrd "$dir/initrd" --log "$dir/log" \
        --append "crashkernel=$(dash "$TOP/kdumpctl/kdumpctl.in" get-default-crashkernel)" \
        --smp 2 --mem 2G --timeout 1200 || {
        show_log "$dir/log"
        return 1
    }
    mkdir "$dir/got"
    lab fetch "$dir/root.img" "$dir/got" /out /var/crash
    rm -f "$dir/root.img"
}

setup() {
    GUEST=$BATS_FILE_TMPDIR/got
}

@test "check has nothing against a fresh installation, and says how much memory is needed" {
    run result check
    assert_success
    refute_line --regexp "^(FAILED|warning)"
    assert_line --regexp "^ok +target +fs UUID=.* \(ext4\), /var/crash, "
    assert_line --regexp "^ok +initramfs +to be built"
    assert_line --regexp "^ok +memory +about [0-9]+ of 192 MiB needed"
}

@test "systemctl enable --now kdump builds the initramfs, of at most 16 MiB, and loads" {
    step_fails status-before 3
    result enable
    run result status
    assert_output --partial "Kdump is operational"
    assert [ "$(result initramfs)" -le $((16 * 1024 * 1024)) ]
    [ -z "${WHOLE_INITRAMFS-}" ] || grep -a -q 'Running /scripts/init-premount' "$BATS_FILE_TMPDIR/log"
}

@test "kdumpctl test panics; the dump, the log and the README are there, as root alone may read them" {
    run cat "$GUEST/out/test.out"
    assert_output --regexp "crash test [0-9a-f]{8}: panicking now"
    local dirs=("$GUEST"/crash/loongdump-*)
    assert_equal ${#dirs[@]} 1
    run ls "${dirs[0]}"
    assert_output "README.txt
$(cd "${dirs[0]}" && echo kdump-test-*)
kexec-dmesg.log
vmcore
vmcore-dmesg.txt"
    same "$(cat "${dirs[0]}"/kdump-test-*)" "success"
    assert_regex "$(result dumps)" "^drwx------ loongdump-"
    grep -q "Kernel panic - not syncing: sysrq triggered crash" "${dirs[0]}/vmcore-dmesg.txt"
    # Where it is not: why, as the capture said it.
    grep -a 'kdump: ' "$BATS_FILE_TMPDIR/log"
    grep -q "^Status: *the dump, filtered$" "${dirs[0]}/README.txt"
    grep -q "^To open it: *crash .* vmcore$" "${dirs[0]}/README.txt"
}

@test "crash reads it: the panic in the shell that kdumpctl is, below systemd" {
    local dump
    dump=$(echo "$GUEST"/crash/loongdump-*/vmcore)
    ok "$VMCORE" check "$dump"
    run crash_says "$dump" bt "ps | grep -c systemd"
    assert_success
    assert_line --regexp "sysrq_handle_crash"
    assert_line --regexp 'COMMAND: "kdumpctl"'
    refute_line 0
}

@test "the machine comes back, loads again by itself, and status says that the dump arrived" {
    assert_not_equal "$(result boot-id)" "$(result boot-id-after)"
    run result status-after
    assert_success
    assert_line "kdump: Kdump is operational"
    assert_line --regexp "crash test [0-9a-f]{8}: the dump arrived"
}

@test "a restart with a configuration that is wrong fails, and the crash kernel stays; one that is right loads" {
    step_fails restart-bad 1
    assert_equal "$(result unit-bad)" ActiveState=failed
    run result status-bad
    assert_output --partial "Kdump is operational"
    result restart-good
    run result journal-first
    assert_line --regexp "kdump.conf:[0-9]+: pth: not a directive"
    assert_line "kdump: what was loaded before is still loaded"
}

@test "check finds nothing wrong; a restart builds nothing, a CPU that comes reloads through udev" {
    run result check-enabled
    assert_success
    refute_line --regexp "^(FAILED|warning)"
    result restart
    run result unit-first
    assert_line ActiveState=active
    assert_line UnitFileState=enabled
    run result journal-first
    assert_equal "$(printf '%s\n' "$output" | grep -c 'building the initramfs')" 1
    assert_line --partial "Reloading kdump: [OK]"
}

@test "the next boot loads early what was there, and builds nothing; the new dump is reported" {
    result early
    run result unit-early
    assert_line ActiveState=active
    run result journal-early
    assert_line "kdump: kexec: loaded the crash kernel, early"
    run result unit-second
    assert_line ActiveState=active
    run result journal-second
    refute_line --partial "building the initramfs"
    assert_line "kdump: kexec: loaded the crash kernel"
    local said="/var/crash/loongdump-.*: the dump, filtered; Kernel panic - not syncing: sysrq triggered crash \(crash test [0-9a-f]{8}\)"
    run result journal-notify
    assert_line --regexp "^kdump: new dump: $said$"
    same "$(printf '%s\n' "$output" | grep -c 'new dump')" 1
    run result status-after
    assert_line --regexp "^kdump: last dump: $said$"
    assert_equal "$(result reloading)" ActiveState=reloading
    result stop
    step_fails status-stopped 3
}

@test "the estimate is not less than what the capture used, and at most 64 MiB above it" {
    local needed available total
    needed=$(result estimate | awk '/ in all$/ { print $1 * 1024 }')
    # Of the reservation, what the kernel had no use for when the dump was saved.
    available=$(sed -n 's/.*after saving: MemAvailable: *\([0-9]*\) kB.*/\1/p' "$BATS_FILE_TMPDIR/log")
    total=$((192 * 1024 - available))
    run result estimate
    assert_line --partial "initramfs, unpacked: counted when it was built"
    printf '%s\n' "$output"
    echo "# estimated $((needed / 1024)) MiB, used $((total / 1024)) of 192" >&3
    grep -a "after saving: " "$BATS_FILE_TMPDIR/log" | head -40
    assert [ "$needed" -ge "$total" ]
    assert [ $((needed - total)) -le 65536 ]
}

@test "how long it took" {
    local enable start panic back
    enable=$(cat "$GUEST/out/enable.time") start=$(cat "$GUEST/out/start.time")
    panic=$(result date-panic) back=$(result date-back)
    printf '# the initramfs built and loaded in %.0f s, %.1f MiB; loaded again in %.0f s; from the panic to systemd up again %d s\n' \
        "$enable" "$(result initramfs | awk '{ print $1 / 1048576 }')" "$start" $((back - panic)) >&3
}

# QEMU starts it as no crash would: the kernel finds no headers where its line has them.
@test "a capture kernel that made no /proc/vmcore says so and restarts, though its root is not there" {
    run lab boot --initrd "$GUEST/out/kdump.img" --log "$BATS_TEST_TMPDIR/log" --mem 1G --timeout 240 \
        --append "elfcorehdr=16K@0x98000000 maxcpus=1 panic=10"
    assert_failure
    assert_line --regexp "^lab: boot: reset after .* reboot: Restarting system"
    grep -a -q 'vmcore: not initialized' "$BATS_TEST_TMPDIR/log"
    grep -a -q 'kdump: .*none of what elfcorehdr= names; nothing can be saved' "$BATS_TEST_TMPDIR/log"
    grep -a -q 'kdump: no dump; failure_action is reboot' "$BATS_TEST_TMPDIR/log"
    fails 1 grep -a -i -q 'emergency mode\|emergency shell' "$BATS_TEST_TMPDIR/log"
}

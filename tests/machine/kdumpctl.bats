#!/usr/bin/env bats
# kdumpctl on the stock kernel under QEMU (2 CPUs, 2 GiB, crashkernel=128M), where
# only busybox is there: start, status, stop, restart, reload with the real kexec, then
# kdumpctl test panics and the capture kernel comes up with what was set.

load machine

setup_file() {
    local disk=$BATS_FILE_TMPDIR/disk
    guest_disk "$disk" kdumpctl
    cp -r "$TOP/kdumpctl" "$disk/kdumpctl"
    printf '%s\n' 'ext4 /dev/vda' 'path /crash' 'failure_action poweroff' >"$disk/kdump.conf"
    printf '%s\n' 'KDUMP_IMG=/disk/vmlinuz' 'KDUMP_INITRD=/disk/initrd' >"$disk/sysconfig"
    guest_run kdumpctl 1G "crashkernel=128M" 600
}

setup() {
    GUEST=$BATS_FILE_TMPDIR/kdumpctl
    LOG=$BATS_FILE_TMPDIR/kdumpctl.log
}

# The guest's busybox has no flock, which is said once by each command that locks, and
# 128 MiB are few, as kexec and a start say.
FEW='kdumpctl: warning: 128 MiB reserved, about 1[0-9][0-9] MiB needed'
result_ok() {
    result "$1"
    same "$(grep -v -e 'warning: flock is not here' -e 'kexec: warning: only .* are left' -e "^$FEW" "$GUEST/out/$1.err")" ""
}

@test "status: exit 3 before, 0 after, 3 when stopped, and the words scripts look for" {
    step_fails status-before 3
    assert_equal "$output" "kdump: Kdump is not operational"
    run result_ok status
    assert_success
    assert_line "kdump: Kdump is operational"
    assert_line --partial "/disk/vmlinuz"
    step_fails status-stopped 3
    step_fails kexec-status 1
    run result_ok status-json
    assert_output --partial '"operational": true, "reserved": 134217728'
}

@test "start loads, says each step with -v, and a second one finds it running" {
    run result_ok start
    assert_success
    assert_line --partial "# kexec -p --initrd=/disk/initrd --command-line="
    assert_line "kdump: Starting kdump: [OK]"
    grep "^$FEW" "$GUEST/out/start.err"
    run result_ok again
    assert_line --partial "Kdump already running"
    run result_ok restart
    assert_success
    run result_ok reload
    assert_line "kdump: Reloading kdump: [OK]"
}

@test "check: every part is ok on the real machine" {
    run result check
    assert_success
    refute_line --regexp "^FAILED"
    # What a distribution's initramfs would need is not there.
    assert_line --regexp "^warning +memory +128 MiB reserved, about 1[0-9]{2} MiB needed"
    assert_line "ok       reservation     128 MiB"
    assert_line --partial "kexec's plan keeps every rule of the kernel"
    assert_line --regexp "^ok +target +fs /dev/vda \(ext4\), /crash"
}

@test "show names kernel, target and command line as found there" {
    run result_ok show
    assert_line --regexp "^target 1: fs /dev/vda, ext4, now at /disk, directory /crash"
    assert_line --regexp "^kernel: 7.*, /disk/vmlinuz"
}

@test "nothing knows how the boot line is kept there, and nothing is guessed" {
    step_fails reset-dry 1
    assert_regex "$stderr" "Add crashkernel=.+ to the boot line by hand"
}

@test "the capture kernel came up with the default options and the test's id, and saved the dump" {
    run result capture-cmdline
    assert_output --regexp "maxcpus=1 reset_devices nokaslr .*cma=0.* panic=10 .*kdump_test_id=[0-9a-f]{8}"
    refute_output --partial "crashkernel="
    assert [ -s "$GUEST/vmcore" ]
    run cat "$GUEST/out/test.out"
    assert_output --regexp "crash test [0-9a-f]{8}: panicking now"
}

@test "the estimate is not less than what the capture used, and at most 64 MiB above it" {
    local needed total lowest reserved=131072
    needed=$(result estimate | awk '/ in all$/ { print $1 * 1024 }')
    lowest=$(awk '$1 == "MemAvailable:" { print $2 }' "$GUEST/out/capture-meminfo-after.out")
    total=$((reserved - lowest))
    echo "estimated $needed KiB, used $total KiB of $reserved"
    assert [ "$needed" -ge "$total" ]
    assert [ $((needed - total)) -le 65536 ]
}

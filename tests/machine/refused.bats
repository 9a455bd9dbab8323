#!/usr/bin/env bats
# Bad input on the real machine: one line of cause, one of remedy, exit 1, and
# the crash image that was loaded before is still loaded and still works.

load machine

setup_file() {
    guest_disk "$BATS_FILE_TMPDIR/disk" refused
    guest_run refused 1G "crashkernel=512M" 600
    rm -r "$BATS_FILE_TMPDIR/disk"
    guest_disk "$BATS_FILE_TMPDIR/disk" no-room
    guest_run none 256M "" 300
    guest_run small 256M "crashkernel=24M" 300
}

setup() {
    GUEST=$BATS_FILE_TMPDIR/refused
}

# refused STEP TEXT...: exit 1, each text in stderr, at most two lines, the
# good image untouched.
refused() {
    local step=$1 text
    shift
    result good
    step_fails "$step" 1
    for text in "$@"; do
        [[ $stderr == *"$text"* ]] || fail "step $step: no '$text' in: $stderr"
    done
    [ "$(printf '%s\n' "$stderr" | wc -l)" -le 2 ] || fail "more than two lines: $stderr"
    [[ $stderr == kexec:* ]] || fail "not led by the program's name: $stderr"
    assert_equal "$(cat "$GUEST/out/$step.loaded")" 1
}

@test "missing initrd" {
    refused missing-initrd "/disk/nothing: No such file or directory"
}

@test "missing kernel" {
    refused missing-kernel "/disk/nothing: No such file or directory"
}

@test "truncated zboot" {
    refused truncated /tmp/truncated payload
}

@test "unknown compression" {
    refused unknown /tmp/unknown brotli
}

@test "wrong architecture" {
    refused foreign /tmp/foreign x86
}

@test "not a kernel at all" {
    refused not-a-kernel /disk/steps
}

@test "command line too long" {
    refused long-line "command line" 4095
}

@test "initrd larger than the reservation: says how much is needed" {
    refused huge-initrd "crashkernel="
}

@test "not root" {
    refused not-root root
}

@test "loading switched off by sysctl is explained" {
    refused disabled kexec_load_disabled
}

@test "after all of that, the panic still gives a dump" {
    result save
    assert_regex "$(result capture-cmdline)" "elfcorehdr="
    ok "$VMCORE" dmesg "$GUEST/vmcore"
    assert_output --partial "Kernel panic - not syncing: sysrq triggered crash"
}

@test "no reservation: says so, and what to add to the boot line" {
    GUEST=$BATS_FILE_TMPDIR/none
    step_fails load 1
    assert_regex "$stderr" "crashkernel="
    assert_equal "$(result ckr-size)" 0
    result status
}

@test "reservation too small: says how many bytes are needed and how many are there" {
    GUEST=$BATS_FILE_TMPDIR/small
    step_fails load 1
    assert_regex "$stderr" "0x[0-9a-f]+|[0-9]+ (bytes|MiB)"
    assert_regex "$stderr" "crashkernel="
    assert_equal "$(result ckr-size)" $((24 * 1024 * 1024))
    result status
}

@test "Debian's own image, and ours as zboot and ELF, cut at every byte of their headers" {
    for image in "$(lab path vmlinuz)" "$(lab path testkernel-vmlinuz)" "$(lab path testkernel-stripped)"; do
        ok "$PROBE_KEXEC" cuts "$image" 0 4300
        same "$output" "4300 cuts"
    done
}

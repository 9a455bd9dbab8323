#!/usr/bin/env bats
# kdump.service in a real Debian, as `make install` laid it down: switched on, loaded,
# reloaded by udev; the machine panics, saves the dump, switches off; the next boot
# says what came of it. The reservation is what get-default-crashkernel names.

load machine

setup_file() {
    local tree=$BATS_FILE_TMPDIR/tree dir=$BATS_FILE_TMPDIR value
    mkdir -p "$tree/disk" "$tree/out"
    chmod 755 "$tree" "$tree"/*
    lab cross install DESTDIR="$tree" sysconfdir=/etc
    cp "$TOP/tests/machine/jobs/steps" "$tree/steps"
    cp "$TOP/tests/machine/jobs/kdump-service.job" "$tree/job"
    ln -s ../steps "$tree/disk/steps"
    ln -s ../out "$tree/disk/out"
    printf '%s\n' 'path /var/crash' 'core_collector vmcore save -d 31' 'final_action poweroff' \
        'failure_action poweroff' 'kdump_post /usr/local/bin/meminfo' >"$tree/etc/kdump.conf"
    mkdir -p "$tree/usr/local/bin"
    printf '%s\n' '#!/bin/sh' 'while read -r line; do echo "after saving: $line" >/dev/kmsg; done </proc/meminfo' \
        >"$tree/usr/local/bin/meminfo"
    chmod 755 "$tree/usr/local/bin/meminfo" "$tree/usr/local" "$tree/usr/local/bin"
    value=$(dash "$TOP/kdumpctl/kdumpctl.in" get-default-crashkernel)
    lab root "$dir/root.img" "$tree"
    rm -rf "$tree"
    lab initramfs "$dir/initrd"
    boot panic "crashkernel=$value"
    boot after "crashkernel=$value"
    mkdir "$dir/got"
    lab fetch "$dir/root.img" "$dir/got" /out /var/crash
    rm -f "$dir/root.img"
}

boot() { # NAME APPEND
    local dir=$BATS_FILE_TMPDIR
    lab boot --root "$dir/root.img" --initrd "$dir/initrd" --log "$dir/$1.log" \
        --append "$2" --smp 2 --mem 2G --timeout 300 || {
        tail -n 60 "$dir/$1.log"
        return 1
    }
}

setup() {
    GUEST=$BATS_FILE_TMPDIR/got
    DUMP=$(echo "$GUEST"/crash/*/)
}

@test "systemctl enable --now kdump builds the initramfs and loads the crash kernel" {
    step_fails status-before 3
    result enable
    run result unit-enabled
    assert_line ActiveState=active
    assert_line Result=success
    assert_line UnitFileState=enabled
    run result journal-enabled
    assert_line --partial "building the initramfs"
    assert_line --partial "Starting kdump: [OK]"
    refute_line --partial "warning"
    run result status
    assert_line "kdump: Kdump is operational"
    echo "took $(echo "$(result uptime-enabled) $(result uptime-enable)" | awk '{ print $1 - $2 }') s" >&3
}

@test "check finds nothing wrong, and a restart builds nothing" {
    run result check
    assert_success
    refute_line --regexp "^(FAILED|warning)"
    result restart
    run result journal-plugged
    assert_equal "$(printf '%s\n' "$output" | grep -c 'building the initramfs')" 1
}

@test "a CPU that comes reloads the crash kernel, through udev" {
    run result journal-plugged
    assert_line --partial "Reloading kdump: [OK]"
    run result status-plugged
    assert_line "kdump: Kdump is operational"
}

@test "the machine panicked, saved the dump on its own disk, and switched off" {
    run cat "$BATS_FILE_TMPDIR/panic.log"
    assert_output --partial "sysrq triggered crash"
    assert [ -s "$DUMP/vmcore" ]
    assert [ -s "$DUMP/vmcore-dmesg.txt" ]
    assert [ -s "$DUMP/README.txt" ]
    assert [ ! -e "$DUMP/vmcore-incomplete" ]
    ok "$LOONGDUMP_BUILD/makedumpfile-glue/vmcore" check "$DUMP/vmcore"
    assert_regex "$(crash_says "$DUMP/vmcore" sys)" "PANIC: .*sysrq triggered crash"
}

@test "the next boot loads again at once, and tells how the test went" {
    result wait
    result early
    run result unit-early
    assert_line ActiveState=active
    assert_line UnitFileState=enabled
    run result journal-early
    assert_line "kdump: kexec: loaded the crash kernel, early"
    run result unit-after
    assert_line ActiveState=active
    run result journal-after
    refute_line --partial "building the initramfs"
    assert_line "kdump: kexec: loaded the crash kernel"
    assert_line --regexp "crash test [0-9a-f]{8}: the dump arrived"
    run result status-after
    assert_line "kdump: Kdump is operational"
    assert_line --regexp "crash test [0-9a-f]{8}: the dump arrived"
    result stop
    step_fails status-stopped 3
}

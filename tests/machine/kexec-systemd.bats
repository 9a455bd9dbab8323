#!/usr/bin/env bats
# `systemctl kexec` in a real Debian: four ways out of a kernel with a crash
# image armed, each to a kernel that must have its own command line. systemd
# jumps by itself or hands over to a shutdown initramfs, and loads by itself
# what was not loaded.

load machine

setup_file() {
    local tree=$BATS_FILE_TMPDIR/tree dir=$BATS_FILE_TMPDIR
    mkdir -p "$tree/boot" "$tree/disk" "$tree/out" "$tree/usr/sbin" "$tree/usr/lib/exitrd" \
        "$tree/usr/lib/systemd/system-shutdown"
    chmod 755 "$tree" "$tree"/*
    cp "$TOP/tests/machine/jobs/steps" "$tree/steps"
    cp "$TOP/tests/machine/jobs/kexec-systemd.job" "$tree/job"
    # As the small system sees them that mounts this disk on /disk.
    ln -s ../steps "$tree/disk/steps"
    ln -s ../out "$tree/disk/out"
    cp "$(lab path kexec)" "$tree/usr/sbin/kexec"
    cp "$TOP/kexec/loongdump.shutdown" "$tree/usr/lib/systemd/system-shutdown/"
    cp "$(lab path sysroot)/usr/sbin/kexec" "$tree/usr/sbin/kexec-tools"
    cp -L "$(lab path sysroot)/usr/bin/busybox" "$tree/usr/lib/exitrd/busybox"
    cp "$(lab path vmlinuz)" "$tree/boot/vmlinuz"
    # kexec-tools does not unpack.
    /usr/bin/python3 -SE - "$tree/boot/vmlinuz" >"$dir/payload" <<'PYTHON'
import struct, sys
data = open(sys.argv[1], "rb").read()
start, size = struct.unpack_from("<II", data, 8)
sys.stdout.buffer.write(data[start:start + size])
PYTHON
    zstd -qdc <"$dir/payload" >"$tree/boot/vmlinux.efi"
    lab initramfs "$tree/boot/initrd"
    lab root "$dir/root.img" "$tree"
    jumps boot_it "$dir"
    mkdir "$dir/got"
    lab fetch "$dir/try.img" "$dir/got" /out
    rm -f "$dir"/*.img
}

boot_it() { # DIR OPTION...
    cp --sparse=always "$1/root.img" "$1/try.img" || return 1
    lab boot --root "$1/try.img" --initrd "$1/tree/boot/initrd" --log "$1/log" \
        --append "crashkernel=512M" --smp 2 --mem 2G --timeout 1200 "${@:2}" ||
        {
            local status=$?
            show_log "$1/log"
            return $status
        }
}

setup() {
    GUEST=$BATS_FILE_TMPDIR/got
    LOG=$BATS_FILE_TMPDIR/log
}

one_line="the kernel keeps one command line for the crash kernel and the next kernel"

# own_line PASS WORDS: the kernel of that pass was started with its own line.
own_line() {
    run result "cmdline-$1"
    assert_output --regexp "^kexec initrd=[0-9]+,[0-9]+ .*loongdump\.pass=$1$2"
    refute_output --regexp "elfcorehdr=|loongdump\.crash|loongdump\.foreign"
}

@test "each kernel was a new one, and none came through the firmware but the first" {
    assert_equal "$(cat "$GUEST"/out/boot-id-?.out | sort -u | wc -l)" 5
    refute_regex "$(cat "$LOG")" "exitrd is still here"
}

@test "-p, -l, systemctl kexec: systemd jumps by itself, the hook saw to the line" {
    result crash-0
    result next-0
    same "$(result both-0)" "1
1"
    assert_regex "$(cat "$LOG")" "systemd-shutdown.*Rebooting with kexec|kexec_core: Starting new kernel"
    own_line 1 " two blanks"
}

@test "through a shutdown initramfs: the records are there, kexec -e leaves" {
    result next-1
    assert_regex "$(cat "$LOG")" "LOONGDUMP: exitrd, kexec, crash-cmdline normal-cmdline"
    own_line 2 " two blanks"
}

@test "with nothing loaded systemctl kexec runs our kexec -l for the boot entry" {
    same "$(result before-2)" "1
0"
    # It asks the kernel first, which cannot; systemctl does not outlive what it began.
    assert_regex "$(cat "$GUEST/out/leave-2.err")" 'Calling kexec_file_load\(\) kernel="/boot/+vmlinuz"'
    own_line 3 " of the entry"
}

@test "another program's next kernel, loaded after the crash kernel, starts with its line" {
    result foreign-3
    same "$(result both-3)" "1
1"
    run result cmdline-4
    assert_output --regexp "^kexec .*loongdump\.pass=4"
    refute_output --regexp "elfcorehdr=|loongdump\.crash"
}

@test "another program's next kernel, loaded before it, has lost its line: said, and not started" {
    result foreign-1
    result crash-over
    same "$(cat "$GUEST/out/crash-over.err")" "kexec: warning: the next kernel that is loaded was not loaded by this program and has lost its command line to the crash kernel: load it again, with this kexec -l"
    same "$(result both-over)" "1
1"
    step_fails exec-lost 1
    same "$stderr" "kexec: starting the next kernel: $one_line, and the next kernel was not loaded by this program, and before the crash kernel: it might start with the crash kernel's
kexec: Load it again with this kexec -l, or add --drop-crash to take the risk."
}

@test "the hook drops a next kernel that would start wrongly, and touches nothing at a reboot" {
    result hook-reboot
    same "$(result after-reboot)" "1
1"
    step_fails hook-lost 1
    same "$stderr" "kexec: preparing the start of the next kernel: the next kernel is dropped, the machine starts through its firmware: $one_line, and the next kernel was not loaded by this program, and before the crash kernel"
    same "$(result after-lost)" "1
0"
    result hook-nothing
    same "$(cat "$GUEST/out/hook-nothing.err")" ""
}

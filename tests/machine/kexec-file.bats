#!/usr/bin/env bats
# kexec_file_load on our own kernel, which has it, and on the stock kernel,
# which has not: our own kernel starts itself twice, then the stock kernel (by
# kexec_load), that one our own again; and that one panics into itself.

load machine

setup_file() {
    guest_disk "$BATS_FILE_TMPDIR/disk" kexec-file
    cp "$(lab path testkernel-vmlinuz)" "$BATS_FILE_TMPDIR/disk/image"
    cp "$(lab path testkernel-stripped)" "$BATS_FILE_TMPDIR/disk/elf"
    jumps guest_run kexec-file 1G "crashkernel=512M loongdump.first" 600 \
        --kernel "$(lab path testkernel-vmlinuz)"
}

setup() {
    GUEST=$BATS_FILE_TMPDIR/kexec-file
    LOG=$GUEST.log
}

one_line="the kernel keeps one command line for the crash kernel and the next kernel"

@test "-l -s with a crash image armed is refused, and the image stays" {
    result crash-0
    step_fails armed 1
    same "$stderr" "kexec: loading the next kernel: $one_line; a crash kernel is loaded, and with kexec_file_load only one of the two lines can be kept
kexec: Leave -s out: kexec_load keeps both; or add --drop-crash to do without the crash kernel."
    same "$(result after-armed)" "1
0"
}

@test "-l -a with a crash image armed: kexec_load, with the reason" {
    result armed-auto
    same "$(cat "$GUEST/out/armed-auto.err")" "kexec: note: kexec_load is used: $one_line; a crash kernel is loaded, and with kexec_file_load only one of the two lines can be kept"
    same "$(result after-armed-auto)" "1
1"
}

@test "-l -s --drop-crash drops it; then -p is refused, because it would cost the line" {
    result dropped
    same "$(result after-dropped)" "0
1"
    for name in crash-refused crash-refused-s; do
        step_fails "$name" 1
        same "$stderr" "kexec: loading the crash kernel: $one_line, and the next kernel was loaded with -s, where the kernel writes the line and does not hand it out: it would be lost
kexec: Drop the next kernel (kexec -u), or load it again without -s."
    done
    same "$(result after-crash-refused)" "0
1"
    result unload-file
    same "$(result unloaded)" "0
0"
}

@test "after a -l -s that failed: a next kernel loaded with -s is dropped, another one is kept" {
    step_fails busy-0 1
    same "$stderr" "kexec: warning: the next kernel that was loaded with -s is dropped: its command line may be overwritten
kexec: loading the next kernel: the kernel or the initrd is open for writing: Text file busy
kexec: Wait until it has been written."
    same "$(result after-busy-0)" "0
0"
    result again
    step_fails busy-2 1
    refute_regex "$(result cmdline-3)" "loongdump\.wrong"
}

@test "what cannot be done is refused with the cause" {
    step_fails truncated 1
    assert_regex "$stderr" "/tmp/truncated: zboot payload"
    step_fails no-initrd-file 1
    assert_regex "$stderr" "the initrd: opening .*/disk/nothing: No such file or directory"
    step_fails long-line 1
    assert_regex "$stderr" "the command line has 4[0-9]* characters, and the kernel adds up to [0-9]+; it takes 4095"
    step_fails entry 1
    assert_regex "$stderr" "-s: with kexec_file_load the running kernel chooses the places"
    step_fails limit 1
    assert_regex "$stderr" "kexec_load_limit_panic=0"
}

@test "-l -s, -e: the zboot was unpacked, and the new kernel has its own command line" {
    result next-0
    assert_regex "$(result next-0)" "kexec_file_load: the running kernel chooses the places"
    assert_regex "$(result next-0)" "kernel        [0-9]+ bytes, unpacked"
    same "$(result loaded-0)" "0
1"
    run result cmdline-1
    assert_output --regexp "^kexec_file initrd=0x[0-9a-f]+,0x[0-9a-f]+ console=.* loongdump\.pass=1 two"
    assert_equal "$(result release-1)" "$(lab path testkernel-release)"
}

@test "-l -a of an ELF file, -e: kexec_file_load, the file as it is, without a word" {
    assert_regex "$(result next-1)" "kernel        [0-9]+ bytes, the file as it is"
    assert_equal "$(cat "$GUEST/out/next-1.err")" ""
    assert_regex "$(result cmdline-2)" "^kexec_file initrd=0x[0-9a-f]+,0x[0-9a-f]+ console=.* loongdump\.pass=2 two"
}

@test "-l, -p -s, -e to the other kernel, and from that one back" {
    result next-2
    result crash-2
    same "$(result loaded-2)" "1
1"
    assert_equal "$(result release-3)" "$(lab path release)"
    assert_regex "$(result cmdline-3)" "^kexec initrd=[0-9]+,[0-9]+ console=.* loongdump\.pass=3 two"
    assert_equal "$(result release-4)" "$(lab path testkernel-release)"
    assert_regex "$(result cmdline-4)" "^kexec initrd=[0-9]+,[0-9]+ console=.* loongdump\.pass=4 two"
}

@test "a kernel without CONFIG_KEXEC_FILE: -s says so, -a goes on with kexec_load" {
    step_fails no-call 1
    same "$stderr" "kexec: loading the next kernel: the running kernel has no kexec_file_load (CONFIG_KEXEC_FILE is not set): Function not implemented
kexec: Leave -s out: kexec_load does not need it."
    same "$(result after-no-call)" "0
0"
    result next-3
    same "$(cat "$GUEST/out/next-3.err")" "kexec: note: kexec_load is used: the running kernel has no kexec_file_load (CONFIG_KEXEC_FILE is not set): Function not implemented"
}

@test "-p -s: a -l that would lose its command line is refused" {
    result crash-4
    step_fails lost 1
    same "$stderr" "kexec: loading the next kernel: $one_line, and the crash kernel that is loaded was loaded with -s, where the kernel writes the line and does not hand it out: its command line would be lost
kexec: Load the crash kernel again with this kexec -p -c first, or add --drop-crash to do without it."
    step_fails lost-s 1
    same "$(result both-4)" "1
1"
}

@test "-p -s, panic: the crash kernel finds the headers and makes the dump" {
    assert_regex "$(cat "$LOG")" "Starting crashdump kernel"
    assert_regex "$(result capture-cmdline)" "^kexec_file mem=0x[0-9a-f]+@0x[0-9a-f]+ elfcorehdr=0x[0-9a-f]+@0x[0-9a-f]+ initrd=.*loongdump\.crash=4"
    run sed -n '/Starting crashdump kernel/,$p' "$LOG"
    refute_output --regexp 'Oops|BUG:|kernel BUG|Call Trace|elfcorehdr is overlapped'
    result save
    ok "$VMCORE" dmesg "$GUEST/vmcore"
    assert_output --partial "loongdump.pass=4"
    assert_output --partial "Kernel panic - not syncing: sysrq triggered crash"
}

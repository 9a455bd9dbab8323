#!/usr/bin/env bats
# The next kernel on the real thing: Debian's stock loong64 kernel starts
# itself three times with kexec -e, each time with a crash image armed beside
# it; the fourth kernel panics, and its crash image makes the dump.

load machine

setup_file() {
    guest_disk "$BATS_FILE_TMPDIR/disk" normal
    jumps guest_run normal 3G "crashkernel=512M" 600
}

setup() {
    GUEST=$BATS_FILE_TMPDIR/normal
    LOG=$BATS_FILE_TMPDIR/normal.log
}

json() { # FILTER: over stdin, with what python's standard library has
    /usr/bin/python3 -c "import json,sys; d=json.load(sys.stdin); print($1)"
}

@test "the plan: kernel at its link address, nothing in memory that is not free" {
    assert_equal "$(result plan | json "d['load']['kind'], d['load']['flags']")" "normal 0x1020000"
    assert_equal "$(result plan | json "[s['mem'] for s in d['load']['segments'] if s['role'] == 'kernel'][0]")" 0x200000
    assert_equal "$(result plan | json "d['load']['entry'] == d['image']['entry']")" True
    run /usr/bin/python3 - "$GUEST/out/plan.out" "$GUEST/out/iomem.out" <<'PYTHON'
import json, re, sys
plan = json.load(open(sys.argv[1]))
taken = []
for line in open(sys.argv[2]):
    start, end, name = re.match(r" *([0-9a-f]+)-([0-9a-f]+) : (.*)", line).groups()
    if name in ("Reserved", "Crash kernel"):
        taken.append((int(start, 16), int(end, 16), name))
for s in plan["load"]["segments"]:
    first, last = int(s["mem"], 0), int(s["mem"], 0) + s["memsz"] - 1
    for start, end, name in taken:
        # The tail of the running kernel's own last 64 KiB is its own.
        if first <= end and start <= last and not (s["role"] == "kernel" and end - start < 65536 and end < 0x1c00000):
            print(s["role"], hex(first), name, hex(start))
PYTHON
    assert_success
    refute_output
}

@test "a plan made here from the guest's snapshot is the guest's own plan" {
    ok "$KEXEC" -l --dry-run --json --system "$GUEST/out/system" \
        --initrd "$BATS_FILE_TMPDIR/disk/initrd" \
        --command-line "console=ttyS0,115200 panic=1 crashkernel=512M" "$BATS_FILE_TMPDIR/disk/vmlinuz"
    same "$(printf '%s\n' "$output" | json "json.dumps(d['load'], indent=1)")" \
        "$(result plan | json "json.dumps(d['load'], indent=1)")"
}

@test "-S -l, -u: loaded and dropped again; the record is root's alone" {
    result status-before
    result only-next
    step_fails status-after 1
    same "$(result modes)" "700 /run/loongdump
600 /run/loongdump/normal-cmdline"
    result unload
    same "$(result unloaded)" "0
0"
}

@test "without a mode: loaded, then shutdown -r now; where that fails the kernel stays loaded" {
    step_fails no-shutdown 1
    same "$stderr" "kexec: loading the next kernel: running shutdown -r now: No such file or directory
kexec: The kernel stays loaded: kexec -e starts it without a shutdown."
    same "$(result shutdown)" "shutdown -r now"
}

@test "kexec -e with nothing loaded says so" {
    step_fails exec-nothing-0 1
    same "$stderr" "kexec: starting the next kernel: no kernel is loaded to start
kexec: Load one first: kexec -l KERNEL."
}

@test "-p, -l, -e three times: each kernel is a new one with its own command line" {
    local pass
    for pass in 0 1 2; do
        result "crash-$pass"
        result "next-$pass"
        # The second time the crash image was dropped again.
        same "$(result "both-$pass")" "$((pass != 1))
1"
        run result "cmdline-$((pass + 1))"
        assert_output --regexp "^kexec initrd=[0-9]+,[0-9]+ console=.* loongdump\.pass=$((pass + 1)) two"
        refute_output --partial "elfcorehdr="
        refute_output --partial "loongdump.crash"
    done
    assert_equal "$(cat "$GUEST"/out/boot-id-?.out | sort -u | wc -l)" 4
}

@test "-p, -l, -p -u, loading switched off: -e starts the next kernel all the same" {
    result drop-1
    assert_regex "$(result cmdline-2)" "loongdump\.pass=2 two"
}

@test "what is refused leaves the crash image armed" {
    result crash-before
    step_fails refused-missing 1
    assert_regex "$stderr" "/disk/nothing: No such file or directory"
    step_fails refused-truncated 1
    step_fails refused-crash 1
    same "$(result after-refused)" "1
0"
}

@test "a crash image of another program is not disarmed without a word; --drop-crash drops it" {
    step_fails foreign-crash 1
    same "$stderr" "kexec: loading the next kernel: the kernel keeps one command line for the crash kernel and the next kernel, and the crash kernel that is loaded was not loaded by this program: its command line would be lost
kexec: Load the crash kernel again with this kexec -p first, or add --drop-crash to do without it."
    same "$(result after-foreign)" "1
0"
    result dropped-crash
    same "$(result after-drop)" "0
1"
}

@test "earlycon on the crash kernel's line costs it neither its initrd nor the elfcorehdr" {
    run sed -n '/Starting crashdump kernel/,$p' "$LOG"
    assert_line --partial "earlycon: uart8250 at MMIO 0x000000001fe001e0"
    refute_output --regexp "overlaps in-use memory|elfcorehdr is overlapped"
    result save
}

@test "-p, -l, files gone, panic: the crash kernel has its own command line and makes the dump" {
    result crash-3
    result next-3
    same "$(result both-3)" "1
1"
    assert_regex "$(cat "$LOG")" "Starting crashdump kernel"
    assert_regex "$(result capture-cmdline)" "elfcorehdr=[0-9]+K@[0-9]+K.*loongdump.crash=3"
    refute_regex "$(result capture-cmdline)" "loongdump.pass"
    result save
    ok "$VMCORE" dmesg "$GUEST/vmcore"
    assert_output --partial "loongdump.pass=3"
    assert_output --partial "Kernel panic - not syncing: sysrq triggered crash"
}

#!/usr/bin/env bats
# The main job on the real thing: Debian's stock loong64 kernel under QEMU
# (2 CPUs, 2 GiB, crashkernel=512M) is given itself as crash kernel by our
# kexec, panics, and our vmcore saves the dump. Outside, crash reads it.

load machine

setup_file() {
    guest_disk "$BATS_FILE_TMPDIR/disk" panic
    guest_run panic 6G "crashkernel=512M loongdump.first" 600
}

setup() {
    GUEST=$BATS_FILE_TMPDIR/panic
    LOG=$BATS_FILE_TMPDIR/panic.log
}

json() { # FILTER: over stdin, with what python's standard library has
    /usr/bin/python3 -c "import json,sys; d=json.load(sys.stdin); print($1)"
}

@test "kexec sees the reservation and that nothing is loaded" {
    assert_equal "$(result ckr-size)" $((512 * 1024 * 1024))
    result status-before
}

@test "kexec -p takes the stock zboot image as it is; the kernel says it is loaded" {
    result load >"$BATS_TEST_TMPDIR/load"
    assert [ ! -s "$GUEST/out/load.err" ]
    step_fails status-after 1
}

@test "kexec -p -u unloads it" {
    result unload
    result status-unloaded
    result reload
}

@test "the plan: kernel at region + text offset, entry with it, every check passed" {
    local region
    region=$(sed -n 's/^ *\([0-9a-f]*\)-[0-9a-f]* : Crash kernel$/\1/p' "$GUEST/out/iomem.out")
    assert_equal "$(result dry-run | json "d['load']['kind']")" crash
    assert_equal "$(result dry-run | json "[s['mem'] for s in d['load']['segments'] if s['role'] == 'kernel'][0]")" \
        "$(printf '0x%x' $((0x$region + 0x200000)))"
    assert_equal "$(result dry-run | json "hex(int(d['load']['entry'], 16) - int(d['image']['entry'], 16))")" "0x$region"
    assert_equal "$(result dry-run | json "d['load']['segments'][0]['role']")" cmdline
    assert_equal "$(result dry-run | json "all(c['ok'] for c in d['checks']) and len(d['checks']) > 5")" True
}

@test "a plan made here from the guest's snapshot is the guest's own plan" {
    ok "$KEXEC" -p --dry-run --json --system "$GUEST/out/system" \
        --initrd "$BATS_FILE_TMPDIR/disk/initrd" \
        --command-line "console=ttyS0,115200 maxcpus=1 reset_devices nokaslr panic=10" \
        "$BATS_FILE_TMPDIR/disk/vmlinuz"
    same "$(printf '%s\n' "$output" | json "json.dumps(d['load'], indent=1)")" \
        "$(result dry-run | json "json.dumps(d['load'], indent=1)")"
}

@test "the capture kernel came up with its own command line, and the first one's words reused" {
    assert_regex "$(cat "$LOG")" "Starting crashdump kernel"
    assert_regex "$(result capture-cmdline)" "elfcorehdr=[0-9]+K@[0-9]+K"
    assert_regex "$(result capture-cmdline)" "loongdump.first.*loongdump.second"
    refute_regex "$(result capture-cmdline)" "crashkernel="
}

@test "the capture kernel powered off cleanly: no oops, no BUG, no warning of its own" {
    sed -n '/Starting crashdump kernel/,$p' "$LOG" >"$BATS_TEST_TMPDIR/second"
    assert [ -s "$BATS_TEST_TMPDIR/second" ]
    run grep -E 'Oops|BUG:|kernel BUG|Call Trace|elfcorehdr is overlapped' "$BATS_TEST_TMPDIR/second"
    refute_output
}

@test "the dump stands under its name, whole, mode 0600" {
    result save >/dev/null
    assert_equal "$(result save-mode)" 600
    assert [ -s "$GUEST/vmcore.kdump" ]
    assert [ ! -e "$GUEST/vmcore.kdump-incomplete" ]
    assert [ ! -e "$GUEST/vmcore.elf-incomplete" ]
}

@test "page by page the kdump file made in the guest equals the raw copy of /proc/vmcore" {
    result raw
    ok "$UNIT/compare-dump" "$GUEST/vmcore.raw" "$GUEST/vmcore.kdump"
}

@test "page by page the ELF file made in the guest equals the raw copy" {
    result save-elf >/dev/null
    ok "$UNIT/compare-dump" "$GUEST/vmcore.raw" "$GUEST/vmcore.elf"
}

@test "page by page what the native build makes of the raw copy equals it, at levels 0 and 1" {
    local level format
    for level in 0 1; do
        for format in kdump elf; do
            ok "$VMCORE" save --quiet -d "$level" --format "$format" "$GUEST/vmcore.raw" "$BATS_TEST_TMPDIR/dump"
            ok "$UNIT/compare-dump" "$GUEST/vmcore.raw" "$BATS_TEST_TMPDIR/dump"
            rm "$BATS_TEST_TMPDIR/dump"
        done
    done
}

@test "the elfcorehdr is ours and right: one note a CPU, vmcoreinfo, the window in p_vaddr" {
    ok readelf -nlW "$GUEST/vmcore.raw"
    assert_equal "$(printf '%s\n' "$output" | grep -c NT_PRSTATUS)" 2
    assert_equal "$(printf '%s\n' "$output" | grep -c VMCOREINFO)" 1
    # p_vaddr - p_paddr is the cached window for every PT_LOAD.
    run awk '$1 == "LOAD" { n++; if ("0x9" substr($4, 4) != $3) bad++ } END { print (n > 3), bad + 0 }' \
        <(printf '%s\n' "$output")
    assert_output "1 0"
}

@test "crash: sys names release, 2 CPUs and the panic" {
    run crash_says "$GUEST/vmcore.kdump" sys
    assert_success
    assert_line --regexp "RELEASE: $(result release | sed 's/[.+]/\\&/g')"
    assert_line --regexp "CPUS: 2$"
    assert_line --regexp 'PANIC: "Kernel panic - not syncing: sysrq triggered crash"'
}

@test "crash: bt of the panic task shows sysrq_handle_crash" {
    run crash_says "$GUEST/vmcore.kdump" bt
    assert_success
    assert_line --regexp "COMMAND: \"(sh|job|init|busybox)\""
    assert_line --regexp "sysrq_handle_crash"
    assert_line --regexp "do_syscall"
}

@test "crash: the ELF dump gives the same stack (page size by option: 16384)" {
    printf 'bt\nquit\n' >"$BATS_TEST_TMPDIR/commands"
    run lab crash -p 16384 -s -i "$BATS_TEST_TMPDIR/commands" "$(lab path vmlinux)" "$GUEST/vmcore.elf"
    assert_success
    assert_line --regexp "sysrq_handle_crash"
}

@test "crash: ps shows the tasks the guest had" {
    run crash_says "$GUEST/vmcore.kdump" ps
    assert_success
    assert_line --regexp " init$"
    assert_line --regexp " \[kthreadd\]$"
    assert_line --regexp " busybox-loong$"
}

@test "crash: log is what vmcore dmesg says, line by line, and begins with the guest's own dmesg" {
    crash_says "$GUEST/vmcore.kdump" log | sed 's/ *$//' >"$BATS_TEST_TMPDIR/crash"
    result vmcore-dmesg | sed 's/ *$//' >"$BATS_TEST_TMPDIR/ours"
    ok "$VMCORE" dmesg "$GUEST/vmcore.kdump"
    printf '%s\n' "$output" | sed 's/ *$//' >"$BATS_TEST_TMPDIR/dump"
    ok diff -u "$BATS_TEST_TMPDIR/crash" "$BATS_TEST_TMPDIR/ours"
    ok diff -u "$BATS_TEST_TMPDIR/dump" "$BATS_TEST_TMPDIR/ours"
    assert [ "$(wc -l <"$BATS_TEST_TMPDIR/ours")" -gt 200 ]
    result dmesg | sed 's/ *$//' >"$BATS_TEST_TMPDIR/guest"
    ok diff -u "$BATS_TEST_TMPDIR/guest" <(head -n "$(wc -l <"$BATS_TEST_TMPDIR/guest")" "$BATS_TEST_TMPDIR/ours")
    run tail -n +"$(($(wc -l <"$BATS_TEST_TMPDIR/guest") + 1))" "$BATS_TEST_TMPDIR/ours"
    assert_line --partial "Kernel panic - not syncing: sysrq triggered crash"
}

@test "crash: kmem -i counts the guest's memory: total to the page, free within 5 %" {
    local total free guest_total guest_free
    run crash_says "$GUEST/vmcore.kdump" "kmem -i"
    assert_success
    total=$(printf '%s\n' "$output" | awk '$1 == "TOTAL" && $2 == "MEM" { print $3 }')
    free=$(printf '%s\n' "$output" | awk '$1 == "FREE" { print $2; exit }')
    guest_total=$(($(awk '$1 == "MemTotal:" { print $2 }' "$GUEST/out/meminfo.out") / 16))
    guest_free=$(($(awk '$1 == "MemFree:" { print $2 }' "$GUEST/out/meminfo.out") / 16))
    assert_equal "$total" "$guest_total"
    assert [ $((free * 100)) -ge $((guest_free * 95)) ]
    assert [ $((free * 100)) -le $((guest_free * 105)) ]
}

@test "the patch is what lets crash open it: stock crash stops, but its --minimal mode reads the log" {
    printf 'log\nquit\n' >"$BATS_TEST_TMPDIR/commands"
    run lab crash --stock --no_modules -s -i "$BATS_TEST_TMPDIR/commands" "$(lab path vmlinux)" "$GUEST/vmcore.kdump"
    assert_failure
    assert_output --partial "memory section"
    run lab crash --stock --minimal -s -i "$BATS_TEST_TMPDIR/commands" "$(lab path vmlinux)" "$GUEST/vmcore.kdump"
    assert_success
    assert_output --partial "Kernel panic - not syncing: sysrq triggered crash"
}

@test "vmcore info says what it is and gives the crash command" {
    run result info
    assert_success
    assert_output --partial "$(result release)"
    assert_output --partial "sysrq triggered crash"
    ok "$VMCORE" info "$GUEST/vmcore.kdump"
    assert_line --regexp "crash .*vmlinux.* $GUEST/vmcore.kdump"
}

@test "an existing dump is not overwritten" {
    step_fails save-exists 1
    assert_regex "$stderr" "/disk/vmcore.kdump: File exists"
}

@test "a full disk: cause and remedy, nothing under the final name, the partial file named" {
    step_fails save-full 1
    assert_regex "$stderr" "/small/vmcore-incomplete.*No space left on device"
    run cat "$GUEST/out/save-full-ls.out"
    assert_output --partial "vmcore-incomplete"
    refute_line --regexp " vmcore$"
}

@test "a read-only destination is an error" {
    step_fails save-read-only 1
    assert_regex "$stderr" "Read-only file system"
}

#!/usr/bin/env bats
# The face: options, exit codes, what is refused and how.

load common
load kexec-common

@test "--help and --version" {
    ok "$KEXEC" --help
    assert_line --partial "Exit status: 0 done, 1 refused or failed"
    assert_line --partial "K, M, G or T for powers of"
    ok "$KEXEC" -v
    assert_output --regexp '^kexec \(loongdump\) [0-9.]+, for loongarch64, built for '
}

@test "what is not in this release is refused by name, never silently" {
    while IFS='|' read -r option expected; do
        # shellcheck disable=SC2086
        fails 1 "$KEXEC" $option /vmlinuz
        [[ $stderr == "kexec: $expected"* ]] || fail "$option: $stderr"
    done <<'TABLE'
-p -l|--load-panic with --load, --exec or --force: a crash kernel is started by a panic only
-p -f|--load-panic with --load, --exec or --force: a crash kernel is started by a panic only
-l -e|--load and --exec together: --force does both
-e|/vmlinuz: no file is expected with this option
-e -u|more than one of --status, --unload, --exec, --force
-p -s --entry=0x1000|-s: with kexec_file_load the running kernel chooses the places: --mem-min, --mem-max and --entry cannot
-l -s --mem-min=1M|-s: with kexec_file_load the running kernel chooses the places: --mem-min, --mem-max and --entry cannot
-l -a --kexec-file-syscall --mem-max=1G|-s: with kexec_file_load the running kernel chooses the places
-p -s --json|-s: with kexec_file_load the running kernel chooses the places: there is nothing for --json and --map
-f -s --map|-s: with kexec_file_load the running kernel chooses the places: there is nothing for --json and --map
-p --no-cma|--no-cma: this flag of kexec_file_load
-p --entry=here|--entry=here: not an address
-p --hotplug|--hotplug: kernels for loongarch64 cannot update a loaded image
-p --load-preserve-context|--load-preserve-context: loongarch64 kernels cannot return
-p --reuseinitrd|--reuseinitrd: loongarch64 kernels do not keep their initrd
-p --dtb=x|--dtb: loongarch64 kernels take the device tree from the firmware
-p --no-such-option|--no-such-option: unknown option
-p --map=png|--map=png: text or svg
-p --mem-min=here|--mem-min=here: not an address
-p --mem-min=2G --mem-max=1G|--mem-min is above --mem-max
-p --initrd|no kernel file is given
TABLE
    fails 1 "$KEXEC"
    says "nothing to do" "kexec --help lists the options."
    fails 1 "$KEXEC" -p
    says "no kernel file is given" "kexec --help lists the options."
    fails 1 "$KEXEC" -p a b
    says "b: one kernel file is enough" "kexec --help lists the options."
}

@test "a recorded system can only be planned for" {
    machine qemu-2g
    fails 1 "$KEXEC" -p --system="$SYSTEM" /vmlinuz
    says "--system=$SYSTEM describes another system: nothing can be loaded into it" "Add --dry-run."
    for args in "-l /vmlinuz" "-f /vmlinuz" "/vmlinuz" "-e" "-u"; do
        # shellcheck disable=SC2086
        fails 1 "$KEXEC" $args --system="$SYSTEM"
        says "--system=$SYSTEM describes another system: nothing can be loaded into it" "Add --dry-run."
    done
}

@test "options of kexec-tools without effect here are accepted" {
    machine qemu-2g
    image pe --text "Kernel relocated by 0x"
    ok "$KEXEC" -a -c -i -x -y -d -p --dry-run --system="$SYSTEM" --type=pei-loongarch "$IMAGE"
    assert_line "kexec_load: entry = 0xd12e9000 flags = 0x1020001"
    assert_line "nr_segments = 3"
}

@test "-S exits with what the kernel says, as kexec-tools" {
    cp -r "$KDATA/machines/qemu-2g" "$BATS_TEST_TMPDIR/system"
    cd "$BATS_TEST_TMPDIR/system"
    for crash in 0 1; do
        for normal in 0 1; do
            echo "$crash" >sys/kernel/kexec_crash_loaded
            echo "$normal" >sys/kernel/kexec_loaded
            fails "$crash" "$KEXEC" -S --system=.
            fails "$crash" "$KEXEC" -d -p --status --system=.
            fails "$normal" "$KEXEC" -S -l --system=.
        done
    done
    rm sys/kernel/kexec_crash_loaded
    fails 255 "$KEXEC" -S --system=.
    [[ $stderr == "kexec: asking for the status: opening "*"The running kernel needs CONFIG_KEXEC and CONFIG_CRASH_DUMP." ]]
}

@test "--print-ckr-size: the upper region, 0 without one, sysfs when iomem is hidden" {
    machine qemu-2g
    ok "$KEXEC" --print-ckr-size --system="$SYSTEM"
    assert_output 536870912
    machine high-low
    ok "$KEXEC" --print-ckr-size --system="$SYSTEM"
    assert_output 1073741824
    machine no-reservation
    ok "$KEXEC" --print-ckr-size --system="$SYSTEM"
    assert_output 0
    machine hidden
    echo 268435456 >"$SYSTEM/sys/kernel/kexec_crash_size"
    ok "$KEXEC" --print-ckr-size --system="$SYSTEM"
    assert_output 268435456
}

@test "--snapshot records what --system takes: the same plan from both" {
    machine sparse-cpus
    image pe --text "Kernel relocated by 0x"
    ok "$KEXEC" --snapshot="$BATS_TEST_TMPDIR/again" --system="$SYSTEM"
    ok plan --json
    first=$output
    SYSTEM=$BATS_TEST_TMPDIR/again
    ok plan --json
    same "$output" "$first"
    same "$(stat -c %a "$SYSTEM")" 700
    fails 1 "$KEXEC" --snapshot="$SYSTEM" --system="$KDATA/machines/qemu-2g"
    [[ $stderr == *"Give a directory that is empty or not there yet." ]]
}

@test "files a system lacks are named" {
    machine qemu-2g
    image pe
    for row in "proc/iomem|opening ./proc/iomem" "sys/kernel/vmcoreinfo|opening ./sys/kernel/vmcoreinfo" \
        "sys/devices/system/cpu|opening ./sys/devices/system/cpu"; do
        rm -rf "$BATS_TEST_TMPDIR/system"
        cp -r "$SYSTEM" "$BATS_TEST_TMPDIR/system"
        cd "$BATS_TEST_TMPDIR/system"
        rm -r "${row%%|*}"
        fails 1 "$KEXEC" -p --dry-run --system=. "$IMAGE"
        [[ $stderr == *"looking at the system: ${row#*|}: No such file or directory"* ]] || fail "$stderr"
    done
}

@test "on another architecture: planning works, loading says that it does not" {
    if [ "$(uname -m)" = loongarch64 ]; then
        skip "this is a loongarch64 machine"
    fi
    image pe
    fails 1 "$KEXEC" -p "$IMAGE"
    says "loading the crash kernel: this build of kexec runs on $(uname -m); planning works here for a recorded system, loading does not" \
        "Record a loongarch64 system there with kexec --snapshot=DIR, then use --dry-run --system=DIR here."
    fails 1 "$KEXEC" -p -u
    says "unloading: this build of kexec runs on $(uname -m); planning works here (--dry-run), loading does not" \
        "Run the loongarch64 build on the machine itself."
}

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

@test "what cannot be done is refused by name, with the reason, never silently" {
    while IFS='|' read -r option expected; do
        # shellcheck disable=SC2086
        fails 1 "$KEXEC" $option /vmlinuz
        [[ $stderr == "kexec: $expected"* ]] || fail "$option: $stderr"
    done <<'TABLE'
-p -l|--load-panic with --load, --exec or --force: a crash kernel is started by a panic only
-p -f|--load-panic with --load, --exec or --force: a crash kernel is started by a panic only
-l -e|--load and --exec together: --force does both
-e|/vmlinuz: no file is expected with this option
-e -u|more than one of --status, --unload, --exec, --prepare-exec, --force
-p -s --entry=0x1000|-s: with kexec_file_load the running kernel chooses the places: --mem-min, --mem-max and --entry cannot
-l -s --mem-min=1M|-s: with kexec_file_load the running kernel chooses the places: --mem-min, --mem-max and --entry cannot
-l -a --kexec-file-syscall --mem-max=1G|-s: with kexec_file_load the running kernel chooses the places
-p -s --json|-s: with kexec_file_load the running kernel chooses the places: there is nothing for --json and --map
-f -s --map|-s: with kexec_file_load the running kernel chooses the places: there is nothing for --json and --map
-p --entry=here|--entry=here: not an address
-l --hotplug|--hotplug: only a loaded crash kernel is kept up to date, use it with -p
-p -s --hotplug|-s: with kexec_file_load the running kernel keeps a crash image up to date without being asked, where it can
-e --prepare-exec|more than one of --status, --unload, --exec, --prepare-exec
--prepare-exec|/vmlinuz: no file is expected with this option
-p --load-preserve-context|--load-preserve-context: loongarch64 kernels cannot return
-p --reuseinitrd|--reuseinitrd: loongarch64 kernels do not keep their initrd
-p --dtb=x|--dtb: loongarch64 kernels take the device tree from the firmware
-p --no-such-option|--no-such-option: unknown option
--debug -zp|-z: unknown option
-pz|-z: unknown option
-p --load=yes|--load=yes: this option takes no value
-p --entry=0x0|--entry=0x0: no kernel starts there
-p --json --map|--json and --map: one of them is printed
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

@test "every option of kexec-tools 2.0.32 does its thing or is refused with a reason" {
    machine qemu-2g
    image pe --text "Kernel relocated by 0x"
    bytes 4096 initrd
    # Those that go on a plan, each with what it needs.
    for option in --debug --no-checks --no-ifdown --no-sync --kexec-syscall --kexec-syscall-auto \
        --reuse-cmdline --no-cma --type=pei-loongarch --append=quiet --command-line=quiet \
        --initrd="$FILE" --ramdisk="$FILE" --mem-min=0xd0000000 --mem-max=0xefffffff \
        --entry=0xd12e9000 -d -i -x -y -c -a -tpe; do
        ok plan "$option"
    done
    # Those that are a thing of their own: not one of them is unknown.
    for option in --help --version --load --unload --exec --force --load-panic --status \
        --print-ckr-size --kexec-file-syscall --hotplug -h -v -l -u -e -f -p -s -S; do
        run --separate-stderr "$KEXEC" "$option" --system="$BATS_TEST_TMPDIR/nowhere"
        [[ $stderr != *"unknown option"* ]] || fail "$option: $stderr"
    done
    while read -r option; do
        fails 1 "$KEXEC" -p "$option" /vmlinuz
        assert_regex "$stderr" "^kexec: ${option%%=*}: .*(loongarch64|Xen)"
    done <<'LIST'
--load-preserve-context
--load-jump-back-helper
--load-live-update
--exec-live-update
--reuseinitrd
--dtb=x
--force-dtb
LIST
}

@test "--hotplug: refused where the kernel cannot, headers of the size it wants where it can" {
    machine qemu-2g
    image pe --text "Kernel relocated by 0x"
    fails 1 plan --hotplug
    says "planning the crash kernel: --hotplug: the running kernel cannot update a loaded crash kernel (it has no /sys/kernel/crash_elfcorehdr_size)" \
        "Leave --hotplug out, and load the crash kernel again after each CPU or memory change."
    cp -r "$SYSTEM" "$BATS_TEST_TMPDIR/hotplug"
    SYSTEM=$BATS_TEST_TMPDIR/hotplug
    echo 40000 >"$SYSTEM/sys/kernel/crash_elfcorehdr_size"
    ok plan --json --hotplug
    same "$(field "$output" "d['load']['flags'], all(c['ok'] for c in d['checks']), [(s['bufsz'], s['memsz']) for s in d['load']['segments'] if s['role'] == 'elfcorehdr']")" \
        "('0x1020009', True, [(736, 49152)])"
    assert_regex "$(field "$output" "d['load']['command_line']")" "elfcorehdr=48K@"
    # Without it being asked for, nothing changes.
    ok plan --json
    same "$(field "$output" "d['load']['flags'], [s['memsz'] for s in d['load']['segments'] if s['role'] == 'elfcorehdr']")" \
        "('0x1020001', [16384])"
    echo 100 >"$SYSTEM/sys/kernel/crash_elfcorehdr_size"
    ok plan --json --hotplug
    same "$(field "$output" "[s['memsz'] for s in d['load']['segments'] if s['role'] == 'elfcorehdr']")" "[16384]"
    echo many >"$SYSTEM/sys/kernel/crash_elfcorehdr_size"
    fails 1 plan --hotplug
    assert_regex "$stderr" '/sys/kernel/crash_elfcorehdr_size: "many" is not the number expected there'
}

@test "exit codes: 0 done, 1 everything that failed; -S: 0, 1 and 255" {
    machine no-reservation
    image pe --text "Kernel relocated by 0x"
    # kexec-tools: 254, and 255 for whatever else fails in a load.
    fails 1 plan
    machine qemu-2g
    fails 1 plan --initrd=/nowhere
    fails 1 "$KEXEC" --no-such-option
    IMAGE=/nowhere
    fails 1 plan
    # And 253, where -s leaves something to kexec_load.
    image fixed --kind elf
    fails 1 plan -s
    image good --text "Kernel relocated by 0x"
    ok plan
    cp -r "$SYSTEM" "$BATS_TEST_TMPDIR/status"
    rm "$BATS_TEST_TMPDIR/status/sys/kernel/kexec_loaded"
    fails 0 "$KEXEC" -S --system="$BATS_TEST_TMPDIR/status"
    fails 255 "$KEXEC" -S -l --system="$BATS_TEST_TMPDIR/status"
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

# changed: a copy of the QEMU machine to be changed, in $SYSTEM.
changed() {
    rm -rf "$BATS_TEST_TMPDIR/changed"
    cp -r "$KDATA/machines/qemu-2g" "$BATS_TEST_TMPDIR/changed"
    SYSTEM=$BATS_TEST_TMPDIR/changed
}

@test "kallsyms hidden, unreadable or not there: the plan and the headers are the same" {
    machine qemu-2g
    image pe --text "Kernel relocated by 0x"
    ok plan --json
    planned=$output
    "$PROBE_KEXEC" elfcorehdr "$SYSTEM" >"$BATS_TEST_TMPDIR/headers"
    same "$(readelf -lW "$BATS_TEST_TMPDIR/headers" | awk '$1 == "LOAD" { print ("0x9" substr($4, 4) == $3) }' | sort -u)" 1
    changed
    printf '0000000000000000 T _text\n0000000000000000 T _stext\n' >"$SYSTEM/proc/kallsyms"
    ok plan --json
    same "$output" "$planned"
    "$PROBE_KEXEC" elfcorehdr "$SYSTEM" | cmp - "$BATS_TEST_TMPDIR/headers"
    chmod 0 "$SYSTEM/proc/kallsyms"
    ok plan --json
    same "$output" "$planned"
}

@test "sysfs entries missing: a size has its old value, a CPU without a note is left out, none at all is said" {
    image pe --text "Kernel relocated by 0x"
    changed
    rm "$SYSTEM"/sys/devices/system/cpu/cpu0/crash_notes_size
    "$PROBE_KEXEC" elfcorehdr "$SYSTEM" >"$BATS_TEST_TMPDIR/headers"
    same "$(readelf -lW "$BATS_TEST_TMPDIR/headers" | awk '$1 == "NOTE" { print $5 }' | head -n 1)" 0x000400
    rm "$SYSTEM"/sys/devices/system/cpu/cpu0/crash_notes
    "$PROBE_KEXEC" elfcorehdr "$SYSTEM" >"$BATS_TEST_TMPDIR/headers"
    same "$(readelf -lW "$BATS_TEST_TMPDIR/headers" | grep -c NOTE)" 2
    rm "$SYSTEM"/sys/kernel/kexec_*
    ok plan
    rm "$SYSTEM"/sys/devices/system/cpu/cpu1/crash_notes
    fails 1 plan
    says "planning the crash kernel: looking at the system: $SYSTEM/sys/devices/system/cpu: no CPU has a crash_notes file" \
        "The running kernel needs CONFIG_CRASH_DUMP."
    while IFS='|' read -r file content expected; do
        changed
        printf '%b' "$content" >"$SYSTEM/$file"
        fails 1 plan
        [[ $stderr == "kexec: planning the crash kernel: looking at the system: /$file: $expected is not the number expected there"* ]] || fail "$stderr"
    done <<'TABLE'
sys/devices/system/cpu/cpu0/crash_notes|xyz\n|"xyz"
sys/devices/system/cpu/cpu0/crash_notes_size|0\n|"0"
sys/devices/system/cpu/cpu0/crash_notes_size|-1\n|"-1"
sys/kernel/vmcoreinfo|0x6460000\n|"0x6460000"
sys/kernel/vmcoreinfo|0x6460000 0\n|"0x6460000"
sys/kernel/vmcoreinfo||""
TABLE
}

@test "CPUs offline: their notes count, they may be back at the crash" {
    changed
    "$PROBE_KEXEC" elfcorehdr "$SYSTEM" >"$BATS_TEST_TMPDIR/headers"
    echo 0 >"$SYSTEM/sys/devices/system/cpu/cpu1/online"
    echo 0 >"$SYSTEM/sys/devices/system/cpu/online"
    "$PROBE_KEXEC" elfcorehdr "$SYSTEM" | cmp - "$BATS_TEST_TMPDIR/headers"
    # Present, and never up: the kernel has made no note for it.
    mkdir "$SYSTEM/sys/devices/system/cpu/cpu2"
    echo 0 >"$SYSTEM/sys/devices/system/cpu/cpu2/online"
    "$PROBE_KEXEC" elfcorehdr "$SYSTEM" | cmp - "$BATS_TEST_TMPDIR/headers"
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

@test "--json is JSON, whatever bytes a command line has" {
    machine qemu-2g
    image pe
    "$KEXEC" -p --dry-run --json --system="$SYSTEM" --append=$'a\xffb \xc3\xa9' "$IMAGE" >"$BATS_TEST_TMPDIR/plan"
    same "$(python3 -c "
import json, sys
print(json.loads(open(sys.argv[1], 'rb').read().decode())['load']['command_line'][-5:])" "$BATS_TEST_TMPDIR/plan")" "$(printf 'a?b \303\251')"
}

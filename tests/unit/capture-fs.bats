#!/usr/bin/env bats
# The capture with a target that is mounted, under each shell: what is saved,
# what is said, what is done to the machine.

setup() {
    load common
    load capture
}

facts() { # LINE...: a target on a disk, and the lines
    printf '%s\n' facts=1 host=saturn failure_action=halt final_action=reboot \
        targets=1 target1_kind=fs target1_source=UUID=1234 \
        target1_fstype=ext4 target1_path=/var/crash "$@"
}

# What a capture does that has nothing to complain about.
DISK="mount -t ext4 -o rw /dev/disk/by-uuid/1234 /run/kdump/mnt.1
umount /run/kdump/mnt.1"

files() { # DIR
    (cd "$1" && echo *)
}

# vmcore_tool TEXT: what `vmcore save` does instead, with the options in $*;
# the other commands are real.
vmcore_tool() {
    tool vmcore "[ \"\$1\" = save ] || exec $VMCORE \"\$@\"
for last; do :; done
$1"
}

whole() {
    machine < <(facts)
    capture
    local dir
    dir=$(dump)
    [[ ${dir##*/} =~ ^saturn-20[0-9][0-9]-[0-9][0-9]-[0-9][0-9]-[0-9][0-9]:[0-9][0-9]:[0-9][0-9]$ ]] || fail "$dir"
    same "$(files "$dir")" "README.txt kexec-dmesg.log vmcore vmcore-dmesg.txt"
    ok "$UNIT/compare-dump" "$ROOT/proc/vmcore" "$dir/vmcore"
    same "$(stat -c %a "$dir" "$dir/vmcore" "$dir/vmcore-dmesg.txt")" "700
600
600"
    grep -q "Linux version 6.12.0-test" "$dir/vmcore-dmesg.txt"
    grep -q "the capture kernel" "$dir/kexec-dmesg.log"
    run cat "$dir/README.txt"
    assert_line "A kernel crash dump of saturn"
    assert_line --regexp "^Status: +the dump, filtered$"
    assert_line --regexp "^Size: +$(stat -c %s "$dir/vmcore") bytes, vmcore$"
    assert_line --regexp "^To open it: +crash .*vmlinux.* vmcore$"
    deeds "$DISK
reboot -f -f -n"
    same "$(cat "$ROOT/proc/sys/kernel/panic")" 10
}

@test "capture: log, dump, README, the capture kernel's log; then a restart" {
    each_shell whole
}

# more_cpus FACT...: of four CPUs; $count save the dump, $expected is a digit for each
# behind the first.
more_cpus() {
    local i
    rm -rf "$WORLD"
    mkdir -p "$PLACE"
    : >"$DEEDS"
    machine < <(facts "$@")
    mkdir -p "$ROOT"/sys/devices/system/cpu/cpu0
    for i in 1 2 3; do
        mkdir "$ROOT/sys/devices/system/cpu/cpu$i"
        echo 0 >"$ROOT/sys/devices/system/cpu/cpu$i/online"
    done
    [ ! "${started-}" ] || echo 1 >"$ROOT/sys/devices/system/cpu/cpu1/online"
    printf 'MemFree: 1 kB\nMemAvailable: %s kB\n' "${available-40000}" >"$ROOT/proc/meminfo"
    vmcore_tool "cat $ROOT/sys/devices/system/cpu/cpu?/online | tr -d '\n' >$WORLD/cpus
exec $VMCORE \"\$@\""
    capture
    says "done: the dump, filtered" "CPUs for the dump: $count"
    same "$(cat "$WORLD/cpus")" "$expected"
}

@test "capture: CPUs are brought up for the dump, as many as are wanted, where there is memory" {
    local count=4 expected=111
    each_shell more_cpus capture_cpus=0
    each_shell more_cpus capture_cpus=8
    each_shell more_cpus
    count=2 expected=100 each_shell more_cpus capture_cpus=2
    started=1 count=2 expected=100 each_shell more_cpus capture_cpus=2
    count=1 expected=000 each_shell more_cpus capture_cpus=1
    available=32000 count=1 expected=000 each_shell more_cpus capture_cpus=8
}

guarded() {
    machine < <(facts)
    echo 33 >"$ROOT/proc/sys/kernel/panic"
    capture
    same "$(cat "$ROOT"/proc/sys/kernel/{panic,panic_on_oops,softlockup_panic,sysrq})" "33
1
1
1"
}

@test "capture: a panic timeout that was given stays; an oops or a lockup restarts the machine" {
    each_shell guarded
}

plain() {
    machine < <(facts)
    vmcore_tool "case \$* in
*'-d 31'*) echo half >\"\$last-incomplete\"; echo 'vmcore: a bad page' >&2; exit 1 ;;
esac
exec $VMCORE \"\$@\""
    capture
    local dir
    dir=$(dump)
    says "saving the dump (filtered) failed: a bad page" "done: the dump, plain"
    same "$(files "$dir")" "README.txt kexec-dmesg.log vmcore vmcore-dmesg.txt"
    ok "$UNIT/compare-dump" "$ROOT/proc/vmcore" "$dir/vmcore"
}

@test "capture: filtering fails: the dump is made without" {
    each_shell plain
}

raw() {
    machine < <(facts)
    vmcore_tool "kill -KILL \$\$"
    capture
    says "saving the dump (filtered) failed: it was killed" "saving the dump (plain) failed: it was killed" \
        "done: the dump, raw"
    ok cmp "$ROOT/proc/vmcore" "$(dump)/vmcore"
    same "$(files "$(dump)")" "README.txt kexec-dmesg.log vmcore vmcore-dmesg.txt"
}

@test "capture: vmcore is killed each time: the memory is copied as it is" {
    each_shell raw
}

log_alone() {
    machine < <(facts)
    vmcore_tool "echo half >\"\$last-incomplete\"; echo 'vmcore: no' >&2; exit 1"
    rm "$TOOLS/dd"
    tool dd "echo 'dd: read error' >&2; exit 1"
    capture
    says "(raw) failed: dd: read error" "no dump; failure_action is halt"
    # What each attempt left is there, for whoever can use it.
    same "$(files "$(dump)")" \
        "README.txt kexec-dmesg.log vmcore-dmesg.txt vmcore-incomplete.filtered vmcore-incomplete.plain"
    grep -q "^Status: *a part of the dump" "$(dump)/README.txt"
    deeds "$DISK
halt -f -f -n"
}

@test "capture: all ways fail: the log and what there is stay, and the failure action follows" {
    each_shell log_alone
}

crash_test() {
    machine < <(facts)
    echo "kexec kdump_test_id=7c0d53be nokaslr" >"$ROOT/proc/cmdline"
    capture
    same "$(cat "$(dump)/kdump-test-7c0d53be")" success
}

@test "capture: a crash on purpose is answered, in the dump's directory" {
    each_shell crash_test
}

incomplete_source() {
    machine < <(facts)
    truncate -s -200000 "$ROOT/proc/vmcore"
    capture
    says "done: the dump, filtered; its source was not whole"
    assert [ -s "$(dump)/vmcore" ]
    deeds "$DISK
reboot -f -f -n"
}

@test "capture: a source that is not whole gives a dump all the same" {
    each_shell incomplete_source
}

no_log() {
    machine < <(facts)
    tool vmcore "[ \"\$1\" != dmesg ] || { echo 'vmcore: no log' >&2; exit 1; }
exec $VMCORE \"\$@\""
    capture
    says "the kernel's log could not be saved: no log" "done: the dump, filtered"
    same "$(files "$(dump)")" "README.txt kexec-dmesg.log vmcore"
}

@test "capture: without a log the dump is saved all the same" {
    each_shell no_log
}

# df_says BYTES: free on the target.
df_says() {
    rm "$TOOLS/df"
    tool df "echo 'Filesystem 1024-blocks Used Available Capacity Mounted on'
echo '/dev/vdb 1 1 $(($1 / 1024)) 1% /mnt'"
}

log_first() {
    machine < <(facts)
    rm "$TOOLS/sync"
    tool sync 'deed sync; real sync "$@"'
    vmcore_tool "case \$1 in save) echo \"vmcore \$1\" >>$DEEDS ;; esac; exec $VMCORE \"\$@\""
    capture
    same "$(grep -m 2 -e sync -e vmcore "$DEEDS")" "sync
vmcore save"
}

@test "capture: the log is on the disk before the dump begins, should this kernel die of it" {
    each_shell log_first
}

little_room() {
    machine < <(facts min_free=0)
    df_says 1048576
    capture
    says "room for a dump: 1 MiB" "it would be larger than 1 MiB" "no dump"
    same "$(files "$(dump)")" "README.txt kexec-dmesg.log vmcore-dmesg.txt vmcore-incomplete"
    # Holes take no room; of each piece between them the first and last block count whole.
    assert [ "$(du -B 1 "$(dump)/vmcore-incomplete" | cut -f 1)" -le $((1048576 + 8 * 4096)) ]
    fails 3 "$VMCORE" info "$(dump)/vmcore-incomplete"
}

@test "capture: too little room: a part of the dump that can be read, within the room" {
    each_shell little_room
}

no_room() {
    machine < <(facts)
    df_says 20971520
    capture
    says "there is no room for a dump" "no dump"
    same "$(files "$(dump)")" "README.txt kexec-dmesg.log vmcore-dmesg.txt"
}

@test "capture: what must stay free stays free; the log is saved" {
    each_shell no_room
}

next_level() {
    machine < <(facts min_free=0 "core_collector=makedumpfile -c --message-level 7 -d 1")
    vmcore_tool "echo \"\$*\" >>$WORLD/calls; exec $VMCORE \"\$@\""
    df_says 104857600
    capture
    same "$(sed "s|$WORLD||g; s|/saturn-[^/]*/|/|" "$WORLD/calls")" \
        "save -q -d 1,31 -c --size-limit 104857600 /root/proc/vmcore /root/run/kdump/mnt.1/var/crash/vmcore"
}

@test "capture: the configured level and packing, the highest level after it, the room as limit" {
    each_shell next_level
}

own_collector() {
    machine < <(facts "core_collector=cp --sparse=always")
    rm "$TOOLS/cp"
    # cp would take the mode along; not every collector does.
    tool cp "deed cp; case \$* in *vmcore*) real cat \$2 >\$3 ;; *) real cp \"\$@\" ;; esac"
    capture
    ok cmp "$ROOT/proc/vmcore" "$(dump)/vmcore"
    same "$(stat -c %a "$(dump)/vmcore")" 600
}

@test "capture: another collector is called with source and destination" {
    each_shell own_collector
}

memory_short() {
    local i fault="kill -9 \$\$"
    [ ! "${fails-}" ] || fault="{ echo oom_kill 4 >$ROOT/proc/vmstat; echo 'mount: unknown filesystem' >&2; exit 32; }"
    machine < <(facts)
    for i in 11 12 13; do
        mkdir -p "$ROOT/proc/$i"
        echo 0 >"$ROOT/proc/$i/oom_score_adj"
    done
    echo systemd-udevd >"$ROOT/proc/11/comm"
    echo "(udev-worker)" >"$ROOT/proc/12/comm"
    echo dash >"$ROOT/proc/13/comm"
    echo 'oom_kill 3' >"$ROOT/proc/vmstat"
    tool mount "echo >>$WORLD/mounts; [ \$(wc -l <$WORLD/mounts) -gt ${kills-1} ] || $fault
for last; do :; done; rmdir \"\$last\" && ln -s $PLACE \"\$last\""
    capture
    says "mounting $ROOT/dev/disk/by-uuid/1234: something was killed for want of memory; trying again" "${ends-done: the dump, filtered}"
    same "$(wc -l <"$WORLD/mounts")" "${mounts-2}"
    same "$(cat "$ROOT"/proc/1[123]/oom_score_adj)" "500
500
0"
}

@test "capture: mount is killed where memory runs out: it is tried again; udev would go first" {
    each_shell memory_short
}

@test "capture: mount fails because what the kernel called for it was killed: it is tried again" {
    fails=1 each_shell memory_short
}

@test "capture: mount that is killed each time is tried three times" {
    kills=9 mounts=3 ends="target 1: saved nothing" each_shell memory_short
}

second_target() {
    machine < <(facts targets=2 target2_kind=fs target2_source=/dev/vdb target2_fstype=xfs target2_path=/dumps)
    tool mount "case \$* in *ext4*) echo 'mount: wrong fs type' >&2; exit 32 ;; esac
for last; do :; done; rmdir \"\$last\" && ln -s $PLACE \"\$last\""
    capture
    says "cannot mount $ROOT/dev/disk/by-uuid/1234 (ext4, rw): mount: wrong fs type" "done: the dump, filtered, on fs /dev/vdb"
    assert [ -s "$PLACE"/dumps/saturn-*/vmcore ]
    deeds "umount /run/kdump/mnt.2
reboot -f -f -n"
}

@test "capture: the first target cannot be mounted: the second gets the dump" {
    each_shell second_target
}

hangs() {
    machine < <(facts limit_mount=1 limit_stall=6 targets=2 target2_kind=virtiofs target2_source=tag target2_path=/d)
    tool mount "case \$* in *ext4*) exec sleep $NAP ;; esac
for last; do :; done; rmdir \"\$last\" && ln -s $PLACE \"\$last\""
    vmcore_tool "case \$* in *'-d 31'*) sleep $NAP ;; esac; exec $VMCORE \"\$@\""
    capture
    says "mounting $ROOT/dev/disk/by-uuid/1234: no answer" \
        "saving the dump (filtered) failed: it stood still and was stopped" "done: the dump, plain, on virtiofs tag"
    gone
}

@test "capture: what hangs is stopped, with all it started, and the next thing is tried" {
    each_shell hangs
}

# PROGRAM, on what it hangs | the limit that ends that | what is said of it
file_hangs() {
    local program on limit said
    while IFS='|' read -r program on limit said; do
        rm -rf "$ROOT" "$TOOLS" "$PLACE" "$WORLD/alone"
        mkdir "$PLACE"
        machine < <(facts "limit_$limit=2" limit_device=2 keep_dumps=1 failure_action=reboot)
        tool "$program" "case \" \$* \" in $on) exec sleep $NAP ;; esac; real $program \"\$@\""
        case $program in
        findfs) rm "$ROOT/dev/disk/by-uuid/1234" ;;
        # The first way fails, and leaves something.
        mv) vmcore_tool "case \$* in *'-d 31'*) for last; do :; done; echo part >\$last-incomplete; exit 1 ;; esac; exec $VMCORE \"\$@\"" ;;
        rm) mkdir -p "$PLACE/var/crash/saturn-2020-01-01-00:00:00" && : >"$PLACE/var/crash/saturn-2020-01-01-00:00:00/vmcore" ;;
        esac
        capture
        says "$said"
        gone
    done <<'TABLE'
mkdir|*saturn*|small|cannot make /var/crash/saturn-
rm|*vmcore-dmesg.txt*|dmesg|the kernel's log could not be saved: it took too long
rm|*saturn-2020*|sync|saturn-2020-01-01-00:00:00 cannot be removed
stat|*vmcore*|sync|README.txt is not whole
mv|*vmcore-incomplete.filtered*|small|done: the dump, plain
findfs|*|small|no such device after 2 s
TABLE
}

@test "capture: a program that hangs on a file is stopped, whichever it is" {
    each_shell file_hangs
}

device_missing() {
    machine < <(facts limit_device=1)
    rm "$ROOT/dev/disk/by-uuid/1234"
    tool findfs "exit 1"
    capture
    says "UUID=1234: no such device after 1 s" "failure_action is halt"
    deeds "halt -f -f -n"
}

@test "capture: a device that does not turn up is waited for, but not for ever" {
    each_shell device_missing
}

volume() {
    machine < <(facts target1_lvm=vg/lv)
    rm "$ROOT/dev/disk/by-uuid/1234"
    tool findfs "exit 1"
    # Its disks are not there at first.
    tool lvm "deed lvm \"\$@\"
[ \$1 != lvs ] || exit 0
[ -e $WORLD/tried ] || { : >$WORLD/tried; echo '  Volume group \"vg\" not found' >&2; exit 5; }
: >$ROOT/dev/disk/by-uuid/1234"
    capture
    says "done: the dump, filtered, on fs UUID=1234"
    deeds "lvm lvchange --sysinit -a y vg/lv
lvm lvchange --sysinit -a y vg/lv
${DISK/$'\n'/$'\n'lvm lvs --noheadings --nosuffix --units b -o pool_lv vg/lv$'\n'}
reboot -f -f -n"
}

@test "capture: a logical volume that nobody has made yet is made" {
    each_shell volume
}

volume_missing() {
    machine < <(facts target1_lvm=vg/lv limit_device=1)
    rm "$ROOT/dev/disk/by-uuid/1234"
    tool findfs "exit 1"
    tool lvm "echo '  Cannot process volume group vg' >&2; exit 5"
    capture
    says "UUID=1234: no such device after 1 s:   Cannot process volume group vg" "failure_action is halt"
    # One that is there is left alone.
    : >"$ROOT/dev/disk/by-uuid/1234" >"$DEEDS"
    echo 0 >"$ROOT/proc/sys/kernel/panic"
    rm -rf "$ROOT/run/kdump"
    tool lvm "[ \$1 = lvs ] || deed lvm \"\$@\""
    capture
    deeds "$DISK
reboot -f -f -n"
}

@test "capture: a logical volume that cannot be made: LVM's reason is said" {
    each_shell volume_missing
}

thin_volume() {
    machine < <(facts target1_lvm=vg/thin min_free=0)
    tool lvm "case \"\$*\" in *pool_lv*) echo '  pool' ;; *data_percent' vg/pool') echo '  400000 50.08' ;; esac"
    capture
    says "the thin pool vg/pool has 0 MiB left" "room for a dump: 0 MiB" "it would be larger than 195 KiB" "saved a part of the dump"
    # One with room enough, one that is full, and an answer that is none.
    local answer text
    for answer in "99999999999 08.09:done: the dump, filtered" "400000 100.00:there is no room for a dump" \
        ":done: the dump, filtered" "400000:done: the dump, filtered" "x 1.00:done: the dump, filtered"; do
        rm -rf "$ROOT/run/kdump" "$PLACE/var"
        echo 0 >"$ROOT/proc/sys/kernel/panic"
        tool lvm "case \"\$*\" in *pool_lv*) echo '  pool' ;; *data_percent' vg/pool') echo '  ${answer%%:*}' ;; esac"
        capture
        says "${answer#*:}"
    done
}

@test "capture: a thin volume has no more room than its pool" {
    each_shell thin_volume
}

@test "machine-facts: the logical volume that a target is, or lies on" {
    local ROOT=$BATS_TEST_TMPDIR name uuid device expected shell
    while read -r name uuid device expected; do
        rm -rf "$ROOT/sys" "$ROOT/dev"
        mkdir -p "$ROOT/dev/mapper" "$ROOT/sys/class/block/dm-0/dm" "$ROOT/sys/class/block/md0/slaves" \
            "$ROOT/sys/class/block/vda/vda1" "$ROOT/sys/class/block/dm-0/slaves/vda1"
        : >"$ROOT/sys/class/block/vda/vda1/partition"
        ln -s vda/vda1 "$ROOT/sys/class/block/vda1"
        ln -s ../../dm-0 "$ROOT/sys/class/block/md0/slaves/dm-0"
        : >"$ROOT/dev/dm-0" >"$ROOT/dev/md0" >"$ROOT/dev/vda1"
        ln -s ../dm-0 "$ROOT/dev/mapper/$name"
        echo "$name" >"$ROOT/sys/class/block/dm-0/dm/name"
        echo "$uuid" >"$ROOT/sys/class/block/dm-0/dm/uuid"
        printf '%s\n' targets=1 target1_kind=fs "target1_device=$device" >"$ROOT/facts"
        for shell in dash "bash --posix" "busybox sh"; do
            run --separate-stderr env KDUMP_ROOT="$ROOT" $shell "$TOP/dracut/machine-facts" "$ROOT/facts"
            assert_success
            same "$stderr" ""
            same "$output" "${expected#-}"
        done
    done <<'TABLE'
vg-lv LVM-x /dev/mapper/vg-lv target1_lvm=vg/lv
my--vg-a--b--c LVM-x /dev/mapper/my--vg-a--b--c target1_lvm=my-vg/a-b-c
vg-lv LVM-x /dev/md0 target1_lvm=vg/lv
vg-lv LVM-x /dev/vda1 -
mpatha mpath-x /dev/mapper/mpatha -
TABLE
}

no_facts() {
    machine < <(facts)
    rm "$ROOT/etc/kdump.facts"
    capture
    says "there are no facts in this initramfs" "the facts name no target"
    deeds "reboot -f -f -n"
}

@test "capture: without facts the machine restarts" {
    each_shell no_facts
}

no_vmcore() {
    machine < <(facts)
    rm "$ROOT/proc/vmcore"
    capture
    says "this is not a capture kernel"
    deeds "reboot -f -f -n"
}

@test "capture: in another kernel it saves nothing" {
    each_shell no_vmcore
}

# is_capture STATUS: to the hooks of the initramfs.
is_capture() {
    # shellcheck disable=SC2086 # a shell with options
    fails "$1" env KDUMP_ROOT="$ROOT" $SH "$CAPTURE/is-capture"
}

vmcore_refused() {
    machine < <(facts failure_action=poweroff kdump_emergency=/last)
    printf '#!/bin/sh\necho "last: $*"\n' >"$ROOT/last"
    chmod 755 "$ROOT/last"
    is_capture 0
    rm "$ROOT/proc/vmcore"
    is_capture 1
    echo "root=/dev/vda2 noelfcorehdr=1 elfcorehdr" >"$ROOT/proc/cmdline"
    is_capture 1
    rm "$ROOT/proc/cmdline"
    is_capture 1
    echo "kexec mem=1G elfcorehdr=16K@3932016K" >"$ROOT/proc/cmdline"
    is_capture 0
    capture
    says "the kernel could make none of what elfcorehdr= names; nothing can be saved" \
        "running /last" "no dump; failure_action is poweroff"
    deeds "poweroff -f -f -n"
}

@test "capture: a capture kernel that made no /proc/vmcore does not stay up" {
    each_shell vmcore_refused
}

old_dumps() {
    machine < <(facts keep_dumps=2)
    local name
    for name in saturn-2025-01-01-00:00:00 saturn-2025-01-02-00:00:00 saturn-2025-01-03-00:00:00 \
        pluto-2025-01-01-00:00:00 saturn-notes $'saturn-2025-01-01-00:00:01\nrun'; do
        mkdir -p "$PLACE/var/crash/$name"
        echo old >"$PLACE/var/crash/$name/vmcore"
    done
    mkdir "$PLACE"/var/crash/saturn-2025-01-0{1,4}-12:00:00
    touch "$PLACE"/var/crash/saturn-2025-01-0{1,4}-12:00:00/vmcore-incomplete
    capture
    same "$(cd "$PLACE/var/crash" && printf '%s\n' * | sed "s/^saturn-$(date +%Y)-.*/NEW/")" \
        "pluto-2025-01-01-00:00:00
saturn-2025-01-01-00:00:01
run
saturn-2025-01-03-00:00:00
saturn-2025-01-04-12:00:00
NEW
saturn-notes"
}

@test "capture: keep_dumps: the oldest whole dumps of this host go once the new one is whole" {
    each_shell old_dumps
}

old_dumps_failed() {
    machine < <(facts keep_dumps=1)
    mkdir -p "$PLACE/var/crash/saturn-2025-01-01-00:00:00"
    echo old >"$PLACE/var/crash/saturn-2025-01-01-00:00:00/vmcore"
    df_says 1048576
    capture
    assert [ -e "$PLACE/var/crash/saturn-2025-01-01-00:00:00/vmcore" ]
}

@test "capture: the newest whole dump is not given up for one that may fail" {
    each_shell old_dumps_failed
}

same_second() {
    machine < <(facts)
    rm "$TOOLS/date"
    tool date "echo '1970-01-01 00:00:00'"
    mkdir -p "$PLACE/var/crash/saturn-1970-01-01-00:00:00"
    capture
    assert [ -s "$PLACE/var/crash/saturn-1970-01-01-00:00:00.2/vmcore" ]
}

@test "capture: a clock that stands still does not overwrite a dump" {
    each_shell same_second
}

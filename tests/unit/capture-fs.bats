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
    # Holes take no room.
    assert [ "$(du -B 1 "$(dump)/vmcore-incomplete" | cut -f 1)" -le 1048576 ]
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
    tool cp "deed cp; real cp \"\$@\""
    capture
    ok cmp "$ROOT/proc/vmcore" "$(dump)/vmcore"
}

@test "capture: another collector is called with source and destination" {
    each_shell own_collector
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
    # Its own length, by which it is found again.
    local nap=$((100000 + $$)).$RANDOM
    machine < <(facts limit_mount=1 limit_stall=6 targets=2 target2_kind=virtiofs target2_source=tag target2_path=/d)
    tool mount "case \$* in *ext4*) exec sleep $nap ;; esac
for last; do :; done; rmdir \"\$last\" && ln -s $PLACE \"\$last\""
    vmcore_tool "case \$* in *'-d 31'*) sleep $nap ;; esac; exec $VMCORE \"\$@\""
    capture
    says "mounting $ROOT/dev/disk/by-uuid/1234: no answer" \
        "saving the dump (filtered) failed: it stood still and was stopped" "done: the dump, plain, on virtiofs tag"
    # Nothing of what hung is left.
    run pgrep -f "^sleep ${nap/./\\.}$"
    assert_failure
}

@test "capture: what hangs is stopped, with all it started, and the next thing is tried" {
    each_shell hangs
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

old_dumps() {
    machine < <(facts keep_dumps=2)
    local name
    for name in saturn-2025-01-01-00:00:00 saturn-2025-01-02-00:00:00 saturn-2025-01-03-00:00:00 \
        pluto-2025-01-01-00:00:00 saturn-notes; do
        mkdir -p "$PLACE/var/crash/$name"
        echo old >"$PLACE/var/crash/$name/vmcore"
    done
    mkdir "$PLACE"/var/crash/saturn-2025-01-0{1,4}-12:00:00
    touch "$PLACE"/var/crash/saturn-2025-01-0{1,4}-12:00:00/vmcore-incomplete
    capture
    same "$(cd "$PLACE/var/crash" && printf '%s\n' * | sed "s/^saturn-$(date +%Y)-.*/NEW/")" \
        "pluto-2025-01-01-00:00:00
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

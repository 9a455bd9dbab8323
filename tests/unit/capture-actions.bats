#!/usr/bin/env bats
# What the capture runs for the administrator, and how the machine comes back.

setup() {
    load common
    load capture
}

facts() { # LINE...
    printf '%s\n' facts=1 host=saturn targets=1 target1_kind=fs target1_source=/dev/vdb \
        target1_fstype=ext4 target1_path=/var/crash "$@"
}

# hook NAME [STATUS]: a program that tells that it was run.
hook() {
    mkdir -p "$ROOT/etc/kdump"
    TOOLS=$ROOT/etc/kdump tool "$1" "deed $1 \"\$@\"; exit ${2-0}"
}

good_hooks() {
    machine < <(facts kdump_pre=/etc/kdump/pre kdump_post=/etc/kdump/post \
        "pre_d=/etc/kdump/p1 /etc/kdump/p2" "post_d=/etc/kdump/q1" kdump_emergency=/etc/kdump/e)
    hook pre
    hook p1 3
    hook p2
    hook q1
    hook post
    hook e
    capture
    says "warning: /etc/kdump/p1 ended with 3"
    deeds "pre
p1
p2
mount -t ext4 -o rw /dev/vdb /run/kdump/mnt.1
umount /run/kdump/mnt.1
q1 0
post 0
reboot -f -f -n"
}

@test "actions: before the dump and after it, in their order, with its status" {
    each_shell good_hooks
}

bad_pre() {
    machine < <(facts kdump_pre=/etc/kdump/pre final_action=poweroff failure_action=halt)
    hook pre 1
    capture
    says "/etc/kdump/pre ended with 1: no dump is made"
    deeds "pre
poweroff -f -f -n"
}

@test "actions: kdump_pre that fails: no dump, and the final action" {
    each_shell bad_pre
}

no_pre() {
    local text
    for text in none "#!/no/such/program" "#!$(command -v bash)\nkill -KILL \$\$" "#!$(command -v bash)\nexec sleep 60"; do
        rm -rf "$ROOT" "$TOOLS" "$PLACE"
        mkdir "$PLACE"
        machine < <(facts kdump_pre=/etc/kdump/pre limit_hook=2)
        mkdir -p "$ROOT/etc/kdump"
        [ "$text" = none ] || printf '%b\n' "$text" >"$ROOT/etc/kdump/pre"
        chmod -f 755 "$ROOT/etc/kdump/pre" || true
        capture
        says ", which is no answer: the dump is made" "done: the dump, filtered"
    done
}

@test "actions: kdump_pre that cannot be run, is killed or hangs: the dump is made" {
    each_shell no_pre
}

bad_dump() {
    machine < <(facts kdump_post=/etc/kdump/post kdump_emergency=/etc/kdump/e \
        "emergency_d=/etc/kdump/e1" failure_action=poweroff)
    hook post
    hook e
    hook e1
    tool mount "exit 1"
    capture
    deeds "post 1
e1
e
poweroff -f -f -n"
}

@test "actions: no dump: post with the status, emergency, the failure action" {
    each_shell bad_dump
}

# The clock that a limit reads: a second is over as soon as the command has begun, and
# $2 of them in all.
limit_at() { # LIMIT SECONDS
    echo "limit_small=$1" >"$WORLD/facts"
    run $SH -c 'facts=$1 lib=$2 passed=$3 uptime=
        . "$lib/facts.sh"; . "$lib/log.sh"; . "$lib/limit.sh"
        uptime_whole() { uptime=$((${uptime:+$passed} + 100)); }
        limit small sleep 0.3' sh "$WORLD/facts" "$CAPTURE" "$2"
}

limits() {
    limit_at 1 1
    assert_success
    limit_at 1 2
    assert_equal "$status" 124
}

@test "actions: a program has all of its time, whenever in a second it begins" {
    each_shell limits
}

hanging_hook() {
    machine < <(facts kdump_post=/etc/kdump/post limit_hook=1)
    TOOLS=$ROOT/etc/kdump
    mkdir -p "$TOOLS"
    tool post "sleep $NAP"
    TOOLS=$WORLD/tools
    capture
    says "/etc/kdump/post ended with 124"
    gone
}

@test "actions: a program that hangs is stopped" {
    each_shell hanging_hook
}

shell_action() {
    machine < <(facts failure_action=shell)
    : >"$ROOT/dev/console"
    tool mount "exit 1"
    tool sh "deed sh \"\$@\""
    rm -f "$TOOLS/setsid"
    capture
    deeds "sh -i -l
reboot -f -f -n"
}

@test "actions: a shell, and then the restart" {
    each_shell shell_action
}

rootfs_action() {
    machine < <(facts failure_action=dump_to_rootfs root_source=UUID=1234 root_fstype=xfs \
        root_path=/var/crash root_options=noatime)
    tool mount "case \$* in *ext4*) exit 1 ;; esac; deed mount \"\$@\"
for last; do :; done; rmdir \"\$last\" && ln -s $PLACE \"\$last\""
    capture
    says "done: the dump, filtered, on the root file system"
    assert [ -s "$(dump)/vmcore" ]
    deeds "mount -t xfs -o rw,noatime /dev/disk/by-uuid/1234 /run/kdump/mnt.root
umount /run/kdump/mnt.root
reboot -f -f -n"
}

@test "actions: dump_to_rootfs" {
    each_shell rootfs_action
}

# The dump arrives or not, final_action, failure_action (- : not given), and what becomes
# of the machine.
each_end() {
    local arrives final failure deed first=$WORLD
    while read -r arrives final failure deed; do
        WORLD=$first/$arrives.$final.$failure
        ROOT=$WORLD/root TOOLS=$WORLD/tools PLACE=$WORLD/place DEEDS=$WORLD/deeds
        mkdir -p "$PLACE"
        : >"$DEEDS"
        echo "$arrives $final $failure:"
        machine < <(
            facts
            [ "$final" = - ] || echo "final_action=$final"
            [ "$failure" = - ] || echo "failure_action=$failure"
        )
        : >"$ROOT/dev/console"
        tool sh "deed sh"
        [ "$arrives" = yes ] || tool mount "exit 1"
        capture
        same "$(grep -v mount "$DEEDS")" "${deed//,/$'\n'}"
    done <<'TABLE'
yes - - reboot -f -f -n
yes reboot poweroff reboot -f -f -n
yes poweroff reboot poweroff -f -f -n
yes halt - halt -f -f -n
yes no-such - reboot -f -f -n
no - - reboot -f -f -n
no poweroff - reboot -f -f -n
no reboot halt halt -f -f -n
no halt poweroff poweroff -f -f -n
no poweroff shell sh,poweroff -f -f -n
no halt dump_to_rootfs halt -f -f -n
no poweroff no-such poweroff -f -f -n
TABLE
}

@test "actions: every final_action with every failure_action, with and without a dump" {
    each_shell each_end
}

rootfs_fails() {
    machine < <(facts failure_action=dump_to_rootfs root_source=UUID=1234 root_fstype=xfs root_path=/var/crash \
        kdump_post=/etc/kdump/post)
    hook post
    tool mount "exit 1"
    capture
    says "no dump; failure_action is dump_to_rootfs" "cannot mount"
    [[ $output != *"done: "* ]] || fail "$output"
    deeds "post 1
reboot -f -f -n"
}

@test "actions: dump_to_rootfs that fails, too: said, and the machine restarts" {
    each_shell rootfs_fails
}

# quick_sleep: long waits pass at once. What it was asked for is written down.
quick_sleep() {
    rm "$TOOLS/sleep"
    tool sleep "case \$1 in 0.*) real sleep \$1 ;; *) real sleep 0.05 ;; esac
[ \$1 != 60 ] || kill_capture"
}

hanging_restart() {
    machine < <(facts)
    tool reboot 'deed reboot "$@"; while :; do real sleep 1; done'
    quick_sleep
    # Each key the machine is asked with is seen by a reader.
    mkfifo "$ROOT/proc/sysrq-trigger"
    timeout 60 cat 0<>"$ROOT/proc/sysrq-trigger" >"$WORLD/keys" 2>/dev/null 3>&- &
    capture
    # It may not have had its turn yet.
    eventually '[ "$(wc -l <"$WORLD/keys")" -ge 3 ]' || true
    kill $!
    wait
    says "reboot did not happen; sysrq"
    same "$(cat "$WORLD/keys")" "b
b
c"
    same "$(cat "$ROOT/proc/sys/kernel/panic")" 1
}

@test "restart: an orderly one that hangs is followed by sysrq, and that by a panic" {
    each_shell hanging_restart
}

no_reboot_program() {
    machine < <(facts)
    rm "$TOOLS/reboot"
    quick_sleep
    capture
    same "$(cat "$ROOT/proc/sysrq-trigger")" c
}

@test "restart: without a program for it sysrq does it" {
    each_shell no_reboot_program
}

second_caller() {
    machine < <(facts)
    mkdir -p "$ROOT/run/kdump/lock"
    capture
    says "the capture has run already"
    deeds "reboot -f -f -n"
}

@test "restart: a second capture in the same kernel only restarts" {
    each_shell second_caller
}

stays() {
    machine < <(facts)
    ok env KDUMP_ROOT="$ROOT" KDUMP_LIB="$CAPTURE" KDUMP_PATH="$TOOLS" $SH "$CAPTURE/kdump-capture" --stay
    assert [ -s "$(dump)/vmcore" ]
    tool mount "exit 1"
    fails 1 env KDUMP_ROOT="$ROOT" KDUMP_LIB="$CAPTURE" KDUMP_PATH="$TOOLS" $SH "$CAPTURE/kdump-capture" --stay
}

@test "restart: --stay saves and tells by its status" {
    each_shell stays
}

fenced() {
    machine < <(facts "fence_kdump_nodes=jupiter mars" "fence_kdump_nodes=10.0.0.7 10.0.0.8" \
        "fence_kdump_args=-p 7410" fence_send=/usr/libexec/fence_kdump_send)
    fence_tool "exec sleep $NAP"
    capture
    grep -qx "fence_kdump_send -p 7410 10.0.0.7 10.0.0.8" "$DEEDS"
    gone
}

fence_tool() { # TEXT
    mkdir -p "$ROOT/usr/libexec"
    TOOLS=$ROOT/usr/libexec tool fence_kdump_send "deed fence_kdump_send \"\$@\"; $1"
    tool ip ':'
}

not_fenced() {
    machine < <(facts fence_kdump_nodes=10.0.0.7)
    capture
    says "10.0.0.7: there is no fence_kdump_send in this initramfs to tell them that this is a dump" "done: the dump"
    rm -rf "$ROOT" "$TOOLS"
    machine < <(facts fence_kdump_nodes=10.0.0.7 fence_send=/usr/libexec/fence_kdump_send)
    fence_tool 'echo "sendto: Network is unreachable" >&2; exit 1'
    capture
    says "warning: 10.0.0.7 may not know that this was a dump: sendto: Network is unreachable" "done: the dump"
}

@test "actions: the cluster is told during the dump, and not longer" {
    each_shell fenced
}

@test "actions: a cluster that is not told is said, and the dump is saved" {
    each_shell not_fenced
}

#!/usr/bin/env bats
# The capture with targets that take a stream, and the network it brings up.

setup() {
    load common
    load capture
}

facts() { # KIND SOURCE LINE...
    local kind=$1 source=$2
    shift 2
    printf '%s\n' facts=1 host=saturn failure_action=halt targets=1 "target1_kind=$kind" \
        "target1_source=$source" target1_path=/var/crash sshkey=/root/.ssh/key "$@"
}

# A server that is this machine, below $WORLD/server: what ssh would run there
# is run here. TEXT runs before.
ssh_server() { # TEXT
    mkdir -p "$WORLD/server"
    tool ip ':'
    tool ssh "for command; do :; done
echo \"\$*\" >>$WORLD/ssh
$1
command=\${command//\/var\/crash/$WORLD\/server}
exec sh -c \"\$command\""
}

server_files() {
    (cd "$WORLD"/server/saturn-* && echo *)
}

ssh_whole() {
    machine < <(facts ssh dump@mars target1_address=10.0.0.7)
    ssh_server
    capture
    says "done: the dump, filtered, on ssh dump@mars"
    same "$(server_files)" "README.txt kexec-dmesg.log vmcore-dmesg.txt vmcore.flat"
    cd "$WORLD"/server/saturn-* || fail
    ok "$VMCORE" rebuild vmcore.flat "$WORLD/plain"
    ok "$UNIT/compare-dump" "$ROOT/proc/vmcore" "$WORLD/plain"
    assert_equal "$(stat -c %a vmcore.flat)" 600
    grep -q "^Status: *the dump, filtered$" README.txt
    grep -q "Linux version" vmcore-dmesg.txt
    # It asks for nothing and trusts nobody it does not know.
    head -n 1 "$WORLD/ssh" >"$WORLD/line"
    for option in "-i $ROOT/root/.ssh/key" BatchMode=yes StrictHostKeyChecking=yes HostName=10.0.0.7 HostKeyAlias=mars; do
        grep -qF -- "$option" "$WORLD/line" || fail "no $option"
    done
}

@test "ssh: the whole of it, under its name when it is there" {
    each_shell ssh_whole
}

ssh_again() {
    machine < <(facts ssh dump@mars)
    ssh_server
    tool date 'echo "2026-11-25 10:00:00"'
    capture
    echo first >"$WORLD/server/saturn-2026-11-25-10:00:00/vmcore.flat"
    rm -rf "$ROOT/run/kdump"
    capture
    says "done: the dump, filtered, on ssh dump@mars"
    same "$(cd "$WORLD/server" && echo *)" "saturn-2026-11-25-10:00:00 saturn-2026-11-25-10:00:00.2"
    same "$(cat "$WORLD/server/saturn-2026-11-25-10:00:00/vmcore.flat")" first
    [ -s "$WORLD/server/saturn-2026-11-25-10:00:00.2/vmcore.flat" ]
}

ssh_no_name() {
    machine < <(facts ssh dump@mars)
    ssh_server 'case $command in "test "*) exit 1 ;; esac'
    tool date 'echo "2026-11-25 10:00:00"'
    capture
    says "dump@mars has 100 dumps named /var/crash/saturn-2026-11-25-10:00:00 already, or says so"
    says "no dump"
    same "$(ls -A "$WORLD/server")" ""
}

@test "ssh: a server that says of every name that it is there does not hold the capture" {
    each_shell ssh_no_name
}

@test "ssh: a second crash at the same time of the clock spares the first dump" {
    each_shell ssh_again
}

ssh_refused() {
    machine < <(facts ssh dump@mars)
    ssh_server 'echo "dump@mars: Permission denied (publickey)." >&2; exit 255'
    capture
    says "cannot reach dump@mars: dump@mars: Permission denied (publickey)." "failure_action is halt"
    # Once: trying again would not help.
    same "$(wc -l <"$WORLD/ssh")" 1
}

@test "ssh: a key that is not taken ends it at once" {
    each_shell ssh_refused
}

# Nobody waits as long as a server may need.
short_naps() {
    tool sleep '[ "$1" != 5 ] || set -- 0.2; real sleep "$@"'
}

ssh_late() {
    machine < <(facts ssh dump@mars)
    short_naps
    ssh_server "[ -e $WORLD/tried ] || { : >$WORLD/tried; echo 'connect to host mars port 22: Connection refused' >&2; exit 255; }"
    capture
    says "Connection refused; trying again" "done: the dump"
}

@test "ssh: a server that is not up yet is tried again" {
    each_shell ssh_late
}

ssh_drops() {
    machine < <(facts ssh dump@mars)
    ssh_server "case \$command in *vmcore.flat-incomplete*'cat'* | *cat*vmcore.flat-incomplete*)
    head -c 100000 >$WORLD/server/saturn-*/vmcore.flat-incomplete
    echo 'client_loop: send disconnect: Broken pipe' >&2
    exit 255 ;;
esac"
    sed -i "s|head -c 100000 >.*|cd $WORLD/server/saturn-* \&\& head -c 100000 >vmcore.flat-incomplete|" "$TOOLS/ssh"
    capture
    says "sending the dump (filtered) failed: client_loop: send disconnect: Broken pipe" \
        "saved the kernel's log, and what arrived of the dump" "failure_action is halt"
    refute [ -e "$WORLD"/server/saturn-*/vmcore.flat ]
    same "$(server_files)" "README.txt kexec-dmesg.log vmcore-dmesg.txt vmcore.flat-incomplete"
}

@test "ssh: a connection that drops is a failure, whatever the other end of the pipe says" {
    each_shell ssh_drops
}

ssh_vmcore_fails() {
    machine < <(facts ssh dump@mars)
    ssh_server
    tool vmcore "case \"\$*\" in *'-d 31'*) echo part; echo 'vmcore: a bad page' >&2; exit 1 ;; esac; PATH=$TOOLS:\$PATH exec $VMCORE \"\$@\""
    capture
    says "sending the dump (filtered) failed: a bad page" "done: the dump, plain, on ssh dump@mars"
}

@test "ssh: vmcore that fails into a pipe is seen, and the next way is taken" {
    each_shell ssh_vmcore_fails
}

odd_path() {
    machine < <(facts ssh dump@mars "target1_path=/var/crash/it's \$(touch gone) here")
    ssh_server
    capture
    assert [ -s "$WORLD/server/it's \$(touch gone) here"/saturn-*/vmcore.flat ]
}

@test "ssh: a path with quotes, blanks and a command in it is only a path" {
    each_shell odd_path
}

ssh_killed() {
    machine < <(facts ssh dump@mars)
    ssh_server
    tool vmcore "case \"\$*\" in *'-d 31'*) echo part; kill -9 \$\$ ;; esac; PATH=$TOOLS:\$PATH exec $VMCORE \"\$@\""
    capture
    says "sending the dump (filtered) failed: it was killed" "done: the dump, plain, on ssh dump@mars"
}

@test "ssh: vmcore that is killed does not look like a server that failed" {
    each_shell ssh_killed
}

# The first level finds no room.
no_room_at_1() {
    tool vmcore "case \"\$*\" in *'-d 1 '*) $VMCORE save -q \"\${@: -2:1}\" - 2>/dev/null | head -c 300000
        echo 'vmcore: writing standard output: it would be larger than 3 MiB' >&2; exit 1 ;; esac
PATH=$TOOLS:\$PATH exec $VMCORE \"\$@\""
}

ssh_levels() {
    machine < <(facts ssh dump@mars "core_collector=vmcore save -d 1")
    ssh_server
    no_room_at_1
    capture
    says "level 1: writing standard output: it would be larger than 3 MiB; trying level 31" "done: the dump, filtered, on ssh dump@mars"
    cd "$WORLD"/server/saturn-* || fail
    ok "$VMCORE" rebuild vmcore.flat "$WORLD/plain"
    ok "$UNIT/compare-dump" "$ROOT/proc/vmcore" "$WORLD/plain"
}

@test "ssh: a level that finds no room is followed by the next, from the beginning" {
    each_shell ssh_levels
}

# A server that gives sftp alone: OpenSSH's own, or what is named. TEXT runs before.
sftp_server() { # TEXT [COMMAND...]
    local text=${1-}
    [ $# -eq 0 ] || shift
    [ $# -gt 0 ] || set -- /usr/lib/openssh/sftp-server
    mkdir -p "$WORLD/server"
    tool ip ':'
    tool ssh "echo \"\$*\" >>$WORLD/ssh
case \"\$*\" in *' -s dump@mars sftp') ;; *) echo 'This service allows sftp connections only.' >&2; exit 1 ;; esac
$text
exec ${*@Q}"
}

sftp_facts() { # LINE...
    facts sftp dump@mars "target1_path=$WORLD/server" "$@"
}

sftp_whole() {
    machine < <(sftp_facts target1_address=10.0.0.7 target1_port=2222 'target1_alias=[mars]:2222')
    echo "kexec kdump_test_id=abc1" >"$ROOT/proc/cmdline"
    sftp_server
    capture
    says "room for a dump: " "done: the dump, filtered, on sftp dump@mars"
    same "$(server_files)" "README.txt kdump-test-abc1 kexec-dmesg.log vmcore vmcore-dmesg.txt"
    cd "$WORLD"/server/saturn-* || fail
    ok "$UNIT/compare-dump" "$ROOT/proc/vmcore" vmcore
    same "$(stat -c %a . vmcore)" "700
600"
    grep -q "^Status: *the dump, filtered$" README.txt
    grep -q "Linux version" vmcore-dmesg.txt
    same "$(cat kdump-test-abc1)" success
    for option in "-i $ROOT/root/.ssh/key" "-p 2222" BatchMode=yes StrictHostKeyChecking=yes HostName=10.0.0.7 'HostKeyAlias=[mars]:2222'; do
        refute grep -vF -- "$option" "$WORLD/ssh"
    done
}

@test "sftp: the whole of it, a plain dump on the server" {
    each_shell sftp_whole
}

sftp_refused() {
    machine < <(sftp_facts)
    sftp_server 'echo "@@@@@@@@" >&2; echo "Host key verification failed." >&2; exit 255'
    capture
    says "cannot save on dump@mars: Host key verification failed." "failure_action is halt"
    same "$(wc -l <"$WORLD/ssh")" 1
    # Where it may not write, waiting does not help either.
    rm "$WORLD/ssh"
    sftp_server : "$UNIT/sftp-stand-in" --answer 14 "0000000d 65 ID 00000003 00000000"
    rm -rf "$ROOT/run/kdump"
    capture
    says "cannot save on dump@mars: making $WORLD/server/saturn-" ": Permission denied"
    same "$(wc -l <"$WORLD/ssh")" 1
}

@test "sftp: a server that is another, and one that refuses, end it at once" {
    each_shell sftp_refused
}

sftp_late() {
    machine < <(sftp_facts)
    short_naps
    sftp_server "n=\$(wc -l <$WORLD/ssh); case \$n in 1 | 3) echo 'connect to host mars port 22: Connection refused' >&2; exit 255 ;; esac"
    capture
    says "Connection refused; trying again" "sent the kernel's log" "done: the dump"
}

@test "sftp: a server that is not up yet, or goes between, is tried again" {
    each_shell sftp_late
}

sftp_drops() {
    machine < <(sftp_facts)
    sftp_server : "$UNIT/sftp-stand-in" --dies 100000
    capture
    says "sending the dump (filtered) failed: writing $WORLD/server/saturn-" ": the connection to the server ended" \
        "saved the kernel's log, and what arrived of the dump" "failure_action is halt"
    same "$(server_files)" "README.txt kexec-dmesg.log vmcore-dmesg.txt vmcore-incomplete"
}

@test "sftp: a connection that drops is a failure" {
    each_shell sftp_drops
}

sftp_full() {
    machine < <(sftp_facts "core_collector=vmcore save -d 1")
    sftp_server : "$UNIT/sftp-stand-in" --full 100000
    capture
    says "level 1: writing $WORLD/server/saturn-" ": No space left on device; trying level 31" \
        "sending the dump (filtered) failed: writing $WORLD/server/saturn-" "saved the kernel's log, and what arrived of the dump"
    [[ $output != *"(plain)"* ]] || fail "$output"
    same "$(server_files)" "README.txt kexec-dmesg.log vmcore-dmesg.txt vmcore-incomplete"
    rm -rf "$ROOT/run/kdump" "$WORLD/server"
    sftp_server : "$UNIT/sftp-stand-in" --full -1
    capture
    says "room for a dump: 0 MiB" "there is no room for a dump" "saved nothing"
    same "$(server_files)" "README.txt-incomplete vmcore-dmesg.txt-incomplete"
}

@test "sftp: a full disk, in the middle and from the beginning" {
    each_shell sftp_full
}

sftp_levels() {
    machine < <(sftp_facts "core_collector=vmcore save -d 1")
    sftp_server
    no_room_at_1
    capture
    says "level 1: writing standard output: it would be larger than 3 MiB; trying level 31" "done: the dump, filtered, on sftp dump@mars"
    same "$(server_files)" "README.txt kexec-dmesg.log vmcore vmcore-dmesg.txt"
    ok "$UNIT/compare-dump" "$ROOT/proc/vmcore" "$WORLD"/server/saturn-*/vmcore
}

@test "sftp: a level that finds no room is followed by the next, from the beginning" {
    each_shell sftp_levels
}

sftp_vmcore_fails() {
    machine < <(sftp_facts)
    sftp_server
    tool vmcore "case \"\$*\" in *'-d 31'*) $VMCORE save -q \"\${@: -2:1}\" - 2>/dev/null | head -c 300000; echo 'vmcore: a bad page' >&2; exit 1 ;;
        *'-d 1'*) kill -9 \$\$ ;; esac; PATH=$TOOLS:\$PATH exec $VMCORE \"\$@\""
    capture
    says "sending the dump (filtered) failed: a bad page" "sending the dump (plain) failed: it was killed" \
        "done: the dump, raw, on sftp dump@mars"
    cmp "$ROOT/proc/vmcore" "$WORLD"/server/saturn-*/vmcore
    same "$(server_files)" "README.txt kexec-dmesg.log vmcore vmcore-dmesg.txt"
}

@test "sftp: vmcore that fails or is killed is seen, and the next way is taken" {
    each_shell sftp_vmcore_fails
}

raw_disk() {
    machine < <(facts raw /dev/vdb)
    truncate -s 16M "$ROOT/dev/vdb"
    mkdir "$ROOT/sys/class/block/vdb"
    echo 32768 >"$ROOT/sys/class/block/vdb/size"
    capture
    says "done: the dump, filtered, on raw /dev/vdb"
    ok "$VMCORE" rebuild "$ROOT/dev/vdb" "$WORLD/plain"
    ok "$UNIT/compare-dump" "$ROOT/proc/vmcore" "$WORLD/plain"
    # The log lies at the end.
    tail -c 1048576 "$ROOT/dev/vdb" >"$WORLD/tail"
    read -r _ _ size name <"$WORLD/tail"
    ok "$VMCORE" dmesg "$ROOT/proc/vmcore" "$WORLD/log"
    assert_equal "$size" "$(stat -c %s "$WORLD/log")"
    sed 1d "$WORLD/tail" | head -c "$size" | cmp - "$WORLD/log"
    [[ $name == saturn-20* ]] || fail "$name"
}

# recover [STATUS]: the start after it, on the world that the capture left.
recover() {
    : >"$ROOT/proc/sys/kernel/hostname"
    rm -rf "$WORLD/err"
    run --separate-stderr env -i PATH="$TOOLS:/usr/bin:/bin" KDUMP_ROOT="$ROOT" ${SH/#busybox/$(command -v busybox)} -uc '
        lib=$1 target_kind=raw target_device=/dev/vdb conf_path=/var/dumps
        . "$lib/say.sh"; . "$lib/words.sh"; . "$lib/image.sh"; . "$lib/recover.sh"
        recover_raw 1' sh "$TOP/kdumpctl/lib"
    assert_equal "$status" "${1-0}"
}

raw_letters() { # LETTER OFFSET...
    while [ $# -gt 0 ]; do
        printf %s "$1" | dd of="$ROOT/dev/vdb" bs=1 seek="$2" conv=notrunc status=none
        shift 2
    done
}

raw_recovered() {
    machine < <(facts raw /dev/vdb)
    echo "kexec kdump_test_id=abc1" >"$ROOT/proc/cmdline"
    truncate -s 16M "$ROOT/dev/vdb"
    mkdir "$ROOT/sys/class/block/vdb"
    echo 32768 >"$ROOT/sys/class/block/vdb/size"
    capture
    recover
    assert_equal "$stderr" ""
    local dirs=("$ROOT"/var/dumps/*) taken mark
    assert_equal ${#dirs[@]} 1
    taken=${dirs[0]}
    assert_output "kdump: there is a dump on /dev/vdb; taking it to /var/dumps
kdump: recovered ${taken#"$ROOT"}: the dump, from /dev/vdb"
    [[ ${taken##*/} == saturn-20* ]] || fail "$taken"
    same "$(cd "$taken" && echo *)" "README.txt kdump-test-abc1 vmcore vmcore-dmesg.txt"
    same "$(stat -c %a "$taken" "$taken/vmcore")" "700
600"
    ok "$UNIT/compare-dump" "$ROOT/proc/vmcore" "$taken/vmcore"
    ok "$VMCORE" dmesg "$ROOT/proc/vmcore" "$WORLD/log"
    cmp "$taken/vmcore-dmesg.txt" "$WORLD/log"
    same "$(sed -n 's/^Status: *//p; 1p' "$taken/README.txt")" "A kernel crash dump of saturn
the dump, from /dev/vdb"
    grep -q "^To open it: " "$taken/README.txt"
    same "$(cat "$taken/kdump-test-abc1")" success
    # Once; and by hand as often as one likes.
    recover
    assert_output ""
    # The machine was reset before that was marked, or in the middle of it.
    for mark in "m 0 k $((15 * 1048576))" "m 0" "k $((15 * 1048576))"; do
        raw_letters $mark
        recover
        assert_output "kdump: the dump on /dev/vdb was taken to ${taken#"$ROOT"} already"
        assert_equal "$stderr" ""
        dirs=("$ROOT"/var/dumps/*)
        assert_equal ${#dirs[@]} 1
        recover
        assert_output ""
    done
    printf m | dd of="$ROOT/dev/vdb" bs=1 conv=notrunc status=none
    ok "$VMCORE" rebuild "$ROOT/dev/vdb" "$WORLD/again"
    cmp "$WORLD/again" "$taken/vmcore"
    # The next crash's is taken again.
    echo 0 >"$ROOT/proc/sys/kernel/panic"
    rm -rf "$ROOT/run/kdump" "$ROOT/var/dumps"
    capture
    recover
    assert_output --partial ": the dump, from /dev/vdb"
}

@test "raw: the next start takes the dump to the path of dumps, once" {
    each_shell raw_recovered
}

# Its start reads with an error when it is summed: it may be another, and is taken again.
raw_unreadable() {
    machine < <(facts raw /dev/vdb)
    truncate -s 16M "$ROOT/dev/vdb"
    mkdir "$ROOT/sys/class/block/vdb"
    echo 32768 >"$ROOT/sys/class/block/vdb/size"
    capture
    tool dd 'case $* in *count=256*) echo the same; exit 1 ;; esac
exec dd "$@"'
    for number in 1 2; do
        recover
        assert_output --partial ": the dump, from /dev/vdb"
        refute_output --partial "already"
        raw_letters m 0 k $((15 * 1048576))
    done
    local dirs=("$ROOT"/var/dumps/*)
    assert_equal ${#dirs[@]} 2
}

@test "raw: one whose start cannot be read is like no other" {
    # Under busybox dd is its own.
    SHELLS="dash bash" each_shell raw_unreadable
}

raw_recovered_in_part() {
    machine < <(facts raw /dev/vdb)
    truncate -s 16M "$ROOT/dev/vdb"
    mkdir "$ROOT/sys/class/block/vdb"
    echo 32768 >"$ROOT/sys/class/block/vdb/size"
    capture
    # The machine was switched off half-way.
    dd if=/dev/zero of="$ROOT/dev/vdb" bs=4096 seek=4 count=3000 conv=notrunc status=none
    recover
    assert_output --partial ": a part of the dump, from /dev/vdb"
    same "$(cd "$ROOT"/var/dumps/* && echo *)" "README.txt vmcore-dmesg.txt vmcore-incomplete"
    grep -q "^Status: *a part of the dump" "$ROOT"/var/dumps/*/README.txt
    # The log alone, over which a dump never came.
    rm -rf "$ROOT/var/dumps"
    dd if=/dev/zero of="$ROOT/dev/vdb" bs=4096 count=1 conv=notrunc status=none
    printf k | dd of="$ROOT/dev/vdb" bs=1 seek=$((15 * 1048576)) conv=notrunc status=none
    recover
    assert_output --partial ": the kernel's log alone"
    same "$(cd "$ROOT"/var/dumps/* && echo *)" "README.txt vmcore-dmesg.txt"
}

@test "raw: what broke off is taken as far as it goes, and a log without a dump" {
    each_shell raw_recovered_in_part
}

# Neither the filters nor vmcore's own reading: a plain copy is taken like any dump.
raw_plain() {
    machine < <(facts raw /dev/vdb)
    truncate -s 16M "$ROOT/dev/vdb"
    mkdir "$ROOT/sys/class/block/vdb"
    echo 32768 >"$ROOT/sys/class/block/vdb/size"
    tool vmcore "[ \$1 = save ] || exec $VMCORE \"\$@\"
echo 'vmcore: a bad page' >&2; exit 1"
    capture
    says "done: the dump, raw, on raw /dev/vdb"
    recover
    assert_output --partial ": the dump, from /dev/vdb"
    cmp "$ROOT/proc/vmcore" "$ROOT"/var/dumps/saturn-*/vmcore
}

@test "raw: a plain copy, where nothing else could be made, is taken too" {
    each_shell raw_plain
}

# Behind what broke off lies the dump of an earlier crash, with the same headers.
raw_broken_off_before_another() {
    machine < <(facts raw /dev/vdb)
    truncate -s 8M "$ROOT/dev/vdb"
    mkdir "$ROOT/sys/class/block/vdb"
    echo 16384 >"$ROOT/sys/class/block/vdb/size"
    capture
    recover
    assert_output --partial ": the dump, from /dev/vdb"
    rm -rf "$ROOT/run/kdump" "$ROOT/var/dumps"
    echo 0 >"$ROOT/proc/sys/kernel/panic"
    "$UNIT/make-vmcore" --seed 2 "$ROOT/proc/vmcore"
    tool vmcore "[ \$1 = save ] || exec $VMCORE \"\$@\"
$VMCORE \"\$@\" 2>/dev/null | head -c 50000; echo 'vmcore: a bad page' >&2; exit 1"
    capture
    says "(filtered) failed: a bad page" "(plain) failed: a bad page"
    recover
    assert_output --partial ": a part of the dump, from /dev/vdb"
    refute_output --partial ": the dump, from /dev/vdb"
}

@test "raw: what broke off does not go on with an earlier crash's dump" {
    each_shell raw_broken_off_before_another
}

raw_not_recovered() {
    machine < <(facts raw /dev/vdb)
    truncate -s 16M "$ROOT/dev/vdb"
    mkdir "$ROOT/sys/class/block/vdb"
    echo 32768 >"$ROOT/sys/class/block/vdb/size"
    # Nothing there.
    recover
    assert_output ""
    # Nowhere to take it to.
    capture
    : >"$ROOT/var"
    cp "$ROOT/dev/vdb" "$WORLD/before"
    recover
    [[ $stderr == *"keeps the dump that is on it"* ]] || fail "$stderr"
    cmp "$ROOT/dev/vdb" "$WORLD/before"
    # vmcore cannot.
    rm "$ROOT/var"
    tool vmcore "[ \$1 != rebuild ] || { echo 'vmcore: no room' >&2; exit 1; }; exec $VMCORE \"\$@\""
    recover
    [[ $stderr == *"no room"*"keeps the dump that is on it (above); until a start takes it, no other is written there"* ]] || fail "$stderr"
    assert [ -z "$(ls -A "$ROOT/var/dumps")" ]
    cmp "$ROOT/dev/vdb" "$WORLD/before"
    # Nor does the next crash take it away; then it is there in whole.
    rm -rf "$ROOT/run/kdump"
    echo 0 >"$ROOT/proc/sys/kernel/panic"
    printf '%s\n' targets=2 target2_kind=fs target2_source=UUID=1234 >>"$ROOT/etc/kdump.facts"
    capture
    says "holds the dump of an earlier crash" "done: the dump, filtered, on fs UUID=1234"
    cmp "$ROOT/dev/vdb" "$WORLD/before"
    rm "$TOOLS/vmcore"
    ln -s "$VMCORE" "$TOOLS/vmcore"
    recover
    assert_output --partial ": the dump, from /dev/vdb"
}

@test "raw: what cannot be taken stays where it is" {
    each_shell raw_not_recovered
}

raw_interrupted() {
    machine < <(facts raw /dev/vdb)
    truncate -s 16M "$ROOT/dev/vdb"
    mkdir "$ROOT/sys/class/block/vdb"
    echo 32768 >"$ROOT/sys/class/block/vdb/size"
    capture
    # The power goes while the dump is taken.
    tool vmcore "[ \$1 = rebuild ] || exec $VMCORE \"\$@\"
for to; do :; done; head -c 100000 /dev/zero >\"\$to\"; kill -KILL \$PPID"
    recover 137
    # What is there has no dump's name, and the next start begins again.
    assert [ -s "$ROOT"/var/dumps/.kdump-recovering/vmcore-incomplete ]
    assert [ -z "$(ls "$ROOT/var/dumps")" ]
    rm "$TOOLS/vmcore"
    ln -s "$VMCORE" "$TOOLS/vmcore"
    recover
    assert_output --partial ": the dump, from /dev/vdb"
    local dirs=("$ROOT"/var/dumps/*)
    assert_equal ${#dirs[@]} 1
    assert [ ! -e "$ROOT/var/dumps/.kdump-recovering" ]
    ok "$UNIT/compare-dump" "$ROOT/proc/vmcore" "${dirs[0]}/vmcore"
}

@test "raw: a start that was interrupted is gone through again" {
    each_shell raw_interrupted
}

raw_is_nothing() {
    machine < <(facts raw /dev/vdb)
    truncate -s 16M "$ROOT/dev/vdb"
    mkdir "$ROOT/sys/class/block/vdb"
    echo 32768 >"$ROOT/sys/class/block/vdb/size"
    mkdir "$ROOT/run/kdump"
    printf 'makedumpfile, and nothing of what follows it' | dd of="$ROOT/dev/vdb" conv=notrunc status=none
    recover
    [[ $stderr == *"begins as a dump does, but holds none that can be read"* ]] || fail "$stderr"
    # It is in nobody's way.
    rm -r "$ROOT/run/kdump"
    capture
    says "done: the dump, filtered, on raw /dev/vdb"
    recover
    assert_output --partial ": the dump, from /dev/vdb"
}

@test "raw: what only begins as a dump is said and given up" {
    each_shell raw_is_nothing
}

@test "raw: the dump at the start, the log at the end" {
    each_shell raw_disk
}

# No room for the whole: what fits is tried then.
ssh_own() {
    machine < <(facts ssh dump@mars "core_collector=cp --sparse=always" collector=command)
    ssh_server
    capture
    says "sending the dump (raw)" "done: the dump, raw, on ssh dump@mars"
    cmp "$ROOT/proc/vmcore" "$WORLD"/server/saturn-*/vmcore.flat
    rm -rf "$ROOT/run/kdump" "$WORLD/server"
    ssh_server "case \$command in *'df -P'*) printf 'Filesystem\n/dev/x 1 1 200 1%% /\n'; exit ;; esac"
    capture
    says "a plain copy needs" "sending the dump (plain)"
}

@test "ssh: a collector that names a file is no help; the memory is sent as it is" {
    each_shell ssh_own
}

raw_small() {
    machine < <(facts raw /dev/vdb)
    truncate -s 1M "$ROOT/dev/vdb"
    mkdir "$ROOT/sys/class/block/vdb"
    echo 2048 >"$ROOT/sys/class/block/vdb/size"
    capture
    says "too small for a dump"
}

@test "raw: a device that is too small is said and left alone" {
    each_shell raw_small
}

nfs_mount() {
    machine < <(facts nfs mars:/export target1_address=10.0.0.7 target1_options=soft \
        "net_link=eth7 52:54:00:12:34:56" "net_address=eth7 10.0.0.2/24" "net_address=eth7 fd00::2/64" \
        "net_route=eth7 default 10.0.0.1")
    mkdir -p "$ROOT/sys/class/net/enp1s0/device"
    echo 52:54:00:12:34:56 >"$ROOT/sys/class/net/enp1s0/address"
    mkdir -p "$ROOT/sys/class/net/eth7"
    echo 1 >"$ROOT/sys/class/net/eth7/carrier"
    tool ip 'deed ip "$@"'
    capture
    deeds "ip link set lo up
ip link set eth7 name eth7.old
ip link set enp1s0 down
ip link set enp1s0 name eth7
ip link set eth7 up
ip address replace 10.0.0.2/24 dev eth7
ip address replace fd00::2/64 dev eth7 nodad
ip route replace default via 10.0.0.1 dev eth7
mount -t nfs -o soft,addr=10.0.0.7,vers=4.2 10.0.0.7:/export /run/kdump/mnt.1
umount /run/kdump/mnt.1
reboot -f -f -n"
}

@test "network: the card by its address, under the name and with the addresses it had; NFS" {
    each_shell nfs_mount
}

# SOURCE | its address | whether mount.nfs is there | what is mounted
nfs_by_address() {
    local source address helper mounted
    while IFS='|' read -r source address helper mounted; do
        : >"$DEEDS"
        rm -rf "$ROOT" "$TOOLS" "$PLACE"
        mkdir "$PLACE"
        machine < <(facts nfs "$source" "target1_address=$address" "net_address=lo 10.0.0.2/24")
        tool ip ':'
        [ "$helper" = no ] || tool mount.nfs ':'
        capture
        same "$(grep ^mount "$DEEDS")" "mount -t nfs $mounted /run/kdump/mnt.1"
    done <<'TABLE'
mars:/export|10.0.0.7|yes|10.0.0.7:/export
mars:/export:/a|10.0.0.7|yes|10.0.0.7:/export:/a
mars:/export|fd00::7|yes|[fd00::7]:/export
mars:/export|fd00::7|no|-o addr=fd00::7,vers=4.2 [fd00::7]:/export
[fd00::7]:/export|fd00::7|no|-o addr=fd00::7,vers=4.2 [fd00::7]:/export
mars:/export||yes|mars:/export
TABLE
}

@test "NFS: the server by its address, whoever mounts" {
    each_shell nfs_by_address
}

no_card() {
    machine < <(facts nfs mars:/export "net_link=eth7 52:54:00:12:34:56" limit_network=1 \
        targets=2 target2_kind=fs target2_source=/dev/vdb target2_fstype=ext4 target2_path=/var/crash)
    tool ip 'deed ip "$@"'
    capture
    says "network: no interface has the address 52:54:00:12:34:56" "done: the dump, filtered, on fs /dev/vdb"
}

@test "network: without its card the disk gets the dump" {
    each_shell no_card
}

joined() {
    machine < <(facts nfs mars:/export target1_address=10.0.0.7 \
        "net_link=a 52:54:00:00:00:01" "net_link=b 52:54:00:00:00:02 9000" "net_bond=bond0 active-backup a b" \
        "net_vlan=bond0.5 bond0 5" "net_bridge=br0 bond0.5" "net_address=br0 10.0.0.2/24")
    local card
    for card in a b; do
        mkdir -p "$ROOT/sys/class/net/$card/device"
        echo 1 >"$ROOT/sys/class/net/$card/carrier"
    done
    echo 52:54:00:00:00:01 >"$ROOT/sys/class/net/a/address"
    echo 52:54:00:00:00:02 >"$ROOT/sys/class/net/b/address"
    tool ip 'deed ip "$@"'
    capture
    same "$(grep -v mount "$DEEDS")" "ip link set lo up
ip link set a up
ip link set b mtu 9000
ip link set b up
ip link add bond0 type bond mode active-backup miimon 100
ip link set a down
ip link set a master bond0
ip link set a up
ip link set b down
ip link set b master bond0
ip link set b up
ip link set bond0 up
ip link add link bond0 name bond0.5 type vlan id 5
ip link set bond0.5 up
ip link add br0 type bridge
ip link set bond0.5 down
ip link set bond0.5 master br0
ip link set bond0.5 up
ip link set br0 up
ip address replace 10.0.0.2/24 dev br0
reboot -f -f -n"
}

@test "network: bond, VLAN and bridge are put together again" {
    each_shell joined
}

# fact_of KEY: as the capture reads it.
fact_of() {
    run $SH -c '. "$1"; facts=$2; fact "$3" default; printf "%s|%s" "$?" "$fact"' sh "$CAPTURE/facts.sh" "$WORLD/facts" "$1"
}

plain_data() {
    printf '%s\n' 'a=$(touch /tmp/owned)' 'b=`id`' "c='q' \"d\" \\ ; & = #" 'd=' 'a.b=dot' 'e=first' 'e=last' >"$WORLD/facts"
    printf 'f=no newline' >>"$WORLD/facts"
    fact_of a
    assert_output '0|$(touch /tmp/owned)'
    fact_of b
    assert_output '0|`id`'
    fact_of c
    assert_output "0|'q' \"d\" \\ ; & = #"
    fact_of d
    assert_output '0|'
    fact_of e
    assert_output '0|last'
    fact_of f
    assert_output '0|no newline'
    fact_of g
    assert_output '1|default'
    fact_of 'a.'
    assert_output '1|default'
}

@test "facts: whatever a value holds, it is only read" {
    each_shell plain_data
}

# attached KIND ATTACH LINE...: a disk of another machine, and one of this one after it.
attached() {
    local attach=$1
    shift
    rm -rf "${WORLD:?}"
    mkdir -p "$PLACE"
    machine < <(facts fs UUID=1234 "target1_attach=$attach" limit_network=1 target1_fstype=ext4 \
        targets=2 target2_kind=fs target2_source=/dev/vdb target2_fstype=ext4 target2_path=/var/crash "$@")
    tool ip ':'
}

ISCSI="iscsi 10.0.0.7 3260 iqn.a:dumps 1 iqn.a:saturn"
# As iscsistart 2.1.13 says it: before what went wrong, after it, and at last.
ISCSISTART="echo iscsistart: version 2.1.13; echo iscsistart: Logging into iqn.a:dumps 10.0.0.7:3260,1"

iscsi_whole() {
    attached "$ISCSI" limit_lost=33
    printf '%s\n' "iqn.a:dumps username me" "iqn.a:other password no" "iqn.a:dumps password it's  a \$(touch $WORLD/x) " >"$ROOT/etc/kdump.secrets"
    tool iscsistart "printf '<%s>' \"\$@\" >$WORLD/asked"
    capture
    says "reached iqn.a:dumps at 10.0.0.7" "done: the dump, filtered, on fs UUID=1234"
    same "$(cat "$WORLD/asked")" "<-a><10.0.0.7><-p><3260><-t><iqn.a:dumps><-g><1><-i><iqn.a:saturn><-P><node.session.initial_login_retry_max=1><-P><node.session.timeo.replacement_timeout=1><-P><node.conn[0].timeo.noop_out_interval=5><-P><node.conn[0].timeo.noop_out_timeout=33><-u><me><-w><it's  a \$(touch $WORLD/x) >"
    assert [ ! -e "$WORLD/x" ]
}

@test "iSCSI: logged in as before the crash, with the account's password as it is" {
    each_shell iscsi_whole
}

iscsi_says() { # TEXT OF ISCSISTART
    tool iscsistart "$ISCSISTART; $1 echo once >>$WORLD/times; exit 1"
    capture
}

iscsi_refused() {
    local line
    for line in "connection2:0 login rejected: initiator error - target not found (02/03)" \
        "session 3 login rejected: Initiator failed authentication with target"; do
        attached "$ISCSI"
        iscsi_says "echo 'iscsistart: $line'; echo 'iscsistart: initiator reported error (19 - encountered)';"
        says "cannot reach iqn.a:dumps at 10.0.0.7: ${line#*rejected: }" "done: the dump, filtered, on fs /dev/vdb"
        assert_equal "$(wc -l <"$WORLD/times")" 1
    done
}

@test "iSCSI: a server that refuses ends it at once; the next target has the dump" {
    each_shell iscsi_refused
}

iscsi_later() {
    attached "$ISCSI"
    tool sleep 'case $1 in 5) : ;; *) exec /bin/sleep "$1" ;; esac'
    tool iscsistart "echo once >>$WORLD/times
[ \$(wc -l <$WORLD/times) -lt 3 ] || exit 0
echo 'iscsistart: connect to 10.0.0.7:3260 failed (Connection refused)'; echo 'iscsistart: initiator reported error (8 - connection timed out)'; exit 1"
    capture
    says "iqn.a:dumps at 10.0.0.7: Connection refused; trying again" "done: the dump, filtered, on fs UUID=1234"
    assert_equal "$(wc -l <"$WORLD/times")" 3
}

@test "iSCSI: a server that is not up yet is tried again" {
    each_shell iscsi_later
}

iscsi_silent() {
    attached "$ISCSI" limit_connect=1
    tool iscsistart 'exec /bin/sleep 100'
    capture
    says "cannot reach iqn.a:dumps at 10.0.0.7: no answer" "done: the dump, filtered, on fs /dev/vdb"
}

@test "iSCSI: a server that does not answer is left; a session that is there is used" {
    each_shell iscsi_silent
    iscsi_there() {
        attached "$ISCSI"
        iscsi_says "echo 'iscsistart: initiator reported error (15 - session exists)';"
        says "reached iqn.a:dumps" "done: the dump, filtered, on fs UUID=1234"
    }
    each_shell iscsi_there
}

NVME="nvme 10.0.0.7 4420 nqn.a:dumps nqn.a:saturn 3f2a8f3e-2b6a-4a54-9d0e-7f6c8f2a1f2e"

nvme_whole() {
    attached "$NVME" limit_connect=3 "target1_attach=nvme fd00::7 4420 nqn.a:dumps nqn.a:saturn 3f2a8f3e-2b6a-4a54-9d0e-7f6c8f2a1f2e"
    : >"$ROOT/dev/nvme-fabrics"
    # A second path that nobody answers on.
    tool dd "case \$(cat $ROOT/run/kdump/attach),\$* in
*traddr=fd00*) echo \"dd: error writing '/dev/nvme-fabrics': Connection timed out\" >&2; echo '0+1 records in' >&2; exit 1 ;;
*) exec /bin/dd \"\$@\" ;;
esac"
    tool sleep 'case $1 in 5) exec /bin/sleep 1 ;; *) exec /bin/sleep "$1" ;; esac'
    capture
    says "reached nqn.a:dumps at 10.0.0.7" "nqn.a:dumps at fd00::7: Connection timed out" "done: the dump, filtered, on fs UUID=1234"
    same "$(cat "$ROOT/dev/nvme-fabrics")" "transport=tcp,traddr=10.0.0.7,trsvcid=4420,nqn=nqn.a:dumps,hostnqn=nqn.a:saturn,hostid=3f2a8f3e-2b6a-4a54-9d0e-7f6c8f2a1f2e,reconnect_delay=5,ctrl_loss_tmo=60"
}

@test "NVMe over TCP: the kernel is told in a line; of two paths one will do" {
    each_shell nvme_whole
}

nvme_refused() {
    attached "$NVME"
    : >"$ROOT/dev/nvme-fabrics"
    tool dmesg 'echo "[    5.843571] nvme nvme0: Connect for subsystem nqn.a:dumps is not allowed, hostnqn: nqn.a:saturn"
echo "[    5.847923] nvme nvme0: failed to connect queue: 0 ret=16772"'
    tool dd 'echo "dd: error writing ./dev/nvme-fabrics.: Input/output error" >&2; exit 1'
    capture
    says "cannot reach nqn.a:dumps at 10.0.0.7: Connect for subsystem nqn.a:dumps is not allowed" "done: the dump, filtered, on fs /dev/vdb"
    attached "$NVME"
    capture
    says "cannot reach nqn.a:dumps at 10.0.0.7: this kernel has no NVMe over a network" "done: the dump, filtered, on fs /dev/vdb"
    attached "nvme 10.0.0.7"
    capture
    says "the facts say too little of a disk to be reached: nvme 10.0.0.7" "done: the dump, filtered, on fs /dev/vdb"
    assert [ ! -e "$ROOT/dev/nvme-fabrics" ]
}

@test "NVMe over TCP: a server that refuses, and a kernel that has none of it" {
    each_shell nvme_refused
}

root_attached() {
    machine < <(facts fs UUID=5678 limit_device=1 failure_action=dump_to_rootfs "root_attach=$ISCSI" root_source=UUID=1234 root_fstype=ext4)
    sed -i 's/^failure_action=halt/failure_action=dump_to_rootfs/' "$ROOT/etc/kdump.facts"
    tool ip ':'
    tool iscsistart ':'
    capture
    says "reached iqn.a:dumps at 10.0.0.7" "done: the dump, filtered, on the root file system"
}

@test "a root file system on another machine's disk: dump_to_rootfs reaches it" {
    each_shell root_attached
}

# What ssh -G and getent say of each | what becomes facts
@test "machine-facts: servers by their address, ssh's under the name that known_hosts has, and the cluster's nodes" {
    local ROOT=$BATS_TEST_TMPDIR/root source said expected shell
    mkdir -p "$BATS_TEST_TMPDIR/bin" "$ROOT/usr/libexec/fence-agents"
    cat >"$BATS_TEST_TMPDIR/bin/getent" <<'TEXT'
#!/bin/sh
case $2 in
mars | real.example) echo "10.0.0.7 STREAM $2" ;;
jupiter) echo "fd00::8 STREAM jupiter" ;;
*) exit 2 ;;
esac
TEXT
    printf '#!/bin/sh\nexit 2\n' >"$BATS_TEST_TMPDIR/bin/ip"
    chmod 755 "$BATS_TEST_TMPDIR"/bin/*
    facts_of() { # SHELL LINE...
        printf '%s\n' "${@:2}" >"$BATS_TEST_TMPDIR/facts"
        run --separate-stderr env PATH="$BATS_TEST_TMPDIR/bin:$PATH" KDUMP_ROOT="$ROOT" $1 "$TOP/dracut/machine-facts" "$BATS_TEST_TMPDIR/facts"
        assert_success
    }
    for shell in dash "bash --posix" "busybox sh"; do
        while IFS='|' read -r source said expected; do
            printf '#!/bin/sh\nprintf "%%b" "%s"\n' "$said" >"$BATS_TEST_TMPDIR/bin/ssh"
            chmod 755 "$BATS_TEST_TMPDIR/bin/ssh"
            facts_of "$shell" targets=1 target1_kind=ssh "target1_source=$source"
            same "${output//$'\n'/ }" "$expected"
        done <<'TABLE'
a@mars|hostname mars\nport 22\n|target1_alias=mars target1_address=10.0.0.7
a@Mars|hostname mars\nport 2222\n|target1_port=2222 target1_alias=[mars]:2222 target1_address=10.0.0.7
a@dumps|host dumps\nhostname real.example\nport 22\n|target1_alias=real.example target1_address=10.0.0.7
a@dumps|hostname real.example\nhostkeyalias known\nport 2222\n|target1_port=2222 target1_alias=known target1_address=10.0.0.7
TABLE
        facts_of "$shell" targets=0 "fence_kdump_nodes=mars venus 10.0.0.9 jupiter"
        same "$output" "fence_kdump_nodes=10.0.0.7 10.0.0.9 fd00::8"
        [[ $stderr == *"fence_kdump_nodes: venus has no address; it will not be told of a dump"* ]]
        [[ $stderr == *"fence_kdump_send is not on this system"* ]]
        printf '#!/bin/sh\n' >"$ROOT/usr/libexec/fence-agents/fence_kdump_send"
        chmod 755 "$ROOT/usr/libexec/fence-agents/fence_kdump_send"
        facts_of "$shell" targets=0 fence_kdump_nodes=mars
        same "$output" "fence_kdump_nodes=10.0.0.7
fence_send=/usr/libexec/fence-agents/fence_kdump_send"
        rm "$ROOT/usr/libexec/fence-agents/fence_kdump_send"
    done
}

@test "machine-facts and machine-drivers: the way to disks that another machine serves" {
    local dir=$BATS_TEST_TMPDIR
    mkdir -p "$dir/bin" "$dir/root/sys/class/net/eth0/device"
    echo 52:54:00:12:34:56 >"$dir/root/sys/class/net/eth0/address"
    echo 1500 >"$dir/root/sys/class/net/eth0/mtu"
    cat >"$dir/bin/ip" <<'TEXT'
#!/bin/sh
case $* in
*"route get 10.0.0."[78]) echo "$5 via 192.168.1.1 dev eth0 src 192.168.1.2" ;;
*"route get 10.9.0.7") echo "10.9.0.7 via 192.168.1.9 dev eth0 src 192.168.1.2" ;;
*"route get fd00::7") echo "fd00::7 dev eth0 src fd00::2" ;;
*address*) echo "2: eth0    inet 192.168.1.2/24 scope global eth0" ;;
esac
TEXT
    chmod 755 "$dir/bin/ip"
    printf '%s\n' targets=1 target1_kind=fs "target1_attach=$ISCSI" "root_attach=nvme fd00::7 4420 a b c" >"$dir/facts"
    PATH=$dir/bin:$PATH KDUMP_ROOT=$dir/root run -0 "$TOP/dracut/machine-facts" "$dir/facts"
    assert_output "net_link=eth0 52:54:00:12:34:56
net_address=eth0 192.168.1.2/24
net_route=eth0 default 192.168.1.1"
    # A second gateway is not to take the first one's place.
    printf '%s\n' targets=0 "fence_kdump_nodes=10.0.0.7 10.9.0.7 10.0.0.8" >"$dir/more"
    PATH=$dir/bin:$PATH KDUMP_ROOT=$dir/root run -0 --separate-stderr "$TOP/dracut/machine-facts" "$dir/more"
    same "$(grep ^net_route <<<"$output")" "net_route=eth0 default 192.168.1.1
net_route=eth0 10.9.0.7 192.168.1.9"
    KDUMP_ROOT=$dir/root run -0 "$TOP/dracut/machine-drivers" "$dir/facts"
    assert_output "crc32c
crypto-crc32c
iscsi_tcp
nvme_tcp
sd_mod"
}

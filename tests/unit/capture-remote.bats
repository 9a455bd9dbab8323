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

ssh_late() {
    machine < <(facts ssh dump@mars)
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
    tool vmcore "case \"\$*\" in *'-d 31'*) echo part; echo 'vmcore: a bad page' >&2; exit 1 ;; esac; exec $VMCORE \"\$@\""
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

# recover: the start after it, on the world that the capture left.
recover() {
    : >"$ROOT/proc/sys/kernel/hostname"
    rm -rf "$WORLD/err"
    run --separate-stderr env -i PATH="$TOOLS:/usr/bin:/bin" KDUMP_ROOT="$ROOT" ${SH/#busybox/$(command -v busybox)} -uc '
        lib=$1 target_kind=raw target_device=/dev/vdb conf_path=/var/dumps
        . "$lib/say.sh"; . "$lib/words.sh"; . "$lib/image.sh"; . "$lib/recover.sh"
        recover_raw 1' sh "$TOP/kdumpctl/lib"
    assert_success
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
    local dirs=("$ROOT"/var/dumps/*) taken
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
    tool vmcore 'echo "vmcore: no room" >&2; exit 1'
    recover
    [[ $stderr == *"no room"*"keeps the dump that is on it, until the next crash overwrites it"* ]] || fail "$stderr"
    assert [ -z "$(ls "$ROOT/var/dumps")" ]
    cmp "$ROOT/dev/vdb" "$WORLD/before"
}

@test "raw: what cannot be taken stays where it is" {
    each_shell raw_not_recovered
}

@test "raw: the dump at the start, the log at the end" {
    each_shell raw_disk
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

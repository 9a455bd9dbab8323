#!/usr/bin/env bats
# The capture on the real thing: a panic on CPU 1, and in the one capture
# kernel after it a row of captures, to each kind of target and into each kind
# of fault; then the capture proper, whose end is that the machine is off.
# It wants servers on this machine (sshd, nfs-ganesha with its VFS) and is
# skipped where they are not installed.

load machine

SERVER=mars

# A file system server and a login server on this machine, for as long as the
# guest runs; it reaches them as 10.0.2.2.
servers() {
    local dir=$BATS_FILE_TMPDIR/server
    mkdir -p "$dir/export" "$dir/logins" /run/sshd
    SSH_PORT=$((20000 + RANDOM % 10000)) NFS_PORT=$((30000 + RANDOM % 10000))
    ssh-keygen -q -t ed25519 -N '' -f "$dir/host"
    local key
    for key in key key-drops key-wrong; do
        ssh-keygen -q -t ed25519 -N '' -f "$dir/$key"
    done
    {
        cat "$dir/key.pub"
        # The dump breaks off half-way, and so does the connection.
        printf 'command="%s/drops" ' "$dir"
        cat "$dir/key-drops.pub"
    } >"$dir/authorized"
    cat >"$dir/drops" <<TEXT
#!/bin/sh
case \$SSH_ORIGINAL_COMMAND in
*cat*vmcore.flat*)
    umask 077
    cd $dir/logins/ssh-drops/saturn-* && head -c 2000000 >vmcore.flat-incomplete
    kill -9 \$PPID
    ;;
*) eval "\$SSH_ORIGINAL_COMMAND" ;;
esac
TEXT
    chmod 755 "$dir/drops"
    cat >"$dir/sshd.conf" <<TEXT
Port $SSH_PORT
ListenAddress 127.0.0.1
HostKey $dir/host
AuthorizedKeysFile $dir/authorized
PidFile $dir/sshd.pid
PermitRootLogin prohibit-password
PasswordAuthentication no
StrictModes no
UsePAM no
TEXT
    /usr/sbin/sshd -f "$dir/sshd.conf" -E "$dir/sshd.log" 3>&-
    cat >"$dir/nfs.conf" <<TEXT
NFS_CORE_PARAM { NFS_Port = $NFS_PORT; Protocols = 4; Enable_NLM = false; Enable_RQUOTA = false; Bind_addr = 127.0.0.1; }
NFSv4 { Graceless = true; RecoveryRoot = $dir; }
EXPORT { Export_Id = 1; Path = $dir/export; Pseudo = /export; Access_Type = RW; Squash = No_Root_Squash;
    SecType = sys; Protocols = 4; PrivilegedPort = false; FSAL { Name = VFS; } }
TEXT
    ganesha.nfsd -f "$dir/nfs.conf" -L "$dir/nfs.log" -p "$dir/nfs.pid" -N EVENT 3>&-
}

# The capture's initramfs: busybox, the scripts, ssh with its libraries, and
# the modules that lead to all the targets.
capture_initramfs() { # OUT
    local tree=$BATS_FILE_TMPDIR/tree dir=$BATS_FILE_TMPDIR/server root library
    root=$(lab path debian)
    mkdir -p "$tree/etc" "$tree/usr/lib/kdump" "$tree/root/.ssh" "$tree/usr/bin"
    cp -r "$TOP/dracut/capture" "$tree/usr/lib/kdump/capture"
    cp "$TOP/dracut/small/init" "$tree/init"
    cp "$TOP/tests/machine/jobs/capture.rows" "$tree/rows"
    chmod 755 "$tree/rows"
    printf '%s\n' "server=$SERVER" "server_dir=$dir/logins" "ssh_port=$SSH_PORT" "nfs_port=$NFS_PORT" >"$tree/rows.conf"
    printf '%s\n' facts=1 host=saturn "core_collector=vmcore save -d 31" failure_action=reboot final_action=poweroff \
        kdump_pre=/rows limit_hook=600 limit_unmount=10 targets=1 target1_kind=fs target1_source=LABEL=loongdump \
        target1_fstype=ext4 target1_path=/var/crash >"$tree/etc/kdump.facts"
    cp "$root/usr/bin/ssh" "$tree/usr/bin/"
    for library in $(lab enter loongarch64-linux-gnu-objdump -p "$root/usr/bin/ssh" | sed -n 's/.*NEEDED *//p') ld-linux-loongarch-lp64d.so.1; do
        libraries "$root" "$library" "$tree"
    done
    for key in key key-drops key-wrong; do
        install -m 600 "$dir/$key" "$tree/$key"
    done
    printf 'root:x:0:0::/root:/bin/sh\n' >"$tree/etc/passwd"
    printf '[%s]:%s %s\n' "$SERVER" "$SSH_PORT" "$(cat "$dir/host.pub")" >"$tree/root/.ssh/known_hosts"
    # What stands there for the other name is somebody else's key.
    printf '[other]:%s %s\n' "$SSH_PORT" "$(cat "$dir/key.pub")" >>"$tree/root/.ssh/known_hosts"
    LAB_MODULES="virtio_blk virtio_net ext4 xfs nfs nfsv4 crc32c-cryptoapi" lab initramfs "$1" "$tree"
}

# libraries ROOT NAME TREE: a library and what it needs.
libraries() {
    local found next
    found=$(find "$1/usr/lib" -name "$2" | head -n 1)
    [ -n "$found" ] || fail "no library $2"
    mkdir -p "$3/usr/lib/loongarch64-linux-gnu" "$3/lib64"
    case $2 in
    ld-*) cp -L "$found" "$3/lib64/" ;;
    *)
        [ ! -e "$3/usr/lib/loongarch64-linux-gnu/$2" ] || return 0
        cp -L "$found" "$3/usr/lib/loongarch64-linux-gnu/$2"
        for next in $(lab enter loongarch64-linux-gnu-objdump -p "$found" | sed -n 's/.*NEEDED *//p'); do
            libraries "$1" "$next" "$3"
        done
        ;;
    esac
}

have_servers() {
    command -v /usr/sbin/sshd >/dev/null && command -v ganesha.nfsd >/dev/null
}

setup_file() {
    have_servers || return 0
    local dir=$BATS_FILE_TMPDIR disk
    servers
    mkdir -p "$dir/empty"
    guest_disk "$dir/disk" capture
    capture_initramfs "$dir/disk/initrd-capture"
    lab debian --changes "$dir/xfs" sh -c 'truncate -s 400M /xfs.img && mkfs.xfs -q /xfs.img'
    mv "$dir/xfs/xfs.img" "$dir/b.img"
    truncate -s 400M "$dir/c.img"
    for disk in d e f g; do
        lab disk "$dir/$disk.img" 200M "$dir/empty"
        tune2fs -L "disk-$disk" "$dir/$disk.img" >/dev/null
    done
    dd if=/dev/zero of="$dir/f.img" bs=1M count=40 conv=notrunc status=none
    local -a disks=()
    for disk in b c d e f g; do
        disks+=(-drive "file=$dir/$disk.img,format=raw,if=none,id=x$disk,cache=unsafe$([ "$disk" != e ] || echo ,readonly=on)"
            -device "virtio-blk-pci,drive=x$disk")
    done
    guest_run capture 1G "crashkernel=448M" 600 --mem 1G -- "${disks[@]}" \
        -netdev user,id=n0 -device virtio-net-pci,netdev=n0
}

teardown_file() {
    local file
    for file in sshd nfs; do
        [ ! -s "$BATS_FILE_TMPDIR/server/$file.pid" ] || kill "$(cat "$BATS_FILE_TMPDIR/server/$file.pid")"
    done
}

setup() {
    have_servers || skip "sshd or ganesha.nfsd is not installed here"
    GUEST=$BATS_FILE_TMPDIR/capture
    LOG=$BATS_FILE_TMPDIR/capture.log
    SERVED=$BATS_FILE_TMPDIR/server
}

# row NAME STATUS TEXT...: how it ended and what it said.
row() {
    local name=$1 expected=$2 text
    shift 2
    output=$(cat "$GUEST/out/$name.out") || fail "the guest never got to row $name"
    assert_equal "$(cat "$GUEST/out/$name.status")" "$expected"
    for text in "$@"; do
        [[ $output == *"$text"* ]] || fail "it does not say '$text': $output"
    done
}

# left DIR FILES: what is in the one dump there.
left() {
    local dirs=("$1"/saturn-*)
    [ ${#dirs[@]} -eq 1 ] || fail "not one dump: ${dirs[*]}"
    same "$(cd "${dirs[0]}" && echo *)" "$2"
    DUMP=${dirs[0]}
}

WHOLE="README.txt kexec-dmesg.log vmcore vmcore-dmesg.txt"

# whole FILE: every byte of it is as it should be.
whole() {
    run --separate-stderr "$VMCORE" check "$1"
    assert_success
}

@test "ext4: the dump, and crash opens it: the panic was on CPU 1" {
    row ext4 0 "done: the dump, filtered, on fs LABEL=loongdump"
    left "$GUEST/ext4" "$WHOLE"
    whole "$DUMP/vmcore"
    run crash_says "$DUMP/vmcore" bt
    assert_success
    assert_line --regexp "sysrq_handle_crash"
    assert_line --regexp "CPU: 1 "
    grep -q "Kernel panic - not syncing: sysrq triggered crash" "$DUMP/vmcore-dmesg.txt"
    grep -q "^To open it: *crash .* vmcore$" "$DUMP/README.txt"
}

@test "xfs" {
    row xfs 0
    left "$GUEST/xfs" "$WHOLE"
    whole "$DUMP/vmcore"
}

@test "raw: rebuilt from the partition, whole" {
    row raw 0
    ok "$VMCORE" rebuild "$BATS_FILE_TMPDIR/c.img" "$BATS_TEST_TMPDIR/vmcore"
    whole "$BATS_TEST_TMPDIR/vmcore"
}

@test "NFS: a real server" {
    row nfs 0
    left "$SERVED/export/nfs" "$WHOLE"
    whole "$DUMP/vmcore"
}

@test "ssh: a real OpenSSH on both ends" {
    row ssh 0
    left "$SERVED/logins/ssh" "README.txt kexec-dmesg.log vmcore-dmesg.txt vmcore.flat"
    whole "$DUMP/vmcore.flat"
}

# partial FILE: not whole, but readable.
partial() {
    run --separate-stderr "$VMCORE" info "$1"
    assert_equal "$status" 3
}

@test "a full disk, 0 %: said, and over in a moment" {
    row full-0 1 "No space left on device" "saved nothing"
}

@test "a full disk, 50 % of the dump: the log, and what fits can be read" {
    row full-50 2 "it would be larger than" "saved a part of the dump"
    left "$GUEST/full-50" "README.txt kexec-dmesg.log vmcore-dmesg.txt vmcore-incomplete"
    partial "$DUMP/vmcore-incomplete"
    grep -q "sysrq triggered crash" "$DUMP/vmcore-dmesg.txt"
}

@test "a full disk, 99 % of the dump" {
    row full-99 2 "it would be larger than"
    left "$GUEST/full-99" "README.txt kexec-dmesg.log vmcore-dmesg.txt vmcore-incomplete"
    partial "$DUMP/vmcore-incomplete"
}

@test "a disk that somebody else fills meanwhile: the same" {
    row filled 2 "No space left on device"
    partial "$(echo "$GUEST"/filled/saturn-*/vmcore-incomplete)"
}

@test "a disk that cannot be written: said, and over in a moment" {
    row read-only 1 "Read-only file system" "saved nothing"
}

@test "a broken file system: said, and the second target has the dump" {
    row corrupted 0 "cannot mount" "done: the dump, filtered, on fs LABEL=loongdump"
    left "$GUEST/corrupted" "$WHOLE"
}

@test "ssh with a key the server does not know, and with a server that is another" {
    row ssh-key 1 "Permission denied"
    row ssh-host 1 "Host key verification failed"
}

@test "ssh that drops half-way: the log is there, and it is not called a dump" {
    row ssh-drops 2 "sending the dump (filtered) failed" "what arrived of the dump"
    left "$SERVED/logins/ssh-drops" "README.txt kexec-dmesg.log vmcore-dmesg.txt vmcore.flat-incomplete"
}

@test "vmcore is killed: the dump is made another way" {
    row killed 0 "it was killed" "done: the dump, plain"
    left "$GUEST/killed" "$WHOLE"
    whole "$DUMP/vmcore"
}

@test "the disk is pulled out: the second target has the dump" {
    row vanishes 0 "done: the dump, filtered, on fs LABEL=loongdump"
    left "$GUEST/vanishes" "$WHOLE"
    whole "$DUMP/vmcore"
}

@test "the network goes: what hangs is left behind, the second target has the dump" {
    row nfs-gone 0 "stood still and was stopped" "does not answer any more" "done: the dump, filtered, on fs LABEL=loongdump"
    left "$GUEST/nfs-gone" "$WHOLE"
    whole "$DUMP/vmcore"
}

@test "the capture proper: the dump, and an orderly end of the machine" {
    left "$GUEST/var/crash" "$WHOLE"
    whole "$DUMP/vmcore"
    grep -q "reboot: Power down" "$LOG"
    # No fault of the capture kernel ended it.
    run sed -n '/Starting crashdump kernel/,$p' "$LOG"
    refute_output --regexp "Kernel panic|kernel BUG"
}

@test "the table of faults" {
    local name began ended
    printf '# %-13s %-7s %8s  %s\n' row status seconds "what it said last" >&3
    for name in ext4 xfs raw nfs ssh full-0 full-50 full-99 filled read-only corrupted ssh-key ssh-host \
        ssh-drops killed vanishes nfs-gone; do
        read -r began ended <"$GUEST/out/$name.time"
        printf '# %-13s %-7s %8.1f  %s\n' "$name" "$(cat "$GUEST/out/$name.status")" \
            "$(echo "$ended $began" | awk '{ print $1 - $2 }')" "$(tail -n 1 "$GUEST/out/$name.out")" >&3
    done
}

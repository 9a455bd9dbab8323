#!/usr/bin/env bats
# The capture on the real thing: a panic on CPU 1, and in the one capture
# kernel after it a row of captures, to each kind of target and into each kind
# of fault; then the capture proper, whose end is that the machine is off.
# It wants servers on this machine (sshd, nfs-ganesha with its VFS, tgtd; virtiofsd is
# the lab's) and is skipped where they are not installed.

load machine

SERVER=mars

CHAP="between sun and moon"

# tgtd_start NAME PORT: a server of disks; server_of NAME ARG... tells it what.
tgtd_start() {
    local dir=$BATS_FILE_TMPDIR/server
    TGT_IPC_SOCKET=$dir/$1.socket tgtd -f --iscsi "portal=127.0.0.1:$2" >"$dir/$1.log" 2>&1 3>&- 4>&- &
    echo $! >"$dir/$1.pid"
    until server_of "$1" --op show --mode target >/dev/null 2>&1; do
        kill -0 "$(cat "$dir/$1.pid")" || fail "$(cat "$dir/$1.log")"
        sleep 0.1
    done
}

server_of() {
    TGT_IPC_SOCKET=$BATS_FILE_TMPDIR/server/$1.socket tgtadm --lld iscsi "${@:2}"
}

# served NAME NUMBER TARGET [IMAGE]: a target, with a disk.
served() {
    server_of "$1" --op new --mode target --tid "$2" --targetname "iqn.2026-11.example:$3"
    server_of "$1" --op bind --mode target --tid "$2" --initiator-address ALL
    [ $# -lt 4 ] || server_of "$1" --op new --mode logicalunit --tid "$2" --lun 1 --backing-store "$4"
}

# account NAME NUMBER: who wants in must have it.
account() {
    server_of "$1" --op new --mode account --user saturn --password "$CHAP"
    server_of "$1" --op bind --mode account --tid "$2" --user saturn
}

# Disks by iSCSI, from two servers, of which the second is killed as soon as something more
# than a log has been written there.
disk_servers() {
    local dir=$BATS_FILE_TMPDIR disk before
    mkdir -p "$dir/shelf"
    for disk in san-iscsi san-gone shelf/disk; do
        lab disk "$dir/$disk.img" 200M "$dir/empty"
        tune2fs -L "${disk#*/}" "$dir/$disk.img" >/dev/null
    done
    # Its label must not be seen on the disk below it.
    tune2fs -L san-nvme "$dir/shelf/disk.img" >/dev/null
    lab disk "$dir/shelf.img" 300M "$dir/shelf"
    tune2fs -L shelf "$dir/shelf.img" >/dev/null
    ISCSI_PORT=$((10000 + RANDOM % 5000)) GONE_PORT=$((15000 + RANDOM % 5000))
    tgtd_start san "$ISCSI_PORT"
    served san 1 dumps "$dir/san-iscsi.img"
    account san 1
    tgtd_start gone "$GONE_PORT"
    served gone 1 gone "$dir/san-gone.img"
    served gone 2 account
    account gone 2
    before=$(stat -c %b "$dir/san-gone.img")
    (
        until [ "$(stat -c %b "$dir/san-gone.img")" -gt $((before + 4096)) ]; do
            kill -0 "$(cat "$dir/server/gone.pid")" || exit
            sleep 0.1
        done
        kill -9 "$(cat "$dir/server/gone.pid")"
    ) >/dev/null 2>&1 3>&- 4>&- &
}

# A file system server and a login server on this machine, for as long as the
# guest runs; it reaches them as 10.0.2.2.
servers() {
    local dir=$BATS_FILE_TMPDIR/server
    mkdir -p "$dir/export" "$dir/logins" /run/sshd
    SSH_PORT=$((20000 + RANDOM % 5000)) SFTP_PORT=$((25000 + RANDOM % 5000)) NFS_PORT=$((30000 + RANDOM % 2500))
    ssh-keygen -q -t ed25519 -N '' -f "$dir/host"
    local key sftp_top
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
    # What a chroot lies in must be root's and nobody else's, all the way up.
    sftp_top=$(mktemp -d /run/loongdump.XXXXXX)
    echo "$sftp_top" >"$dir/sftp-top"
    chmod 755 "$sftp_top"
    cp "$dir/key.pub" "$sftp_top/authorized"
    install -d -m 700 -o nobody "$sftp_top/dumps"
    cat >"$dir/sshd.conf" <<TEXT
Port $SSH_PORT
Port $SFTP_PORT
ListenAddress 127.0.0.1
HostKey $dir/host
AuthorizedKeysFile $dir/authorized
PidFile $dir/sshd.pid
PermitRootLogin prohibit-password
PasswordAuthentication no
StrictModes no
UsePAM no
Subsystem sftp internal-sftp
Match LocalPort $SFTP_PORT
AuthorizedKeysFile $sftp_top/authorized
ChrootDirectory $sftp_top
ForceCommand internal-sftp
TEXT
    /usr/sbin/sshd -f "$dir/sshd.conf" -E "$dir/sshd.log" 3>&-
    cat >"$dir/nfs.conf" <<TEXT
NFS_CORE_PARAM { NFS_Port = $NFS_PORT; Protocols = 4; Enable_NLM = false; Enable_RQUOTA = false; Bind_addr = 127.0.0.1; }
NFSv4 { Graceless = true; RecoveryRoot = $dir; }
EXPORT { Export_Id = 1; Path = $dir/export; Pseudo = /export; Access_Type = RW; Squash = No_Root_Squash;
    SecType = sys; Protocols = 4; PrivilegedPort = false; FSAL { Name = VFS; } }
TEXT
    ganesha.nfsd -f "$dir/nfs.conf" -L "$dir/nfs.log" -p "$dir/nfs.pid" -N EVENT 3>&-
    mkdir -p "$dir/shared"
    lab storage virtiofsd --socket-path "$dir/virtiofs" --shared-dir "$dir/shared" --sandbox none \
        >"$dir/virtiofs.log" 2>&1 3>&- &
    echo $! >"$dir/virtiofs.pid"
    until [ -S "$dir/virtiofs" ]; do
        kill -0 $! || fail "$(cat "$dir/virtiofs.log")"
        sleep 0.1
    done
}

# The capture's initramfs: busybox, the scripts, ssh with its libraries, and
# the modules that lead to all the targets.
capture_initramfs() { # OUT
    local tree=$BATS_FILE_TMPDIR/tree dir=$BATS_FILE_TMPDIR/server root
    root=$(lab path debian)
    capture_tree "$tree" facts=1 host=saturn "core_collector=vmcore save -d 31" failure_action=reboot final_action=poweroff \
        kdump_pre=/rows limit_hook=900 limit_unmount=10 targets=1 target1_kind=fs target1_source=LABEL=loongdump \
        target1_fstype=ext4 target1_path=/var/crash
    mkdir -p "$tree/root/.ssh"
    cp "$TOP/tests/machine/jobs/capture.rows" "$tree/rows"
    chmod 755 "$tree/rows"
    printf '%s\n' "server=$SERVER" "server_dir=$dir/logins" "ssh_port=$SSH_PORT" "sftp_port=$SFTP_PORT" "nfs_port=$NFS_PORT" \
        "iscsi_port=$ISCSI_PORT" "gone_port=$GONE_PORT" "chap='$CHAP'" >"$tree/rows.conf"
    cp "$TOP/tests/machine/jobs/capture.served" "$tree/served"
    program "$(lab path storage)" usr/sbin/iscsistart "$tree"
    # For the first kernel, too.
    mkdir -p "$BATS_FILE_TMPDIR/disk/served"
    (cd "$tree" && cp -r served rows.conf usr lib64 "$BATS_FILE_TMPDIR/disk/served")
    cp -r "$TOP/kdumpctl" "$TOP/dracut" "$BATS_FILE_TMPDIR/disk/"
    program "$root" usr/bin/ssh "$tree"
    program "$(lab path storage)" usr/sbin/lvm "$tree"
    for key in key key-drops key-wrong; do
        install -m 600 "$dir/$key" "$tree/$key"
    done
    printf 'root:x:0:0::/root:/bin/sh\n' >"$tree/etc/passwd"
    printf '[%s]:%s %s\n' "$SERVER" "$SSH_PORT" "$(cat "$dir/host.pub")" "$SERVER" "$SFTP_PORT" "$(cat "$dir/host.pub")" \
        >"$tree/root/.ssh/known_hosts"
    # What stands there for the other name is somebody else's key.
    printf '[other]:%s %s\n' "$SSH_PORT" "$(cat "$dir/key.pub")" >>"$tree/root/.ssh/known_hosts"
    LAB_MODULES="virtio_blk virtio_net ext4 xfs btrfs f2fs dm-mod dm-thin-pool nfs nfsv4 crc32c-cryptoapi $SAN_MODULES" lab initramfs "$1" "$tree"
}

# program ROOT FILE TREE: with its libraries.
program() {
    local library
    mkdir -p "$3/${2%/*}"
    cp "$1/$2" "$3/$2"
    for library in $(lab enter loongarch64-linux-gnu-objdump -p "$1/$2" | sed -n 's/.*NEEDED *//p') ld-linux-loongarch-lp64d.so.1; do
        libraries "$1" "$library" "$3"
    done
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

SAN_MODULES="iscsi_tcp sd_mod nvme-tcp nvmet-tcp"

have_servers() {
    command -v /usr/sbin/sshd >/dev/null && command -v ganesha.nfsd >/dev/null && command -v tgtd >/dev/null
}

setup_file() {
    have_servers || return 0
    local dir=$BATS_FILE_TMPDIR disk
    servers
    mkdir -p "$dir/empty"
    disk_servers
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
    truncate -s 400M "$dir/h.img" "$dir/i.img" "$dir/j.img"
    lab storage mkfs.btrfs -q -U 5f000000-0000-0000-0000-0000000d00d5 "$dir/h.img"
    # Blocks of the kernel's pages, which f2fs-tools up to 1.16 cannot make.
    lab storage mkfs.f2fs -q -b 16384 -l dumps "$dir/i.img" >/dev/null 2>&1 && : >"$dir/f2fs-16k" ||
        lab storage mkfs.f2fs -q -l dumps "$dir/i.img"
    local -a disks=()
    for disk in b c d e f g h i j; do
        disks+=(-drive "file=$dir/$disk.img,format=raw,if=none,id=x$disk,cache=unsafe$([ "$disk" != e ] || echo ,readonly=on)"
            -device "virtio-blk-pci,drive=x$disk")
    done
    disks+=(-drive "file=$dir/shelf.img,format=raw,if=none,id=xk,cache=unsafe" -device virtio-blk-pci,drive=xk)
    LAB_MODULES="virtio_blk virtio_net ext4 $SAN_MODULES" guest_run capture 1G "crashkernel=448M" 1200 --mem 1G -- "${disks[@]}" \
        -netdev user,id=n0 -device virtio-net-pci,netdev=n0 \
        -object memory-backend-memfd,id=m0,size=1G,share=on -machine memory-backend=m0 \
        -chardev "socket,id=v0,path=$dir/server/virtiofs" -device vhost-user-fs-pci,chardev=v0,tag=dumps
}

teardown_file() {
    local file
    # Two that a polite signal does not end while they have targets; one is gone already.
    for file in san gone; do
        [ ! -s "$BATS_FILE_TMPDIR/server/$file.pid" ] || kill -9 "$(cat "$BATS_FILE_TMPDIR/server/$file.pid")" 2>/dev/null || true
    done
    for file in sshd nfs virtiofs; do
        # virtiofsd ends with QEMU.
        [ ! -s "$BATS_FILE_TMPDIR/server/$file.pid" ] || kill "$(cat "$BATS_FILE_TMPDIR/server/$file.pid")" ||
            [ "$file" = virtiofs ]
    done
    [ ! -s "$BATS_FILE_TMPDIR/server/sftp-top" ] || rm -rf "$(cat "$BATS_FILE_TMPDIR/server/sftp-top")"
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

@test "btrfs by its UUID" {
    row btrfs 0 "on fs UUID=5f000000-0000-0000-0000-0000000d00d5"
    left "$GUEST/btrfs" "$WHOLE"
    whole "$DUMP/vmcore"
}

@test "f2fs by its label: with blocks that are not the kernel's pages it is mounted by nobody, and that is said" {
    if [ ! -e "$BATS_FILE_TMPDIR/f2fs-16k" ]; then
        row f2fs 0 "cannot mount" "done: the dump, filtered, on fs LABEL=loongdump"
        return
    fi
    row f2fs 0 "on fs LABEL=dumps"
    left "$GUEST/f2fs" "$WHOLE"
    whole "$DUMP/vmcore"
}

@test "LVM: a logical volume that is not there yet, and a thin one" {
    cat "$GUEST/out/volumes.out" "$GUEST/out/lvm.out"
    same "$(cat "$GUEST/out/mapper.out")" control
    row lvm 0 "on fs LABEL=plain"
    left "$GUEST/lvm" "$WHOLE"
    whole "$DUMP/vmcore"
    row thin 0 "on fs LABEL=thin"
    left "$GUEST/thin" "$WHOLE"
    whole "$DUMP/vmcore"
}

@test "LVM: a thin pool that is nearly full: what fits can be read" {
    cat "$GUEST/out/thin-full.out"
    row thin-full 2 "the thin pool dumps/small has" "it would be larger than" "saved a part of the dump"
    left "$GUEST/thin-full" "README.txt kexec-dmesg.log vmcore-dmesg.txt vmcore-incomplete"
    partial "$DUMP/vmcore-incomplete"
}

@test "virtiofs: a real virtiofsd, whose directory was mounted when the kernel panicked" {
    row virtiofs 0 "done: the dump, filtered, on virtiofs dumps"
    assert [ -s "$SERVED/shared/mounted" ]
    left "$SERVED/shared/virtiofs" "$WHOLE"
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

@test "sftp: an account in a chroot and without a shell; crash opens what is there" {
    row sftp 0 "room for a dump: " "done: the dump, filtered, on sftp nobody@$SERVER"
    left "$(cat "$SERVED/sftp-top")/dumps" "$WHOLE"
    whole "$DUMP/vmcore"
    assert_equal "$(stat -c %U "$DUMP/vmcore")" nobody
    run crash_says "$DUMP/vmcore" bt
    assert_success
    assert_line --regexp "sysrq_handle_crash"
}

@test "kdumpctl finds in the kernel's own files how served disks were reached, and keeps an account's password for root" {
    run result san
    assert_success
    run cat "$GUEST/out/facts"
    assert_line "target1_source=LABEL=san-iscsi"
    assert_line --regexp "^target1_attach=iscsi 10\.0\.2\.2 [0-9]+ iqn\.2026-11\.example:dumps 1 iqn\.2026-11\.example:saturn$"
    assert_line --regexp "^target2_attach=nvme 10\.0\.2\.15 4420 nqn\.2026-11\.example:dumps nqn\.2026-11\.example:saturn [0-9a-f-]{36}$"
    refute_output --partial "$CHAP"
    # The server that is this machine itself needs no network.
    assert_equal "$(grep -c ^net_link= "$GUEST/out/facts")" 1
    assert_line "net_address=eth0 10.0.2.15/24"
    same "$(cat "$GUEST/out/secrets")" "iqn.2026-11.example:dumps username saturn
iqn.2026-11.example:dumps password $CHAP"
    assert_equal "$(stat -c %a "$GUEST/out/secrets")" 600
    run cat "$GUEST/out/run-kdump"
    refute_line secrets
    run cat "$GUEST/out/drivers"
    for driver in iscsi_tcp sd_mod nvme_tcp ext4 af_packet; do
        assert_line "$driver"
    done
    run cat "$GUEST/out/san-check.out"
    assert_line --regexp "^ok +target 1 +fs LABEL=san-iscsi \(ext4\), /var/crash, by iSCSI from 10\.0\.2\.2:[0-9]+ \(iqn\.2026-11\.example:dumps\)"
    assert_line --regexp "^ok +target 2 +.*, by NVMe over TCP from 10\.0\.2\.15:4420 \(nqn\.2026-11\.example:dumps\)"
}

@test "iSCSI: a real server, with an account" {
    row iscsi 0 "reached iqn.2026-11.example:dumps at 10.0.2.2" "done: the dump, filtered, on fs LABEL=san-iscsi"
    lab fetch "$BATS_FILE_TMPDIR/san-iscsi.img" "$BATS_TEST_TMPDIR"
    left "$BATS_TEST_TMPDIR/iscsi" "$WHOLE"
    whole "$DUMP/vmcore"
}

@test "NVMe over TCP: the kernel's own server, at this machine's own address" {
    row nvme 0 "reached nqn.2026-11.example:dumps at 10.0.2.15" "done: the dump, filtered, on fs LABEL=san-nvme"
    lab fetch "$BATS_FILE_TMPDIR/shelf.img" "$BATS_TEST_TMPDIR/shelf"
    lab fetch "$BATS_TEST_TMPDIR/shelf/disk.img" "$BATS_TEST_TMPDIR"
    left "$BATS_TEST_TMPDIR/nvme" "$WHOLE"
    whole "$DUMP/vmcore"
}

@test "served disks: a wrong password, an unknown target and an unknown host are said at once; the fourth target has the dump" {
    row refused 0 "cannot reach iqn.2026-11.example:account at 10.0.2.2: Initiator failed authentication with target" \
        "cannot reach iqn.2026-11.example:other at 10.0.2.2: initiator error - target not found (02/03)" \
        "cannot reach nqn.2026-11.example:dumps at 10.0.2.15: Connect for subsystem nqn.2026-11.example:dumps is not allowed" \
        "done: the dump, filtered, on fs LABEL=loongdump"
    left "$GUEST/refused" "$WHOLE"
    whole "$DUMP/vmcore"
}

@test "served disks: the server ends during the dump; the second target has it" {
    local name
    for name in iscsi-gone nvme-gone; do
        row $name 0 "saving the dump (filtered) failed" "done: the dump, filtered, on fs LABEL=loongdump"
        left "$GUEST/$name" "$WHOLE"
        whole "$DUMP/vmcore"
    done
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
    for name in ext4 xfs btrfs f2fs lvm thin thin-full raw nfs ssh sftp virtiofs iscsi nvme refused iscsi-gone nvme-gone full-0 full-50 full-99 filled read-only corrupted ssh-key ssh-host \
        ssh-drops killed vanishes nfs-gone; do
        read -r began ended <"$GUEST/out/$name.time"
        printf '# %-13s %-7s %8.1f  %s\n' "$name" "$(cat "$GUEST/out/$name.status")" \
            "$(echo "$ended $began" | awk '{ print $1 - $2 }')" "$(tail -n 1 "$GUEST/out/$name.out")" >&3
    done
}

#!/usr/bin/env bats
# What is found on the system: the kernel's image, the target, the command line.

load common
load kdumpctl

setup() {
    make_root
    R=$RELEASE
}

# The root as FILES (a list) say, without the kernel that make_root puts there.
images() {
    rm -rf "$ROOT"
    make_root
    rm "$ROOT/boot/vmlinuz-$R"
    local file
    for file in $files; do
        mkdir -p "$ROOT${file%/*}"
        echo k >"$ROOT$file"
    done
    [ -z "$change" ] || (cd "$ROOT" && eval "$change")
}

# FILES | CHANGE in the root | the image that is taken
@test "which kernel image is taken" {
    local files change image
    FRESH=images
    while IFS='|' read -r files change image; do
        kdumpctl_ok show
        assert_line "kernel: $R, $image"
    done <<TABLE
/boot/vmlinuz-$R||/boot/vmlinuz-$R
/boot/vmlinux-$R||/boot/vmlinux-$R
/boot/vmlinux-$R /boot/vmlinuz-$R||/boot/vmlinuz-$R
/boot/Image-$R||/boot/Image-$R
/boot/vmlinuz-$R.efi||/boot/vmlinuz-$R.efi
/vmlinuz-$R||/vmlinuz-$R
/efi/vmlinuz-$R||/efi/vmlinuz-$R
/boot/efi/vmlinuz-$R||/boot/efi/vmlinuz-$R
/lib/modules/$R/vmlinuz||/lib/modules/$R/vmlinuz
/lib/modules/$R/vmlinux||/lib/modules/$R/vmlinux
/lib/modules/$R/vmlinuz /boot/vmlinuz-$R|echo ro >proc/cmdline|/lib/modules/$R/vmlinuz
/lib/modules/$R/vmlinuz /boot/vmlinuz-$R|echo 'BOOT_IMAGE=(hd0,gpt2)/boot/vmlinuz-$R ro' >proc/cmdline|/boot/vmlinuz-$R
/boot/sub/vmlinuz-$R /boot/vmlinuz-$R|echo 'BOOT_IMAGE=/sub/vmlinuz-$R ro' >proc/cmdline|/boot/sub/vmlinuz-$R
/boot/vmlinuz-$R|echo 'BOOT_IMAGE=/vmlinuz-6.6.0 ro' >proc/cmdline; echo k >boot/vmlinuz-6.6.0|/boot/vmlinuz-$R
/boot/vmlinuz-$R|echo 'BOOT_IMAGE=/../vmlinuz-$R ro' >proc/cmdline|/boot/vmlinuz-$R
/boot/0123abcd/$R/linux|echo 0123abcd >etc/machine-id|/boot/0123abcd/$R/linux
/efi/0123abcd/$R/linux|echo 0123abcd >etc/machine-id|/efi/0123abcd/$R/linux
/boot/k/linux|mkdir -p boot/loader/entries; printf 'title x\nversion $R\nlinux /k/linux\n' >boot/loader/entries/a.conf|/boot/k/linux
/boot/k/linux /boot/vmlinuz-$R|mkdir -p boot/loader/entries; printf 'version 6.6\nlinux /k/linux\n' >boot/loader/entries/a.conf|/boot/vmlinuz-$R
/boot/ostree/fedora-01/vmlinuz-$R||/boot/ostree/fedora-01/vmlinuz-$R
/boot/vmlinuz-$R|: >boot/vmlinuz-$R; echo k >boot/vmlinux-$R|/boot/vmlinux-$R
/boot/x /boot/vmlinux-$R|mkdir boot/vmlinuz-$R|/boot/vmlinux-$R
/boot/vmlinuz-$R /boot/vmlinux-$R|echo KDUMP_IMG=vmlinux >etc/sysconfig/kdump|/boot/vmlinux-$R
/boot/vmlinuz-$R /k|echo KDUMP_IMG=/k >etc/sysconfig/kdump|/k
/boot/vmlinuz-$R /b/vmlinuz-$R.x|printf 'KDUMP_IMG=vmlinuz\nKDUMP_IMG_EXT=.x\nKDUMP_BOOTDIR=/b/\n' >etc/sysconfig/kdump|/b/vmlinuz-$R.x
/boot/vmlinuz-$R|mkdir 'b c'; mv boot/vmlinuz* 'b c'; echo 'KDUMP_BOOTDIR="/b c"' >etc/sysconfig/kdump|/b c/vmlinuz-$R
TABLE
}

@test "a debug kernel captures with its plain twin, where that is there; KDUMP_KERNELVER decides" {
    echo "6.6.0-1.loongarch64+debug" >"$ROOT/proc/sys/kernel/osrelease"
    mkdir "$ROOT/lib/modules/6.6.0-1.loongarch64"
    : >"$ROOT/lib/modules/6.6.0-1.loongarch64/modules.dep"
    echo k >"$ROOT/boot/vmlinuz-6.6.0-1.loongarch64"
    echo k >"$ROOT/boot/vmlinuz-6.6.0-1.loongarch64+debug"
    kdumpctl_ok show
    assert_line "kernel: 6.6.0-1.loongarch64, /boot/vmlinuz-6.6.0-1.loongarch64"
    rm "$ROOT/lib/modules/6.6.0-1.loongarch64/modules.dep"
    kdumpctl_ok show
    assert_line "kernel: 6.6.0-1.loongarch64+debug, /boot/vmlinuz-6.6.0-1.loongarch64+debug"
    sysconfig "KDUMP_KERNELVER=$R\n"
    kdumpctl_ok show
    assert_line "kernel: $R, /boot/vmlinuz-$R"
}

@test "no image: every path that was tried is named, once" {
    rm "$ROOT/boot/vmlinuz-$R"
    kdumpctl show
    assert_equal "$status" 1
    says "kdumpctl: no kernel image of $R is there; looked for:"
    says "    /boot/boot/vmlinuz-$R"
    says "    /lib/modules/$R/vmlinuz"
    says "    /boot/vmlinux-$R"
    says "kdumpctl: Install the kernel's package, or name the file with KDUMP_IMG=/path in /etc/sysconfig/kdump."
    same "$(printf '%s\n' "$stderr" | sort | uniq -d)" ""
}

@test "a unified kernel image is refused, and why" {
    rm "$ROOT/boot/vmlinuz-$R"
    mkdir -p "$ROOT/boot/efi/EFI/Linux"
    echo u >"$ROOT/boot/efi/EFI/Linux/0123abcd-$R.efi"
    kdumpctl show
    assert_equal "$status" 1
    says "kdumpctl: the only kernel of $R here is a unified kernel image, /boot/efi/EFI/Linux/0123abcd-$R.efi, which kexec cannot start"
}

# Line | REMOVE | APPEND | what comes out
@test "the command line" {
    local line remove append expected
    while IFS='|' read -r line remove append expected; do
        printf '%s\n' "$line" >"$ROOT/proc/cmdline"
        printf "KDUMP_COMMANDLINE_REMOVE='%s'\nKDUMP_COMMANDLINE_APPEND='%s'\n" "$remove" "$append" >"$ROOT/etc/sysconfig/kdump"
        kdumpctl_ok show
        assert_line "command line: $expected"
    done <<'TABLE'
ro quiet|||ro quiet rd.systemd.gpt_auto=no
ro quiet|quiet||ro rd.systemd.gpt_auto=no
ro quiet quiet=1 noquiet|quiet||ro noquiet rd.systemd.gpt_auto=no
root=/dev/vda2 crashkernel=512M crashkernel=64M,low ro|||ro rd.systemd.gpt_auto=no
BOOT_IMAGE=/x kexec elfcorehdr=1 mem=2G initrd=1,2 ro|||ro rd.systemd.gpt_auto=no
panic_on_warn=1 rd.lvm.lv=a/b rd.luks.uuid=x rd.dm.uuid=y rd.md.uuid=z fcoe=1 netroot=iscsi ro|||ro rd.systemd.gpt_auto=no
rd.iscsi.initiator=a iscsi_initiator=b ro|||ro rd.systemd.gpt_auto=no
a="b c" d|d||a="b c" rd.systemd.gpt_auto=no
"a b=c d" e|e||"a b=c d" rd.systemd.gpt_auto=no
dyndbg="file x +p" quiet|dyndbg||quiet rd.systemd.gpt_auto=no
a="not closed b|||a="not closed b rd.systemd.gpt_auto=no
log-buf-len=1M log_buf_len=2M x|log_buf_len||x rd.systemd.gpt_auto=no
udev.children-max=8 x|udev.children_max||x rd.systemd.gpt_auto=no
resume=UUID=1-2 x|resume=UUID||x rd.systemd.gpt_auto=no
   many    blanks	tab   |||many blanks tab rd.systemd.gpt_auto=no
foo= x|||foo= x rd.systemd.gpt_auto=no
a b|||a b rd.systemd.gpt_auto=no
* $HOME `id` $(id)|||* $HOME `id` $(id) rd.systemd.gpt_auto=no
-n -e x|||-n -e x rd.systemd.gpt_auto=no
ro|x|nr_cpus=1 irqpoll|ro maxcpus=1 irqpoll rd.systemd.gpt_auto=no
ro||nr_cpus=4 maxcpus=4|ro maxcpus=4 rd.systemd.gpt_auto=no
ro|hugepages hugepagesz|panic=10 a="b c"|ro panic=10 a="b c" rd.systemd.gpt_auto=no
ro -- quiet 3|quiet|panic=10|ro panic=10 rd.systemd.gpt_auto=no -- quiet 3
TABLE
}

@test "the default options; bounce buffers go where the reservation is below 4 GiB" {
    kdumpctl_ok show
    assert_line "command line: ro console=ttyS0,115200 maxcpus=1 reset_devices nokaslr novmcoredd cma=0 cgroup.memory=nokmem hugetlb_cma=0 kfence.sample_interval=0 rootfstype=ramfs cgroup_disable=memory udev.children-max=2 panic=10 swiotlb=noforce rd.systemd.gpt_auto=no"
    sed -i 's/^  d0000000-efffffff : Crash/  d0000000-1efffffff : Crash/' "$ROOT/proc/iomem"
    kdumpctl_ok show
    refute_line --regexp "^command line: .*swiotlb"
    sed -i 's/^  d0000000-1efffffff : Crash/  00000000-00000000 : Crash/' "$ROOT/proc/iomem"
    kdumpctl_ok show
    refute_line --regexp "^command line: .*swiotlb"
    sysconfig 'KDUMP_COMMANDLINE_APPEND=""\n'
    kdumpctl_ok show
    assert_line "command line: ro console=ttyS0,115200 rd.systemd.gpt_auto=no"
}

@test "KDUMP_COMMANDLINE in place of the running kernel's line; a watchdog's pretimeout" {
    sysconfig 'KDUMP_COMMANDLINE="console=ttyS1 quiet"\nKDUMP_COMMANDLINE_APPEND=x\n'
    mkdir -p "$ROOT/sys/class/watchdog/watchdog0/device" "$ROOT/sys/bus/platform/drivers/loongson_wdt"
    ln -s "$ROOT/sys/bus/platform/drivers/loongson_wdt" "$ROOT/sys/class/watchdog/watchdog0/device/driver"
    echo 60 >"$ROOT/sys/class/watchdog/watchdog0/pretimeout"
    kdumpctl_ok show
    assert_line "command line: console=ttyS1 x rd.systemd.gpt_auto=no loongson_wdt.pretimeout=0"
}

mounts() {
    rm -rf "$ROOT"
    make_root
    conf "$config"
    local line IFS=';'
    for line in $more; do
        printf '%s\n' "$line" >>"$ROOT/proc/self/mountinfo"
    done
    [ -z "$change" ] || (cd "$ROOT" && eval "$change")
}

# kdump.conf ; more mounts ; change | fact=value, several separated by blanks
@test "where the dump goes: filesystems, bind mounts, subvolumes, servers" {
    local config more change expected fact
    FRESH=mounts
    while IFS='|' read -r config more change expected; do
        kdumpctl_ok show --facts
        for fact in $expected; do
            assert_line "target1_$fact"
        done
    done <<'TABLE'
|||kind=fs source=UUID=5b6d6a1c-0f6e-4d54-a2a3-7f6c8f2a1f2e device=/dev/vda2 fstype=ext4 path=/var/crash mount=/ options=
|40 27 254:16 / /var rw - xfs /dev/vdb1 rw||fstype=xfs path=/crash mount=/var source=UUID=0c5d3c5e-5f3e-4b7c-9d7d-6a3b8f0f4d11
|40 27 254:16 / /var/crash rw - xfs /dev/vdb1 rw||path=/ mount=/var/crash
|40 27 254:16 / /var/cra rw - xfs /dev/vdb1 rw||path=/var/crash mount=/
|40 27 254:16 / /var rw shared:7 master:3 - xfs /dev/vdb1 rw||mount=/var
|40 27 254:2 /srv/dumps /var/crash rw - ext4 /dev/vda2 rw||device=/dev/vda2 path=/srv/dumps mount=/var/crash
|40 27 0:40 /@ /var rw - btrfs /dev/vdb1 rw,subvol=/@||fstype=btrfs options=subvol=/@ path=/crash
|40 27 0:40 / /var rw - btrfs /dev/vdb1 rw,subvol=/||fstype=btrfs options= path=/crash
|40 27 0:40 / /var/crash rw - nfs4 server:/export rw,addr=1.2.3.4||kind=nfs source=server:/export path=/ mount=/var/crash
|40 27 0:40 / /var/crash rw - nfs4 [fe80::1]:/export rw||kind=nfs source=[fe80::1]:/export
|40 27 0:40 / /var rw - virtiofs tag0 rw||kind=virtiofs source=tag0 path=/crash
path "/mnt/a b"|40 27 254:16 / /mnt/a\040b rw - xfs /dev/vdb1 rw||path=/ device=/dev/vdb1
|40 27 254:16 / /srv rw - xfs /dev/vdb1 rw|rmdir var/crash; mkdir srv; ln -s ../srv var/crash|path=/ mount=/srv
xfs /dev/vdb1|40 27 254:16 / /mnt rw - xfs /dev/vdb1 rw||path=/var/crash mount=/mnt
nfs server:/srv/[nfs]|40 27 0:40 / /mnt rw - nfs4 server:/srv/[nfs] rw||kind=nfs source=server:/srv/[nfs] mount=/mnt
nfs [2620:52::131]:/srv/[nfs]|40 27 0:40 / /mnt rw - nfs4 [2620:52::131]:/srv/[nfs] rw||kind=nfs source=[2620:52::131]:/srv/[nfs] mount=/mnt
ext4 /dev/mapper/d[isk]|40 27 254:9 / /mnt rw - ext4 /dev/mapper/d[isk] rw|mkdir dev/mapper; touch dev/mapper/d[isk] dev/mapper/di|kind=fs source=/dev/mapper/d[isk] mount=/mnt
xfs /dev/vdb1|40 27 254:16 /ostree/deploy/var /mnt rw - xfs /dev/vdb1 rw;41 27 254:16 / /sysroot rw - xfs /dev/vdb1 rw||path=/var/crash mount=/sysroot source=UUID=0c5d3c5e-5f3e-4b7c-9d7d-6a3b8f0f4d11
|40 27 0:40 /@ /var rw - btrfs /dev/vdb1 subvol=/@,rw||options=subvol=/@ path=/crash
|40 27 0:40 /@ /var rw - btrfs /dev/vdb1 rw,subvol=/@,noatime||options=subvol=/@ path=/crash
|40 27 0:40 /a\040b /var rw - btrfs /dev/vdb1 rw,subvol=/a\040b||path=/crash mount=/var
|40 27 0:40 / /var rw - btrfs /dev/vdb1 rw,nosubvol=/x||options= path=/crash
xfs /dev/vdb1|40 27 254:16 / /m\012target2_kind=raw rw - xfs /dev/vdb1 rw||kind=fs mount=
xfs /dev/vdb1|40 27 254:16 / /m\012x rw - xfs /dev/vdb1 rw;41 27 254:16 / /mnt rw - xfs /dev/vdb1 rw||mount=/mnt
xfs /dev/vdb1\npath /|40 27 254:16 / /mnt rw - xfs /dev/vdb1 rw||path=/ mount=/mnt
xfs /dev/disk/by-id/virtio-dump|40 27 254:16 / /mnt rw - xfs /dev/vdb1 rw||mount=/mnt source=UUID=0c5d3c5e-5f3e-4b7c-9d7d-6a3b8f0f4d11
btrfs /dev/vdb1|40 27 0:40 /@home /home rw - btrfs /dev/vdb1 rw||options=subvol=/@home path=/var/crash
raw /dev/vdb1||rm dev/disk/by-uuid/0*|kind=raw source=/dev/disk/by-id/virtio-dump device=/dev/vdb1
xfs /dev/vdb1||rm dev/disk/by-uuid/0* dev/disk/by-id/*|source=/dev/vdb1
nfs server:/export|40 27 0:40 / /mnt rw - nfs4 server:/export rw||kind=nfs mount=/mnt path=/var/crash
dracut_args --mount "/dev/vdb1 /x xfs rw,noatime"|||kind=fs fstype=xfs options=rw,noatime source=UUID=0c5d3c5e-5f3e-4b7c-9d7d-6a3b8f0f4d11
TABLE
}

@test "a disk that udev has not come to yet is waited for, once" {
    late() {
        rm -rf "$ROOT" "$STUBS"
        make_root
        conf "$config"
        rm "$ROOT"/dev/disk/by-uuid/*
        stub udevadm "ln -s ../../vdb1 '$ROOT/dev/disk/by-uuid/0c5d3c5e'; ln -s ../../vda2 '$ROOT/dev/disk/by-uuid/5b6d6a1c'"
        [ -z "$change" ] || (cd "$ROOT" && eval "$change")
    }
    local config="xfs UUID=0c5d3c5e\n" change=
    FRESH=late
    kdumpctl_ok show --facts
    assert_line "target1_source=UUID=0c5d3c5e"
    same "$(calls)" "udevadm settle -t 10"
    config="xfs UUID=1234\nfallback ext4 UUID=5678\n"
    kdumpctl show --facts
    assert_equal "$status" 1
    same "$(calls)" "udevadm settle -t 10"
    # A link without which the name would be /dev/vda2 now and UUID=... at the next start.
    mknod "$BATS_TEST_TMPDIR/node" b 254 2 2>/dev/null || skip "no device can be made here"
    config=
    change="rm dev/vda2; mknod dev/vda2 b 254 2"
    kdumpctl_ok show --facts
    assert_line "target1_source=UUID=5b6d6a1c"
}

@test "targets that cannot be used, and what to do" {
    local config more change expected
    FRESH=mounts
    while IFS='|' read -r config more change expected; do
        kdumpctl show --facts
        assert_equal "$status" 1
        says "kdumpctl: $expected"
        assert_output ""
    done <<'TABLE'
path /run/crash|||/run/crash lies on tmpfs (/run), and nothing there outlives a crash
|40 27 0:40 / /var rw - overlay overlay rw||/var/crash lies on overlay (/var), and nothing there outlives a crash
|40 27 0:40 / /var rw - zfs tank/var rw||/var/crash lies on zfs from tank/var, which the capture kernel cannot reach
ext4 UUID=1234|||the dump target UUID=1234 is not there (looked for /dev/disk/by-uuid/1234)
ext4 LABEL=none|||the dump target LABEL=none is not there (looked for /dev/disk/by-label/none)
ext4 /dev/vdz|||the dump target /dev/vdz is not there (looked for /dev/vdz)
xfs /dev/vda2|||/etc/kdump.conf says xfs /dev/vda2, but it is mounted as ext4
raw /dev/vda2|||the raw target /dev/vda2 is mounted at /; a dump would destroy what is there
raw /dev/mapper/c||mkdir -p dev/mapper sys/class/block/dm-3 sys/dev/block/253:3/dm; touch dev/dm-3; ln -s ../dm-3 dev/mapper/c; echo 253:3 >sys/class/block/dm-3/dev; echo CRYPT-LUKS2-x >sys/dev/block/253:3/dm/uuid|/dev/mapper/c is encrypted, and the capture kernel has no key for it
btrfs /dev/vdb1|40 27 0:40 / /home rw - btrfs /dev/vdb1 rw|mkdir -p sys/class/block/vdb1 sys/dev/block/254:17/slaves/x sys/dev/block/253:3/dm; echo 254:17 >sys/class/block/vdb1/dev; echo 253:3 >sys/dev/block/254:17/slaves/x/dev; echo CRYPT-LUKS1-x >sys/dev/block/253:3/dm/uuid|/dev/vdb1 is encrypted, and the capture kernel has no key for it
raw /dev/mapper/c||mkdir -p dev/mapper sys/class/block/dm-3 sys/dev/block/253:3/dm; touch dev/dm-3; ln -s ../dm-3 dev/mapper/c; echo 253:3 >sys/class/block/dm-3/dev; echo mpath-x >sys/dev/block/253:3/dm/uuid|/dev/mapper/c lies on multipath (device mapper), which the capture kernel cannot set up
raw /dev/mapper/c||mkdir -p dev/mapper sys/class/block/dm-3 sys/dev/block/253:3/dm sys/dev/block/253:3/slaves/md0 sys/dev/block/9:0/md; touch dev/dm-3; ln -s ../dm-3 dev/mapper/c; echo 253:3 >sys/class/block/dm-3/dev; echo LVM-x >sys/dev/block/253:3/dm/uuid; echo 9:0 >sys/dev/block/253:3/slaves/md0/dev|/dev/mapper/c lies on RAID (md), which the capture kernel cannot set up
raw /dev/mapper/c||mkdir -p dev/mapper sys/class/block/dm-3 sys/dev/block/253:3/dm; touch dev/dm-3; ln -s ../dm-3 dev/mapper/c; echo 253:3 >sys/class/block/dm-3/dev; echo stratis-1-x >sys/dev/block/253:3/dm/uuid|/dev/mapper/c lies on a device mapper's device that is neither LVM's nor encrypted, which the capture kernel cannot set up
xfs /dev/vdb1||iscsi_disk vdb1 3 proc_name=bnx2i|/dev/vdb1 lies on a disk reached by iSCSI in another way than the kernel's own over TCP (iscsi_tcp), which the capture kernel cannot set up
xfs /dev/vdb1||iscsi_disk vdb1 3 "initiatorname=(null)"|/dev/vdb1 lies on a disk reached by iSCSI in another way than the kernel's own over TCP (iscsi_tcp), which the capture kernel cannot set up
xfs /dev/vdb1||nvme_disk vdb1 0; nvme_disk vdb1 1 transport=rdma|/dev/vdb1 lies on a disk reached by NVMe over a network that is not TCP, which the capture kernel cannot set up
xfs /dev/vdb1||nvme_disk vdb1 0 hostid=|/dev/vdb1 lies on a disk reached by NVMe over a network that is not TCP, which the capture kernel cannot set up
xfs /dev/vdb1||nvme_disk vdb1 0 dhchap_secret=DHHC-1:00:x:|/dev/vdb1 lies on a disk reached by NVMe with a key (DH-HMAC-CHAP, TLS), which the capture kernel cannot set up
xfs /dev/vdb1||nvme_disk vdb1 0 tls_key=1234|/dev/vdb1 lies on a disk reached by NVMe with a key (DH-HMAC-CHAP, TLS), which the capture kernel cannot set up
btrfs /dev/vdb1||mkdir -p sys/class/block/vdb1 sys/dev/block/254:17/loop; echo 254:17 >sys/class/block/vdb1/dev|/dev/vdb1 lies on a device that a program, a file or memory stands behind, which the capture kernel cannot set up
ssh a@b\nfallback ext4 /dev/vdz|||the dump target /dev/vdz is not there (looked for /dev/vdz)
TABLE
}

# kdump.conf ; change | the lines target1_attach, without that word
@test "disks that another machine serves: how the system reached them" {
    local config change expected more=
    served() {
        mounts
        stub iscsistart
    }
    FRESH=served
    while IFS='|' read -r config change expected; do
        kdumpctl_ok show --facts
        same "$(sed -n 's/^target1_attach=//p' <<<"$output" | tr '\n' ';')" "$expected"
        refute_output --partial "a secret"
    done <<'TABLE'
xfs /dev/vdb1||
xfs /dev/vdb1|iscsi_disk vdb1 3|iscsi 10.0.0.7 3260 iqn.2026-11.example:dumps 1 iqn.2026-11.example:loong;
raw /dev/vdb1|iscsi_disk vdb1 3 "username=me" "password=a secret"|iscsi 10.0.0.7 3260 iqn.2026-11.example:dumps 1 iqn.2026-11.example:loong;
xfs /dev/vdb1|iscsi_disk vdb1 3 persistent_address=san.example|iscsi 10.0.0.8 3261 iqn.2026-11.example:dumps 1 iqn.2026-11.example:loong;
xfs /dev/vdb1|iscsi_disk vdb1 3 persistent_address=fd00::7|iscsi fd00::7 3260 iqn.2026-11.example:dumps 1 iqn.2026-11.example:loong;
xfs /dev/vdb1|iscsi_disk vdb 3; mkdir -p sys/dev/block/254:16/vdb1; touch sys/dev/block/254:16/vdb1/partition; ln -s 254:16/vdb1 sys/dev/block/254:17; echo 254:17 >sys/dev/block/254:17/dev; ln -s ../../dev/block/254:17 sys/class/block/vdb1|iscsi 10.0.0.7 3260 iqn.2026-11.example:dumps 1 iqn.2026-11.example:loong;
xfs /dev/vdb1|nvme_disk vdb1 0|nvme 10.0.0.7 4420 nqn.2026-11.example:dumps nqn.2026-11.example:loong 3f2a8f3e-2b6a-4a54-9d0e-7f6c8f2a1f2e;
xfs /dev/vdb1|nvme_disk vdb1 0 address=traddr=10.0.0.9,trsvcid=4420; nvme_disk vdb1 1|nvme 10.0.0.7 4420 nqn.2026-11.example:dumps nqn.2026-11.example:loong 3f2a8f3e-2b6a-4a54-9d0e-7f6c8f2a1f2e;nvme 10.0.0.9 4420 nqn.2026-11.example:dumps nqn.2026-11.example:loong 3f2a8f3e-2b6a-4a54-9d0e-7f6c8f2a1f2e;
xfs /dev/vdb1|nvme_disk vdb1 0 transport=pcie|
raw /dev/mapper/c|mkdir -p dev/mapper sys/class/block sys/dev/block/253:3/dm sys/dev/block/253:3/slaves/a sys/dev/block/253:3/slaves/b; touch dev/dm-3; ln -s ../dm-3 dev/mapper/c; ln -s ../../dev/block/253:3 sys/class/block/dm-3; echo 253:3 >sys/dev/block/253:3/dev; echo LVM-x >sys/dev/block/253:3/dm/uuid; iscsi_disk vdb 3 targetname=iqn.b; mv sys/dev/block/254:16 sys/dev/block/254:32; iscsi_disk vdc 4 targetname=iqn.a; echo 254:32 >sys/dev/block/253:3/slaves/a/dev; echo 254:16 >sys/dev/block/253:3/slaves/b/dev|iscsi 10.0.0.7 3260 iqn.a 1 iqn.2026-11.example:loong;iscsi 10.0.0.7 3260 iqn.b 1 iqn.2026-11.example:loong;
TABLE
    # For dump_to_rootfs that of the root file system.
    config="nfs server:/export\nfailure_action dump_to_rootfs\n" change="iscsi_disk vda2 3"
    kdumpctl_ok show --facts
    assert_line "root_attach=iscsi 10.0.0.7 3260 iqn.2026-11.example:dumps 1 iqn.2026-11.example:loong"
    rm "$STUBS/iscsistart"
    ! command -v iscsistart >/dev/null || return 0
    FRESH=mounts
    config="xfs /dev/vdb1" change="iscsi_disk vdb1 3"
    kdumpctl show --facts
    assert_equal "$status" 1
    says "kdumpctl: /dev/vdb1 is reached by iSCSI, and iscsistart, which the capture calls for that, is not on this system"
}

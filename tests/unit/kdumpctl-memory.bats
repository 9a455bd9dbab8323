#!/usr/bin/env bats
# check, estimate, get-default-crashkernel, reset-crashkernel, propagate, test: with
# the real kexec for plans, and stand-ins for what would change the machine.

load common
load kexec-common
load kdumpctl

fresh() {
    rm -rf "$ROOT" "$STUBS"
    make_root
    ln -s "$KEXEC" "$STUBS/kexec"
    stub vmcore
    stub ssh
    # The same free space at any time: 4 GiB.
    printf '#!/bin/sh\necho header\necho "/dev/vda2 8388608 4194304 4194304 50%% /"\n' >"$STUBS/df"
    chmod +x "$STUBS/df"
    stub dracut "for out; do :; done; echo initramfs >\"\$out\""
    mkdir -p "$ROOT/usr/lib/dracut/modules.d/55kdump"
    : >"$ROOT/usr/lib/dracut/modules.d/55kdump/module-setup.sh"
    echo 'MemTotal:        2032008 kB' >"$ROOT/proc/meminfo"
    cp "$IMAGE" "$ROOT/boot/vmlinuz-$RELEASE"
    [ -z "${change-}" ] || (cd "$ROOT" && eval "$change")
}

setup() {
    make_root
    image pe --text "Kernel relocated by 0x"
    FRESH=fresh
}

@test "check: all well, a verdict for each part, and nothing is changed" {
    local before after
    fresh
    FRESH=
    before=$(cd "$ROOT" && find . -type f -exec sha256sum {} + | sort)
    kdumpctl_ok check
    same "$(cd "$ROOT" && find . -type f -exec sha256sum {} + | sort)" "$before"
    same "$(printf '%s\n' "$output" | cut -c 1-24 | sed 's/ *$//')" "ok       running kernel
ok       reservation
ok       configuration
ok       collector
ok       target
ok       kernel
ok       command line
ok       initramfs
ok       plan
ok       memory"
    same "$(calls)" ""
    kdumpctl_ok check --json
    same "$(field "$output" '[c["item"] for c in d["checks"]] + [d["ok"]]')" \
        "['running kernel', 'reservation', 'configuration', 'collector', 'target', 'kernel', 'command line', 'initramfs', 'plan', 'memory', True]"
}

# What is wrong | the verdict's beginning | its remedy, or part of it
@test "check: what is wrong, with what to do; exit 1" {
    local change verdict remedy
    while IFS='|' read -r change verdict remedy; do
        kdumpctl check
        assert_equal "$status" 1
        assert_line --partial "$verdict"
        [ -z "$remedy" ] || assert_line --partial "-> $remedy"
        assert_equal "$stderr" ""
        kdumpctl check --json
        same "$(field "$output" 'd["ok"]')" False
    done <<TABLE
rm sys/kernel/kexec_crash_loaded|FAILED   running kernel  the running kernel cannot load a crash kernel|
echo 0 >sys/kernel/kexec_crash_size|FAILED   reservation     no memory is reserved for a crash kernel|The kernel could not find that much
echo foo x >etc/kdump.conf|FAILED   configuration   /etc/kdump.conf:1: foo: not a directive|
echo core_collector nothing-here >etc/kdump.conf|FAILED   collector       core_collector: nothing-here is not on this system|Install it
echo ext4 /dev/vdz >etc/kdump.conf|FAILED   target          the dump target /dev/vdz is not there|blkid lists
mkdir -p sys/dev/block/254:2/dm; echo CRYPT-LUKS2-x >sys/dev/block/254:2/dm/uuid|FAILED   target          /dev/vda2 is encrypted, and the capture kernel has no key for it|Name a target that is not encrypted
mkdir -p sys/dev/block/254:2/slaves/dm-1 sys/dev/block/253:1/dm; echo 253:1 >sys/dev/block/254:2/slaves/dm-1/dev; echo CRYPT-LUKS2-x >sys/dev/block/253:1/dm/uuid|FAILED   target          /dev/vda2 is encrypted, and the capture kernel has no key for it|Name a target
echo kernel/fs/xfs/xfs.ko.xz: >lib/modules/$RELEASE/modules.dep|FAILED   target          fs UUID=5b6d6a1c-0f6e-4d54-a2a3-7f6c8f2a1f2e (ext4), /var/crash: the capture kernel, $RELEASE, has no driver for ext4|Install the modules
echo sftp a@b >etc/kdump.conf|FAILED   target          sftp a@b, /var/crash: the key /root/.ssh/kdump_id_rsa is not there|kdumpctl propagate
rm "\$STUBS/vmcore"|FAILED   collector       vmcore, which the capture calls, is not on this system|Install loongdump's vmcore
rm boot/vmlinuz*|FAILED   kernel          no kernel image of $RELEASE is there|Install the kernel's package
rm -r usr/lib/dracut|FAILED   initramfs       dracut is here, but not its module|Install loongdump's dracut module
echo kdump_pre /x >etc/kdump.conf|FAILED   initramfs       /etc/kdump.conf:1: kdump_pre: /x is not there, or not executable|
echo ssh a@b >etc/kdump.conf|FAILED   initramfs       default: sshkey: /root/.ssh/kdump_id_rsa is not there|kdumpctl propagate
echo ssh a@b >etc/kdump.conf|FAILED   target          ssh a@b, /var/crash: the key /root/.ssh/kdump_id_rsa is not there|kdumpctl propagate
sed -i 's/d0000000-efffffff : Crash/d0000000-d0ffffff : Crash/' proc/iomem|FAILED   plan            planning the crash kernel: the crash reservation 0xd0000000-0xd0ffffff is too small|Boot with crashkernel=
echo junk >boot/vmlinuz-$RELEASE|FAILED   plan            |
TABLE
}

# core_collector | what is warned about, or nothing
@test "check: options of the collector that the capture does not use are named" {
    local collector unused
    collected() { fresh; conf "core_collector $collector\n"; }
    FRESH=collected
    while IFS='|' read -r collector unused; do
        kdumpctl_ok check
        if [ -n "$unused" ]; then
            assert_line "warning  collector       core_collector: the capture does not use $unused"
        else
            refute_line --partial "warning  collector"
        fi
        assert_line "ok       collector       $collector"
    done <<'TABLE'
vmcore save -d 31|
makedumpfile -l --message-level 7 -d 31|
makedumpfile -c -d 1,31 --num-threads 4|
makedumpfile -F -l -d31 --level=31|
makedumpfile -E -d 31 -x /v|-E -x /v
vmcore save --format elf|--format elf
TABLE
}

@test "check: a server is asked with a time limit and without a prompt" {
    ssh_target() {
        fresh
        conf 'ssh kdump@server\n'
        mkdir -p "$ROOT/root/.ssh"
        echo key >"$ROOT/root/.ssh/kdump_id_rsa"
        stub ssh "$answer"
    }
    FRESH=ssh_target
    answer="exit 0"
    kdumpctl_ok check
    same "$(calls)" "ssh -i $ROOT/root/.ssh/kdump_id_rsa -o BatchMode=yes -o StrictHostKeyChecking=yes -o ConnectTimeout=10 kdump@server true"
    answer="echo 'Host key verification failed.' >&2; exit 255"
    kdumpctl check
    assert_equal "$status" 1
    assert_line "FAILED   target          ssh kdump@server, /var/crash: Host key verification failed."
}

@test "showmem and get-default-crashkernel say what scripts expect" {
    kdumpctl_ok showmem
    assert_output "kdump: Reserved 512MB memory for crash kernel"
    kdumpctl_ok get-default-crashkernel
    assert_output --regexp '^[0-9]+G-[0-9]+G:[0-9]+M,[0-9]+G-[0-9]+G:[0-9]+M,[0-9]+G-:[0-9]+M$'
    kdumpctl_ok get-default-crashkernel kdump
    # The page size of the running kernel decides; no place for it is another matter.
    local size value
    while IFS='|' read -r size value; do
        change="printf '7fff0000-7fff4000 r-xp 0 fd:01 1 /x y\nSize: 16 kB\nKernelPageSize:  $size kB\nKernelPageSize: 4 kB\n' >proc/self/smaps"
        kdumpctl_ok get-default-crashkernel
        assert_output "$value"
    done <<'TABLE'
4|1G-4G:192M,4G-64G:256M,64G-:512M
16|1G-4G:192M,4G-64G:256M,64G-:512M
64|1G-4G:320M,4G-64G:384M,64G-:640M
x|1G-4G:192M,4G-64G:256M,64G-:512M
TABLE
    change=
    kdumpctl get-default-crashkernel fadump
    assert_equal "$status" 1
}

@test "estimate: each part with how it is known; the sum is the sum; built or not" {
    kdumpctl_ok estimate
    assert_line "      26 MiB  kernel: its size in memory, from the image"
    assert_line "      48 MiB  initramfs: a guess, it is not built yet"
    assert_line "Reserved crashkernel:    512M"
    local sum
    sum=$(printf '%s\n' "$output" | awk '/ MiB .*:/ { sum += $1 } END { print sum }')
    assert_line --regexp "^ +$sum MiB  in all$"
    refute_line --partial swiotlb
    assert_line --regexp "^ +and 3 for each of [0-9]+ more CPUs \(capture_cpus\)"
    change="echo capture_cpus 1 >etc/kdump.conf"
    kdumpctl_ok estimate
    refute_line --partial "more CPUs"
    change="printf 'KDUMP_COMMANDLINE_APPEND=\"panic=1 maxcpus=2\"\n' >etc/sysconfig/kdump"
    kdumpctl_ok estimate
    assert_line "     128 MiB  cma: measured with 7.2; cma=0 would save it"
    assert_line "      64 MiB  swiotlb: measured with 7.2; swiotlb=noforce would save it"
    assert_line "       3 MiB  CPUs behind the first (1): measured"
    change="echo 134217728 >sys/kernel/kexec_crash_size"
    kdumpctl estimate
    assert_equal "$status" 0
    assert_equal "$stderr" "kdumpctl: warning: the reservation is smaller than recommended; kdumpctl reset-crashkernel --value=192M, then reboot"
}

@test "start says so where less is reserved than the capture needs, and loads all the same" {
    small() {
        fresh
        rm "$STUBS/kexec"
        stub kexec "case \$* in *--dry-run*) exec $KEXEC \"\$@\" ;; esac"
        echo 0 >"$ROOT/sys/kernel/kexec_crash_loaded"
        echo $((size * 1048576)) >"$ROOT/sys/kernel/kexec_crash_size"
    }
    local size plans
    FRESH=small
    while read -r size plans; do
        : >"$CALLS"
        kdumpctl start
        assert_equal "$status" 0
        assert_line "kdump: Starting kdump: [OK]"
        if [ "$size" -eq 96 ]; then
            assert_regex "$stderr" "^kdumpctl: warning: 96 MiB reserved, about [0-9]+ MiB needed; kdumpctl estimate shows the parts$"
        else
            assert_equal "$stderr" ""
        fi
        same "$size $(calls | grep -c dry-run)" "$size $plans"
    done <<'TABLE'
96 1
256 1
384 0
TABLE
}

@test "estimate: a built initramfs counts packed and unpacked" {
    built() {
        fresh
        mkdir -p "$BATS_TEST_TMPDIR/tree"
        head -c 8388608 /dev/zero >"$BATS_TEST_TMPDIR/tree/file"
        touch "$BATS_TEST_TMPDIR/tree"/{1..99}
        (cd "$BATS_TEST_TMPDIR/tree" && ls | busybox cpio -o -H newc 2>/dev/null) | gzip -1 >"$BATS_TEST_TMPDIR/initramfs"
        stub dracut "for out; do :; done; cp '$BATS_TEST_TMPDIR/initramfs' \"\$out\""
        KDUMP_ROOT=$ROOT PATH=$STUBS:$PATH dash "$KDUMPCTL" rebuild >/dev/null
    }
    FRESH=built
    kdumpctl_ok estimate
    assert_line "       8 MiB  initramfs, unpacked: counted when it was built"
    assert_line "       1 MiB  ends of its files: 100, each leaves half a page of 16384 bytes empty"
    same "$(grep -h '^files' "$ROOT"/boot/*.manifest)" "files 100"
}

@test "estimate: an initramfs in two pieces, the first of them not packed, is listed by its maker's own program" {
    listed() {
        fresh
        stub dracut "for out; do :; done; echo 0707 >\"\$out\""
        printf '#!/bin/sh\n[ "$1 $2" = "--list --verbose" ] || exit 1\n%s\n' "$listing" >"$ROOT/usr/lib/dracut/extractinitrd"
        chmod +x "$ROOT/usr/lib/dracut/extractinitrd"
        [ "$maker" = dracut ] || {
            rm -r "$STUBS/dracut" "$ROOT/usr/lib/dracut"
            mkdir -p "$ROOT/usr/share/initramfs-tools/hooks"
            : >"$ROOT/usr/share/initramfs-tools/hooks/kdump"
            stub mkinitramfs 'echo 0707 >"$2"'
            printf '#!/bin/sh\n[ "$1" = "-l" ] || exit 1\n%s\n' "$listing" >"$STUBS/lsinitramfs"
            chmod +x "$STUBS/lsinitramfs"
        }
        KDUMP_ROOT=$ROOT PATH=$STUBS:$PATH dash "$KDUMPCTL" rebuild >/dev/null
    }
    FRESH=listed
    local listing='cat <<TEXT
drwxr-xr-x  12 root     root            0 Nov 25 16:33 .
-rw-r--r--   1 root     root      4194304 Nov 25 16:33 usr/lib/modules/a b.ko.xz
lrwxrwxrwx   1 root     root           11 Nov 25 16:31 var/lock -> ../run/lock
-rwxr-xr-x   1 root     root      8388608 Nov 25 16:31 usr/bin/x
crw-r--r--   1 root     root         1, 3 Nov 25 16:31 dev/null
TEXT' maker
    for maker in dracut mkinitramfs; do
        kdumpctl_ok estimate
        assert_line "      12 MiB  initramfs, unpacked: counted when it was built"
        assert_line --partial "ends of its files: 2, each"
    done
    for listing in "exit 1" "" "echo rubbish"; do
        kdumpctl_ok estimate
        assert_line --partial "initramfs, unpacked: a guess, three times"
    done
}

# VALUE | ok or not
@test "crashkernel= values: what the kernel understands, and what it does not" {
    local value verdict
    stub update-grub
    mkdir -p "$ROOT/etc/default"
    : >"$ROOT/etc/default/grub"
    FRESH=
    while IFS='|' read -r value verdict; do
        kdumpctl reset-crashkernel --dry-run "--value=$value"
        assert_equal "$value: $status" "$value: $verdict"
    done <<'TABLE'
512M|0
0x20000000|0
1G|0
512m|0
512M@2G|0
2G,high|0
128M,low|0
2G-4G:256M|0
2G-4G:256M,4G-:512M|0
2G-4G:256M,4G-64G:320M,64G-:512M@1G|0
0-2G:128M,2G-:256M|0
0M-2G:128M,2G-6G:256M,6G-:512M|0
2G-0:256M|1
|1
0|1
0M|1
M|1
auto|1
512M,512M|1
512|0
2G-4G|1
2G-4G:|1
2G-4G:0M|1
:512M|1
512M@|1
512M x|1
512M;reboot|1
$(id)|1
512M"|1
,high|1
TABLE
}

# GiB or MiB of RAM | value | what is said to be reserved; nothing: a warning
@test "reset-crashkernel says what the value comes to on this machine; range ends are the kernel's" {
    local ram value picked
    sized() {
        grub_d
        case $ram in
        # The last piece is short; the kernel rounds up to 128 MiB.
        *M) printf '00000000-%08x : System RAM\n  00000000-000fffff : System RAM\n' $((${ram%M} * 1048576 - 1)) ;;
        *) local i; for ((i = 0; i < ram; i++)); do printf '%x-%x : System RAM\n' $((i << 30)) $(((i << 30) + 0x3fffffff)); done ;;
        esac >"$ROOT/proc/iomem"
    }
    FRESH=sized
    while IFS='|' read -r ram value picked; do
        kdumpctl reset-crashkernel --dry-run --value="$value"
        assert_equal "$status" 0
        if [ -n "$picked" ]; then
            assert_equal "$stderr" ""
            assert_line --regexp "^kdump: with the [0-9]+ MiB of this machine, $picked of them are reserved$"
        else
            says "kdumpctl: warning: crashkernel=$value reserves nothing with the $((${ram%M} * (${#ram} > 3 ? 1 : 1024))) MiB of this machine; --value=SIZE does"
        fi
    done <<'TABLE'
1|4G-64G:256M,2G-4G:192M,64G-1T:512M,1T-:12345M|
2|4G-64G:256M,2G-4G:192M,64G-1T:512M,1T-:12345M|192M
3|4G-64G:256M,2G-4G:192M,64G-1T:512M,1T-:12345M|192M
4|4G-64G:256M,2G-4G:192M,64G-1T:512M,1T-:12345M|256M
64|4G-64G:256M,2G-4G:192M,64G-1T:512M,1T-:12345M|512M
1024|4G-64G:256M,2G-4G:192M,64G-1T:512M,1T-:12345M|12345M
2000M|2048M-:64M|64M
1920M|2048M-:64M|
2|0x40000000-:64M|64M
1|0M-2G:128M,2G-6G:256M,6G-:512M|128M
4|0-2G:128M,2G-6G:256M,6G-:512M|256M
2|010G-:64M|
2|2G-4G:256M@1G|256M
2|1G,high|1G
2|512M|512M
TABLE
    # Who may not see addresses sees MemTotal.
    hidden() { grub_d; echo "00000000-00000000 : System RAM" >"$ROOT/proc/iomem"; echo "MemTotal: 2032008 kB" >"$ROOT/proc/meminfo"; }
    FRESH=hidden
    kdumpctl_ok reset-crashkernel --dry-run --value=2G-:1M
    assert_line "kdump: with the 2048 MiB of this machine, 1M of them are reserved"
}

grub_d() {
    fresh
    stub update-grub
    mkdir -p "$ROOT/etc/default"
    : >"$ROOT/etc/default/grub"
}

@test "reset-crashkernel with grub.d: before and after shown, a backup kept, nothing in a dry run" {
    FRESH=grub_d
    kdumpctl_ok reset-crashkernel --dry-run --value=384M
    assert_line 'kdump:   after:  GRUB_CMDLINE_LINUX_DEFAULT="$GRUB_CMDLINE_LINUX_DEFAULT crashkernel=384M"'
    assert_line "kdump: would run: update-grub"
    assert_line "kdump: nothing was changed"
    assert [ ! -e "$ROOT/etc/default/grub.d" ]
    same "$(calls)" ""
    again() {
        grub_d
        KDUMP_ROOT=$ROOT PATH=$STUBS:$PATH dash "$KDUMPCTL" reset-crashkernel --value=384M >/dev/null
    }
    FRESH=again
    kdumpctl_ok reset-crashkernel
    assert_line --regexp 'kdump:   before: .* crashkernel=384M"'
    same "$(grep -c crashkernel=1G- "$ROOT/etc/default/grub.d/kdump.cfg")" 1
    assert [ -e "$ROOT/etc/default/grub.d/kdump.cfg.kdump-old" ]
    same "$(calls)" "update-grub "
    kdumpctl reset-crashkernel --kernel=/boot/vmlinuz-1
    assert_equal "$status" 1
    says "kdumpctl: grub.d sets the line of all kernels; --kernel=/boot/vmlinuz-1 cannot be told apart there"
}

@test "reset-crashkernel with grubby: which kernel, the words, never without a value" {
    with_grubby() {
        fresh
        stub grubby 'case $1 in --info=*) printf "%s\n" "index=0" "kernel=\"/boot/vmlinuz-1\"" "args=\"ro crashkernel=128M quiet\"" "index=1" "kernel=\"/boot/vmlinuz-2\"" "args=\"ro\"" ;; esac'
    }
    FRESH=with_grubby
    local kernel
    for kernel in ALL DEFAULT /boot/vmlinuz-1; do
        kdumpctl_ok reset-crashkernel "--kernel=$kernel" --value=256M
        assert_line "kdump:   before: ro crashkernel=128M quiet"
        assert_line "kdump:   after:  ro crashkernel=256M quiet"
        assert_line "kdump:   after:  ro crashkernel=256M"
        same "$(calls)" "grubby --info=$kernel
grubby --update-kernel=$kernel --args=crashkernel=256M"
    done
    kdumpctl_ok reset-crashkernel
    [[ $(calls) == *"--args=crashkernel="[0-9]* ]]
    [[ $(calls) != *remove* ]]
    kdumpctl_ok reset-crashkernel --dry-run
    same "$(calls)" "grubby --info=DEFAULT"
    kdumpctl reset-crashkernel --kernel=vmlinuz
    assert_equal "$status" 1
    local mode
    for mode in on off nocma; do
        kdumpctl reset-crashkernel --fadump=$mode
        assert_equal "$status" 1
        same "$(calls)" ""
        says "kdumpctl: --fadump: that is for POWER"
    done
    kdumpctl reset-crashkernel --reboot
    assert_equal "$stderr" "kdumpctl: warning: --reboot is not done any more; reboot when it suits"
}

entries() {
    fresh
    mkdir -p "$ROOT/boot/loader/entries"
    printf 'title A\nversion %s\nlinux /a/linux\noptions root=/dev/vda2 crashkernel=128M ro crashkernel=64M,low\n' "$RELEASE" >"$ROOT/boot/loader/entries/a.conf"
    printf 'title B\nversion 6.6\nlinux /b/linux\noptions   root=/dev/vda2' >"$ROOT/boot/loader/entries/b.conf"
    [ -z "${more-}" ] || (cd "$ROOT/boot/loader/entries" && eval "$more")
}

@test "reset-crashkernel with boot loader entries: the running one, one by path, all" {
    FRESH=entries
    kdumpctl_ok reset-crashkernel --value=256M
    same "$(cat "$ROOT/boot/loader/entries/a.conf")" "title A
version $RELEASE
linux /a/linux
options root=/dev/vda2 crashkernel=256M ro"
    same "$(tail -n 1 "$ROOT/boot/loader/entries/b.conf")" "options   root=/dev/vda2"
    same "$(tail -n 1 "$ROOT/boot/loader/entries/a.conf.kdump-old")" "options root=/dev/vda2 crashkernel=128M ro crashkernel=64M,low"
    kdumpctl_ok reset-crashkernel --value=256M --kernel=/b/linux
    same "$(tail -n 1 "$ROOT/boot/loader/entries/b.conf")" "options root=/dev/vda2 crashkernel=256M"
    kdumpctl_ok reset-crashkernel --value=256M --kernel=ALL
    same "$(grep -l crashkernel=256M "$ROOT"/boot/loader/entries/*.conf | wc -l)" 2
    kdumpctl_ok reset-crashkernel --kernel=ALL --dry-run
    same "$(grep -l crashkernel=256M "$ROOT"/boot/loader/entries/*.conf | wc -l)" 0
    kdumpctl reset-crashkernel --kernel=/c/linux
    assert_equal "$status" 1
    says "kdumpctl: no boot loader entry is for /c/linux"
    more="printf 'version $RELEASE\noptions \$kernelopts\n' >a.conf"
    kdumpctl reset-crashkernel
    assert_equal "$status" 1
    says 'kdumpctl: /boot/loader/entries/a.conf takes its options from grub'"'"'s environment ($kernelopts)'
}

@test "reset-crashkernel with boot loader entries: two of one kernel, and words that only look alike" {
    FRESH=entries
    more="printf 'version %s\nlinux /a/linux\noptions crcrashkernel=1 crashkernel xcrashkernel=2 crashkernel= ro\n' '$RELEASE' >c.conf"
    local kernel
    for kernel in DEFAULT /a/linux; do
        kdumpctl_ok reset-crashkernel --value=256M "--kernel=$kernel"
        same "$(tail -n 1 "$ROOT/boot/loader/entries/a.conf")" "options root=/dev/vda2 crashkernel=256M ro"
        same "$(tail -n 1 "$ROOT/boot/loader/entries/c.conf")" "options crcrashkernel=1 crashkernel xcrashkernel=2 crashkernel=256M ro"
        same "$(tail -n 1 "$ROOT/boot/loader/entries/b.conf")" "options   root=/dev/vda2"
    done
    more=
}

@test "nothing but reset-crashkernel touches the boot line, whatever auto_reset_crashkernel says" {
    local words before tool
    tempted() {
        entries
        for tool in grubby update-grub rpm-ostree zipl grub2-mkconfig; do stub "$tool"; done
        mkdir -p "$ROOT/etc/default"
        : >"$ROOT/etc/default/grub"
        conf 'auto_reset_crashkernel yes\n'
        sed -i 's/crashkernel=512M//' "$ROOT/proc/cmdline"
        stub kexec
    }
    FRESH=tempted
    tempted
    before=$(cat "$ROOT"/boot/loader/entries/* "$ROOT/etc/default/grub")
    for words in start restart reload stop rebuild "rebuild --kernel=$RELEASE" check show estimate notify \
        get-default-crashkernel showmem status; do
        # shellcheck disable=SC2086
        kdumpctl $words
        same "$(calls | grep -v -e ^kexec -e ^dracut)" ""
        same "$(cat "$ROOT"/boot/loader/entries/* "$ROOT/etc/default/grub")" "$before"
        assert [ ! -e "$ROOT/etc/default/grub.d" ]
    done
}

@test "reset-crashkernel with rpm-ostree; and where nothing is known" {
    with_ostree() {
        fresh
        touch "$ROOT/run/ostree-booted"
        stub rpm-ostree '[ $# -gt 1 ] || echo "ro crashkernel=128M root=x crashkernel=1M,low"'
    }
    FRESH=with_ostree
    kdumpctl_ok reset-crashkernel --value=256M
    same "$(calls)" "rpm-ostree kargs
rpm-ostree kargs --delete=crashkernel=128M --delete=crashkernel=1M,low --append=crashkernel=256M"
    FRESH=fresh
    kdumpctl reset-crashkernel --value=256M
    assert_equal "$status" 1
    says "kdumpctl: Add crashkernel=256M to the boot line by hand."
}

@test "check: an sftp server is asked by sftp, and how much room it has" {
    sftp_target() {
        fresh
        conf 'sftp kdump@server\npath /dumps\n'
        mkdir -p "$ROOT/root/.ssh"
        echo key >"$ROOT/root/.ssh/kdump_id_rsa"
        stub ssh "$answer"
        ln -sf "$VMCORE" "$STUBS/vmcore"
    }
    FRESH=sftp_target
    # Always the same: 4096 bytes, 262144 times.
    answer="exec $UNIT/sftp-stand-in --answer 200 '0000005d c9 ID 0000000000001000 0000000000001000 0000000000100000 $(
        printf '%016x ' 300000 262144 0 0 0 0 0 0)'"
    kdumpctl_ok check
    same "$(calls)" "ssh -i $ROOT/root/.ssh/kdump_id_rsa -o BatchMode=yes -o StrictHostKeyChecking=yes -o ConnectTimeout=10 -s kdump@server sftp"
    assert_line "ok       target          sftp kdump@server, /dumps, the server takes our key, 1024 MiB free for 1984 MiB of memory; a dump of everything would not fit"
    answer="exec $UNIT/sftp-stand-in --without statvfs@openssh.com"
    kdumpctl_ok check
    assert_line "ok       target          sftp kdump@server, /dumps, the server takes our key"
    answer="echo 'Host key verification failed.' >&2; exit 255"
    kdumpctl check
    assert_equal "$status" 1
    assert_line "FAILED   target          sftp kdump@server, /dumps: Host key verification failed."
}

@test "propagate: a key where there is none, then ssh-copy-id; refused without a server" {
    with_ssh() {
        fresh
        conf "$config"
        stub ssh-keygen 'for last; do case $last in /*) echo k >"$last" ;; esac; done'
        stub ssh-copy-id
    }
    FRESH=with_ssh
    config='ssh kdump@server\nsshkey /root/.ssh/k\nfallback ssh other@s2\nfallback sftp third@s3\n'
    kdumpctl_ok propagate
    same "$(calls)" "ssh-keygen -q -t ed25519 -f $ROOT/root/.ssh/k -N  -C kdump@loong
ssh-copy-id -i $ROOT/root/.ssh/k.pub kdump@server
ssh-copy-id -i $ROOT/root/.ssh/k.pub other@s2
ssh-copy-id -s -i $ROOT/root/.ssh/k.pub third@s3"
    config=
    kdumpctl propagate
    assert_equal "$status" 1
    says "kdumpctl: no target is a server"
}

running() {
    fresh
    rm "$STUBS/kexec"
    stub kexec "printf 1 >'$ROOT/sys/kernel/kexec_crash_loaded'"
    stub sync
    mkdir -p "$ROOT/proc/sys/kernel/random"
    echo 12345678-aaaa-bbbb-cccc-123456789012 >"$ROOT/proc/sys/kernel/random/uuid"
    echo 0 >"$ROOT/sys/kernel/kexec_crash_loaded"
    KDUMP_ROOT=$ROOT PATH=$STUBS:$PATH dash "$KDUMPCTL" start >/dev/null
}

@test "test: loads with an id, notes it, panics; after the reboot the result is found and said" {
    FRESH=running
    kdumpctl_ok test --force
    same "$(cat "$ROOT/proc/sysrq-trigger")" c
    [[ $(calls) == "kexec -p "*" kdump_test_id=12345678 "*$'\n'"sync " ]] || fail "$(calls)"
    FRESH=
    kdumpctl_ok status
    assert_line "kdump: crash test 12345678: under way, or its result was not looked for yet"
    local result expected
    while IFS='|' read -r result expected; do
        after() {
            echo "12345678 pending" >"$ROOT/var/lib/kdump/crash-test"
            rm -rf "$ROOT"/var/crash/*
            mkdir -p "$ROOT/var/crash/loong-2026-11-25-10:00:00"
            [ -z "$result" ] || echo "$result" >"$ROOT/var/crash/loong-2026-11-25-10:00:00/kdump-test-12345678"
        }
        FRESH=after
        kdumpctl_ok start
        assert_line "kdump: crash test 12345678: $expected"
        FRESH=
        kdumpctl_ok status
        assert_line "kdump: crash test 12345678: $expected"
        kdumpctl_ok start
        refute_line --partial "crash test"
    done <<'TABLE'
success|the dump arrived
incomplete|incomplete
fail|fail
|no dump of it was found
TABLE
}

@test "test: refused where nothing is loaded; not without a yes" {
    FRESH=running
    run --separate-stderr in_shell dash test <<<n
    running
    run --separate-stderr in_shell dash test <<<n
    assert_success
    assert_line --partial "nothing was done"
    assert [ ! -e "$ROOT/proc/sysrq-trigger" ]
    echo 0 >"$ROOT/sys/kernel/kexec_crash_loaded"
    FRESH=
    kdumpctl test --force
    assert_equal "$status" 1
    says "kdumpctl: no crash kernel is loaded, so the machine would not come back with a dump"
}

# Shared by the kdumpctl-*.bats files, after `load common`.
#
#   make_root             a fake root in $ROOT: a loongarch64 machine with 2 GiB, a
#                         reservation of 512 MiB, an ext4 root filesystem on /dev/vda2
#                         and the kernel $RELEASE, as a Debian guest has it
#   conf TEXT, sysconfig TEXT   the two files of that root; escapes of printf %b
#   kdumpctl [ARG...]     runs it on $ROOT under every shell; all must say the same.
#                         Sets status, output and stderr, as run does
#   stub NAME [TEXT]      a program on PATH that notes its arguments in $CALLS, then
#                         runs TEXT
#   calls                 what was called, one line each
#   iscsi_disk, nvme_disk DISK NUMBER [FILE=VALUE...]
#                         makes DISK (vdb1) of that root one that another machine serves,
#                         by session or controller NUMBER: /sys as kernel 7.2 has it, with
#                         other values for FILEs
#   make_system           make_root, with stand-ins for all that a start calls
#   traced ARG...         runs kdumpctl under dash and strace, whose output is in $TRACE
#   processes             how many processes kdumpctl itself started in that; what a
#                         stand-in does inside is its own
#   count_processes       sets started_by_start, of a start with nothing changed, and
#                         started_by_status; expects make_system
#
# The shells, each with other tools and in another locale: dash with GNU's tools and
# mawk, bash as on a Chinese system, busybox with nothing but itself.

# shellcheck disable=SC2034
KDUMPCTL=$TOP/kdumpctl/kdumpctl.in
KD=$DATA/kdumpctl
SHELLS="dash bash busybox"
RELEASE=7.2.12+deb14-loong64
# Debian's grep keeps quiet about stray backslashes unless told otherwise.
export DEB_GREP_ENABLE_STRAY_BACKSLASH_WARN=1

make_root() {
    ROOT=${1:-$BATS_TEST_TMPDIR/root}
    CALLS=$BATS_TEST_TMPDIR/calls
    STUBS=$BATS_TEST_TMPDIR/stubs
    mkdir -p "$ROOT" "$STUBS"
    : >"$CALLS"
    cp -r "$DATA/kexec/machines/qemu-2g/." "$ROOT"
    mkdir -p "$ROOT"/{etc/sysconfig,boot,run,var/crash,var/lib/kdump,tmp} \
        "$ROOT"/dev/disk/by-{uuid,id} "$ROOT/proc/self" "$ROOT/lib/modules/$RELEASE"
    echo "$RELEASE" >"$ROOT/proc/sys/kernel/osrelease"
    echo 536870912 >"$ROOT/sys/kernel/kexec_crash_size"
    echo loong >"$ROOT/proc/sys/kernel/hostname"
    echo "BOOT_IMAGE=/boot/vmlinuz-$RELEASE root=UUID=5b6d6a1c-0f6e-4d54-a2a3-7f6c8f2a1f2e ro quiet crashkernel=512M console=ttyS0,115200" \
        >"$ROOT/proc/cmdline"
    touch "$ROOT/dev/vda1" "$ROOT/dev/vda2" "$ROOT/dev/vdb1"
    ln -s ../../vda2 "$ROOT/dev/disk/by-uuid/5b6d6a1c-0f6e-4d54-a2a3-7f6c8f2a1f2e"
    ln -s ../../vdb1 "$ROOT/dev/disk/by-uuid/0c5d3c5e-5f3e-4b7c-9d7d-6a3b8f0f4d11"
    ln -s ../../vdb1 "$ROOT/dev/disk/by-id/virtio-dump"
    cat >"$ROOT/proc/self/mountinfo" <<'TEXT'
22 27 0:21 / /proc rw,nosuid,nodev,noexec,relatime shared:12 - proc proc rw
27 1 254:2 / / rw,relatime shared:1 - ext4 /dev/vda2 rw
28 27 254:1 / /boot/efi rw,relatime shared:2 - vfat /dev/vda1 rw,fmask=0077
31 27 0:25 / /run rw,nosuid,nodev shared:3 - tmpfs tmpfs rw,size=203196k,mode=755
TEXT
    printf 'kernel' >"$ROOT/boot/vmlinuz-$RELEASE"
    : >"$ROOT/lib/modules/$RELEASE/modules.dep"
}

# sys_files DIRECTORY FILE=VALUE...: below /sys/devices
sys_files() {
    local pair
    for pair in "${@:2}"; do
        mkdir -p "$(dirname "$ROOT/sys/devices/$1/${pair%%=*}")"
        printf '%s\n' "${pair#*=}" >"$ROOT/sys/devices/$1/${pair%%=*}"
    done
}

# sys_disk DIRECTORY DISK: its names in /sys. The last of its numbers is 16 for every one.
sys_disk() {
    mkdir -p "$ROOT/sys/class/block" "$ROOT/sys/dev/block" "$ROOT/sys/devices/$1/$2"
    echo 254:16 >"$ROOT/sys/devices/$1/$2/dev"
    ln -sfn "../../devices/$1/$2" "$ROOT/sys/class/block/$2"
    ln -sfn "../../devices/$1/$2" "$ROOT/sys/dev/block/254:16"
}

iscsi_disk() {
    local host=platform/host$2 session
    session=$host/session$2
    sys_files "$host/scsi_host/host$2" proc_name=iscsi_tcp
    sys_files "$session/connection$2:0/iscsi_connection/connection$2:0" persistent_address=10.0.0.7 persistent_port=3260 \
        address=10.0.0.8 port=3261
    sys_files "$session/iscsi_session/session$2" targetname=iqn.2026-11.example:dumps tpgt=1 \
        initiatorname=iqn.2026-11.example:loong "username=(null)" "password=(null)" "username_in=(null)" "password_in=(null)"
    sys_disk "$session/target$2:0:0/$2:0:0:1/block" "$1"
    ln -sfn "../../../$2:0:0:1" "$ROOT/sys/devices/$session/target$2:0:0/$2:0:0:1/block/$1/device"
    for pair in "${@:3}"; do
        case $pair in
        proc_name=*) sys_files "$host/scsi_host/host$2" "$pair" ;;
        address=* | persistent_address=*) sys_files "$session/connection$2:0/iscsi_connection/connection$2:0" "$pair" ;;
        *) sys_files "$session/iscsi_session/session$2" "$pair" ;;
        esac
    done
}

# A second one is a second path to the same disk.
nvme_disk() {
    local subsystem=virtual/nvme-subsystem/nvme-subsys0 control=virtual/nvme-fabrics/ctl/nvme$2
    sys_files "$control" transport=tcp "address=traddr=10.0.0.7,trsvcid=4420,src_addr=10.0.0.2" \
        subsysnqn=nqn.2026-11.example:dumps hostnqn=nqn.2026-11.example:loong \
        hostid=3f2a8f3e-2b6a-4a54-9d0e-7f6c8f2a1f2e dhchap_secret=none dhchap_ctrl_secret=none "${@:3}"
    sys_disk "$subsystem" "$1"
    ln -sfn "../../nvme-fabrics/ctl/nvme$2" "$ROOT/sys/devices/$subsystem/nvme$2"
    ln -sfn ../../nvme-subsys0 "$ROOT/sys/devices/$subsystem/$1/device"
}

conf() {
    printf '%b' "$1" >"$ROOT/etc/kdump.conf"
}

sysconfig() {
    printf '%b' "$1" >"$ROOT/etc/sysconfig/kdump"
}

stub() { # NAME [TEXT]
    rm -f "$STUBS/$1" # it may be a link to the real one
    printf '#!/bin/sh\nprintf "%%s\\n" "%s $*" >>"%s"\n%s\n' "$1" "$CALLS" "${2-}" >"$STUBS/$1"
    chmod +x "$STUBS/$1"
}

calls() {
    cat "$CALLS"
}

make_system() {
    rm -rf "$ROOT" "$STUBS"
    make_root
    TRACE=$BATS_TEST_TMPDIR/trace
    stub kexec "printf 1 >'$ROOT/sys/kernel/kexec_crash_loaded'"
    stub vmcore
    stub dracut "for out; do :; done; gzip </dev/null >\"\$out\""
    mkdir -p "$ROOT/usr/lib/dracut/modules.d/55kdump"
    : >"$ROOT/usr/lib/dracut/modules.d/55kdump/module-setup.sh"
    echo 0 >"$ROOT/sys/kernel/kexec_crash_loaded"
    echo 'MemTotal:        2032008 kB' >"$ROOT/proc/meminfo"
}

traced() {
    KDUMP_ROOT=$ROOT PATH=$STUBS:$PATH strace -f -q -s 4096 -e signal=none \
        -e trace=execve,clone,clone3,fork,vfork -o "$TRACE" dash "$KDUMPCTL" "$@" >/dev/null
}

processes() {
    grep -cE '(clone|clone3|fork|vfork)\(.*= [0-9]+$|resumed.*= [0-9]{2,}$' "$TRACE" || true
}

count_processes() {
    traced start
    echo 0 >"$ROOT/sys/kernel/kexec_crash_loaded"
    traced start
    started_by_start=$(processes)
    traced status
    started_by_status=$(processes)
}

# All of busybox and nothing else: made once for a file of tests.
busybox_path() {
    BUSYBOX_PATH=${BATS_FILE_TMPDIR:?}/busybox
    [ ! -e "$BUSYBOX_PATH/sh" ] || return 0
    mkdir -p "$BUSYBOX_PATH.$$"
    busybox --install -s "$BUSYBOX_PATH.$$"
    # Debian's busybox has no flock.
    ln -sf "$(command -v busybox)" "$(command -v flock)" "$BUSYBOX_PATH.$$/"
    mv -T "$BUSYBOX_PATH.$$" "$BUSYBOX_PATH" 2>/dev/null || rm -rf "$BUSYBOX_PATH.$$"
}

chinese_locale() {
    export LOCPATH=${BATS_FILE_TMPDIR:?}/locale
    [ ! -e "$LOCPATH/zh_CN.UTF-8" ] || return 0
    mkdir -p "$LOCPATH"
    localedef -i zh_CN -f UTF-8 "$LOCPATH/zh_CN.$$" 2>/dev/null
    mv -T "$LOCPATH/zh_CN.$$" "$LOCPATH/zh_CN.UTF-8" 2>/dev/null || rm -rf "$LOCPATH/zh_CN.$$"
}

in_shell() { # SHELL ARG...: the program under one of the shells
    local shell=$1
    shift
    case $shell in
    dash) KDUMP_ROOT=$ROOT PATH=$STUBS:$PATH dash "$KDUMPCTL" "$@" ;;
    bash)
        chinese_locale
        KDUMP_ROOT=$ROOT PATH=$STUBS:$PATH LC_ALL=zh_CN.UTF-8 LANGUAGE=zh_CN bash --posix "$KDUMPCTL" "$@"
        ;;
    busybox)
        busybox_path
        KDUMP_ROOT=$ROOT PATH=$STUBS:$BUSYBOX_PATH busybox sh "$KDUMPCTL" "$@"
        ;;
    esac
}

# With FRESH set, that function puts the root in order before each shell.
kdumpctl() {
    local shell said=
    for shell in $SHELLS; do
        [ -z "${FRESH-}" ] || "$FRESH"
        : >"$CALLS"
        run --separate-stderr in_shell "$shell" "$@"
        [ -z "$said" ] || [ "$said" = "$status$output$stderr" ] ||
            fail "kdumpctl $* under $shell, unlike the shell before: exit $status
stdout: $output
stderr: $stderr
before: $said"
        said=$status$output$stderr
    done
}

# It must work, and say nothing on stderr.
kdumpctl_ok() {
    kdumpctl "$@"
    if [ "$status" -ne 0 ] || [ -n "$stderr" ]; then
        fail "kdumpctl $*: exit $status
stdout: $output
stderr: $stderr"
    fi
}

# TEXT is one of the lines on stderr.
says() {
    [[ $'\n'$stderr$'\n' == *$'\n'"$1"$'\n'* ]] || fail "not said: $1
stderr: $stderr"
}

#!/bin/bash
# dracut's module for the initramfs of the capture kernel. `kdumpctl` calls
# dracut with it; the facts (what the configuration came to) are in the file
# that $KDUMP_FACTS names.
#
# What goes in: the capture scripts, the programs they call and vmcore; the
# drivers that lead to the targets; for servers, of disks too, the network as it
# is now; and dracut's own modules for what a target is made of (LVM, MD). What
# else it may be made of kdumpctl refuses.
# shellcheck disable=SC2154 # dracut's variables

kdump_lib=${KDUMP_LIB-/usr/lib/kdump}

kdump_fact() { # KEY [DEFAULT]
    local line value=${2-}
    while IFS= read -r line; do
        [[ $line != "$1="* ]] || value=${line#"$1="}
    done <"$KDUMP_FACTS"
    printf '%s' "$value"
}

# kdump_kinds KIND...: is a target of one of these kinds?
kdump_kinds() {
    local line kind
    while IFS= read -r line; do
        for kind in "$@"; do
            [[ $line != target[0-9]*_kind=$kind ]] || return 0
        done
    done <"$KDUMP_FACTS"
    return 1
}

# kdump_attached KIND: does a disk that is needed have to be reached so? (iscsi, nvme)
kdump_attached() {
    grep -q "^[a-z0-9]*_attach=$1" "$KDUMP_FACTS"
}

kdump_network() {
    kdump_kinds nfs ssh sftp || kdump_attached "" || [[ $(kdump_fact fence_kdump_nodes) ]]
}

check() {
    # Never by itself: an initramfs with this in it restarts the machine.
    [[ $IN_KDUMP == 1 ]] || return 255
    [[ -r $KDUMP_FACTS ]] || {
        derror "kdump: KDUMP_FACTS names no file that can be read; kdumpctl rebuild builds the initramfs"
        return 1
    }
    require_binaries vmcore
}

# kdump_stack DIRECTORY in /sys: what a block device is made of, as the names
# of dracut's modules.
kdump_stack() {
    local dir uuid slave
    dir=$(readlink -f "$1") || return 0
    if [[ -r $dir/dm/uuid ]]; then
        uuid=$(<"$dir/dm/uuid")
        case $uuid in
        LVM-*) echo lvm ;;
        *) echo dm ;;
        esac
    elif [[ -d $dir/md ]]; then
        echo mdraid
    fi
    for slave in "$dir"/slaves/*; do
        [[ ! -e $slave ]] || kdump_stack "$slave"
    done
    # A partition hangs on its disk.
    [[ ! -e $dir/partition ]] || kdump_stack "${dir%/*}"
}

kdump_devices() {
    local line device
    while IFS= read -r line; do
        [[ $line == target[0-9]*_device=/dev/* ]] || continue
        device=$(readlink -f "${line#*=}")
        echo "/sys/class/block/${device##*/}"
    done <"$KDUMP_FACTS"
    [[ $(kdump_fact failure_action) != dump_to_rootfs ]] || while read -r device line _; do
        [[ $line != / || $device != /dev/* ]] || {
            device=$(readlink -f "$device")
            echo "/sys/class/block/${device##*/}"
        }
    done </proc/mounts
}

# dracut is told to take this module alone, and what it depends on.
depends() {
    local device
    echo base udev-rules
    while read -r device; do
        kdump_stack "$device"
    done < <(kdump_devices) | sort -u
}

installkernel() {
    local module facts
    facts=$(mktemp "$DRACUT_TMPDIR/kdump-facts.XXXXXX") || return 1
    {
        cat "$KDUMP_FACTS"
        "$kdump_lib/machine-facts" "$KDUMP_FACTS" 2>/dev/null
    } >"$facts"
    while read -r module; do
        hostonly='' instmods -o "$module"
    done < <("$kdump_lib/machine-drivers" "$facts")
    rm -f "$facts"
}

# The logical volumes, VG/LV, a line each.
kdump_volumes() {
    sed -n 's/^[a-z0-9]*_lvm=//p' "$initdir/etc/kdump.facts"
}

kdump_volumes_here() {
    local line
    while IFS= read -r line; do
        [[ $line != *_lvm=* ]] || grep -q "^${line%%_*}_attach=" "$KDUMP_FACTS" || echo "${line#*=}"
    done <"$initdir/etc/kdump.facts"
}

kdump_programs() {
    local name when optional
    while read -r name when; do
        case $when in
        always) ;;
        network) kdump_network || continue ;;
        lvm) [[ $(kdump_volumes) ]] || continue ;;
        iscsi | nvme) kdump_attached "$when" || continue ;;
        *) kdump_kinds "$when" || continue ;;
        esac
        optional=()
        [[ $name != *'?' ]] || optional=(-o)
        inst_multiple "${optional[@]}" "${name%'?'}"
    done < <(grep -v '^#' "$kdump_lib/capture/commands")
    kdump_restart_programs
}

# systemctl under these names would bring systemd's library with it, larger
# than all the rest; without one of its own the capture restarts by sysrq.
kdump_restart_programs() {
    local name
    for name in reboot poweroff halt; do
        case $(readlink -f "$(command -v $name)") in
        */systemctl) ! dracut_module_included systemd || inst_multiple $name ;;
        ?*) inst_multiple $name ;;
        esac
    done
}

kdump_hooks_of_user() {
    local key file
    for key in kdump_pre kdump_post kdump_emergency pre_d post_d emergency_d extra_bins; do
        for file in $(kdump_fact $key); do
            inst "$file"
        done
    done
    [[ $(kdump_fact collector) != command ]] || {
        read -r file _ <<<"$(kdump_fact core_collector)"
        inst_multiple "$file"
    }
    file=$(sed -n 's/^fence_send=//p' "$initdir/etc/kdump.facts")
    [[ -z $file ]] || inst "$file"
    [[ $(kdump_fact failure_action) != shell ]] || inst_multiple -o setsid ls cut head tail grep dmesg ip ping less vi
}

# The key and the servers' keys; a server that is not known yet would be one
# that the capture cannot ask about.
kdump_ssh() {
    local key file
    key=$(kdump_fact sshkey /root/.ssh/kdump_id_rsa)
    inst_simple "$key" || derror "kdump: the key $key is not there"
    chmod 600 "$initdir$key"
    mkdir -p "$initdir/root/.ssh"
    for file in /root/.ssh/known_hosts /root/.ssh/known_hosts2 /etc/ssh/ssh_known_hosts /etc/ssh/ssh_known_hosts2; do
        [[ ! -r $file ]] || cat "$file"
    done >"$initdir/root/.ssh/known_hosts"
    chmod 700 "$initdir/root" "$initdir/root/.ssh"
    grep -qs '^root:' "$initdir/etc/passwd" || echo 'root:x:0:0::/root:/bin/sh' >>"$initdir/etc/passwd"
    inst_libdir_file 'libnss_files.so*'
}

install() {
    local file
    inst_simple "$KDUMP_FACTS" /etc/kdump.facts
    "$kdump_lib/machine-facts" "$KDUMP_FACTS" >>"$initdir/etc/kdump.facts"
    kdump_programs
    for file in "$kdump_lib"/capture/*; do
        inst_simple "$file" "/usr/lib/kdump/capture/${file##*/}"
    done
    kdump_hooks_of_user
    ! kdump_kinds ssh sftp || kdump_ssh
    [[ ! -s ${KDUMP_SECRETS-} ]] || (umask 077 && cat "$KDUMP_SECRETS" >"$initdir/etc/kdump.secrets")
    inst_hook cmdline 99 "$moddir/kdump-cmdline.sh"
    inst_hook pre-mount 00 "$moddir/kdump-hook.sh"
    inst_hook emergency 00 "$moddir/kdump-hook.sh"
    # Something to wait for: the first target's device.
    kdump_wait
    dracut_need_initqueue
}

# A device that has to be put together (LVM, MD) is, while dracut's queue runs; so it
# must run until the device is there, or for a minute. Of logical volumes the targets'
# alone. What lies on another machine's disk nobody but the capture puts together.
kdump_wait() {
    local source path volume
    mkdir -p "$initdir/etc/cmdline.d"
    {
        echo rd.retry=60
        while read -r volume; do
            echo "rd.lvm.lv=$volume"
        done < <(kdump_volumes_here)
        [[ $(kdump_volumes_here) || ! $(kdump_volumes) ]] || echo rd.lvm=0
    } >"$initdir/etc/cmdline.d/55-kdump.conf"
    ! grep -q "^target1_attach=" "$KDUMP_FACTS" || return 0
    [[ $(kdump_devices | while read -r path; do kdump_stack "$path"; done) ]] || return 0
    source=$(kdump_fact target1_source)
    case $source in
    UUID=*) path=/dev/disk/by-uuid/${source#UUID=} ;;
    LABEL=*) path=/dev/disk/by-label/${source#LABEL=} ;;
    *) path=$source ;;
    esac
    printf '[ -e %q ]\n' "$path" >"$initdir/kdump-wait.sh"
    inst_hook initqueue/finished 00 "$initdir/kdump-wait.sh"
    rm -f "$initdir/kdump-wait.sh"
}

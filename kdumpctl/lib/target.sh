# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck shell=sh disable=SC2034,SC2154,SC3013 # -ef: POSIX 2024, and every sh has it
# Where the dump goes: what the configuration names, found on this system and put
# into words that still hold in the capture kernel, where disks may have other names.
#
#   targets_resolve      resolves every target in the order of trying; sets
#                        targets (how many) and target_facts, lines "targetN_KEY=VALUE";
#                        fails when one cannot be used, and says why
#   target_each CALL     for each resolved target: the target_* below, then CALL NUMBER
#
#   target_kind          fs, raw, nfs, virtiofs, ssh, sftp
#   target_source        what to mount, write or log in to: UUID=..., a /dev/disk/by-*
#                        link, HOST:/EXPORT, a tag, USER@HOST
#   target_device        its name on the running system, empty where it has none
#   target_fstype        of fs, nfs and virtiofs
#   target_options       mount options it cannot do without (a btrfs subvolume)
#   target_path          the directory for dumps, from the top of the target
#   target_mount         where it is mounted now, empty when it is not
#   target_attach        of a disk that another machine serves: how to get there, lines as
#                        of that fact (facts.sh)
#   secrets              what it takes beside, for all targets (attach.sh)

# Nothing of these is left after a panic.
VOLATILE="tmpfs ramfs overlay aufs squashfs erofs rootfs proc sysfs devtmpfs fuse.snapfuse"

target_clear() {
    target_kind=
    target_source=
    target_device=
    target_fstype=
    target_options=
    target_path=
    target_mount=
    target_attach=
}

# mountinfo writes blanks and backslashes in octal. Sets decoded.
decode_mount() { # TEXT
    decoded=
    left=$1
    while :; do
        case $left in
        *\\[01][0-7][0-7]*) ;;
        *) break ;;
        esac
        decoded=$decoded${left%%\\[01][0-7][0-7]*}
        left=${left#*"${left%%\\[01][0-7][0-7]*}"}
        case $left in
        \\040*) decoded="$decoded " ;;
        \\011*) decoded=$decoded$TAB ;;
        \\012*) decoded=$decoded$LF ;;
        *) decoded=$decoded\\ ;;
        esac
        left=${left#????}
    done
    decoded=$decoded$left
}

# TEST ARGUMENT: the mount for which TEST says yes; TEST sees mounted_* and says
# whether it is better than what was found before. Sets mount_*; fails without one.
mount_find() {
    mount_point=
    # Optional fields end at a single dash.
    while read -r _ _ mounted_number mounted_root mounted_point mounted_flags mounted_more; do
        case $mounted_point$mounted_root in
        *\\012*) continue ;; # it could not be told in a line
        esac
        decode_mount "$mounted_point"
        mounted_point=$decoded
        while :; do
            case $mounted_more in
            "- "*) break ;;
            *" "*) mounted_more=${mounted_more#* } ;;
            *) continue 2 ;;
            esac
        done
        mounted_more=${mounted_more#- }
        mounted_type=${mounted_more%% *}
        mounted_more=${mounted_more#* }
        mounted_source=${mounted_more%% *}
        mounted_super=${mounted_more#* }
        "$@" || continue
        mount_point=$mounted_point
        mount_number=$mounted_number
        decode_mount "$mounted_root"
        mount_root=$decoded
        mount_type=$mounted_type
        decode_mount "$mounted_source"
        mount_source=$decoded
        mount_flags=$mounted_flags
        mount_super=$mounted_super
    done <"$ROOT/proc/self/mountinfo"
    [ -n "$mount_point" ]
}

# The longest mount point above a path; of two the later one is on top.
mounted_holds() { # PATH
    case $1/ in
    "${mounted_point%/}/"*) [ "${#mounted_point}" -ge "${#mount_point}" ] ;;
    *) return 1 ;;
    esac
}

# The first one; a later one that shows the whole device, where the first is a bind mount.
mounted_is_device() { # DEVICE
    case $mounted_source in
    /dev/*) ;;
    *) return 1 ;;
    esac
    [ -z "$mount_point" ] || { [ "$mount_root" != / ] && [ "$mounted_root" = / ]; } || return 1
    [ "$ROOT$mounted_source" -ef "$ROOT$1" ]
}

mounted_is_source() { # TYPE SOURCE
    case $mounted_type in
    "$1" | "$1"[0-9]) [ -z "$mount_point" ] && [ "$mounted_source" = "$2" ] ;;
    *) return 1 ;;
    esac
}

# Early in a boot udev may not have come to a disk and its names yet. Once is enough.
await_udev() {
    [ -z "${udev_awaited-}" ] && command -v udevadm >/dev/null 2>&1 || return 1
    udev_awaited=yes
    cmd udevadm settle -t 10 || true
}

# DEVICE: sets target_source to a name that does not depend on the order in which
# disks are found.
name_device() {
    target_source=$1
    name_device_by_link "$1"
    [ "$target_source" = "$1" ] && [ -b "$ROOT$1" ] && await_udev || return 0
    name_device_by_link "$1"
}

name_device_by_link() { # DEVICE
    for link in "$ROOT"/dev/disk/by-uuid/*; do
        [ "$link" -ef "$ROOT$1" ] || continue
        target_source=UUID=${link##*/}
        return
    done
    case $1 in
    /dev/mapper/* | /dev/disk/*) return ;;
    esac
    for link in "$ROOT"/dev/disk/by-partuuid/* "$ROOT"/dev/disk/by-id/* "$ROOT"/dev/disk/by-path/*; do
        [ "$link" -ef "$ROOT$1" ] || continue
        target_source=${link#"$ROOT"}
        return
    done
}

# UUID=... and the like, or a device: sets target_device; fails when it is not there.
find_device() {
    case $1 in
    UUID=*) target_device=/dev/disk/by-uuid/${1#*=} ;;
    LABEL=*) target_device=/dev/disk/by-label/${1#*=} ;;
    PARTUUID=*) target_device=/dev/disk/by-partuuid/${1#*=} ;;
    PARTLABEL=*) target_device=/dev/disk/by-partlabel/${1#*=} ;;
    *) target_device=$1 ;;
    esac
    [ -e "$ROOT$target_device" ] && return 0
    await_udev && [ -e "$ROOT$target_device" ] && return 0
    complain "the dump target $1 is not there (looked for $target_device)" \
        "blkid lists the filesystems; the target is set in $KDUMP_CONF."
}

# The filesystem of mount_*, which holds PATH or is used from its top.
target_take_mount() { # PATH, as seen on the running system
    target_mount=$mount_point
    target_fstype=$mount_type
    target_path=${1#"${mount_point%/}"}
    case $mount_type in
    btrfs) [ "$mount_root" = / ] || target_options=subvol=$mount_root ;;
    *) target_path=${mount_root%/}$target_path ;; # a bind mount shows part of it
    esac
    target_path=${target_path:-/}
}

# No target is named: the filesystem that holds the path.
target_from_path() { # PATH
    real=$1
    if [ -d "$ROOT$1" ]; then
        real=$(cd -P "$ROOT$1" && pwd -P)
        case $real/ in
        "$ROOT/"*) real=${real#"$ROOT"} ;;
        *) real=$1 ;;
        esac
        real=${real:-/}
    fi
    mount_find mounted_holds "$real" ||
        { complain "no filesystem holds $1"; return 1; }
    if has_word "$VOLATILE" "$mount_type"; then
        complain "$1 lies on $mount_type ($mount_point), and nothing there outlives a crash" \
            "Name a target in $KDUMP_CONF, such as: ext4 UUID=..."
        return 1
    fi
    target_take_mount "$real"
    case $mount_type in
    nfs | nfs4) target_kind=nfs target_source=$mount_source ;;
    virtiofs) target_kind=virtiofs target_source=$mount_source ;;
    *)
        target_kind=fs
        target_device=$mount_source
        case $mount_source in
        /dev/*) name_device "$mount_source" ;;
        *)
            complain "$1 lies on $mount_type from $mount_source, which the capture kernel cannot reach" \
                "Name a target in $KDUMP_CONF, such as: ext4 UUID=..."
            return 1
            ;;
        esac
        ;;
    esac
}

target_from_filesystem() { # TYPE SOURCE
    target_kind=fs
    target_fstype=$1
    target_source=$2
    target_path=$conf_path
    find_device "$2" || return 1
    case $2 in
    /dev/*) name_device "$2" ;;
    esac
    mount_find mounted_is_device "$target_device" || return 0
    case $mount_type in
    "$1") ;;
    *)
        complain "$KDUMP_CONF says $1 $2, but it is mounted as $mount_type" \
            "Write $mount_type $2."
        return 1
        ;;
    esac
    target_take_mount "${mount_point%/}$conf_path"
    # Named as a whole, so the path counts from its top, not from a bind mount's.
    [ "$mount_type" = btrfs ] || target_path=$conf_path
}

# dracut_args --mount "DEVICE POINT TYPE OPTIONS"
target_from_argument() { # TEXT
    next_word "$1"
    unquote "$word"
    mount_what=$unquoted
    next_word "$rest"
    next_word "$rest"
    type=$word
    next_word "$rest" || true
    case $type in
    nfs | nfs4) target_kind=nfs target_source=$mount_what target_path=$conf_path target_fstype=$type ;;
    virtiofs) target_kind=virtiofs target_source=$mount_what target_path=$conf_path target_fstype=$type ;;
    *) target_from_filesystem "$type" "$mount_what" || return 1 ;;
    esac
    target_options=$word
}

# DEVICE: sets device_number (MAJOR:MINOR), empty where it is not known. A mount's own
# number is the second choice: that of btrfs is no device's.
device_number() {
    device_number=
    for node in "$ROOT"/sys/class/block/*; do
        [ "$ROOT/dev/${node##*/}" -ef "$ROOT$1" ] || continue
        ! read_first_line "${node#"$ROOT"}/dev" || device_number=$first_line
        return 0
    done
    [ -z "${mount_point-}" ] || [ "${mount_source-}" != "$1" ] || device_number=$mount_number
}

# MAJOR:MINOR: adds to stack a word for all it is made of that is more than a disk: crypt,
# lvm, multipath, dm (others of the device mapper), md, volatile, for what some program,
# another file or memory stands behind, and those of attach.sh; to attach a line for all
# that is on another machine.
device_stack() {
    stack_at=/sys/dev/block/$1
    # A partition hangs on its disk.
    [ ! -e "$ROOT$stack_at/partition" ] || stack_at=$stack_at/..
    device_kind
    # The files of one level in the order of names; each level below ends before the next.
    for slave in "$ROOT$stack_at"/slaves/*; do
        read_first_line "${slave#"$ROOT"}/dev" || continue
        device_stack "$first_line"
    done
}

device_kind() { # of $stack_at
    if read_first_line "$stack_at/dm/uuid"; then
        case $first_line in
        CRYPT-*) stack="$stack crypt" ;;
        LVM-*) stack="$stack lvm" ;;
        mpath-* | part*-mpath-*) stack="$stack multipath" ;;
        *) stack="$stack dm" ;;
        esac
        return
    fi
    [ ! -d "$ROOT$stack_at/md" ] || stack="$stack md"
    [ ! -d "$ROOT$stack_at/device/../../iscsi_session" ] || attach_session "$stack_at/device/../.."
    # With several paths the controllers are one level lower.
    for transport in "$ROOT$stack_at"/device/transport "$ROOT$stack_at"/device/nvme*/transport; do
        [ ! -e "$transport" ] || {
            transport=${transport%/*}
            attach_controller "${transport#"$ROOT"}"
        }
    done
    # loop, nbd, zram
    for sign in loop pid disksize; do
        [ ! -e "$ROOT$stack_at/$sign" ] || stack="$stack volatile"
    done
}

# DEVICE: sets stack and attach, for all it is made of; the lines in an order that does not
# depend on that in which the machine found its disks.
attach_of() {
    stack=
    attach=
    device_number "$1"
    [ -z "$device_number" ] || device_stack "$device_number"
    case $attach in
    *"$LF"?*) attach=$(printf '%s' "$attach" | sort)$LF ;;
    esac
}

# Fails for what the capture cannot write to, so that nobody learns that after a crash.
target_is_served() {
    # Whoever gives an initramfs has put into it what it takes.
    [ -n "$target_device" ] && [ -z "$sys_initrd" ] || return 0
    attach_of "$target_device"
    if has_word "$stack" crypt; then
        complain "$target_device is encrypted, and the capture kernel has no key for it" \
            "Name a target that is not encrypted in $KDUMP_CONF, such as: ext4 UUID=..."
        return 1
    fi
    for layer in md:"RAID (md)" multipath:"multipath (device mapper)" \
        iscsi:"a disk reached by iSCSI in another way than the kernel's own over TCP (iscsi_tcp)" \
        nvme:"a disk reached by NVMe over a network that is not TCP" nvme-key:"a disk reached by NVMe with a key (DH-HMAC-CHAP, TLS)" \
        dm:"a device mapper's device that is neither LVM's nor encrypted" volatile:"a device that a program, a file or memory stands behind"; do
        has_word "$stack" "${layer%%:*}" || continue
        complain "$target_device lies on ${layer#*:}, which the capture kernel cannot set up" \
            "Name another target in $KDUMP_CONF (ext4 UUID=... on a local disk, nfs, ssh), or an initramfs of your own with KDUMP_INITRD in $SYSCONFIG."
        return 1
    done
    attach_is_served
}

# KIND SOURCE: sets target_*; fails, having said why.
target_resolve() {
    target_find "$1" "$2" && target_is_served
}

target_find() {
    target_clear
    case $1 in
    '')
        target_from_path "$conf_path"
        ;;
    mount) target_from_argument "$2" ;;
    raw)
        target_kind=raw
        find_device "$2" || return 1
        name_device "$target_device"
        if mount_find mounted_is_device "$target_device"; then
            complain "the raw target $2 is mounted at $mount_point; a dump would destroy what is there" \
                "Unmount it, or write $mount_type $2 to save a file there."
            return 1
        fi
        ;;
    nfs | virtiofs)
        target_kind=$1
        target_source=$2
        target_fstype=$1
        target_path=$conf_path
        ! mount_find mounted_is_source "$1" "$2" || target_mount=$mount_point
        ;;
    ssh | sftp)
        target_kind=$1
        target_source=$2
        target_path=$conf_path
        ;;
    *) target_from_filesystem "$1" "$2" ;;
    esac
}

target_note_fact() { # KEY VALUE
    target_facts="${target_facts}target${targets}_$1=$2$LF"
}

target_add() { # KIND SOURCE
    target_resolve "$1" "$2" || return 1
    targets=$((targets + 1))
    target_note_fact kind "$target_kind"
    target_note_fact source "$target_source"
    target_note_fact device "$target_device"
    target_note_fact fstype "$target_fstype"
    target_note_fact options "$target_options"
    target_note_fact path "$target_path"
    target_note_fact mount "$target_mount"
    while [ -n "$target_attach" ]; do
        target_note_fact attach "${target_attach%%"$LF"*}"
        target_attach=${target_attach#*"$LF"}
    done
}

targets_resolve() {
    targets=0
    target_facts=
    secrets=
    target_add "$conf_target_kind" "$conf_target_source" || return 1
    fallbacks=$conf_fallbacks
    while [ -n "$fallbacks" ]; do
        fallback=${fallbacks%%"$LF"*}
        fallbacks=${fallbacks#*"$LF"}
        target_add "${fallback%% *}" "${fallback#* }" || return 1
    done
}

target_each() { # CALL
    number=0
    left_facts=$target_facts
    while [ -n "$left_facts" ]; do
        number=$((number + 1))
        target_take kind && target_kind=$taken
        target_take source && target_source=$taken
        target_take device && target_device=$taken
        target_take fstype && target_fstype=$taken
        target_take options && target_options=$taken
        target_take path && target_path=$taken
        target_take mount && target_mount=$taken
        target_attach=
        while :; do
            case $left_facts in
            "target${number}_attach="*) target_take attach && target_attach="$target_attach$taken$LF" ;;
            *) break ;;
            esac
        done
        "$1" "$number" || return 1
    done
}

target_take() { # KEY: the next fact, which is this one
    taken=${left_facts%%"$LF"*}
    left_facts=${left_facts#*"$LF"}
    taken=${taken#"target${number}_$1="}
}

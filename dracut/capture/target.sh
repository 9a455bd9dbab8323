# shellcheck shell=sh disable=SC2034,SC2154 # the files of one program share their variables
# Where the dump goes: targets in their order, until one has the dump.
#
# A kind of target is a file target-KIND.sh with
#
#   KIND_save N   reach the target N of the facts, save there, leave it in
#                 order; sets $saved and $saved_what as save.sh says. What
#                 went wrong has been said.
#
# and what the kinds share:
#
#   target_fact KEY [DEFAULT]   $fact, of the target $target
#   find_device SOURCE          $device: the block device, once it is there;
#                               a logical volume, $volume (VG/LV), is made where
#                               nobody has yet
#   mount_at TYPE SOURCE OPTIONS   mounts it on $mnt, writable
#   save_mounted                save_directory below $mnt, then unmount

target_fact() { # KEY [DEFAULT]
    fact "target${target}_$1" "${2-}"
}

# Sets $best to the best outcome, and $best_what, $best_where with it.
targets_save() {
    best=1 best_what="nothing" best_where=
    target=1
    while fact "target${target}_kind"; do
        target_kind=$fact
        target_save
        case $saved in
        0 | 3) return 0 ;;
        esac
        target=$((target + 1))
    done
    [ $target -gt 1 ] || warn "the facts name no target"
}

target_save() {
    saved=1 saved_what="nothing" room='' volume=''
    mnt=$run/mnt.$target
    target_fact source
    say "target $target: $target_kind $fact"
    target_name="$target_kind $fact"
    target_fact path /var/crash || :
    path=/${fact#/}
    case $target_kind in
    fs | raw | nfs | ssh | sftp | virtiofs) "${target_kind}_save" ;;
    *)
        warn "no way to save there is known: $target_kind"
        return 0 ;;
    esac
    say "target $target: saved $saved_what"
    case $saved,$best in
    0,* | 3,[12] | 2,1)
        best=$saved best_what=$saved_what best_where=$target_name ;;
    esac
}

find_device() { # SOURCE
    limit_of device
    find_wait=$limit_seconds
    uptime_whole
    find_end=$((uptime + find_wait)) find_last=
    while :; do
        case $1 in
        UUID=*) device=$ROOT/dev/disk/by-uuid/${1#UUID=} ;;
        LABEL=*) device=$ROOT/dev/disk/by-label/${1#LABEL=} ;;
        PARTUUID=*) device=$ROOT/dev/disk/by-partuuid/${1#PARTUUID=} ;;
        PARTLABEL=*) device=$ROOT/dev/disk/by-partlabel/${1#PARTLABEL=} ;;
        *) device=$ROOT$1 ;;
        esac
        [ ! -e "$device" ] || return 0
        # Without udev there are no links; blkid looks itself.
        case $1 in
        UUID=* | LABEL=*)
            limit small findfs "$1" >"$run/findfs" 2>/dev/null && IFS= read -r device <"$run/findfs" &&
                [ -e "$device" ] && return 0 ;;
        esac
        # A volume is made once at least, and looked for behind that.
        [ -z "$find_last" ] || break
        uptime_whole
        [ "$uptime" -lt "$find_end" ] || find_last=1
        if [ -n "$volume" ]; then
            find_volume
        else
            sleep 0.2
        fi
    done
    why=
    [ -z "$volume" ] || why_file "$run/lvm.err"
    warn "$1: no such device after $find_wait s${why:+: $why}"
    return 1
}

# With udev and dracut's module for LVM it has been made by now; else by this, when its
# disks are there. That volume and no other; nothing is written to the group.
find_volume() {
    command -v lvm >/dev/null || {
        echo "there is no lvm in this initramfs" >"$run/lvm.err"
        sleep 1
        return 0
    }
    # Else it waits for udev to make the nodes.
    [ -e "$ROOT/run/udev/control" ] || export DM_DISABLE_UDEV=1
    LVM_SUPPRESS_FD_WARNINGS=1 limit device lvm lvchange --sysinit -a y "$volume" >/dev/null 2>"$run/lvm.err" || sleep 1
}

# How often something was killed because memory ran out.
mount_kills() { # $kills
    kills=0
    { while read -r kills_key kills_value; do
        [ "$kills_key" != oom_kill ] || kills=$kills_value
    done <"$ROOT/proc/vmstat"; } 2>/dev/null || :
}

mount_at() { # TYPE SOURCE OPTIONS
    mkdir -p "$mnt"
    mount_tries=3
    while :; do
        mount_kills
        mount_before=$kills
        limit mount mount -t "$1" ${3:+-o "$3"} "$2" "$mnt" 2>"$run/mount.err"
        mount_status=$? mount_tries=$((mount_tries - 1))
        mount_kills
        case $mount_status,$mount_tries,$kills in
        0,* | "$LIMIT_STOPPED",* | *,0,*) break ;;
        137,*) ;;
        *,*,"$mount_before") break ;;
        esac
        # Memory ran out, for it or for what the kernel called for it, and so there is
        # some again.
        warn "mounting $2: something was killed for want of memory; trying again"
        sleep 1
    done
    case $mount_status in
    0) return 0 ;;
    # What hangs may still arrive.
    "$LIMIT_STOPPED") warn "mounting $2: no answer" ;;
    *)
        rmdir "$mnt"
        why_file "$run/mount.err"
        warn "cannot mount $2 ($1${3:+, $3}): $why" ;;
    esac
    return 1
}

save_mounted() {
    save_directory "$mnt$path"
    # A target that does not answer keeps its mount; the restart ends it.
    if limit unmount umount "$mnt" 2>"$run/umount.err"; then
        rmdir "$mnt"
    else
        why_file "$run/umount.err"
        warn "cannot unmount: ${why:-no answer}"
    fi
}

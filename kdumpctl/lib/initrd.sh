# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck shell=sh disable=SC2034,SC2154
# The capture initramfs: where it lies, whether it is still right, how it is built.
#
#   initrd_ensure    sets initrd to one that is right, building it where needed
#   initrd_rebuild   builds it in any case
#   initrd_is_there  sets initrd to one that is whole, right or not
#   initrd_state     sets initrd and initrd_says, a line about it; fails when it would
#                    have to be built
#
# An initramfs is built under another name and renamed when it is whole, its list
# after it: whatever stops that leaves the old one, or a new one without its list,
# which the next start builds again.

# Beside the kernel; where that cannot be written, with the state.
INITRD_ELSEWHERE=/var/lib/kdump
EXTRACTINITRD=/usr/lib/dracut/extractinitrd

initrd_directories() { # sets directory1 and directory2
    directory1=$INITRD_ELSEWHERE
    directory2=
    case $image in
    /boot/efi/*) ;;
    /boot/*)
        directory1=/boot
        directory2=$INITRD_ELSEWHERE
        ;;
    esac
}

initrd_name() { # DIRECTORY
    initrd=$1/initramfs-${release}kdump.img
}

# Sets initrd to one that is right; else changes says why there is none.
initrd_is_right() {
    reasons=
    for directory in "$directory1" ${directory2:+"$directory2"}; do
        initrd_name "$directory"
        [ -s "$ROOT$initrd" ] || continue
        manifest_compare "$ROOT$initrd" && return 0
        [ -n "$reasons" ] || reasons=$changes
    done
    changes=${reasons:-"there is none yet$LF"}
    return 1
}

# The user's own: used as it is.
initrd_is_given() {
    [ -n "$sys_initrd" ] || return 1
    initrd=$sys_initrd
    if [ ! -s "$ROOT$initrd" ]; then
        config_origin KDUMP_INITRD
        complain "$origin: KDUMP_INITRD: $initrd is not there"
    fi
    return 0
}

initrd_state() {
    initrd_directories
    if initrd_is_given; then
        initrd_says="$initrd, given by KDUMP_INITRD"
        [ -s "$ROOT$initrd" ]
        return
    fi
    manifest_make || return 1
    if [ "$conf_force_no_rebuild" = 1 ] && initrd_exists; then
        initrd_says="$initrd, not looked at (force_no_rebuild)"
    elif [ "$conf_force_rebuild" = 1 ]; then
        initrd_says="to be built (force_rebuild)"
        return 1
    elif initrd_is_right; then
        initrd_says="$initrd, up to date"
    else
        initrd_says="to be built: ${changes%%"$LF"*}"
        return 1
    fi
}

initrd_exists() {
    for directory in "$directory1" ${directory2:+"$directory2"}; do
        initrd_name "$directory"
        [ ! -s "$ROOT$initrd" ] || return 0
    done
    return 1
}

initrd_is_there() {
    initrd_directories
    if initrd_is_given; then
        [ -s "$ROOT$initrd" ]
        return
    fi
    initrd_exists && manifest_read "$ROOT${initrd%.img}.manifest" || return 1
    summed=$(sha256sum <"$ROOT$initrd")
    [ "${summed%% *}" = "$stored_hash" ]
}

initrd_ensure() {
    initrd_directories
    if initrd_is_given; then
        [ -s "$ROOT$initrd" ]
        return
    fi
    manifest_make || return 1
    if [ "$conf_force_no_rebuild" = 1 ] && initrd_exists; then
        step "initramfs: $initrd, as it is (force_no_rebuild)"
        return 0
    fi
    if [ "$conf_force_rebuild" = 1 ]; then
        note "building the initramfs: force_rebuild is set"
    elif initrd_is_right; then
        step "initramfs: $initrd, up to date"
        return 0
    else
        note "building the initramfs:"
        changes_left=$changes
        while [ -n "$changes_left" ]; do
            note "  ${changes_left%%"$LF"*}"
            changes_left=${changes_left#*"$LF"}
        done
    fi
    initrd_build
}

initrd_rebuild() {
    if [ -n "$sys_initrd" ]; then
        complain "KDUMP_INITRD names $sys_initrd, which is built by somebody else" \
            "Empty it in $SYSCONFIG to have one built here."
        return 1
    fi
    initrd_directories
    manifest_make || return 1
    initrd_build
}

# Sets builder, or says what is missing.
initrd_builder() {
    if command -v dracut >/dev/null 2>&1; then
        builder=dracut
        [ -e "$ROOT$DRACUT_MODULE/module-setup.sh" ] && return 0
        complain "dracut is here, but not its module for kdump ($DRACUT_MODULE)" \
            "Install loongdump's dracut module, or name an initramfs of your own with KDUMP_INITRD in $SYSCONFIG."
    elif command -v mkinitramfs >/dev/null 2>&1; then
        builder=mkinitramfs
        [ -e "$ROOT/usr/share/initramfs-tools/hooks/kdump" ] && return 0
        complain "initramfs-tools is here, but not its hook for kdump (/usr/share/initramfs-tools/hooks/kdump)" \
            "Install loongdump's hook, or name an initramfs of your own with KDUMP_INITRD in $SYSCONFIG."
    else
        complain "nothing here can build an initramfs: neither dracut nor initramfs-tools is installed" \
            "Install dracut, or name an initramfs of your own with KDUMP_INITRD in $SYSCONFIG."
    fi
    return 1
}

# DIRECTORY: sets free_space, in KiB.
free_space_of() {
    free_space=$(df -P -k "$1" | {
        read -r _
        read -r _ _ _ available _
        printf '%s' "$available"
    })
    case $free_space in
    '' | *[!0-9]*) free_space=0 ;;
    esac
}

# DIRECTORY: sets building, an empty file there; fails where none can be made. Root's alone
# from the start: keys and passwords go into it.
initrd_begin() {
    [ -d "$ROOT$1" ] || cmd mkdir -p "$ROOT$1" || return 1
    initrd_name "$1"
    # What an earlier, killed run left.
    rm -f "$ROOT$1"/.initramfs-*kdump.img.* 2>/dev/null
    building=$ROOT$1/.${initrd##*/}.$$
    (umask 077 && true >"$building") 2>/dev/null && return 0
    building=
    step "$1 cannot be written"
    return 1
}

# In the second directory where the first cannot be written or has no room.
initrd_build() {
    initrd_builder || return 1
    mkdir -p "$ROOT/run/kdump"
    printf '%s' "$facts" >"$ROOT/run/kdump/facts"
    KDUMP_FACTS=$ROOT/run/kdump/facts
    IN_KDUMP=1
    KDUMP_SECRETS=$ROOT/run/kdump/secrets
    export KDUMP_FACTS KDUMP_SECRETS IN_KDUMP
    building=
    trap 'rm -f "$building" "$KDUMP_SECRETS"' EXIT
    trap 'exit 1' HUP INT TERM
    rm -f "$KDUMP_SECRETS"
    [ -z "$secrets" ] || (umask 077 && printf '%s' "$secrets" >"$KDUMP_SECRETS")
    short_of_room=
    for place in "$directory1" ${directory2:+"$directory2"}; do
        initrd_begin "$place" || continue
        if "initrd_with_$builder" && [ -s "$building" ]; then
            initrd_finish
            return
        fi
        initrd_has_room || { short_of_room=$place; continue; }
        short_of_room=
        break
    done
    initrd_failed
}

initrd_finish() {
    rm -f "$KDUMP_SECRETS"
    initrd_unpacked "$building"
    if cmd chmod 600 "$building" && cmd mv -f "$building" "$ROOT$initrd"; then
        trap - EXIT HUP INT TERM
        manifest_write "$ROOT$initrd" "$unpacked" "$unpacked_files" && return 0
    fi
    complain "the initramfs was built, but not put in its place, $initrd (above)"
}

# After a build that failed: whether that was for another reason than room. What is there
# already shows how much it takes.
initrd_has_room() {
    wanted=16384
    if [ -s "$ROOT$initrd" ]; then
        size=$(wc -c <"$ROOT$initrd")
        wanted=$((wanted + size / 1024))
    fi
    free_space_of "$ROOT${initrd%/*}"
    [ "$free_space" -ge 1024 ] || { rm -f "$building"; room_left=$free_space; return 1; }
    rm -f "$building"
    free_space_of "$ROOT${initrd%/*}"
    room_left=$free_space
    [ "$free_space" -ge "$wanted" ] && return 0
    step "$place has $room_left KiB left"
    return 1
}

initrd_failed() {
    rm -f "$KDUMP_SECRETS"
    trap - EXIT HUP INT TERM
    if [ -z "$building" ]; then
        complain "no place for the initramfs: neither $directory1 nor $INITRD_ELSEWHERE can be written" \
            "Make /boot writable, or $INITRD_ELSEWHERE."
    elif [ -n "$short_of_room" ]; then
        complain "$builder could not build the initramfs: $short_of_room has $room_left KiB left" \
            "Make room there; what was built before is still in place."
    else
        complain "$builder could not build the initramfs (above)" \
            "What was built before is still in place. kdumpctl -v rebuild shows the command."
    fi
}

# FILE: sets unpacked, in bytes, and unpacked_files, how many; 0 where that cannot be
# found out.
initrd_unpacked() {
    unpacked=0
    unpacked_files=0
    initrd_listed "$1" && return 0
    case $(od -A n -t x1 -N 4 "$1") in
    *28*b5*2f*fd*) unpack=zstd ;;
    *1f*8b*) unpack=gzip ;;
    *fd*37*7a*58*) unpack=xz ;;
    *) return 0 ;;
    esac
    unpacked=$({ "$unpack" -d -c <"$1" 2>/dev/null || true; } | wc -c)
    unpacked=$((unpacked))
    command -v cpio >/dev/null 2>&1 || return 0
    unpacked_files=$({ "$unpack" -d -c <"$1" | cpio -t; } 2>/dev/null | wc -l)
    unpacked_files=$((unpacked_files))
}

# dracut of today (seen with 112) puts modules, which are packed one by one, into an archive
# in front that is not packed, and so does initramfs-tools (0.151); each has a program that
# reads both.
initrd_listed() { # FILE
    case $builder in
    dracut)
        [ -x "$ROOT$EXTRACTINITRD" ] || return 1
        listed=$("$ROOT$EXTRACTINITRD" --list --verbose "$1" 2>/dev/null) || return 1 ;;
    *)
        command -v lsinitramfs >/dev/null 2>&1 || return 1
        listed=$(lsinitramfs -l "$1" 2>/dev/null) || return 1 ;;
    esac
    while read -r mode _ _ _ size _; do
        case $mode:$size in
        -*:*[!0-9]* | [!-]*) ;;
        -*:?*)
            unpacked=$((unpacked + size))
            unpacked_files=$((unpacked_files + 1))
            ;;
        esac
    done <<TEXT
$listed
TEXT
    [ "$unpacked_files" -gt 0 ]
}

# The module finds all it needs in the facts, and depends on the others that a
# target needs; dracut learns here only which disks must work.
initrd_with_dracut() {
    set -- --force --kver "$release" --hostonly --no-hostonly-cmdline --no-hostonly-default-device \
        --hostonly-i18n --hostonly-mode strict --modules kdump \
        --omit "plymouth resume ifcfg earlykdump rdma hwdb kdumpbase"
    [ "$VERBOSE" = yes ] || set -- --quiet "$@"
    devices_left=$target_facts
    while [ -n "$devices_left" ]; do
        line=${devices_left%%"$LF"*}
        devices_left=${devices_left#*"$LF"}
        case $line in
        target[0-9]*_device=/*) set -- "$@" --add-device "${line#*=}" ;;
        esac
    done
    arguments_left=$conf_dracut_args
    while next_argument "$arguments_left"; do
        arguments_left=$argument_rest
        case $argument in
        --mount) # it named the target, which is in the facts
            next_argument "$arguments_left"
            arguments_left=$argument_rest
            ;;
        --mount=*) ;;
        *) set -- "$@" "$argument" ;;
        esac
    done
    if [ "$VERBOSE" = yes ]; then
        cmd dracut "$@" "$building" 9>&-
        return
    fi
    dracut "$@" "$building" 9>&- 2>"$ROOT/run/kdump/dracut.err"
    dracut_ended=$?
    dracut_said
    return $dracut_ended
}

# Without systemd in it dracut misses switch_root, which is not on every system; the
# capture never leaves its initramfs.
dracut_said() {
    while IFS= read -r line || [ -n "$line" ]; do
        case $dracut_ended,$line in
        0,*switch_root*) ;;
        *) printf '%s\n' "$line" >&2 ;;
        esac
    done <"$ROOT/run/kdump/dracut.err"
}

initrd_with_mkinitramfs() {
    cmd mkinitramfs -o "$building" "$release" 9>&-
}

# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck shell=sh disable=SC2034,SC2154
# Which kernel the capture is done with, and where its image lies.
#
#   image_find       sets release (of the kernel) and image (its path under ROOT);
#                    fails with every path that was tried. release_wanted, where it
#                    is set, stands for the running kernel's
#
# Looked for, in this order, and the first regular file that is not empty is it:
#   1. what /etc/sysconfig/kdump asks for: KDUMP_IMG, in KDUMP_BOOTDIR if given
#   2. the file the boot loader started (BOOT_IMAGE=), when it is of this release
#   3. /lib/modules/RELEASE, where kernel packages of today leave it
#   4. the entry of the boot loader specification
#   5. /boot, by the usual names
# A unified kernel image is found too, and refused: kexec does not start those.

IMAGE_NAMES="vmlinuz vmlinuz.efi vmlinux.efi vmlinux Image kernel"

read_first_line() { # FILE: sets first_line; empty when there is none
    first_line=
    [ -r "$ROOT$1" ] || return 1
    read -r first_line <"$ROOT$1" || [ -n "$first_line" ]
}

# A debug kernel needs too much memory for a capture: its twin, where there is one.
release_find() {
    if [ -n "$sys_kernelver" ]; then
        release=$sys_kernelver
        return 0
    fi
    if [ -n "${release_wanted-}" ]; then
        release=$release_wanted
    elif read_first_line /proc/sys/kernel/osrelease; then
        release=$first_line
    else
        complain "the running kernel's release is not in /proc/sys/kernel/osrelease"
        return 1
    fi
    case $release in
    *+debug) twin=${release%+debug} ;;
    *-debug) twin=${release%-debug} ;;
    *) return 0 ;;
    esac
    [ ! -e "$ROOT/lib/modules/$twin/modules.dep" ] || release=$twin
}

image_try() { # PATH
    case $LF$image_tried in
    *"$LF    $1$LF"*) return 1 ;;
    esac
    image_tried="$image_tried    $1$LF"
    [ -f "$ROOT$1" ] && [ -s "$ROOT$1" ] || return 1
    image=$1
}

image_from_setting() { # DIRECTORY...
    case $sys_img in
    '') return 1 ;;
    /*)
        image_try "$sys_img"
        return
        ;;
    esac
    for directory; do
        image_try "$directory/$sys_img-$release$sys_img_ext" && return 0
    done
    return 1
}

# GRUB writes (hd0,gpt1)/vmlinuz-RELEASE, counted from the top of its filesystem.
image_from_boot_loader() { # DIRECTORY...
    read_first_line /proc/cmdline || return 1
    left=$first_line
    while next_word "$left"; do
        left=$rest
        case $word in
        BOOT_IMAGE=*"$release") ;;
        *) continue ;;
        esac
        path=${word#BOOT_IMAGE=}
        case $path in
        \(*\)*) path=${path#*\)} ;;
        esac
        is_path "$path" || continue
        for directory in "$@" ""; do
            image_try "$directory$path" && return 0
        done
    done
    return 1
}

image_from_modules() {
    for file in $IMAGE_NAMES; do
        image_try "/lib/modules/$release/$file" && return 0
    done
    return 1
}

# Entries name their kernel in a line "linux PATH"; the classic layout is
# MACHINE-ID/RELEASE/linux.
image_from_entry() { # DIRECTORY...
    for directory; do
        for file in "$ROOT$directory"/loader/entries/*.conf; do
            [ -r "$file" ] || continue
            entry_version=
            entry_linux=
            while read -r key text; do
                case $key in
                version) entry_version=$text ;;
                linux) entry_linux=$text ;;
                esac
            done <"$file"
            { [ "$entry_version" = "$release" ] && is_path "$entry_linux"; } || continue
            image_try "$directory$entry_linux" && return 0
            image_try "$entry_linux" && return 0
        done
    done
    read_first_line /etc/machine-id || return 1
    case $first_line in
    '' | *[!0-9a-f]*) return 1 ;;
    esac
    for directory; do
        for file in linux $IMAGE_NAMES; do
            image_try "$directory/$first_line/$release/$file" && return 0
        done
    done
    return 1
}

image_from_boot() { # DIRECTORY...
    for directory; do
        for file in $IMAGE_NAMES; do
            image_try "$directory/$file-$release" && return 0
        done
        image_try "$directory/vmlinuz-$release.efi" && return 0
        image_try "$directory/vmlinux-$release.efi" && return 0
    done
    for file in "$ROOT"/boot/ostree/*/vmlinuz-"$release"; do
        [ -e "$file" ] || continue
        image_try "${file#"$ROOT"}" && return 0
    done
    return 1
}

image_is_unified() {
    for file in "$ROOT"/boot/EFI/Linux/*"$release"*.efi "$ROOT"/boot/efi/EFI/Linux/*"$release"*.efi \
        "$ROOT"/efi/EFI/Linux/*"$release"*.efi; do
        [ -f "$file" ] || continue
        unified=${file#"$ROOT"}
        return 0
    done
    return 1
}

image_find() {
    image=
    image_tried=
    release_find || return 1
    set -- /boot /boot/efi /efi ""
    [ -z "$sys_bootdir" ] || set -- "$sys_bootdir"
    if image_from_setting "$@"; then
        step "kernel image: $image (KDUMP_IMG)"
    elif image_from_boot_loader "$@" || image_from_modules || image_from_entry "$@" || image_from_boot "$@"; then
        step "kernel image: $image"
        image_is_not_as_set
    elif image_is_unified; then
        complain "the only kernel of $release here is a unified kernel image, $unified, which kexec cannot start" \
            "Install the plain kernel image too, or name it with KDUMP_IMG in $SYSCONFIG."
        return 1
    else
        complain "no kernel image of $release is there; looked for:$LF${image_tried%"$LF"}" \
            "Install the kernel's package, or name the file with KDUMP_IMG=/path in $SYSCONFIG."
        return 1
    fi
}

# What was asked for is not there: said once, with what is taken instead.
image_is_not_as_set() {
    [ -n "$sys_img" ] || return 0
    config_origin KDUMP_IMG
    warn "$origin: KDUMP_IMG=\"$sys_img\": no such image of $release; taking $image"
}

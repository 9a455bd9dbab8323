# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck shell=sh disable=SC2034,SC2154
# kdumpctl reset-crashkernel: puts crashkernel= on the boot line. Nothing else here
# ever touches the boot line; this does only when it is asked, shows the line before
# and after, keeps what was there, and never writes an empty value: on an architecture
# without a default that would take the reservation away.
#
#   cmd_reset_crashkernel [--kernel=PATH|ALL|DEFAULT] [--value=VALUE] [--dry-run]
#
# A back end changes the line where the system keeps it. Each is a function that
# expects kernel (PATH, ALL or DEFAULT), value and dry_run; the first whose tools or
# files are there does it:
#   ostree    rpm-ostree kargs, on an image-based system
#   grubby    Fedora, openEuler
#   grub.d    /etc/default/grub.d and update-grub: Debian. The kernel obeys the last
#             crashkernel= on the line, and what stands there comes last
#   entries   files of the boot loader specification

GRUB_FILE=/etc/default/grub.d/kdump.cfg

# VALUE: SIZE[@OFFSET], SIZE,high or ,low, RANGE:SIZE[,RANGE:SIZE...][@OFFSET].
crashkernel_is_written_well() {
    part_left=$1
    case $part_left in
    '' | *[!0-9a-zA-Z,:@-]*) return 1 ;;
    esac
    part_left=${part_left%@[0-9]*}
    case $part_left in
    *@*) return 1 ;;
    *,high | *,low)
        part_left=${part_left%,*}
        is_size "$part_left"
        return
        ;;
    esac
    while [ -n "$part_left" ]; do
        part=${part_left%%,*}
        case $part_left in
        *,*) part_left=${part_left#*,} ;;
        *) part_left= ;;
        esac
        case $part in
        *:*)
            is_size "${part#*:}" || return 1
            part=${part%%:*}
            case $part in
            *-*) ;;
            *) return 1 ;;
            esac
            case ${part%%-*} in
            0 | 0[KMGTkmgt]) ;; # a range may begin there
            *) is_size "${part%%-*}" || return 1 ;;
            esac
            [ -z "${part#*-}" ] || is_size "${part#*-}" || return 1
            ;;
        *) # a plain size stands alone
            { [ -z "$part_left" ] && [ "$part" = "${1%@*}" ]; } || return 1
            is_size "$part" || return 1
            ;;
        esac
    done
}

is_size() { # TEXT: a number with K, M, G or T, more than nothing
    case $1 in
    *[KMGTkmgt]) set -- "${1%?}" ;;
    esac
    case $1 in
    0x*[!0-9a-fA-F]* | 0x) return 1 ;;
    0x*) return 0 ;;
    '' | *[!0-9]*) return 1 ;;
    *[1-9]*) return 0 ;;
    *) return 1 ;;
    esac
}

# TEXT: sets bytes, of a size as above.
size_bytes() {
    bytes=${1%[KMGTkmgt]}
    case $bytes in
    0x*) ;;
    *) # no octal numbers
        bytes=${bytes#"${bytes%%[!0]*}"}
        bytes=${bytes:-0}
        ;;
    esac
    case $1 in
    *[Kk]) bytes=$((bytes * 1024)) ;;
    *[Mm]) bytes=$((bytes * 1048576)) ;;
    *[Gg]) bytes=$((bytes * 1073741824)) ;;
    *[Tt]) bytes=$((bytes * 1099511627776)) ;;
    *) bytes=$((bytes)) ;;
    esac
}

# VALUE RAM: sets picked, the size that VALUE asks for where there are RAM bytes: that of
# the first range that holds RAM, its end not counted; empty where none does.
crashkernel_pick() {
    picked=
    part_left=${1%@*}
    case $part_left in
    *:*) ;;
    *)
        picked=${part_left%%,*}
        return 0
        ;;
    esac
    while [ -n "$part_left" ]; do
        part=${part_left%%,*}
        case $part_left in
        *,*) part_left=${part_left#*,} ;;
        *) part_left= ;;
        esac
        size_bytes "${part%%-*}"
        [ "$2" -ge "$bytes" ] || continue
        range_end=${part#*-}
        range_end=${range_end%%:*}
        if [ -n "$range_end" ]; then
            size_bytes "$range_end"
            [ "$2" -lt "$bytes" ] || continue
        fi
        picked=${part#*:}
        return 0
    done
}

# What the value comes to here; a machine that is below all its ranges gets nothing, and
# the kernel says so to nobody.
say_what_is_picked() {
    system_ram
    [ "$system_ram" -gt 0 ] || return 0
    crashkernel_pick "$value" "$system_ram"
    if [ -n "$picked" ]; then
        note "with the $((system_ram / 1048576)) MiB of this machine, $picked of them are reserved"
    else
        warn "crashkernel=$value reserves nothing with the $((system_ram / 1048576)) MiB of this machine; --value=SIZE does"
    fi
}

# LINE: sets new_line, LINE with crashkernel= as wanted, in the place of the first one.
line_with_value() {
    new_line=
    placed=no
    line_left=$1
    while next_word "$line_left"; do
        line_left=$rest
        case $word in
        crashkernel=*)
            [ "$placed" = no ] || continue
            word=crashkernel=$value
            placed=yes
            ;;
        esac
        new_line="$new_line${new_line:+ }$word"
    done
    [ "$placed" = yes ] || new_line="$new_line${new_line:+ }crashkernel=$value"
}

show_change() { # WHERE BEFORE AFTER
    note "$1"
    note "  before: $2"
    note "  after:  $3"
}

# COMMAND...: runs it, or says it.
change() {
    if [ "$dry_run" = yes ]; then
        note "would run: $*"
        return 0
    fi
    note "# $*"
    "$@"
}

# FILE TEXT: replaces what FILE holds, at once and whole; what was there is kept as
# FILE.kdump-old.
replace_file() {
    if [ -e "$1" ] && ! cp -p "$1" "$1.kdump-old"; then
        complain "$1 could not be kept as $1.kdump-old (above); it is as it was"
        return 1
    fi
    replacement=$1.kdump-new
    if { [ ! -e "$1" ] || cp -p "$1" "$replacement"; } && { printf '%s' "$2" >"$replacement"; } 2>/dev/null &&
        sync && mv -f "$replacement" "$1"; then
        return 0
    fi
    rm -f "$replacement"
    complain "$1 could not be written; it is as it was"
}

reset_with_ostree() {
    before=$(rpm-ostree kargs) || return 1
    line_with_value "$before"
    show_change "rpm-ostree" "$before" "$new_line"
    set --
    line_left=$before
    while next_word "$line_left"; do
        line_left=$rest
        case $word in
        crashkernel=*) set -- "$@" "--delete=$word" ;;
        esac
    done
    change rpm-ostree kargs "$@" "--append=crashkernel=$value"
}

reset_with_grubby() {
    before=$(grubby "--info=$kernel") || return 1
    while IFS= read -r line; do
        case $line in
        kernel=*) entry=${line#kernel=} ;;
        args=*)
            unquote "${line#args=}"
            line_with_value "$unquoted"
            show_change "${entry:-$kernel}" "$unquoted" "$new_line"
            ;;
        esac
    done <<TEXT
$before
TEXT
    change grubby "--update-kernel=$kernel" "--args=crashkernel=$value" || return 1
    [ ! -e "$ROOT/etc/zipl.conf" ] || change zipl
}

reset_with_grub_d() {
    [ "$kernel" = ALL ] || [ "$kernel" = DEFAULT ] || {
        complain "grub.d sets the line of all kernels; --kernel=$kernel cannot be told apart there" \
            "Leave --kernel out."
        return 1
    }
    before="(no such file)"
    if [ -r "$ROOT$GRUB_FILE" ]; then
        before=
        while IFS= read -r line || [ -n "$line" ]; do
            case $line in
            GRUB_CMDLINE*) before=$line ;;
            esac
        done <"$ROOT$GRUB_FILE"
    fi
    # shellcheck disable=SC2016 # grub's scripts expand it
    after='GRUB_CMDLINE_LINUX_DEFAULT="$GRUB_CMDLINE_LINUX_DEFAULT crashkernel='$value'"'
    show_change "$GRUB_FILE" "$before" "$after"
    if [ "$dry_run" = no ]; then
        [ -d "$ROOT${GRUB_FILE%/*}" ] || mkdir -p "$ROOT${GRUB_FILE%/*}"
        replace_file "$ROOT$GRUB_FILE" "# Written by kdumpctl reset-crashkernel.$LF$after$LF" || return 1
    fi
    change update-grub
}

# Every entry, or those of one kernel image, or of the running kernel.
reset_with_entries() {
    changed=0
    for directory in /boot/loader/entries /efi/loader/entries /boot/efi/loader/entries; do
        for file in "$ROOT$directory"/*.conf; do
            [ -f "$file" ] || continue
            reset_entry "$file" || return 1
        done
    done
    [ "$changed" -gt 0 ] && return 0
    complain "no boot loader entry is for $kernel"
}

reset_entry() { # FILE
    text=
    entry_linux=
    entry_version=
    before=
    while IFS= read -r line || [ -n "$line" ]; do
        trim "$line"
        case $trimmed in
        linux[[:blank:]]*)
            trim "${trimmed#linux}"
            entry_linux=$trimmed
            ;;
        version[[:blank:]]*)
            trim "${trimmed#version}"
            entry_version=$trimmed
            ;;
        options[[:blank:]]*)
            trim "${trimmed#options}"
            before=$trimmed
            line_with_value "$before"
            line="options $new_line"
            ;;
        esac
        text=$text$line$LF
    done <"$1"
    case $kernel in
    ALL) ;;
    DEFAULT) [ "$entry_version" = "$running" ] || return 0 ;;
    *) [ "$entry_linux" = "$kernel" ] || [ "/boot$entry_linux" = "$kernel" ] || return 0 ;;
    esac
    case $before in
    '') return 0 ;;
    *\$*)
        complain "${1#"$ROOT"} takes its options from grub's environment ($before)" \
            "Install grubby, which knows it, or run: grub2-editenv - set \"kernelopts=... crashkernel=$value\""
        return 1
        ;;
    esac
    changed=$((changed + 1))
    show_change "${1#"$ROOT"}" "$before" "$new_line"
    [ "$dry_run" = yes ] || replace_file "$1" "$text"
}

reset_back_end() { # sets back_end
    if [ -e "$ROOT/run/ostree-booted" ]; then
        back_end=ostree
    elif command -v grubby >/dev/null 2>&1; then
        back_end=grubby
    elif command -v update-grub >/dev/null 2>&1 && [ -e "$ROOT/etc/default/grub" ]; then
        back_end=grub_d
    else
        for file in "$ROOT"/boot/loader/entries/*.conf "$ROOT"/efi/loader/entries/*.conf \
            "$ROOT"/boot/efi/loader/entries/*.conf; do
            [ -f "$file" ] || continue
            back_end=entries
            return 0
        done
        complain "how this system keeps its boot line is not known: no rpm-ostree, grubby, update-grub or boot loader entries" \
            "Add crashkernel=$value to the boot line by hand."
        return 1
    fi
}

cmd_reset_crashkernel() {
    kernel=DEFAULT
    value=
    dry_run=no
    for option; do
        case $option in
        --kernel=?*) kernel=${option#*=} ;;
        --value=*)
            value=${option#*=}
            crashkernel_is_written_well "$value" || {
                complain "--value=$value is not something the kernel understands behind crashkernel=" \
                    "Write a size, such as 512M, or ranges, such as 2G-4G:256M,4G-:512M."
                return 1
            }
            ;;
        --dry-run | -n) dry_run=yes ;;
        --reboot) warn "--reboot is not done any more; reboot when it suits" ;;
        --fadump=*)
            complain "--fadump: that is for POWER"
            return 1
            ;;
        *) wrong_usage "reset-crashkernel: $option: unknown option" ;;
        esac
    done
    case $kernel in
    ALL | DEFAULT) ;;
    *)
        is_path "$kernel" || {
            complain "--kernel=$kernel: a path, ALL or DEFAULT"
            return 1
        }
        ;;
    esac
    if [ -z "$value" ]; then
        default_crashkernel
        value=$default_value
    fi
    read_first_line /proc/sys/kernel/osrelease || true
    running=$first_line
    reset_back_end || return 1
    say_what_is_picked
    [ "$dry_run" = yes ] || take_lock
    if ! "reset_with_$back_end"; then
        complain "crashkernel=$value could not be set (above)"
        return 1
    fi
    [ "$dry_run" = no ] || { note "nothing was changed"; return 0; }
    note "reboot for the reservation to be made"
}

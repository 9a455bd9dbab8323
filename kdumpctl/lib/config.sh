# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck shell=sh disable=SC2034,SC2154
# The configuration, read once, as data: nothing in it is ever run or expanded.
# kdump.conf's directives are in directives.sh, sysconfig's variables in
# sysconfig.sh; what all of it comes to goes into the initramfs by facts.sh.
#
#   config_read           reads /etc/kdump.conf and /etc/sysconfig/kdump into conf_*
#                         and sys_*. Every fault is named with file, line and
#                         directive; fails when there was one. A file that is not
#                         there leaves its defaults
#   config_origin NAME    sets origin: FILE:LINE where NAME was set, or "default"
#
# For directives.sh and sysconfig.sh:
#   here                  FILE:LINE of the line at work
#   config_bad NAME TEXT  one fault
#   config_odd NAME TEXT  something that is put up with
#   config_set NAME       notes where NAME was set

KDUMP_CONF=/etc/kdump.conf
SYSCONFIG=/etc/sysconfig/kdump

# No directive needs more, and the kernel's command line takes no more.
LINE_LIMIT=4096

config_bad() {
    complain "$here: $1: $2" || true
    conf_errors=$((conf_errors + 1))
}

config_odd() {
    warn "$here: $1: $2"
}

config_set() {
    conf_origins="$conf_origins$1 $here$LF"
}

config_origin() {
    origin=default
    case $conf_origins in
    *"$LF$1 "*)
        origin=${conf_origins##*"$LF$1 "} # the last one counts
        origin=${origin%%"$LF"*}
        ;;
    esac
}

# Lines longer than the limit and control characters are stopped here, before
# anything looks into them.
config_line_is_sane() {
    if [ "${#line}" -gt "$LINE_LIMIT" ]; then
        config_bad "line" "${#line} characters; at most $LINE_LIMIT are taken"
    elif has_control "$line"; then
        config_bad "line" "a control character in it"
    else
        return 0
    fi
    return 1
}

# A DOS line end is cut, with one warning for the file.
config_cut_return() {
    case $line in
    *[[:cntrl:]]) ;;
    *) return 0 ;;
    esac
    [ -n "$carriage_return" ] || carriage_return=$(printf '\r')
    case $line in
    *"$carriage_return") ;;
    *) return 0 ;;
    esac
    line=${line%?}
    [ "$dos_line_ends" = yes ] || config_odd "line" "DOS line ends; they are ignored"
    dos_line_ends=yes
}

# FILE HANDLER: runs HANDLER with every line in $line.
# The shell's read drops NUL bytes without a word, so what it gave is counted.
config_lines() {
    file=$1
    here=$file
    if [ ! -e "$ROOT$file" ]; then
        step "$file is not there: its defaults are taken"
        return 0
    elif [ ! -f "$ROOT$file" ]; then
        config_bad "file" "not a regular file"
        return 0
    elif ! can_read "$ROOT$file"; then
        config_bad "file" "cannot be read; are you root?"
        return 0
    fi
    number=0
    counted=0
    pending=
    dos_line_ends=no
    while IFS= read -r line || [ -n "$line" ]; do
        number=$((number + 1))
        counted=$((counted + ${#line} + 1))
        [ -n "$pending" ] || here=$file:$number
        config_cut_return
        "$2"
    done <"$ROOT$file"
    if [ -n "$pending" ]; then
        config_bad "line" "ends in a backslash, and no line follows"
        pending=
    fi
    here=$file
    size=$(wc -c <"$ROOT$file")
    # A last line without its line feed was counted with one.
    [ $((size)) -eq "$counted" ] || [ $((size)) -eq $((counted - 1)) ] ||
        config_bad "file" "NUL bytes in it; this is not a text file"
}

config_read() {
    conf_errors=0
    conf_origins=$LF
    carriage_return=
    directives_default
    sysconfig_default
    config_lines "$KDUMP_CONF" directives_line
    directives_finish
    config_lines "$SYSCONFIG" sysconfig_line
    sysconfig_finish
    [ "$conf_errors" -eq 0 ] && return 0
    complain "$conf_errors fault(s) in the configuration (above)" \
        "kdump.conf(5) describes both files."
}

# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck shell=sh disable=SC2034,SC2154
# kdumpctl notify: after a crash, says once that there is a dump: a line for the journal,
# and a command of the administrator's that gets it on its standard input.
#
#   cmd_notify           looks at the targets that are mounted here; fails when the
#                        command did, and tries that dump again the next time
#   last_dump_read       sets dump_directory, dump_status, dump_panic and dump_test of the
#                        dump that was reported last; fails when there was none
#   dump_sentence        sets sentence, all that is known of it on a line
#
# What a crashed kernel wrote is not trusted: no control character of it gets through.

REPORTED=/var/lib/kdump/reported
LAST_DUMP=/var/lib/kdump/last-dump
# Names of directories hold the time, so old ones never come again.
REPORTED_LIMIT=500

last_dump_read() {
    dump_directory=
    dump_status=
    dump_panic=
    dump_test=
    [ -r "$ROOT$LAST_DUMP" ] || return 1
    while IFS= read -r line; do
        case $line in
        directory=*) dump_directory=${line#*=} ;;
        status=*) dump_status=${line#*=} ;;
        panic=*) dump_panic=${line#*=} ;;
        test=*) dump_test=${line#*=} ;;
        esac
    done <"$ROOT$LAST_DUMP"
    [ -n "$dump_directory" ]
}

dump_sentence() {
    sentence="$dump_directory: $dump_status${dump_panic:+; $dump_panic}${dump_test:+ (crash test $dump_test)}"
}

# README.txt is the capture's; without one the kernel's log may tell why.
dump_describe() { # DIRECTORY
    dump_directory=${1#"$ROOT"}
    dump_status="without a README.txt"
    dump_panic=
    dump_test=
    if [ -r "$1/README.txt" ]; then
        while IFS= read -r line; do
            case $line in
            "Status: "*) dump_take "${line#Status: }" && dump_status=$trimmed ;;
            "Panic: "*) dump_take "${line#Panic: }" && dump_panic=$trimmed ;;
            esac
        done <"$1/README.txt"
    elif [ -r "$1/vmcore-dmesg.txt" ]; then
        while IFS= read -r line; do
            case $line in
            *"Kernel panic - "*)
                dump_take "Kernel panic - ${line#*"Kernel panic - "}" && dump_panic=$trimmed
                break
                ;;
            esac
        done <"$1/vmcore-dmesg.txt"
    fi
    for file in "$1"/kdump-test-*; do
        [ -f "$file" ] || continue
        dump_take "${file##*/kdump-test-}" && dump_test=$trimmed
    done
}

dump_take() { # TEXT: sets trimmed
    trim "$1"
    ! has_control "$trimmed"
}

# One that was not seen before: said, sent, noted.
dump_report() { # DIRECTORY
    case $1 in
    *[[:cntrl:]]*) return 0 ;;
    esac
    for file in vmcore vmcore.flat vmcore-incomplete vmcore-dmesg.txt; do
        [ ! -e "$1/$file" ] || break
        file=
    done
    [ -n "$file" ] || return 0
    case $reported$looked in
    *"$LF${1#"$ROOT"}$LF"*) return 0 ;;
    esac
    looked="$looked${1#"$ROOT"}$LF"
    dump_describe "$1"
    dump_sentence
    note "new dump: $sentence"
    dump_send || { notify_failed=yes; return 0; }
    reported="$reported$dump_directory$LF"
    printf '%s\n' "directory=$dump_directory" "status=$dump_status" "panic=$dump_panic" "test=$dump_test" \
        >"$ROOT$LAST_DUMP"
}

dump_send() {
    set --
    words_left=$sys_notify_command
    while next_argument "$words_left"; do
        words_left=$argument_rest
        set -- "$@" "$argument"
    done
    [ $# -gt 0 ] || return 0
    read_first_line /proc/sys/kernel/hostname || true
    # Without the lock: a mailer may leave somebody behind who goes on trying.
    cmd "$@" 9>&- <<TEXT && return 0
A kernel crash dump of $first_line

Directory: $dump_directory
Status:    $dump_status
Panic:     ${dump_panic:-not known}
Test:      ${dump_test:-no, this crash was not made by kdumpctl test}
TEXT
    warn "KDUMP_NOTIFY_COMMAND failed (above); $dump_directory will be reported again"
    return 1
}

dumps_in() { # DIRECTORY
    for directory in "$ROOT$1/$own_dumps"*/; do
        [ ! -d "$directory" ] || dump_report "${directory%/}"
    done
}

# Only targets that are mounted here can be looked at.
dumps_look() { # NUMBER
    [ -z "$target_mount" ] || dumps_in "${target_mount%/}${target_path%/}"
}

reported_read() {
    reported=$LF
    [ -r "$ROOT$REPORTED" ] || return 0
    while IFS= read -r line; do
        reported="$reported$line$LF"
    done <"$ROOT$REPORTED"
}

reported_write() {
    count=0
    left=${reported#"$LF"}
    while [ -n "$left" ]; do
        left=${left#*"$LF"}
        count=$((count + 1))
    done
    while [ "$count" -gt "$REPORTED_LIMIT" ]; do
        reported=$LF${reported#"$LF"*"$LF"}
        count=$((count - 1))
    done
    printf '%s' "${reported#"$LF"}" >"$ROOT$REPORTED.new" && mv -f "$ROOT$REPORTED.new" "$ROOT$REPORTED"
}

cmd_notify() {
    config_read || return 1
    [ "$sys_notify" = yes ] || { step "VMCORE_CREATION_NOTIFICATION=no: nothing is reported"; return 0; }
    targets_resolve || return 1
    take_lock
    [ -d "$ROOT${REPORTED%/*}" ] || mkdir -p "$ROOT${REPORTED%/*}" || return 1
    notify_failed=no
    looked=$LF
    own_dumps=
    case $target_facts in
    *_kind=nfs"$LF"* | *_kind=virtiofs"$LF"*) # others may leave theirs there, too
        read_first_line /proc/sys/kernel/hostname || true
        own_dumps=$first_line-
        ;;
    esac
    reported_read
    before=$reported
    target_each dumps_look
    dumps_in "${conf_path%/}"
    [ "$reported" = "$before" ] || reported_write || return 1
    [ "$notify_failed" = no ]
}

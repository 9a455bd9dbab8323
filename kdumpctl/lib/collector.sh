# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck shell=sh disable=SC2034,SC2154
# core_collector: the program that saves the dump.
#
#   directive_command         its value, as a directive; sets value
#   collector_is_passed_over  whether a target is among those configured where it is not used;
#                             sets word, its name
#   facts_collector           sets collector (vmcore, makedumpfile or command) and levels
#   check_collector           whether it is there, and used as it is written

# No shell runs it, so what only a shell understands is a mistake. Its words are cut at
# blanks, and at nothing else, in the capture too.
directive_command() {
    case $value in
    *[\;\|\&\<\>\(\)\`\$\\]*)
        config_bad "$name" "no shell runs this command: ; | & < > ( ) \` \$ and backslashes mean nothing here"
        return 1
        ;;
    -* | /*/../*)
        config_bad "$name" "'${value%%[[:blank:]]*}' is not a program"
        return 1
        ;;
    esac
    left=$value
    value=
    while next_argument "$left"; do
        left=$argument_rest
        case $argument in
        '' | *[[:blank:]]*)
            config_bad "$name" "'$argument': no word can be empty or hold a blank"
            return 1
            ;;
        esac
        value="$value${value:+ }$argument"
    done
}

# Where the dump goes through a pipe (dracut/capture/stream.sh).
collector_is_passed_over() {
    next_word "$conf_core_collector"
    case ${word##*/},$LF$conf_target_kind$LF$conf_fallbacks in
    vmcore,* | makedumpfile,*) return 1 ;;
    *"${LF}ssh"[[:space:]]* | *"${LF}sftp"[[:space:]]* | *"${LF}raw"[[:space:]]*) return 0 ;;
    esac
    return 1
}

# What the collector is, and the levels it was given with -d.
facts_collector() {
    next_word "$conf_core_collector"
    case ${word##*/} in
    vmcore | makedumpfile) collector=${word##*/} ;;
    *) collector="command" ;;
    esac
    levels=31
    while next_word "$rest"; do
        case $word in
        -d) next_word "$rest" && levels=$word ;;
        -d[0-9]*) levels=${word#-d} ;;
        --level=*) levels=${word#--level=} ;;
        --level) next_word "$rest" && levels=$word ;;
        esac
    done
    case $levels in
    '' | *[!0-9,]*) levels=31 ;;
    esac
}

# vmcore is there for the kernel's log and for what follows a collector that failed.
check_collector() {
    command -v vmcore >/dev/null 2>&1 || {
        complain "vmcore, which the capture calls, is not on this system" "Install loongdump's vmcore."
        return 1
    }
    next_word "$conf_core_collector"
    case ${word##*/} in
    vmcore | makedumpfile)
        check_collector_options "$rest"
        return 0
        ;;
    esac
    command -v "$word" >/dev/null 2>&1 && return 0
    complain "core_collector: $word is not on this system" "Install it, or leave core_collector out of $KDUMP_CONF."
}

# The capture takes the levels and the codec; threads and format it decides by the
# memory there is and by the target.
check_collector_options() { # WORDS
    unused=
    options_left=$1
    while next_word "$options_left"; do
        options_left=$rest
        case $word in
        save | -d?* | --level=* | -[clpzF] | --raw | --message-level=* | --num-threads=* | --threads=*) ;;
        -d | --level | --message-level | --num-threads | --threads)
            ! next_word "$options_left" || options_left=$rest
            ;;
        *) unused="$unused${unused:+ }$word" ;;
        esac
    done
    [ -z "$unused" ] || warn "core_collector: the capture does not use $unused"
}

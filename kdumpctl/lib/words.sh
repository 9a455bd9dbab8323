# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck shell=sh disable=SC2034,SC2154
# Text cut into words, without a process and without the shell's own splitting:
# a value from outside is never evaluated, never expanded, never a pattern.
#
#   trim TEXT             sets trimmed: TEXT without blanks at either end
#   next_word TEXT        cuts off the first word; blanks inside double quotes belong
#                         to it, as in the kernel's command line. Sets word (as
#                         written, with its quotes) and rest; fails when there is none
#   unquote WORD          sets unquoted: WORD without its double or single quotes
#   has_word LIST WORD    whether the blank-separated LIST holds WORD
#   has_control TEXT      whether TEXT holds a control character other than a tab

trim() {
    trimmed=${1#"${1%%[![:blank:]]*}"}
    trimmed=${trimmed%"${trimmed##*[![:blank:]]}"}
}

next_word() {
    rest=${1#"${1%%[![:space:]]*}"}
    word=
    [ -n "$rest" ] || return 1
    while :; do
        piece=${rest%%[[:space:]\"]*}
        word=$word$piece
        rest=${rest#"$piece"}
        case $rest in
        \"*\"*)
            rest=${rest#?}
            piece=${rest%%\"*}
            word=$word\"$piece\"
            rest=${rest#"$piece"}
            rest=${rest#?}
            ;;
        \"*) # never closed: the rest is one word, as for the kernel
            word=$word$rest
            rest=
            return 0
            ;;
        *) return 0 ;;
        esac
    done
}

unquote() {
    unquoted=
    left=$1
    while :; do
        piece=${left%%[\"\']*}
        unquoted=$unquoted$piece
        left=${left#"$piece"}
        case $left in
        \"*) quote=\" ;;
        \'*) quote=\' ;;
        *) return 0 ;;
        esac
        left=${left#?}
        case $left in
        *"$quote"*)
            piece=${left%%"$quote"*}
            unquoted=$unquoted$piece
            left=${left#"$piece"}
            left=${left#?}
            ;;
        *)
            unquoted=$unquoted$quote$left
            return 0
            ;;
        esac
    done
}

has_word() {
    case " $1 " in
    *" $2 "*) return 0 ;;
    esac
    return 1
}

has_control() {
    clean=$1
    while :; do # tabs are blanks, not control characters
        case $clean in
        *"$TAB"*) clean=${clean%%"$TAB"*}${clean#*"$TAB"} ;;
        *[[:cntrl:]]*) return 0 ;;
        *) return 1 ;;
        esac
    done
}

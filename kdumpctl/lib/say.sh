# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck shell=sh disable=SC2034,SC2154
# What is said, and where: results and notes on stdout, warnings and errors on
# stderr. Also what every file here stands on: the root and the temporary files.
#
#   ROOT       all of /proc /sys /boot /etc /lib /run /var is taken from under it;
#              empty on a running system
#   PROGRAM    the name in front of every message
#   VERBOSE    yes: step says what it is given
#   LF TAB     the characters
#
#   note TEXT...          a line on stdout
#   step TEXT...          the same, only with -v
#   warn TEXT...          a line on stderr; the work goes on
#   complain WHAT REMEDY  an error: what is wrong and, where there is one, what to
#                         do about it; always returns 1
#   die WHAT REMEDY       complain and exit 1
#   keep_words yes|no     yes: warnings, errors and steps are not printed but kept,
#                         in kept_warnings (lines) and kept_what, kept_remedy (of the
#                         first error), for check to say them in its own way
#   can_read FILE         whether it can be opened; busybox's [ -r ] says yes to root for
#                         files that are locked up even for it
#   cmd WORD...           with -v shows the command, then runs it

ROOT=${KDUMP_ROOT-}
PROGRAM=kdumpctl
VERBOSE=no
LF='
'
TAB='	'

KEEP=no

note() {
    printf '%s\n' "kdump: $*"
}

step() {
    [ "$VERBOSE$KEEP" != yesno ] || note "$@"
}

warn() {
    if [ "$KEEP" = yes ]; then
        kept_warnings="$kept_warnings$*$LF"
    else
        printf '%s\n' "$PROGRAM: warning: $*" >&2
    fi
}

complain() { # WHAT [REMEDY]
    if [ "$KEEP" = yes ]; then
        [ -n "$kept_what" ] || { kept_what=$1 kept_remedy=${2-}; }
        return 1
    fi
    printf '%s\n' "$PROGRAM: $1" >&2
    [ -z "${2-}" ] || printf '%s\n' "$PROGRAM: $2" >&2
    return 1
}

die() { # WHAT [REMEDY]
    complain "$@"
    exit 1
}

keep_words() { # yes|no
    KEEP=$1
    kept_warnings=
    kept_what=
    kept_remedy=
}

can_read() {
    { true <"$1"; } 2>/dev/null
}

cmd() {
    [ "$VERBOSE" = no ] || printf '%s\n' "kdump: # $*"
    "$@"
}

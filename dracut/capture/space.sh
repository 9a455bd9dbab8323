# shellcheck shell=sh disable=SC2034,SC2154 # the files of one program share their variables
# Room on a mounted target: known before, kept free after.
#
#   space_free DIR     $free: bytes that may be written, empty when unknown
#   space_limit DIR    $room: the bytes a dump may take, with min_free kept
#                      free for the machine that must start from this disk;
#                      empty when unknown
#   space_prune DIR [NEW]
#                      removes old dumps beyond keep_dumps, of which NEW (0) are
#                      still to come; only directories that are dumps of this
#                      host, never the newest whole one

SPACE_MIN_FREE=33554432

space_free() { # DIR
    free=
    limit small df -P -k "$1" >"$run/df" 2>/dev/null || return 0
    while read -r _ _ _ space_available _; do
        case $space_available in
        '' | *[!0-9]*) ;;
        *) free=$((space_available * 1024)) ;;
        esac
    done <"$run/df"
}

space_limit() { # DIR
    room=
    space_free "$1"
    [ -n "$free" ] || return 0
    fact min_free $SPACE_MIN_FREE || :
    case $fact in
    '' | *[!0-9]*) fact=$SPACE_MIN_FREE ;;
    esac
    room=$((free - fact))
    [ $room -gt 0 ] || room=0
}

# Dumps are called HOST-YYYY-MM-DD-HH:MM:SS, so that the shell's own sorting
# puts the oldest first.
is_dump_directory() { # DIR
    [ -d "$1" ] && [ ! -L "$1" ] || return 1
    is_name=${1##*/}
    case ${is_name#"$host"-} in
    "$is_name") return 1 ;;
    [0-9][0-9][0-9][0-9]-[0-9][0-9]-[0-9][0-9]-[0-9][0-9]:[0-9][0-9]:[0-9][0-9]*) ;;
    *) return 1 ;;
    esac
    [ -e "$1/vmcore-dmesg.txt" ] || [ -e "$1/vmcore" ] || [ -e "$1/vmcore-incomplete" ]
}

space_prune() { # DIR [NEW]
    fact keep_dumps 0 || return 0
    case $fact in
    '' | *[!0-9]* | 0) return 0 ;;
    esac
    prune_say=$fact prune_keep=$((fact - ${2-0})) prune_whole=0
    [ "$prune_keep" -gt 0 ] || prune_keep=1
    for prune_dir in "$1/$host"-*; do
        ! is_dump_directory "$prune_dir" || [ ! -e "$prune_dir/vmcore" ] ||
            prune_whole=$((prune_whole + 1))
    done
    # The oldest go until that many whole ones are left; what is incomplete
    # goes with the whole ones around it, never instead of one, and what is
    # newer than the last whole dump that may go stays.
    for prune_dir in "$1/$host"-*; do
        [ $prune_whole -gt "$prune_keep" ] || return 0
        is_dump_directory "$prune_dir" || continue
        [ ! -e "$prune_dir/vmcore" ] || prune_whole=$((prune_whole - 1))
        say "keep_dumps $prune_say: removing ${prune_dir##*/}"
        limit sync rm -rf "$prune_dir" || warn "${prune_dir##*/} cannot be removed"
    done
}

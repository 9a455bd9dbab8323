# shellcheck shell=sh disable=SC2034,SC2154 # the files of one program share their variables
# Room on a mounted target: known before, kept free after.
#
#   space_free DIR     $free: bytes that may be written, empty when unknown; on a
#                      thin volume ($volume) no more than its pool has left
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
    [ -z "$volume" ] || [ -z "$free" ] || space_thin
}

# A thin volume promises more than there is, and a write beyond waits for somebody to
# enlarge the pool. What was deleted counts in the pool until it is told.
space_thin() {
    thin_free || return 0
    if [ "$thin_free" -lt "$free" ] && command -v fstrim >/dev/null; then
        limit sync fstrim "$mnt" 2>/dev/null || :
        thin_free || return 0
    fi
    [ "$thin_free" -lt "$free" ] || return 0
    free=$thin_free
    say "the thin pool $thin_pool has $((free / 1048576)) MiB left"
}

thin_free() { # $thin_free, of $thin_pool; fails for a volume that is not thin
    thin_pool='' thin_size='' thin_used=''
    thin_ask pool_lv "$volume"
    read -r thin_pool <"$run/lvs" || :
    [ -n "$thin_pool" ] || return 1
    thin_pool=${volume%/*}/$thin_pool
    thin_ask lv_size,data_percent "$thin_pool"
    read -r thin_size thin_used <"$run/lvs" || :
    # In percent, with two places; what else it may be, no error of the shell's may end this.
    case $thin_size,$thin_used in
    [1-9]*,[0-9].[0-9][0-9] | [1-9]*,[0-9][0-9].[0-9][0-9] | [1-9]*,100.00) ;;
    *) return 1 ;;
    esac
    case $thin_size in
    *[!0-9]*) return 1 ;;
    esac
    thin_used=1${thin_used%.*}${thin_used#*.}
    case $thin_used in
    1????) thin_used=$((thin_used - 10000)) ;;
    1???) thin_used=$((thin_used - 1000)) ;;
    *) thin_used=10000 ;;
    esac
    thin_free=$(((10000 - thin_used) * thin_size / 10000))
}

thin_ask() { # FIELDS VOLUME
    LVM_SUPPRESS_FD_WARNINGS=1 limit small lvm lvs --noheadings --nosuffix --units b -o "$1" "$2" \
        >"$run/lvs" 2>/dev/null || : >"$run/lvs"
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
    "$is_name" | *[[:cntrl:]]*) return 1 ;;
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
    limit small space_prune_which "$1" >"$run/prune" || {
        warn "keep_dumps $prune_say: the old dumps could not be looked through"
        return 0
    }
    while IFS= read -r prune_dir; do
        say "keep_dumps $prune_say: removing ${prune_dir##*/}"
        limit sync rm -rf "$prune_dir" || warn "${prune_dir##*/} cannot be removed"
    done <"$run/prune"
}

space_prune_which() { # DIR: a line for each
    for prune_dir in "$1/$host"-*; do
        ! is_dump_directory "$prune_dir" || [ ! -e "$prune_dir/vmcore" ] ||
            prune_whole=$((prune_whole + 1))
    done
    # The oldest go until that many whole ones are left; what is incomplete
    # goes with the whole ones around it, never instead of one, and what is
    # newer than the last whole dump that may go stays.
    for prune_dir in "$1/$host"-*; do
        [ "$prune_whole" -gt "$prune_keep" ] || return 0
        is_dump_directory "$prune_dir" || continue
        [ ! -e "$prune_dir/vmcore" ] || prune_whole=$((prune_whole - 1))
        printf '%s\n' "$prune_dir"
    done
}

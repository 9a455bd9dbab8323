# shellcheck shell=sh disable=SC2034,SC2154 # the files of one program share their variables
# Which program makes the dump, with which options, and what is tried when it
# fails.
#
#   collector_read       from the facts: $collector_kind (vmcore or own),
#                        $levels, $codec; for an own command $collector
#   collector_levels     $levels with the levels that leave out more after it
#   dump_to FILE WAY     makes FILE by WAY: filtered, plain or raw; $status 0,
#                        3 (there, but its source was not whole) or 1
#   dump_fits WAY        whether it can fit into $room
#   dump_stream WAY      the same to standard output; with several levels only
#                        the first is tried
#   dump_log FILE        the kernel's log as FILE; not 0: it has been said why
#
# What a program said on standard error is in $run/dump.err.

VMCORE=${VMCORE-vmcore}

collector_read() {
    levels='' codec='' collector_kind=vmcore
    fact core_collector "vmcore save -d 31" || :
    collector=$fact
    # shellcheck disable=SC2086 # words, of which no name is made
    collector_words $collector
}

collector_words() { # WORD...
    case ${1-} in
    makedumpfile | */makedumpfile) shift ;;
    vmcore | */vmcore)
        shift
        [ "${1-}" != save ] || shift ;;
    *)
        collector_kind=own
        return ;;
    esac
    while [ $# -gt 0 ]; do
        case $1 in
        -d | --level)
            levels=${2-}
            [ $# -lt 2 ] || shift ;;
        -d?*) levels=${1#-d} ;;
        --level=*) levels=${1#--level=} ;;
        -[clpz]) codec=$1 ;;
        --raw) codec=$1 ;;
        # How many threads is ours to say, by the memory there is.
        --message-level | --num-threads | --threads) [ $# -lt 2 ] || shift ;;
        esac
        shift
    done
    case $levels in
    '' | *[!0-9,]*) levels=31 ;;
    esac
    codec=${codec:--c}
}

# The last resort of the filters is 31: all that can be left out.
collector_levels() {
    case ,$levels, in
    *,31,*) ;;
    *) levels=$levels,31 ;;
    esac
}

# dump_command WAY DEST: runs it; $room, where it is known, is its limit.
dump_command() { # WAY DEST
    set -- "$1" "$2" ${room:+--size-limit "$room"}
    dump_way=$1 dump_dest=$2
    shift 2
    case $dump_way in
    filtered)
        "$VMCORE" save -q -d "$levels" "$codec" "$@" "$vmcore" "$dump_dest" ;;
    plain)
        # Nothing that depends on the dumped kernel's own records, and
        # as little memory as can be.
        "$VMCORE" save -q -d 1 -c --threads 1 "$@" "$vmcore" "$dump_dest" ;;
    esac
}

# A plain copy has the size of the memory; begun where it cannot end it would
# only fill the disk.
dump_fits() { # WAY
    { [ "$1" = raw ] && [ -n "$room" ]; } || return 0
    dump_size=$(stat -c %s "$vmcore") || return 0
    [ "$dump_size" -gt "$room" ] || return 0
    warn "a plain copy needs $((dump_size / 1048576)) MiB, there is room for $((room / 1048576))"
    return 1
}

dump_to() { # FILE WAY
    status=1
    case $2,$collector_kind in
    filtered,own) patient stall collector_command "$1" 2>"$run/dump.err" ;;
    raw,*) patient stall dump_raw "$1" 2>"$run/dump.err" ;;
    *) patient stall dump_command "$2" "$1" 2>"$run/dump.err" ;;
    esac
    status=$?
    case $status in
    0 | 3) ;;
    *) dump_failed "$status" ;;
    esac
}

# $why, $no_room and $stood_still of a failed dump.
dump_failed() { # STATUS
    stood_still=''
    why_vmcore "$run/dump.err"
    no_room_in "$run/dump.err"
    case $1 in
    "$LIMIT_STOPPED")
        stood_still=1
        why="it stood still and was stopped${why:+ ($why)}" ;;
    137) why="it was killed${why:+ ($why)}" ;;
    esac
    why=${why:-exit $1}
    status=1
}

no_room_in() { # FILE: $no_room
    no_room=
    while IFS= read -r dump_line || [ -n "$dump_line" ]; do
        case $dump_line in
        *"No space left on device"* | *"Disk quota exceeded"* | *"it would be larger than"*)
            no_room=1 ;;
        esac
    done <"$1"
}

collector_command() { # FILE
    umask 077
    # shellcheck disable=SC2086 # words
    $collector "$vmcore" "$1-incomplete" && dump_name "$1"
}

dump_raw() { # FILE
    umask 077
    dd if="$vmcore" of="$1-incomplete" bs=1M conv=fsync && dump_name "$1"
}

dump_name() { # FILE
    sync && mv "$1-incomplete" "$1" && sync
}

dump_stream() { # WAY
    case $1,$target_kind in
    raw,raw) raw_copy ;;
    raw,*) cat "$vmcore" ;;
    *) dump_command "$1" - ;;
    esac
}

dump_log() { # FILE
    limit dmesg dump_log_new "$1" 2>"$run/dmesg.err"
    case $? in
    0 | 3) return 0 ;;
    "$LIMIT_STOPPED") why="it took too long" ;;
    *) why_vmcore "$run/dmesg.err" ;;
    esac
    warn "the kernel's log could not be saved: $why"
    return 1
}

dump_log_new() { # FILE
    rm -f "$1"
    "$VMCORE" dmesg "$vmcore" "$1"
}

# shellcheck shell=sh disable=SC2034,SC2154 # the files of one program share their variables
# A dump through a pipe. The status of each end is written down by itself: a
# pipe shows only one, and it is the other that matters. Where a dump finds no
# room the next level begins anew, for a pipe takes nothing back.
#
#   stream_dump SINK ARGUMENT...   runs the chain of ways into SINK; $saved,
#                                  $saved_what as save.sh says
#   stream_one WAY SINK ...        one way; $status, $why as dump_to says
#
# SINK is a command that reads the dump from its standard input and succeeds
# when all of it has arrived; 3: it saw that the input was not whole.

stream_dump() { # SINK ARGUMENT...
    [ "${room:-1}" -gt 0 ] || {
        warn "there is no room for a dump"
        return 0
    }
    cpus_more
    collector_read
    collector_levels
    stream_ways="filtered plain raw"
    # One that names a file can write into no pipe.
    [ "$collector_kind" != own ] || stream_ways="raw plain"
    for stream_way in $stream_ways; do
        dump_fits "$stream_way" || continue
        say "sending the dump ($stream_way)"
        stream_levels "$stream_way" "$@"
        case $status in
        0)
            saved=0 saved_what="the dump, $stream_way"
            return 0 ;;
        3)
            saved=3 saved_what="the dump, $stream_way; its source was not whole"
            return 0 ;;
        esac
        warn "sending the dump ($stream_way) failed: $why"
        # Whoever does not take this dump does not take a larger one.
        [ -z "$stream_sink_failed" ] || return 0
        [ -z "$no_room" ] || return 0
    done
}

stream_levels() { # WAY SINK ARGUMENT...
    stream_left=
    [ "$1" != filtered ] || stream_left=$levels
    while :; do
        levels=${stream_left%%,*}
        stream_one "$@"
        case $no_room,$stream_left in
        1,*,*) ;;
        *) return ;;
        esac
        stream_left=${stream_left#*,}
        warn "level $levels: $why; trying level ${stream_left%%,*}"
    done
}

stream_one() { # WAY SINK ARGUMENT...
    rm -f "$run/sent" "$run/taken"
    stream_sink_failed='' no_room=''
    patient stall stream_pipe "$@"
    stream_ended=$?
    stream_status "$run/sent"
    stream_sent=$status
    stream_status "$run/taken"
    stream_taken=$status
    case $stream_ended,$stream_sent,$stream_taken in
    "$LIMIT_STOPPED",*)
        # A server that is gone and a program that hangs look alike;
        # the pipe's far end is the likely one.
        stream_sink_failed=1 status=1
        why="it stood still and was stopped" ;;
    *,0,0) status=0 ;;
    *,3,0) status=3
        why_file "$run/dump.err" ;;
    *,0,3) status=1
        why_file "$run/sink.err" ;;
    *,*,[03]) dump_failed "$stream_sent" ;;
    *)
        stream_sink_failed=1 status=1
        why_remote "$run/sink.err"
        no_room_in "$run/sink.err"
        why=${why:-the receiving end failed ($stream_taken)} ;;
    esac
}

stream_pipe() { # WAY SINK ARGUMENT...
    stream_pipe_way=$1
    shift
    {
        dump_stream "$stream_pipe_way" 2>"$run/dump.err"
        echo $? >"$run/sent"
    } | {
        "$@" 2>"$run/sink.err"
        echo $? >"$run/taken"
    }
}

stream_status() { # FILE: $status, 255 when nobody lived to write it
    status=255
    [ ! -s "$1" ] || read -r status <"$1"
}

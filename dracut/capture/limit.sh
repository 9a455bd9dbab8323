# shellcheck shell=sh disable=SC2034,SC2154 # the files of one program share their variables
# No step may wait for ever. Each runs in the background, is watched, and is
# stopped with all it started; one that cannot even be killed (a process that
# waits for a dead server inside the kernel) is left behind, and the capture
# goes on without it.
#
#   limit NAME COMMAND...    COMMAND may take as long as the limit NAME says
#   patient NAME COMMAND...  it may take for ever, but not stand still that long
#
# Both return COMMAND's status; 124 when it was stopped.

LIMIT_STOPPED=124

# Seconds; the fact limit_NAME overrides.
limit_default() { # NAME
    case $1 in
    mount) limit_seconds=90 ;;
    unmount) limit_seconds=60 ;;
    device) limit_seconds=60 ;;
    network) limit_seconds=90 ;;
    connect) limit_seconds=180 ;;
    lost) limit_seconds=60 ;;
    small) limit_seconds=60 ;;
    cpu) limit_seconds=20 ;;
    dmesg) limit_seconds=120 ;;
    info) limit_seconds=180 ;;
    stall) limit_seconds=180 ;;
    sync) limit_seconds=300 ;;
    hook) limit_seconds=300 ;;
    reboot) limit_seconds=30 ;;
    *) limit_seconds=60 ;;
    esac
}

limit_of() { # NAME: $limit_seconds
    limit_default "$1"
    fact "limit_$1" "$limit_seconds" || :
    case $fact in
    '' | *[!0-9]*) ;;
    *) limit_seconds=$fact ;;
    esac
}

# tree PID: $tree is PID and everything below it; $ticks is the time all of it
# has spent on a CPU, $waiting is 1 when some of it waits inside the kernel.
tree() { # PID
    tree=" $1 " tree_grown=1
    while [ $tree_grown -eq 1 ]; do
        tree_grown=0 ticks=0 waiting=0
        for tree_stat in /proc/[0-9]*/stat; do
            { IFS= read -r tree_line <"$tree_stat"; } 2>/dev/null || continue
            tree_pid=${tree_stat#/proc/}
            tree_pid=${tree_pid%/stat}
            # What follows the name, which may hold anything.
            tree_split "${tree_line##*) }"
            case $tree in
            *" $tree_pid "*)
                ticks=$((ticks + tree_ticks))
                [ "$tree_state" != D ] || waiting=1 ;;
            *" $tree_parent "*)
                tree="$tree$tree_pid "
                tree_grown=1 ;;
            esac
        done
    done
}

tree_split() { # "STATE PPID ..."
    # shellcheck disable=SC2086 # words
    set -- $1
    tree_state=$1
    tree_parent=${2:-0}
    tree_ticks=$((${12:-0} + ${13:-0}))
}

# What moves while a step makes progress: CPU time of its processes and, while
# they wait for a disk or a server, the pages that get there.
progress_of() { # PID
    tree "$1"
    progress=$ticks
    [ "$waiting" -eq 1 ] || return 0
    while read -r progress_key progress_value; do
        case $progress_key in
        nr_written) progress=$progress,$progress_value ;;
        esac
    done </proc/vmstat
}

# stop_tree PID: politely, then not; 1 when something is still there.
stop_tree() { # PID
    tree "$1"
    stop_all=$tree
    for stop_signal in TERM KILL; do
        for stop_pid in $stop_all; do
            kill -s $stop_signal "$stop_pid" 2>/dev/null
        done
        stop_tries=0
        while [ $stop_tries -lt 25 ]; do
            kill -0 "$1" 2>/dev/null || return 0
            sleep 0.2
            stop_tries=$((stop_tries + 1))
        done
    done
    return 1
}

limit() { # NAME COMMAND ARGUMENT...
    limit_of "$1"
    shift
    watched clock "$limit_seconds" "$@"
}

patient() { # NAME COMMAND ARGUMENT...
    limit_of "$1"
    shift
    watched progress "$limit_seconds" "$@"
}

uptime_whole() { # $uptime: whole seconds
    read -r uptime _ </proc/uptime
    uptime=${uptime%%.*}
}

watched() { # clock|progress SECONDS COMMAND ARGUMENT...
    watch_kind=$1 watch_limit=$2
    shift 2
    # What runs in the background would otherwise read /dev/null.
    {
        (
            # When memory runs out this may go, and the capture lives on.
            { echo 0 >/proc/self/oom_score_adj; } 2>/dev/null
            "$@"
        ) <&6 6<&- &
        watch_pid=$!
    } 6<&0
    uptime_whole
    watch_since=$uptime watch_next=$uptime watch_progress=
    watch_nap=0.02
    while kill -0 "$watch_pid" 2>/dev/null; do
        sleep $watch_nap
        case $watch_nap in
        0.02) watch_nap=0.1 ;;
        0.1) watch_nap=0.2 ;;
        esac
        uptime_whole
        if [ "$watch_kind" = progress ] && [ "$uptime" -ge "$watch_next" ]; then
            watch_nap=1
            watch_next=$((uptime + 5))
            progress_of "$watch_pid"
            if [ "$progress" != "$watch_progress" ]; then
                watch_progress=$progress
                watch_since=$uptime
            fi
        fi
        # Whole seconds: the first may have been over at once.
        if [ $((uptime - watch_since)) -gt "$watch_limit" ]; then
            stop_tree "$watch_pid" ||
                warn "'$1' cannot be stopped; going on without it"
            return $LIMIT_STOPPED
        fi
    done
    wait "$watch_pid"
}

# shellcheck shell=sh disable=SC2034,SC2154 # the files of one program share their variables
# What the capture says: on the console, where somebody may be watching, and
# in $run/kdump.log, which goes to the target beside the dump.
#
#   say TEXT    progress
#   warn TEXT   something is lost or late
#   why_file FILE   $why: the last line a program left there, for a message
#   why_vmcore FILE   $why: the same of vmcore, whose cause comes before its remedy
#   why_remote FILE   $why: of a program that has a server at its other end: what ssh
#                     said last where that broke off, else as of vmcore or any other

say() {
    log_line "$*"
}

warn() {
    log_line "warning: $*"
}

log_line() {
    printf 'kdump: %s\n' "$1"
    printf '%s %s\n' "$(uptime_seconds)" "$1" >>"$run/kdump.log"
}

# Seconds since the capture kernel started: unlike the clock they are right.
uptime_seconds() {
    read -r log_up _ <"${proc:-/proc}/uptime" || log_up=0
    printf '%s' "$log_up"
}

why_vmcore() { # FILE
    why=
    while IFS= read -r log_text || [ -n "$log_text" ]; do
        case $log_text in
        *"warning: "* | '') ;;
        *)
            why=${log_text#vmcore: }
            break ;;
        esac
    done <"$1"
    [ -n "$why" ] || why_file "$1"
}

why_file() { # FILE
    why=
    while IFS= read -r log_text || [ -n "$log_text" ]; do
        case $log_text in
        '' | *"dmesg(1) may have more information"*) ;;
        *) why=$log_text ;;
        esac
    done <"$1"
}

why_remote() { # FILE
    why='' why_vmcore=''
    while IFS= read -r log_text || [ -n "$log_text" ]; do
        case $log_text in
        "vmcore: warning: "* | '') ;;
        "vmcore: "*) why_vmcore=${why_vmcore:-${log_text#vmcore: }} ;;
        *) why=$log_text ;;
        esac
    done <"$1"
    case $why_vmcore in
    '') ;;
    *"the connection to the server ended") why=${why:-$why_vmcore} ;;
    *) why=$why_vmcore ;;
    esac
}

# shellcheck shell=sh disable=SC2034,SC2154 # the files of one program share their variables
# The machine comes back, whatever happens. An orderly way first; where that
# hangs or dies, sysrq; where that is not there, a panic and its timeout.
#
#   restart_guard    from here on a panic, an oops or a lockup of the capture
#                    kernel restarts the machine
#   restart ACTION   reboot, halt or poweroff; does not return

restart_guard() {
    # The panic timeout that the command line gave stays.
    { read -r guard_panic <"$ROOT/proc/sys/kernel/panic"; } 2>/dev/null || guard_panic=0
    [ "$guard_panic" != 0 ] || setting kernel/panic 10
    setting kernel/panic_on_oops 1
    setting kernel/softlockup_panic 1
    setting kernel/sysrq 1
    setting vm/panic_on_oom 0
    { echo -1000 >"$ROOT/proc/self/oom_score_adj"; } 2>/dev/null
    restart_guard_memory
}

# What goes first when memory runs out: that devices are there it has seen to by now, and
# what it has to say of others is not needed for the dump.
restart_guard_memory() {
    for guard_comm in "$ROOT"/proc/[0-9]*/comm; do
        { read -r guard_name <"$guard_comm"; } 2>/dev/null || continue
        case $guard_name in
        *udev*) { echo 500 >"${guard_comm%/*}/oom_score_adj"; } 2>/dev/null ;;
        esac
    done
}

setting() { # NAME VALUE
    { echo "$2" >"$ROOT/proc/sys/$1"; } 2>/dev/null || :
}

restart() { # ACTION
    say "$1"
    # What was saved was synced then; this is for the rest.
    limit unmount sync || warn "sync did not end"
    restart_remount
    limit_of reboot
    if command -v "$1" >/dev/null; then
        # Twice -f: systemd's asks a manager that may not be there. -n: what
        # hung above would hang it as well.
        "$1" -f -f -n &
        sleep "$limit_seconds"
        warn "$1 did not happen; sysrq"
    fi
    case $1 in
    reboot) restart_sysrq b ;;
    *) restart_sysrq o ;;
    esac
    sleep 10
    # A machine that does not switch off is better up than hung.
    restart_sysrq b
    sleep 10
    setting kernel/panic 1
    restart_sysrq c
    sleep 60
    warn "this machine cannot be restarted from here"
    return 1
}

restart_sysrq() { # KEY
    { echo "$1" >"$ROOT/proc/sysrq-trigger"; } 2>/dev/null
}

# What could not be unmounted is at least not left dirty, and what hangs is
# not waited for; nor is it asked whether it is there, for that can hang too.
restart_remount() {
    [ -r "$ROOT/proc/mounts" ] || return 0
    while read -r _ restart_mnt _; do
        case $restart_mnt in
        "$run"/mnt.*) limit unmount umount "$restart_mnt" 2>/dev/null </dev/null || : ;;
        esac
    done <"$ROOT/proc/mounts"
}

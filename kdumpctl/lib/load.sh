# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck shell=sh disable=SC2034,SC2154
# Loading the crash kernel and dropping it, and the commands that do so.
#
#   cmd_start [--early] cmd_stop [--service] cmd_restart cmd_reload cmd_rebuild [--kernel=RELEASE]
#
#   take_lock           one kdumpctl at a time changes something; waits for another
#   crash_kernel_state  sets loaded: yes, no, or unknown with the reason in state_why
#   prepare             configuration, targets, kernel, command line, facts; no
#                       change to the system, and nothing is said twice
#
# /run/kdump/loaded holds what was loaded, as lines KEY=VALUE: release, image, initrd,
# command_line, kexec_args; and early=yes when it was not looked whether that was right.

LOADED_RECORD=/run/kdump/loaded
# For root alone: /run/lock is everybody's in Debian, and who may open a file can hold its lock.
LOCK=/run/kdump/lock

take_lock() {
    [ -d "$ROOT/run/kdump" ] || mkdir -p "$ROOT/run/kdump" || exit 1
    [ -e "$ROOT$LOCK" ] || (umask 077 && true >>"$ROOT$LOCK") 2>/dev/null || true
    { true >>"$ROOT$LOCK"; } 2>/dev/null || die "$ROOT$LOCK cannot be written" "This needs root."
    exec 9>>"$ROOT$LOCK"
    if ! command -v flock >/dev/null 2>&1; then
        warn "flock is not here (util-linux has it): nothing keeps two kdumpctl apart"
        return 0
    fi
    flock -n 9 && return 0
    note "another kdumpctl is at work; waiting for it"
    flock 9
}

crash_kernel_state() {
    loaded=unknown
    state_why=
    if read_first_line /sys/kernel/kexec_crash_loaded; then
        case $first_line in
        0) loaded=no ;;
        1) loaded=yes ;;
        *) state_why="/sys/kernel/kexec_crash_loaded says '$first_line'" ;;
        esac
    else
        state_why="the running kernel cannot load a crash kernel (CONFIG_CRASH_DUMP)"
    fi
}

# Is there anything a crash kernel could be put into?
reservation_exists() {
    read_first_line /sys/kernel/kexec_crash_size || first_line=0
    case $first_line in
    '' | 0 | *[!0-9]*) ;;
    *)
        reserved=$first_line
        return 0
        ;;
    esac
    read_first_line /proc/cmdline || true
    case " $first_line " in
    *" crashkernel="*)
        complain "no memory is reserved for a crash kernel, though the boot line says ${first_line#"${first_line%%crashkernel=*}"}" \
            "The kernel could not find that much in one piece; dmesg says why (grep crashkernel). Ask for less."
        ;;
    *)
        complain "no memory is reserved for a crash kernel" \
            "kdumpctl reset-crashkernel puts crashkernel= on the boot line; then reboot."
        ;;
    esac
}

feasible() {
    crash_kernel_state
    [ "$loaded" != unknown ] || { complain "$state_why"; return 1; }
    reservation_exists
}

prepare() {
    config_read && targets_resolve && image_find && cmdline_make || return 1
    facts_make "$release"
}

# The directory dumps go to, where its filesystem is mounted here.
make_dump_directory() { # NUMBER
    { [ "$target_kind" = fs ] && [ -n "$target_mount" ]; } || return 0
    directory=${target_mount%/}$target_path
    [ -n "$conf_target_kind" ] || directory=$conf_path
    directory=$ROOT$directory
    if [ ! -d "$directory" ]; then
        { cmd mkdir -p "$directory" && cmd chmod 700 "$directory"; } || return 1
    fi
    [ ! -e "$ROOT/sys/fs/selinux/enforce" ] || ! command -v restorecon >/dev/null 2>&1 ||
        cmd restorecon "$directory" || warn "$directory: its SELinux label could not be set (above)"
    return 0
}

# What kexec is told, as the positional parameters of the caller cannot be set here:
# runs it. RELEASE is only for the record.
crash_kernel_load() {
    set -- -p
    arguments_left=$sys_kexec_args
    while next_word "$arguments_left"; do
        arguments_left=$rest
        set -- "$@" "$word"
    done
    set -- "$@" "--initrd=$ROOT$initrd" "--command-line=$cmdline" "$ROOT$image"
    if ! cmd kexec "$@" 9>&-; then
        complain "kexec could not load the crash kernel (above)" \
            "kdumpctl check holds the plan against the kernel's rules."
        return 1
    fi
    printf '%s\n' "release=$release" "image=$image" "initrd=$initrd" "command_line=$cmdline" \
        "kexec_args=$sys_kexec_args" >"$ROOT$LOADED_RECORD"
}

crash_kernel_drop() {
    if ! cmd kexec -p -u 9>&-; then
        complain "kexec could not unload the crash kernel (above)"
        return 1
    fi
    rm -f "$ROOT$LOADED_RECORD"
}

# Sets what crash_kernel_load takes, from the record of the last load.
loaded_record_read() {
    initrd=
    [ -r "$ROOT$LOADED_RECORD" ] || return 1
    while IFS= read -r line; do
        case $line in
        release=*) release=${line#*=} ;;
        image=*) image=${line#*=} ;;
        initrd=*) initrd=${line#*=} ;;
        command_line=*) cmdline=${line#*=} ;;
        kexec_args=*) sys_kexec_args=${line#*=} ;;
        esac
    done <"$ROOT$LOADED_RECORD"
    [ -n "$initrd" ] && [ -s "$ROOT$initrd" ] && [ -s "$ROOT$image" ]
}

starting_failed() {
    crash_kernel_state
    [ "$loaded" != yes ] || note "what was loaded before is still loaded"
    printf '%s\n' "kdump: Starting kdump: [FAILED]" >&2
    return 1
}

# Whether what is loaded was loaded by start --early.
loaded_early() {
    [ -r "$ROOT$LOADED_RECORD" ] || return 1
    while IFS= read -r line; do
        [ "$line" != early=yes ] || return 0
    done <"$ROOT$LOADED_RECORD"
    return 1
}

start() {
    feasible && prepare || return 1
    # Before the next crash, whose dump would find no room there.
    target_each recover_raw
    if [ "$loaded" = yes ] && ! loaded_early; then
        note "Kdump already running: the crash kernel is loaded"
        test_report
        return 0
    fi
    target_each make_dump_directory && initrd_ensure && crash_kernel_load || return 1
    note "kexec: loaded the crash kernel"
    memory_judge_small
    test_report
}

targets_name_raw() {
    case $LF$conf_target_kind$LF$conf_fallbacks in
    *"${LF}raw"[[:space:]]*) return 0 ;;
    esac
    return 1
}

# Before disks and servers are there: what was built last, as it is. The start that
# follows looks whether that is still right. With a raw target it also takes the dump of
# the last crash from there, which makes room for the next: nothing is loaded before.
start_early() {
    feasible && config_read && image_find && cmdline_make || return 1
    if [ "$loaded" = yes ]; then
        note "Kdump already running: the crash kernel is loaded"
    elif targets_name_raw; then
        note "a dump may be on the raw target; the load is left to kdump.service, which takes it from there"
    elif ! initrd_is_there; then
        note "no whole initramfs was built yet; that is left to kdump.service"
    else
        crash_kernel_load && printf '%s\n' early=yes >>"$ROOT$LOADED_RECORD" || return 1
        note "kexec: loaded the crash kernel, early"
    fi
}

cmd_start() {
    case ${1-} in
    '') start=start ;;
    --early) start=start_early ;;
    *) wrong_usage "start: $1: unknown option" ;;
    esac
    take_lock
    "$start" || starting_failed || return 1
    note "Starting kdump: [OK]"
}

# systemd's restart of a service is a stop and a start, and that start may fail.
service_restarts() {
    case $(systemctl list-jobs --no-legend kdump.service 2>/dev/null) in
    *" restart "*) return 0 ;;
    esac
    return 1
}

cmd_stop() {
    case ${1-} in
    '' | --service) ;;
    *) wrong_usage "stop: $1: unknown option" ;;
    esac
    take_lock
    crash_kernel_state
    if [ -n "${1-}" ] && [ "$loaded" = yes ] && service_restarts; then
        printf '%s\n' early=yes >>"$ROOT$LOADED_RECORD"
        note "the service is to be started again: what is loaded stays until then"
        return 0
    fi
    case $loaded in
    no)
        step "no crash kernel is loaded"
        rm -f "$ROOT$LOADED_RECORD"
        ;;
    *)
        if ! crash_kernel_drop; then
            printf '%s\n' "kdump: Stopping kdump: [FAILED]" >&2
            return 1
        fi
        ;;
    esac
    note "Stopping kdump: [OK]"
}

# The new image is made ready first: the old one stays loaded until kexec replaces it.
restart() {
    feasible && prepare && target_each make_dump_directory && initrd_ensure && crash_kernel_load ||
        return 1
    note "kexec: loaded the crash kernel"
    memory_judge_small
}

cmd_restart() {
    take_lock
    restart || starting_failed || return 1
    note "Starting kdump: [OK]"
}

# As it was loaded last, for CPUs and memory that came or went: nothing is read,
# built or looked for again where the record of the load is there. A stop takes the record
# away, and an event that was on its way must not undo it.
reload() {
    feasible || return 1
    if loaded_record_read; then
        [ "$loaded" = yes ] || warn "no crash kernel was loaded"
        # What no start has looked at yet, it still has to.
        looked_at=yes
        ! loaded_early || looked_at=
        crash_kernel_load || return 1
        [ -n "$looked_at" ] || printf '%s\n' early=yes >>"$ROOT$LOADED_RECORD"
    elif [ "$loaded" = no ]; then
        warn "no crash kernel was loaded, and none is now; kdumpctl start loads one"
    else
        step "no record of the last load; reading the configuration"
        restart
    fi
}

cmd_reload() {
    take_lock
    if ! reload; then
        printf '%s\n' "kdump: Reloading kdump: [FAILED]" >&2
        return 1
    fi
    note "Reloading kdump: [OK]"
}

# For a kernel that is not the running one: only where it would change.
rebuild_for() { # RELEASE
    case $1 in
    '' | -* | *[!a-zA-Z0-9_.+~-]*)
        complain "--kernel=$1: not a kernel's release"
        return 1
        ;;
    esac
    release_wanted=$1
    take_lock
    prepare && initrd_ensure || return 1
    note "$initrd is ready for $release"
}

cmd_rebuild() {
    case ${1-} in
    '') ;;
    --kernel=*)
        rebuild_for "${1#*=}"
        return
        ;;
    *) wrong_usage "rebuild: $1: unknown option" ;;
    esac
    take_lock
    prepare && initrd_rebuild || return 1
    note "built $initrd"
    crash_kernel_state
    [ "$loaded" != yes ] || note "the loaded crash kernel still has the one before; kdumpctl restart loads this one"
}

# After an upgrade: only where a crash kernel is loaded.
cmd_condrestart() {
    crash_kernel_state
    [ "$loaded" != yes ] || cmd_restart
}

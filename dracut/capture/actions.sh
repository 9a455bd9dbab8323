# shellcheck shell=sh disable=SC2034,SC2154 # the files of one program share their variables
# The administrator's own programs, and what becomes of the machine.
#
#   hooks_before          kdump_pre and pre.d; not 0: kdump_pre wants no dump. One that was
#                         not found, could not be run or was stopped has not said so
#   hooks_after STATUS    post.d and kdump_post, with the status of the dump
#   fence_start, fence_stop
#   action_failure        when there is no dump: emergency.d, kdump_emergency,
#                         then failure_action; returns when the final action
#                         is next

hooks_before() {
    # This one decides; the others only take part.
    if fact kdump_pre && [ -n "$fact" ]; then
        action_run "$fact"
        case $action_status in
        0) ;;
        "$LIMIT_STOPPED" | 12[67] | 137)
            warn "$action_name ended with $action_status, which is no answer: the dump is made" ;;
        *)
            warn "$action_name ended with $action_status: no dump is made"
            return 1 ;;
        esac
    fi
    action_words pre_d action_hook
}

hooks_after() { # STATUS
    action_words post_d action_hook_with "$1"
    if fact kdump_post && [ -n "$fact" ]; then
        action_run "$fact" "$1" || warn "$action_name ended with $action_status"
    fi
}

# action_words KEY COMMAND...: for each word of the fact; no pattern is expanded.
action_words() { # KEY COMMAND ARGUMENT...
    fact "$1" || return 0
    shift
    action_left=$fact
    while [ -n "$action_left" ]; do
        action_word=${action_left%% *}
        case $action_left in
        *' '*) action_left=${action_left#* } ;;
        *) action_left= ;;
        esac
        [ -z "$action_word" ] || "$@" "$action_word"
    done
}

action_hook() { # FILE
    action_run "$1" || warn "$action_name ended with $action_status"
    return 0
}

action_hook_with() { # STATUS FILE
    action_run "$2" "$1" || warn "$action_name ended with $action_status"
    return 0
}

action_run() { # FILE ARGUMENT...
    action_name=$1
    shift
    say "running $action_name"
    limit hook "$ROOT$action_name" "$@"
    action_status=$?
    return $action_status
}

# The other nodes of a cluster must not switch this one off while it saves.
fence_start() {
    fence_pid=
    fact fence_kdump_nodes && [ -n "$fact" ] || return 0
    fence_nodes=$fact
    fact fence_send || {
        warn "$fence_nodes: there is no fence_kdump_send in this initramfs to tell them that this is a dump"
        return 0
    }
    fence_send=$fact
    network_up || return 0
    fact fence_kdump_args || :
    # shellcheck disable=SC2086 # words
    "$ROOT$fence_send" $fact $fence_nodes >"$run/fence.log" 2>&1 &
    fence_pid=$!
    say "telling $fence_nodes that this is a dump"
}

fence_stop() {
    [ -n "$fence_pid" ] || return 0
    if kill -0 "$fence_pid" 2>/dev/null; then
        stop_tree "$fence_pid" || :
    elif ! wait "$fence_pid"; then
        why_file "$run/fence.log"
        warn "$fence_nodes may not know that this was a dump: ${why:-fence_kdump_send failed}"
    fi
}

action_failure() {
    action_words emergency_d action_hook
    if fact kdump_emergency && [ -n "$fact" ]; then
        action_hook "$fact"
    fi
    fact failure_action reboot || :
    say "no dump; failure_action is $fact"
    case $fact in
    shell) action_shell ;;
    dump_to_rootfs) action_rootfs ;;
    halt | poweroff | reboot) final=$fact ;;
    *) warn "unknown failure_action '$fact'" ;;
    esac
}

# As long as somebody sits there; the final action follows.
action_shell() {
    action_how=
    ! command -v setsid >/dev/null || action_how="setsid -c"
    say "a shell on the console; it ends with 'exit'"
    (
        cd / || exit
        # shellcheck disable=SC2086,SC2094 # words; the console is no file
        exec $action_how sh -i -l <"$ROOT/dev/console" >"$ROOT/dev/console" 2>&1
    )
}

action_rootfs() {
    fact root_source || {
        warn "the facts name no root file system"
        return 0
    }
    action_source=$fact
    target=root target_name="root file system"
    mnt=$run/mnt.root room=
    fact root_path /var/crash || :
    path=/${fact#/}
    attach_disks root || return 0
    fact root_lvm || :
    volume=$fact
    find_device "$action_source" || return 0
    fact root_options || :
    action_options=$fact
    fact root_fstype auto || :
    mount_at "$fact" "$device" "rw${action_options:+,$action_options}" || return 0
    save_mounted
    say "root file system: saved $saved_what"
    best=$saved best_what=$saved_what
    case $best in
    0 | 3) say "done: $best_what, on the root file system" ;;
    esac
}

# shellcheck shell=sh disable=SC2034,SC2154 # the files of one program share their variables
# A server reached by ssh that has sftp and no shell. vmcore speaks that, over
# the same ssh (target-ssh.sh); the dump arrives as a plain file, each piece
# written to its place.

sftp_save() {
    network_up || return 0
    ssh_options
    ssh_patiently sftp_run mkdir "$path/$name" || {
        warn "cannot save on $ssh_host: $why"
        return 0
    }
    sftp_made
    sftp_log
    stream_dump sftp_put
    sftp_rest
}

sftp_raw() { # ACTION ARGUMENT...
    ssh_words -s sftp "$VMCORE" sftp "$@" --
}

# What it prints is in $run/sftp.
sftp_run() { # ACTION ARGUMENT...: 0, or $why
    limit connect sftp_raw "$@" >"$run/sftp" 2>"$run/ssh.err"
    case $? in
    0) return 0 ;;
    "$LIMIT_STOPPED") why="no answer" ;;
    *)
        why_remote "$run/ssh.err"
        case $why_vmcore in
        *"the connection to the server ended") ;;
        *) ssh_answered=1 ;;
        esac ;;
    esac
    return 1
}

# $sftp_dir, which may be another than was asked for, and $room.
sftp_made() {
    room=
    {
        IFS= read -r sftp_dir
        read -r sftp_room
    } <"$run/sftp"
    case $sftp_room in
    '' | *[!0-9]*) ;;
    # More digits than a shell can count with.
    ???????????????????*) ;;
    *) room=$sftp_room ;;
    esac
    [ -z "$room" ] || say "room for a dump: $((room / 1048576)) MiB"
}

# For the log a server that went away meanwhile is waited for.
sftp_log() {
    dump_log "$run/vmcore-dmesg.txt" || return 0
    ssh_patiently sftp_run put "$run/vmcore-dmesg.txt" "$sftp_dir" || {
        warn "cannot send vmcore-dmesg.txt: $why"
        return 0
    }
    saved=2 saved_what="the kernel's log alone"
    say "sent the kernel's log"
}

# Standard input as the dump. That a plain copy has ended well shows in its size
# alone.
sftp_put() {
    case $stream_pipe_way in
    raw) sftp_raw put --as vmcore --size "$(stat -c %s "$vmcore")" - "$sftp_dir" ;;
    *) sftp_raw put --as vmcore - "$sftp_dir" ;;
    esac
}

sftp_rest() {
    [ "$saved" -ne 2 ] || saved_what="the kernel's log, and what arrived of the dump"
    readme_text >"$run/README.txt"
    kernel_log_text >"$run/kexec-dmesg.log"
    [ -z "$test_id" ] || test_text >"$run/kdump-test-$test_id"
    sftp_run put "$run/README.txt" "$run/kexec-dmesg.log" ${test_id:+"$run/kdump-test-$test_id"} \
        "$sftp_dir" </dev/null || warn "cannot send README.txt and what follows: $why"
}

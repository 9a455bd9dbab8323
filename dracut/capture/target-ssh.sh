# shellcheck shell=sh disable=SC2034,SC2154 # the files of one program share their variables
# A server reached by ssh that has a shell. Nothing here may ask: keys only,
# and a host key that is not the known one ends it. How it is reached is the same
# for one that has sftp alone (target-sftp.sh).

ssh_save() {
    network_up || return 0
    ssh_options
    ssh_patiently ssh_run true || {
        warn "cannot reach $ssh_host: $why"
        return 0
    }
    ssh_find_name || {
        warn "$ssh_host has $ssh_number dumps named $path/$name already, or says so"
        return 0
    }
    ssh_run "umask 077 && mkdir -p $ssh_quoted" </dev/null || {
        warn "cannot make $ssh_dir on $ssh_host: $why"
        return 0
    }
    ssh_log
    ssh_room
    stream_dump ssh_put vmcore.flat
    ssh_rest
}

# $ssh_dir, and $ssh_quoted: none that is there. The clock may have been here before. A
# server that lets not every command through may say 1 to each.
ssh_find_name() {
    ssh_dir=$path/$name ssh_number=1
    while :; do
        quote "$ssh_dir"
        ssh_quoted=$quoted
        ssh_run "test ! -e $ssh_quoted" </dev/null && return
        [ "$ssh_status" -eq 1 ] || return 0
        [ "$ssh_number" -lt 100 ] || return 1
        ssh_number=$((ssh_number + 1))
        ssh_dir=$path/$name.$ssh_number
    done
}

# What each call of ssh is given.
ssh_options() {
    target_fact source
    ssh_host=$fact
    ssh_server=${ssh_host#*@}
    fact sshkey /root/.ssh/kdump_id_rsa || :
    ssh_key=$fact
    target_fact port 22 || :
    ssh_port=$fact
    target_fact address "$ssh_server" || :
    ssh_address=$fact
    target_fact alias "$ssh_server" || :
    ssh_alias=$fact
}

ssh_raw() { # COMMAND
    ssh_words '' "$1"
}

# ssh_words '' REMOTE [COMMAND...]: COMMAND, with the call of ssh as further words;
# alone it is that call. With -s REMOTE is a subsystem.
ssh_words() {
    ssh_as=$1 ssh_remote=$2
    shift 2
    # shellcheck disable=SC2086 # -s or nothing
    "$@" ${SSH-ssh} -i "$ROOT$ssh_key" -p "$ssh_port" -o HostName="$ssh_address" \
        -o HostKeyAlias="$ssh_alias" -o BatchMode=yes -o StrictHostKeyChecking=yes \
        -o ConnectTimeout=30 -o ServerAliveInterval=15 -o ServerAliveCountMax=4 \
        -o LogLevel=ERROR -o IdentitiesOnly=yes $ssh_as "$ssh_host" "$ssh_remote"
}

# ssh_patiently COMMAND...: again and again, while the server is not there yet.
# COMMAND sets $why, and $ssh_answered when it was there and refused.
ssh_patiently() {
    limit_of connect
    uptime_whole
    ssh_end=$((uptime + limit_seconds))
    while :; do
        ssh_answered=
        "$@" </dev/null && return 0
        case $ssh_answered,$why in
        # Waiting makes none of these better.
        1,* | *"Permission denied"* | *"verification failed"* | *"identity file"* | *"not accessible"*)
            return 1 ;;
        esac
        uptime_whole
        [ "$uptime" -lt "$ssh_end" ] || return 1
        say "$ssh_host: $why; trying again"
        sleep 5
    done
}

ssh_run() { # COMMAND: 0, or $why
    limit connect ssh_raw "$1" 2>"$run/ssh.err"
    ssh_status=$?
    [ $ssh_status -ne 0 ] || return 0
    why_file "$run/ssh.err"
    [ $ssh_status -ne "$LIMIT_STOPPED" ] || why="no answer"
    why=${why:-exit $ssh_status}
    return 1
}

# ssh_put NAME: standard input as a file of the dump's directory, under its
# name only when all of it is there.
ssh_put() { # NAME
    quote "$ssh_dir/$1-incomplete"
    put_from=$quoted
    ssh_raw "umask 077 && cat >$put_from"
}

ssh_name() { # NAME
    quote "$ssh_dir/$1-incomplete"
    name_from=$quoted
    quote "$ssh_dir/$1"
    ssh_run "sync; mv $name_from $quoted" </dev/null
}

ssh_send() { # FILE NAME
    limit connect ssh_put "$2" <"$1" 2>"$run/ssh.err" && ssh_name "$2" && return 0
    why_file "$run/ssh.err"
    warn "cannot send $2: $why"
    return 1
}

ssh_log() {
    dump_log "$run/vmcore-dmesg.txt" || return 0
    ssh_send "$run/vmcore-dmesg.txt" vmcore-dmesg.txt || return 0
    saved=2 saved_what="the kernel's log alone"
    say "sent the kernel's log"
}

ssh_room() {
    room=
    limit connect ssh_raw "LC_ALL=C df -P -k $ssh_quoted" </dev/null >"$run/df" 2>/dev/null || return 0
    while read -r _ _ _ ssh_available _; do
        case $ssh_available in
        '' | *[!0-9]*) ;;
        *) room=$((ssh_available * 1024)) ;;
        esac
    done <"$run/df"
    [ -z "$room" ] || say "room for a dump: $((room / 1048576)) MiB"
}

ssh_rest() {
    case $saved in
    0 | 3)
        ssh_name vmcore.flat || {
            warn "the dump is whole, but still called vmcore.flat-incomplete: $why"
        } ;;
    2) saved_what="the kernel's log, and what arrived of the dump" ;;
    esac
    readme_text >"$run/README.txt"
    kernel_log_text >"$run/kexec-dmesg.log"
    [ -z "$test_id" ] || test_text >"$run/kdump-test-$test_id"
    for ssh_file in README.txt kexec-dmesg.log ${test_id:+"kdump-test-$test_id"}; do
        ssh_send "$run/$ssh_file" "$ssh_file" || return 0
    done
}

# quote TEXT: $quoted is TEXT as one word of a shell.
quote() { # TEXT
    quote_rest=$1 quoted="'"
    while :; do
        case $quote_rest in
        *\'*)
            quoted="$quoted${quote_rest%%\'*}'\\''"
            quote_rest=${quote_rest#*\'} ;;
        *) break ;;
        esac
    done
    quoted="$quoted$quote_rest'"
}

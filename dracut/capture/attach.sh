# shellcheck shell=sh disable=SC2034,SC2154 # the files of one program share their variables
# Disks that another machine serves. They are reached as the system reached them when it
# was well, by the programs that the kernel's own drivers want and nothing else: dracut's
# modules for this set up a network and a queue of their own, and initramfs-tools has none.
#
#   attach_disks PREFIX   those of a target (target1) or of the root file system (root);
#                         fails where none of them can be reached. What went wrong has
#                         been said. A device turns up some time after (find_device)
#
# A server that is silent afterwards is waited for as long as the limit "lost" says, then
# every access fails, and the next target is tried.

attached=' '

attach_disks() { # PREFIX
    fact "$1_attach" || return 0
    network_up || return 1
    attach_got=
    facts_each "$1_attach" attach_disk
    [ -n "$attach_got" ]
}

# Of several some may do: the paths to one disk. Where all are needed the device does not
# turn up.
attach_disk() { # "KIND ADDRESS PORT NAME ..."
    # shellcheck disable=SC2086 # words
    set -- $1
    [ $# -ge 6 ] || {
        warn "the facts say too little of a disk to be reached: $*"
        return 0
    }
    case $attached in
    *" $1:$2:$3:$4 "*)
        attach_got=1
        return 0 ;;
    esac
    attach_name="$4 at $2"
    attach_kind=$1
    shift
    case $attach_kind in
    iscsi | nvme) attach_patiently "attach_$attach_kind" "$@" ;;
    *)
        why="no way to reach it is known ($attach_kind)"
        false ;;
    esac || {
        warn "cannot reach $attach_name: $why"
        return 0
    }
    say "reached $attach_name"
    attach_got=1
    attached="$attached$attach_kind:$1:$2:$3 "
}

# COMMAND sets $why, and $attach_refused when the other end was there and said no, which
# waiting does not change.
attach_patiently() { # COMMAND ARGUMENT...
    limit_of connect
    uptime_whole
    attach_end=$((uptime + limit_seconds))
    while :; do
        attach_refused=
        "$@" && return 0
        [ -z "$attach_refused" ] || return 1
        uptime_whole
        [ "$uptime" -lt "$attach_end" ] || return 1
        say "$attach_name: $why; trying again"
        sleep 5
    done
}

# Those that are modules nobody has asked for.
attach_drivers() { # MODULE...
    command -v modprobe >/dev/null || return 0
    for attach_module; do
        limit small modprobe -q "$attach_module" 2>/dev/null || :
    done
}

# Nothing logs in a second time, so what is lost is given up at once; but whether it is,
# the limit says: by default iscsistart has nobody ask, and a server that is silent would
# be noticed by SCSI alone, much later.
attach_iscsi() { # ADDRESS PORT TARGET GROUP INITIATOR
    attach_drivers iscsi_tcp sd_mod
    limit_of lost
    attach_target=$3
    set -- -a "$1" -p "$2" -t "$3" -g "$4" -i "$5" -P node.session.initial_login_retry_max=1 \
        -P node.session.timeo.replacement_timeout=1 -P "node.conn[0].timeo.noop_out_interval=5" \
        -P "node.conn[0].timeo.noop_out_timeout=$limit_seconds"
    ! attach_secret username || set -- "$@" -u "$attach_secret"
    ! attach_secret password || set -- "$@" -w "$attach_secret"
    ! attach_secret username_in || set -- "$@" -U "$attach_secret"
    ! attach_secret password_in || set -- "$@" -W "$attach_secret"
    limit connect iscsistart "$@" >"$run/attach.err" 2>&1
    attach_ended=$?
    [ $attach_ended -ne 0 ] || return 0
    attach_iscsi_why
}

attach_secret() { # WHICH: $attach_secret, of $attach_target
    attach_found=1
    [ -r "$secrets" ] || return 1
    while IFS= read -r attach_line || [ -n "$attach_line" ]; do
        case $attach_line in
        "$attach_target $1 "*) attach_secret=${attach_line#"$attach_target $1 "} attach_found=0 ;;
        esac
    done <"$secrets"
    return $attach_found
}

# The first failure says what went wrong, those after it what became of that.
attach_iscsi_why() {
    why_file "$run/attach.err"
    [ "$attach_ended" -ne "$LIMIT_STOPPED" ] || why="no answer"
    while IFS= read -r attach_line; do
        case $attach_line in
        *"login rejected: "*)
            why=${attach_line#*login rejected: }
            break ;;
        *"connect to "*" failed ("*)
            why=${attach_line##*\(}
            why=${why%\)}
            break ;;
        *"session exists"*) return 0 ;;
        esac
    done <"$run/attach.err"
    why=${why#iscsistart: }
    case $why in
    # Not those of the target itself, which may pass.
    "initiator error"* | *"failed authentication"* | *"authorization failure"*) attach_refused=1 ;;
    esac
    why=${why:-exit $attach_ended}
    return 1
}

# The kernel is told in a line; what it thinks of that is the result of the write.
attach_nvme() { # ADDRESS PORT NQN HOSTNQN HOSTID
    attach_drivers nvme_tcp
    limit_of lost
    printf 'transport=tcp,traddr=%s,trsvcid=%s,nqn=%s,hostnqn=%s,hostid=%s,reconnect_delay=5,ctrl_loss_tmo=%s\n' \
        "$@" "$limit_seconds" >"$run/attach"
    [ -e "$ROOT/dev/nvme-fabrics" ] || {
        why="this kernel has no NVMe over a network"
        attach_refused=1
        return 1
    }
    limit connect dd if="$run/attach" of="$ROOT/dev/nvme-fabrics" bs=4096 conv=notrunc 2>"$run/attach.err"
    attach_ended=$?
    [ $attach_ended -ne 0 ] || return 0
    attach_nvme_why
}

# What a server had against it stands in the kernel's log alone.
attach_nvme_why() {
    why="exit $attach_ended"
    [ "$attach_ended" -ne "$LIMIT_STOPPED" ] || why="no answer"
    while IFS= read -r attach_line; do
        case $attach_line in
        dd:*": "*)
            why=${attach_line##*: }
            break ;;
        esac
    done <"$run/attach.err"
    case $why in
    "Operation already in progress") return 0 ;;
    "Input/output error") attach_refused=1 ;;
    *) return 1 ;;
    esac
    dmesg >"$run/attach.log" 2>/dev/null || :
    while IFS= read -r attach_line; do
        case $attach_line in
        *" nvme nvme"[0-9]*": Connect "*) why=${attach_line#*" nvme nvme"*": "} ;;
        esac
    done <"$run/attach.log"
    return 1
}

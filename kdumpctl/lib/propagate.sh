# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck shell=sh disable=SC2154
# kdumpctl propagate: a key for the servers that dumps go to.
#
#   cmd_propagate      makes the key where there is none, without a passphrase, and
#                      has ssh-copy-id take it to each ssh and sftp target; that asks
#                      for the password of the account there

propagate_target() { # NUMBER
    case $target_kind in
    ssh | sftp) ;;
    *) return 0 ;;
    esac
    propagated=$((propagated + 1))
    if [ ! -e "$ROOT$conf_sshkey" ]; then
        note "making the key $conf_sshkey"
        cmd mkdir -p "$ROOT${conf_sshkey%/*}" || return 1
        cmd ssh-keygen -q -t ed25519 -f "$ROOT$conf_sshkey" -N "" -C "kdump@$host" ||
            { complain "ssh-keygen could not make $conf_sshkey (above)"; return 1; }
    fi
    propagate_how=
    [ "$target_kind" = ssh ] || propagate_how=-s
    cmd ssh-copy-id $propagate_how -i "$ROOT$conf_sshkey.pub" "$target_source" || {
        complain "ssh-copy-id could not take the key to $target_source (above)" \
            "By hand: $conf_sshkey.pub is a line for authorized_keys of that account on the server."
        return 1
    }
    note "the key is on $target_source"
}

cmd_propagate() {
    config_read && targets_resolve || return 1
    read_first_line /proc/sys/kernel/hostname || true
    host=$first_line
    propagated=0
    target_each propagate_target || return 1
    [ "$propagated" -gt 0 ] && return 0
    complain "no target is a server" "ssh USER@HOST in $KDUMP_CONF names one."
}

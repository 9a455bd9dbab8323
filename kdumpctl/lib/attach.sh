# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck shell=sh disable=SC2034,SC2154
# Disks that another machine serves, by iSCSI or NVMe over TCP: how the running system
# got to them, in words with which the capture kernel does the same. The kernel's own
# files are the source, whoever logged in.
#
#   attach_session DIRECTORY   of a SCSI disk's session (device_stack found it)
#   attach_controller DIRECTORY   of one of a namespace's NVMe controllers
#   attach_is_served           what came of that, for target_device: sets target_attach
#
# The first two add a line to attach, as the fact of that name has it (facts.sh), or a word
# to stack for what the capture cannot do: iscsi, nvme or nvme-key. An account that the
# session logged in with (CHAP) adds lines to secrets, which is no fact:
#
#   TARGET WHICH VALUE      WHICH: username, password, username_in, password_in

# FILE: sets attribute; empty where the kernel has nothing to say.
attach_read() { # FILE
    attribute=
    { IFS= read -r attribute <"$ROOT$1"; } 2>/dev/null || true
    case $attribute in
    '(null)' | '<NULL>') attribute= ;;
    esac
}

# FILE...: the first that is there, as a path below $ROOT; sets found.
attach_find() {
    for found; do
        [ -e "$found" ] || continue
        found=${found#"$ROOT"}
        return 0
    done
    found=
    return 1
}

# A line, once. Fails for a name that is missing or could not be told as a word.
attach_add() { # WORD...
    for word; do
        case $word in
        '' | *[[:space:][:cntrl:],]*) return 1 ;;
        esac
    done
    case $LF$attach in
    *"$LF$*$LF"*) ;;
    *) attach="$attach$*$LF" ;;
    esac
}

attach_session() { # DIRECTORY
    attach_find "$ROOT$1"/../scsi_host/host*/proc_name || true
    attach_read "$found"
    # What an adapter's own firmware does nobody else can be told.
    [ "$attribute" = iscsi_tcp ] &&
        attach_find "$ROOT$1"/connection*/iscsi_connection/connection* && connection=$found &&
        attach_find "$ROOT$1"/iscsi_session/session* && session=$found &&
        attach_login && return 0
    stack="$stack iscsi"
}

# What was asked for, and not where that sent us; but the capture looks up no names.
attach_login() {
    attach_read "$connection/persistent_address" && address=$attribute
    attach_read "$connection/persistent_port" && port=$attribute
    case $address in
    *:*) ;;
    '' | *[!0-9.]*)
        attach_read "$connection/address" && address=$attribute
        attach_read "$connection/port" && port=$attribute
        ;;
    esac
    attach_read "$session/targetname" && name=$attribute
    attach_read "$session/tpgt" && group=$attribute
    attach_read "$session/initiatorname" && initiator=$attribute
    attach_add iscsi "$address" "$port" "$name" "$group" "$initiator" || return 1
    for which in username password username_in password_in; do
        attach_read "$session/$which"
        [ -z "$attribute" ] || secrets="$secrets$name $which $attribute$LF"
    done
}

attach_controller() { # DIRECTORY
    attach_read "$1/transport"
    case $attribute in
    pcie | apple-nvme) return 0 ;;
    tcp) ;;
    *)
        stack="$stack nvme"
        return 0
        ;;
    esac
    for file in dhchap_secret tls_key; do
        attach_read "$1/$file"
        case $attribute in
        '' | none) ;;
        *) stack="$stack nvme-key" ;;
        esac
    done
    attach_read "$1/address"
    attach_field traddr && address=$field
    attach_field trsvcid && port=$field
    attach_read "$1/subsysnqn" && name=$attribute
    attach_read "$1/hostnqn" && initiator=$attribute
    attach_read "$1/hostid" && host_id=$attribute
    attach_add nvme "$address" "$port" "$name" "$initiator" "$host_id" || stack="$stack nvme"
}

# NAME: of attribute, which is NAME=VALUE,...; sets field.
attach_field() {
    field=
    case ,$attribute in
    *",$1="*)
        field=,$attribute
        field=${field#*",$1="}
        field=${field%%,*}
        ;;
    esac
}

# Fails when a program for it is missing.
attach_is_served() {
    [ -n "$attach" ] || return 0
    target_attach=$attach
    case $LF$attach in
    *"${LF}iscsi "*) command -v iscsistart >/dev/null 2>&1 && return 0 ;;
    *) return 0 ;;
    esac
    complain "$target_device is reached by iSCSI, and iscsistart, which the capture calls for that, is not on this system" \
        "Install open-iscsi (of other distributions: iscsi-initiator-utils)."
}

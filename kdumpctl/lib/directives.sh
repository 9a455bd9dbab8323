# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck shell=sh disable=SC2034,SC2154
# The directives of /etc/kdump.conf: one a line, a name and a value.
#
#   directives_default    sets every conf_* to its default
#   directives_line       takes $line (config.sh)
#   directives_finish     what can only be said when all lines are known
#
#   conf_target_kind      ext4 and the like, raw, nfs, ssh, sftp, virtiofs, mount (from
#                         dracut_args --mount); empty: the filesystem that holds conf_path
#   conf_target_source    what follows it
#   conf_fallbacks        lines "KIND SOURCE": targets tried when the ones before failed
#   conf_NAME             the value of directive NAME

FILESYSTEMS="ext2 ext3 ext4 xfs btrfs f2fs minix"

directives_default() {
    conf_target_kind=
    conf_target_source=
    conf_fallbacks=
    conf_path=/var/crash
    conf_core_collector="vmcore save -d 31"
    conf_sshkey=/root/.ssh/kdump_id_rsa
    conf_failure_action=reboot
    conf_final_action=reboot
    conf_kdump_pre=
    conf_kdump_post=
    conf_kdump_emergency=
    conf_extra_bins=
    conf_extra_modules=
    conf_dracut_args=
    conf_force_rebuild=0
    conf_force_no_rebuild=0
    conf_fence_kdump_args=
    conf_fence_kdump_nodes=
    conf_auto_reset_crashkernel=no
    conf_keep_dumps=0
    conf_capture_cpus=8
    directives_seen=" "
}

directives_line() {
    config_line_is_sane || return 0
    trim "$line"
    case $trimmed in
    '' | '#'*) return 0 ;;
    esac
    name=${trimmed%%[[:blank:]\#]*}
    directive_value "${trimmed#"$name"}" || return 0
    directive
}

# TEXT: sets value. A comment begins at a # outside quotes, and one pair of quotes
# around the whole value is not part of it.
directive_value() {
    value=
    left=$1
    while :; do
        piece=${left%%[\"\'\#]*}
        value=$value$piece
        left=${left#"$piece"}
        quote=${left%"${left#?}"}
        case $left in
        '') break ;;
        '#'*)
            case $value in
            '' | *[[:blank:]]) ;;
            *) config_odd "$name" "the value ends at '#'; put it in quotes to keep what follows" ;;
            esac
            break
            ;;
        \"*\"* | \'*\'*)
            left=${left#?}
            piece=${left%%"$quote"*}
            value=$value$quote$piece$quote
            left=${left#"$piece"}
            left=${left#?}
            ;;
        \"*)
            config_bad "$name" "a quote is not closed: $left"
            return 1
            ;;
        \'*) # an apostrophe
            value=$value$quote
            left=${left#?}
            ;;
        esac
    done
    trim "$value"
    value=$trimmed
    case $value in
    \"*\" | \'*\')
        quote=${value%"${value#?}"}
        piece=${value#?}
        piece=${piece%"$quote"}
        case $piece in
        *"$quote"*) ;;
        *) value=$piece ;;
        esac
        ;;
    esac
}

# Every directive once, each with a value.
directive_is_new() {
    if [ -z "$value" ]; then
        config_bad "$name" "a value is missing"
    elif has_word "$directives_seen" "$name"; then
        config_origin "$name"
        config_bad "$name" "given a second time; the first one is at $origin"
    else
        directives_seen="$directives_seen$name "
        config_set "$name"
        return 0
    fi
    return 1
}

directive() { # name and value are set
    case $value in
    =*) name=$name= ;;
    esac
    case $name in
    ext2 | ext3 | ext4 | xfs | btrfs | f2fs | minix | raw | virtiofs | nfs | ssh | sftp)
        directive_target
        return
        ;;
    fallback)
        directive_fallback
        return
        ;;
    net | options | link_delay | disk_timeout | debug_mem_level | blacklist)
        config_odd "$name" "no longer used, and without effect$(directive_instead)"
        return
        ;;
    default)
        config_odd default "this name is old; write failure_action"
        name=failure_action
        ;;
    path | core_collector | sshkey | failure_action | final_action | kdump_pre | kdump_post | \
        kdump_emergency | extra_bins | extra_modules | dracut_args | force_rebuild | \
        force_no_rebuild | fence_kdump_args | fence_kdump_nodes | auto_reset_crashkernel | keep_dumps | capture_cpus) ;;
    *=*)
        config_bad "${name%%=*}" "a directive and its value are separated by a blank, not by '='"
        return
        ;;
    *)
        config_bad "$name" "not a directive"
        return
        ;;
    esac
    directive_is_new || return 0
    case $name in
    path) directive_path ;;
    core_collector) directive_command && conf_core_collector=$value ;;
    sshkey) directive_file && conf_sshkey=$value ;;
    failure_action)
        directive_one_of reboot halt poweroff shell dump_to_rootfs && conf_failure_action=$value
        ;;
    final_action) directive_one_of reboot halt poweroff && conf_final_action=$value ;;
    kdump_pre) directive_file && conf_kdump_pre=$value ;;
    kdump_post) directive_file && conf_kdump_post=$value ;;
    kdump_emergency) directive_file && conf_kdump_emergency=$value ;;
    extra_bins) directive_files && conf_extra_bins=$value ;;
    extra_modules) directive_words "[!a-zA-Z0-9_-]" "module names" && conf_extra_modules=$value ;;
    dracut_args) directive_dracut ;;
    force_rebuild) directive_one_of 0 1 && conf_force_rebuild=$value ;;
    force_no_rebuild) directive_one_of 0 1 && conf_force_no_rebuild=$value ;;
    fence_kdump_args) directive_words "[!a-zA-Z0-9_=.,:-]" "options" && conf_fence_kdump_args=$value ;;
    fence_kdump_nodes) directive_words "[!a-zA-Z0-9_.:-]" "host names" && conf_fence_kdump_nodes=$value ;;
    auto_reset_crashkernel) directive_one_of yes no && conf_auto_reset_crashkernel=$value ;;
    keep_dumps) directive_number 9999 && conf_keep_dumps=$value ;;
    capture_cpus) directive_number 64 && conf_capture_cpus=$value ;;
    esac
    return 0
}

directive_instead() {
    case $name in
    net) printf '%s' "; write nfs or ssh, or the dump goes to the local disk" ;;
    options | blacklist) printf '%s' "; module options go into /etc/modprobe.d" ;;
    esac
}

directive_one_of() { # ALLOWED...
    for allowed; do
        [ "$value" != "$allowed" ] || return 0
    done
    list=$1
    shift
    for allowed; do list="$list, $allowed"; done
    config_bad "$name" "'$value' is not one of: $list"
    return 1
}

directive_number() { # MAXIMUM
    case $value in
    '' | *[!0-9]* | ??????*) ;;
    *)
        value=${value#"${value%%[!0]*}"} # no octal numbers
        value=${value:-0}
        [ "$value" -gt "$1" ] || return 0
        ;;
    esac
    config_bad "$name" "'$value' is not a number from 0 to $1"
    return 1
}

# An absolute path that leads nowhere else.
is_path() {
    case $1/ in
    [!/]* | */../*) return 1 ;;
    esac
}

directive_file() {
    is_path "$value" && return 0
    config_bad "$name" "'$value' is not an absolute path"
    return 1
}

directive_path() {
    case $value in
    /*) ;;
    *) value=/$value ;;
    esac
    directive_file || return 0
    while :; do # one slash at a time, none at the end
        case $value in
        *//*) value=${value%%//*}/${value#*//} ;;
        ?*/) value=${value%/} ;;
        *) break ;;
        esac
    done
    conf_path=$value
}

directive_files() {
    left=$value
    while next_word "$left"; do
        left=$rest
        is_path "$word" && continue
        config_bad "$name" "'$word' is not an absolute path"
        return 1
    done
}

directive_words() { # NOT_ALLOWED WHAT
    left=$value
    while next_word "$left"; do
        left=$rest
        # shellcheck disable=SC2254 # a pattern of ours
        case $word in
        *$1*)
            config_bad "$name" "'$word': only $2 are taken"
            return 1
            ;;
        esac
    done
}

directive_dracut() {
    left=$value
    mounts=0
    while next_argument "$left"; do
        left=$argument_rest
        case $argument in
        --mount) next_argument "$left" || argument= ;;
        --mount=*) argument=${argument#--mount=} ;;
        -o | --omit)
            next_argument "$left" || argument=
            left=$argument_rest
            directive_omits "$argument" && return 0
            continue
            ;;
        --omit=*)
            directive_omits "${argument#--omit=}" && return 0
            continue
            ;;
        *) continue ;;
        esac
        left=$argument_rest
        mounts=$((mounts + 1))
        mount_source=$argument
    done
    if [ "$mounts" -gt 1 ]; then
        config_bad "$name" "more than one --mount; the dump goes to one place"
        return 0
    fi
    if [ "$mounts" -eq 1 ]; then
        if ! { next_word "$mount_source" && next_word "$rest" && next_word "$rest"; }; then
            config_bad "$name" "--mount '$mount_source': it takes device, mount point and filesystem type"
            return 0
        fi
        directive_claim_target mount "$mount_source" || return 0
    fi
    conf_dracut_args=$value
}

# MODULES: whether the capture itself is among what dracut is to leave out.
directive_omits() {
    has_word "$1" kdump || return 1
    config_bad "$name" "--omit of kdump: that module is the capture"
}

# As next_word, for arguments: quotes of both kinds, and without them. Sets
# argument and argument_rest.
next_argument() {
    argument_rest=${1#"${1%%[![:blank:]]*}"}
    argument=
    [ -n "$argument_rest" ] || return 1
    while :; do
        piece=${argument_rest%%[[:blank:]\"\']*}
        argument=$argument$piece
        argument_rest=${argument_rest#"$piece"}
        case $argument_rest in
        \"*\"* | \'*\'*)
            quote=${argument_rest%"${argument_rest#?}"}
            argument_rest=${argument_rest#?}
            piece=${argument_rest%%"$quote"*}
            argument=$argument$piece
            argument_rest=${argument_rest#"$piece"}
            argument_rest=${argument_rest#?}
            ;;
        [\"\']*)
            argument=$argument$argument_rest
            argument_rest=
            return 0
            ;;
        *) return 0 ;;
        esac
    done
}

directive_claim_target() { # KIND SOURCE
    if [ -n "$conf_target_kind" ]; then
        config_origin target
        config_bad "$name" "a second target; the first one, $conf_target_kind, is at $origin. fallback names more"
        return 1
    fi
    conf_target_kind=$1
    conf_target_source=$2
    config_set target
}

directive_target() {
    if [ -z "$value" ]; then
        config_bad "$name" "a value is missing"
    elif target_is_written_well "$name"; then
        directive_claim_target "$name" "$source" || true
    fi
}

directive_fallback() {
    kind=${value%%[[:blank:]]*}
    trim "${value#"$kind"}"
    value=$trimmed
    if ! has_word "$FILESYSTEMS raw virtiofs nfs ssh sftp" "$kind"; then
        config_bad "$name" "'$kind' is not one of: $FILESYSTEMS raw virtiofs nfs ssh sftp"
    elif [ -z "$value" ]; then
        config_bad "$name" "$kind: a value is missing"
    elif target_is_written_well "$kind"; then
        conf_fallbacks="$conf_fallbacks$kind $source$LF"
        config_set fallback
    fi
}

# KIND: whether value can be a target of this kind; sets source.
target_is_written_well() {
    unquote "$value"
    source=$unquoted
    case $1 in
    raw | ext[234] | xfs | btrfs | f2fs | minix)
        case $source in
        UUID=*[!a-zA-Z0-9-]* | PARTUUID=*[!a-zA-Z0-9-]*) ;;
        /dev/?* | UUID=?* | LABEL=?* | PARTUUID=?* | PARTLABEL=?*)
            case $source/ in
            */../* | *" "* | *"$TAB"*) ;;
            *) return 0 ;;
            esac
            ;;
        esac
        expected="/dev/..., UUID=..., LABEL=..., PARTUUID=... or PARTLABEL=..."
        ;;
    virtiofs)
        case $source in
        -* | *[!a-zA-Z0-9_.-]*) ;;
        *) return 0 ;;
        esac
        expected="a tag"
        ;;
    nfs)
        case $source in
        -* | :*) ;;
        \[*[!0-9a-fA-F:.%]*\]:/* | *[[:blank:]]*) ;;
        \[?*\]:/* | [!\[]*:/*)
            case ${source%%:/*} in
            \[*) return 0 ;;
            *[!a-zA-Z0-9_.-]*) ;;
            *) return 0 ;;
            esac
            ;;
        esac
        expected="HOST:/EXPORT, an IPv6 address in brackets"
        ;;
    ssh | sftp)
        case $source in
        -* | *@-* | *@*@* | *[!a-zA-Z0-9_.@:%-]*) ;;
        ?*@?*) return 0 ;;
        esac
        expected="USER@HOST"
        ;;
    esac
    config_bad "$name" "'$source' is not a target; it is written as $expected"
    return 1
}

directives_finish() {
    if collector_is_passed_over; then
        config_origin core_collector
        here=$origin
        config_odd core_collector "$word cannot write to an ssh, sftp or raw target; the memory is sent there as it is"
    fi
    if [ "$conf_force_rebuild$conf_force_no_rebuild" = 11 ]; then
        here=$KDUMP_CONF
        config_bad force_rebuild "cannot be 1 together with force_no_rebuild 1"
    fi
}

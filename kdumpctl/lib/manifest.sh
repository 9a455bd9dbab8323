# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck shell=sh disable=SC2034,SC2154
# What goes into the capture initramfs, by content. The list is kept beside the
# initramfs; when a new one reads the same there is nothing to build. Times of files
# say nothing: two edits in one second look like none, a touched file like a new one.
#
#   manifest_make          sets manifest, the text; expects facts_make and image_find.
#                          Fails when a file that was asked for is not there
#   manifest_compare FILE  whether FILE holds the same, and the initramfs beside it
#                          is the one it was written for; else sets changes, a line
#                          for each difference
#   manifest_write FILE UNPACKED FILES   writes it for the initramfs of that name
#
# Its lines: "fact KEY=VALUE", "file HASH PATH", and of the initramfs itself, which
# are not compared as text: "initrd HASH", "unpacked BYTES", "files N" (0: not known).

DRACUT_MODULE=/usr/lib/dracut/modules.d/55kdump

# The files of the list are the positional parameters of the one who calls; these
# add to a list with one name a line, as names hold blanks but no line feeds.
list_add() { # PATH...: those that are there
    for file; do
        { [ -f "$file" ] && can_read "$file"; } || continue
        case $file in
        *[[:cntrl:]]*) continue ;;
        esac
        files="$files$file$LF"
    done
}

list_program() { # DIRECTIVE PATH
    case $2 in
    '') return 0 ;;
    esac
    if [ -f "$ROOT$2" ] && [ -x "$ROOT$2" ]; then
        list_add "$ROOT$2"
        return 0
    fi
    config_origin "$1"
    complain "$origin: $1: $2 is not there, or not executable"
}

list_programs() { # DIRECTIVE WORDS
    list_left=$2
    while next_word "$list_left"; do
        list_left=$rest
        unquote "$word"
        list_program "$1" "$unquoted" || return 1
    done
}

# What the network of the capture kernel is set up from.
list_network() {
    list_add "$ROOT"/etc/hosts "$ROOT"/etc/NetworkManager/system-connections/* \
        "$ROOT"/etc/systemd/network/* "$ROOT"/etc/network/interfaces \
        "$ROOT"/etc/sysconfig/network-scripts/ifcfg-*
}

list_ssh() {
    if ! can_read "$ROOT$conf_sshkey"; then
        config_origin sshkey
        complain "$origin: sshkey: $conf_sshkey is not there" \
            "kdumpctl propagate makes one and takes it to the server."
        return 1
    fi
    list_add "$ROOT$conf_sshkey" "$ROOT"/root/.ssh/known_hosts "$ROOT"/root/.ssh/config \
        "$ROOT"/etc/ssh/ssh_known_hosts "$ROOT"/etc/ssh/ssh_config
}

list_files() {
    files=
    list_add "$ROOT$image" "$ROOT/lib/modules/$release/modules.dep"
    list_program kdump_pre "$conf_kdump_pre" || return 1
    list_program kdump_post "$conf_kdump_post" || return 1
    list_program kdump_emergency "$conf_kdump_emergency" || return 1
    list_programs extra_bins "$conf_extra_bins" || return 1
    list_add "$ROOT"/etc/kdump/pre.d/* "$ROOT"/etc/kdump/post.d/* "$ROOT"/etc/kdump/emergency.d/*
    next_word "$conf_core_collector"
    case $word in
    /*) list_program core_collector "$word" || return 1 ;;
    esac
    list_add "$ROOT"/usr/bin/vmcore "$ROOT"/usr/bin/makedumpfile
    list_add "$ROOT$DRACUT_MODULE"/* "$ROOT"/usr/lib/kdump/capture/* "$ROOT"/usr/lib/kdump/machine-* \
        "$ROOT"/usr/share/initramfs-tools/hooks/kdump
    list_add "$ROOT"/etc/modprobe.d/* "$ROOT"/etc/lvm/lvm.conf "$ROOT"/etc/dracut.conf "$ROOT"/etc/dracut.conf.d/*
    case $target_facts in
    *_kind=ssh"$LF"* | *_kind=sftp"$LF"*) list_ssh || return 1 ;;
    esac
    case $target_facts in
    *_kind=ssh"$LF"* | *_kind=sftp"$LF"* | *_kind=nfs"$LF"* | *_attach=*) list_network ;;
    esac
}

# LINES WORD: sets text to the lines, each behind WORD.
prefix_lines() {
    text=
    lines_left=$1
    while [ -n "$lines_left" ]; do
        text="$text$2 ${lines_left%%"$LF"*}$LF"
        lines_left=${lines_left#*"$LF"}
    done
}

# LINES: sets hashes, lines "file HASH PATH", with one process for all of them.
hash_lines() {
    lines_left=$1
    set --
    while [ -n "$lines_left" ]; do
        set -- "$@" "${lines_left%%"$LF"*}"
        lines_left=${lines_left#*"$LF"}
    done
    summed=$(sha256sum "$@") || { complain "sha256sum failed (above)"; return 1; }
    hashes=
    while [ -n "$summed" ]; do
        line=${summed%%"$LF"*}
        hashes="${hashes}file ${line%% *} ${line#*"  $ROOT"}$LF"
        case $summed in
        *"$LF"*) summed=${summed#*"$LF"} ;;
        *) summed= ;;
        esac
    done
}

manifest_make() {
    list_files || return 1
    hash_lines "$files" || return 1
    prefix_lines "$facts" fact
    manifest="${text}fact dracut_args=$conf_dracut_args$LF$hashes"
    [ -z "$secrets" ] || {
        summed=$(printf '%s' "$secrets" | sort | sha256sum)
        manifest="${manifest}fact secrets=${summed%% *}$LF"
    }
}

# LINE: its name, as a person reads it.
manifest_line_name() {
    case $1 in
    "file "*) line_name=${1#file * } ;;
    "fact "*=*)
        line_name=${1#fact }
        line_name=${line_name%%=*}
        ;;
    *) line_name=$1 ;;
    esac
}

# OLD NEW WHAT: a line in changes for what NEW lacks.
manifest_lacks() {
    lines_left=$1
    while [ -n "$lines_left" ]; do
        line=${lines_left%%"$LF"*}
        lines_left=${lines_left#*"$LF"}
        case $LF$2 in
        *"$LF$line$LF"*) continue ;;
        esac
        manifest_line_name "$line"
        case $LF$changes in
        *"$LF$line_name: "*) ;;
        *) changes="$changes$line_name: $3$LF" ;;
        esac
    done
}

manifest_read() { # FILE: sets stored, stored_hash, stored_unpacked and stored_files
    stored=
    stored_hash=
    stored_unpacked=0
    stored_files=0
    [ -r "$1" ] || return 1
    while IFS= read -r line; do
        case $line in
        "initrd "*) stored_hash=${line#initrd } ;;
        "unpacked "[0-9]*) stored_unpacked=${line#unpacked } ;;
        "files "[0-9]*) stored_files=${line#files } ;;
        "fact "* | "file "*) stored="$stored$line$LF" ;;
        esac
    done <"$1"
    [ -n "$stored" ]
}

manifest_compare() {
    changes=
    if ! manifest_read "${1%.img}.manifest"; then
        changes="$1: no list of what went into it$LF"
        return 1
    fi
    if [ "$stored" != "$manifest" ]; then
        manifest_lacks "$manifest" "$stored" "changed or new"
        manifest_lacks "$stored" "$manifest" "gone"
        [ -n "$changes" ] || changes="the order of files$LF"
        return 1
    fi
    summed=$(sha256sum <"$1")
    [ "${summed%% *}" = "$stored_hash" ] && return 0
    changes="$1: not as it was built$LF"
    return 1
}

# For root alone: the sum of a short password gives it away.
manifest_write() { # INITRD UNPACKED FILES
    summed=$(sha256sum <"$1") || return 1
    rm -f "${1%.img}.manifest"
    (umask 077 && manifest_text "$@" >"${1%.img}.manifest")
}

manifest_text() { # INITRD UNPACKED FILES
    printf 'initrd %s\nunpacked %s\nfiles %s\n%s' "${summed%% *}" "$2" "$3" "$manifest"
}

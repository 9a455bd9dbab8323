# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck shell=sh disable=SC2154
# The facts file: what the configuration came to on this system. It is all the
# capture side knows; nothing there reads kdump.conf.
#
# Its format. One fact a line, KEY=VALUE. A key is [a-z0-9_]+; the value is all
# behind the first '=' up to the end of the line, without quotes or escapes, and
# may be empty, begin with a dash, hold blanks, quotes, '=' and '#'. No value holds
# a control character other than a tab. Every key below is there, once, in this
# order; the targets come last. To read one, safely in any shell:
#
#   while IFS= read -r line; do
#       value=${line#*=}
#       case ${line%%=*} in
#       failure_action) failure_action=$value ;;
#       ...
#       esac
#   done </etc/kdump.facts
#
# facts=1                   this format; a reader refuses another number
# kernel=RELEASE            of the capture kernel
# failure_action= final_action=     one word each, kdump.conf(5)
# core_collector=           the command, words separated by single blanks, without quotes
# collector=                vmcore, makedumpfile, or command (anything else)
# levels=                   dump levels to try, largest dump first: 31 or 1,31
# kdump_pre= kdump_post= kdump_emergency=   a path or empty
# pre_d= post_d= emergency_d=       paths of executables, separated by blanks
# extra_bins= extra_modules=        words
# fence_kdump_args= fence_kdump_nodes=      words
# sshkey=                   a path, where a target is ssh or sftp; else empty
# keep_dumps=               how many dumps to leave; 0: all
# capture_cpus=             how many CPUs to save with, where memory allows; 0: all
# log_console= log_syslog= log_kmsg=        0 to 4
# host=                     this machine's name, for directory names on a server
# targets=                  how many follow; they are tried in this order
# targetN_kind=             fs, raw, nfs, virtiofs, ssh, sftp
# targetN_source=           UUID=, LABEL=, PARTUUID=, PARTLABEL=, /dev/...; HOST:/EXPORT;
#                           a tag; USER@HOST
# targetN_device=           its name on the running system: only to find drivers
# targetN_fstype= targetN_options=  for mount; often empty
# targetN_path=             where dumps go, from the top of the target
# targetN_mount=            where it is mounted on the running system, or empty
# targetN_attach=           none or several: a disk that another machine serves, words:
#                           iscsi ADDRESS PORT TARGET GROUP INITIATOR, or
#                           nvme ADDRESS PORT NQN HOSTNQN HOSTID
# root_attach=              the same of the root file system, for dump_to_rootfs
#
#   facts_make RELEASE      sets facts, the file's whole text; expects config_read and
#                           targets_resolve

facts_make() {
    facts=
    fact facts 1
    fact kernel "$1"
    fact failure_action "$conf_failure_action"
    fact final_action "$conf_final_action"
    fact core_collector "$conf_core_collector"
    facts_collector
    fact collector "$collector"
    fact levels "$levels"
    fact kdump_pre "$conf_kdump_pre"
    fact kdump_post "$conf_kdump_post"
    fact kdump_emergency "$conf_kdump_emergency"
    executables_in /etc/kdump/pre.d
    fact pre_d "$executables"
    executables_in /etc/kdump/post.d
    fact post_d "$executables"
    executables_in /etc/kdump/emergency.d
    fact emergency_d "$executables"
    fact extra_bins "$conf_extra_bins"
    fact extra_modules "$conf_extra_modules"
    fact fence_kdump_args "$conf_fence_kdump_args"
    fact fence_kdump_nodes "$conf_fence_kdump_nodes"
    case $target_facts in
    *_kind=ssh"$LF"* | *_kind=sftp"$LF"*) fact sshkey "$conf_sshkey" ;;
    *) fact sshkey "" ;;
    esac
    fact keep_dumps "$conf_keep_dumps"
    fact capture_cpus "$conf_capture_cpus"
    fact log_console "$sys_stdloglvl"
    fact log_syslog "$sys_sysloglvl"
    fact log_kmsg "$sys_kmsgloglvl"
    host=
    read -r host <"$ROOT/proc/sys/kernel/hostname" || true
    ! has_control "$host" || host=
    fact host "$host"
    fact targets "$targets"
    facts=$facts$target_facts
    [ "$conf_failure_action" != dump_to_rootfs ] || facts_root
}

# What else of it the capture must know is found out when the initramfs is built.
facts_root() {
    mount_find mounted_holds / || return 0
    attach_of "$mount_source"
    while [ -n "$attach" ]; do
        fact root_attach "${attach%%"$LF"*}"
        attach=${attach#*"$LF"}
    done
}

fact() { # KEY VALUE
    facts="$facts$1=$2$LF"
}

# DIRECTORY: sets executables. Names with blanks are passed over, with a warning.
executables_in() {
    executables=
    for file in "$ROOT$1"/*; do
        { [ -f "$file" ] && [ -x "$file" ]; } || continue
        file=${file#"$ROOT"}
        case $file in
        *[[:space:][:cntrl:]]*)
            warn "$file: a blank in its name; it is passed over"
            continue
            ;;
        esac
        executables="$executables${executables:+ }$file"
    done
}

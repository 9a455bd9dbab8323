# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck shell=sh disable=SC2154
# kdumpctl show: what the configuration says, as it was understood, where each value
# is from, and what it comes to on this system.
#
#   cmd_show [--facts]      exits 0 when all of it can be used; --facts prints instead
#                           what would go into the initramfs (facts.sh)

show_value() { # NAME VALUE
    config_origin "$1"
    printf '  %-28s %-26s %s\n' "$1" "$origin" "$2"
}

show_directives() {
    printf '%s\n' "$KDUMP_CONF"
    config_origin target
    printf '  %-28s %-26s %s\n' "${conf_target_kind:-(no target)}" "$origin" \
        "${conf_target_source:-the filesystem of $conf_path}"
    fallbacks=$conf_fallbacks
    while [ -n "$fallbacks" ]; do
        printf '  %-28s %-26s %s\n' fallback "" "${fallbacks%%"$LF"*}"
        fallbacks=${fallbacks#*"$LF"}
    done
    show_value path "$conf_path"
    show_value core_collector "$conf_core_collector"
    show_value sshkey "$conf_sshkey"
    show_value failure_action "$conf_failure_action"
    show_value final_action "$conf_final_action"
    show_value kdump_pre "$conf_kdump_pre"
    show_value kdump_post "$conf_kdump_post"
    show_value kdump_emergency "$conf_kdump_emergency"
    show_value extra_bins "$conf_extra_bins"
    show_value extra_modules "$conf_extra_modules"
    show_value dracut_args "$conf_dracut_args"
    show_value force_rebuild "$conf_force_rebuild"
    show_value force_no_rebuild "$conf_force_no_rebuild"
    show_value fence_kdump_args "$conf_fence_kdump_args"
    show_value fence_kdump_nodes "$conf_fence_kdump_nodes"
    show_value auto_reset_crashkernel "$conf_auto_reset_crashkernel"
    show_value keep_dumps "$conf_keep_dumps"
    show_value capture_cpus "$conf_capture_cpus"
}

show_variables() {
    printf '%s\n' "$SYSCONFIG"
    show_value KDUMP_KERNELVER "$sys_kernelver"
    show_value KDUMP_COMMANDLINE "$sys_commandline"
    show_value KDUMP_COMMANDLINE_REMOVE "$sys_remove"
    show_value KDUMP_COMMANDLINE_APPEND "$sys_append"
    show_value KEXEC_ARGS "$sys_kexec_args"
    show_value KDUMP_BOOTDIR "$sys_bootdir"
    show_value KDUMP_IMG "$sys_img"
    show_value KDUMP_IMG_EXT "$sys_img_ext"
    show_value KDUMP_INITRD "$sys_initrd"
    show_value VMCORE_CREATION_NOTIFICATION "$sys_notify"
    show_value KDUMP_NOTIFY_COMMAND "$sys_notify_command"
    show_value KDUMP_STDLOGLVL "$sys_stdloglvl"
    show_value KDUMP_SYSLOGLVL "$sys_sysloglvl"
    show_value KDUMP_KMSGLOGLVL "$sys_kmsgloglvl"
}

show_target() { # NUMBER
    printf 'target %s: %s %s%s%s, directory %s\n' "$1" "$target_kind" "$target_source" \
        "${target_fstype:+, $target_fstype}" \
        "${target_mount:+, now at $target_mount}" "$target_path"
}

cmd_show() {
    config_read || return 1
    case ${1-} in
    '') ;;
    --facts)
        targets_resolve && release_find || return 1
        facts_make "$release"
        printf '%s' "$facts"
        return 0
        ;;
    *) wrong_usage "show: $1: unknown option" ;;
    esac
    show_directives
    show_variables
    shown=0
    if targets_resolve; then target_each show_target; else shown=1; fi
    if image_find; then
        printf 'kernel: %s, %s\n' "$release" "$image"
    else
        shown=1
    fi
    if cmdline_make; then printf 'command line: %s\n' "$cmdline"; else shown=1; fi
    return "$shown"
}

# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck shell=sh disable=SC2034,SC2154
# kdumpctl check: all that start would do, without doing it. A line for each part:
# ok, warning or FAILED, what was found, and what to do about it.
#
#   cmd_check [--json]    exits 0 when a start would work

check_verdict() { # NAME ok|warning|FAILED WHAT [REMEDY]
    [ "$2" != FAILED ] || check_failed=yes
    if [ "$check_json" = no ]; then
        printf '%-8s %-15s %s\n' "$2" "$1" "$3"
        [ -z "${4-}" ] || printf '%-8s %-15s -> %s\n' "" "" "$4"
        return
    fi
    json_text "$1"
    printf '%s{"item": %s' "$check_comma" "$json"
    check_comma=", "
    case $2 in
    FAILED) printf ', "verdict": "failed"' ;;
    *) printf ', "verdict": "%s"' "$2" ;;
    esac
    json_lines "$3"
    printf ', "what": %s' "$json"
    json_lines "${4-}"
    printf ', "remedy": %s}' "$json"
}

# As json_text, for text of several lines.
json_lines() { # TEXT
    lines=
    lines_left=$1
    while :; do
        json_text "${lines_left%%"$LF"*}"
        json=${json#\"}
        lines=$lines${json%\"}
        case $lines_left in
        *"$LF"*) lines_left=${lines_left#*"$LF"} ;;
        *) break ;;
        esac
        lines=$lines\\n
    done
    json=\"$lines\"
}

# NAME COMMAND...: runs COMMAND with its words kept; a failure and every warning
# become verdicts.
check_part() {
    part_name=$1
    shift
    keep_words yes
    if "$@"; then part_failed=no; else part_failed=yes; fi
    while [ -n "$kept_warnings" ]; do
        check_verdict "$part_name" warning "${kept_warnings%%"$LF"*}"
        kept_warnings=${kept_warnings#*"$LF"}
    done
    [ "$part_failed" = no ] || check_verdict "$part_name" FAILED "${kept_what:-failed}" "$kept_remedy"
    KEEP=no
    [ "$part_failed" = no ]
}

check_support() {
    crash_kernel_state
    [ "$loaded" != unknown ] || complain "$state_why"
}

check_target() { # NUMBER
    check_name=target
    [ "$targets" -eq 1 ] || check_name="target $1"
    check_words="$target_kind $target_source${target_fstype:+ ($target_fstype)}, $target_path"
    check_attached || return 0
    case $target_kind in
    fs) check_filesystem ;;
    raw) check_raw ;;
    ssh | sftp) check_server ;;
    nfs | virtiofs)
        if [ -n "$target_mount" ]; then
            check_space "$target_mount"
        else
            check_verdict "$check_name" warning "$check_words: not mounted here, so it was not looked at" \
                "Mount it and check again, or make a real test: kdumpctl test."
        fi
        ;;
    esac
}

check_filesystem() {
    if [ -n "$target_fstype" ] && ! check_driver "$target_fstype"; then
        check_verdict "$check_name" FAILED "$check_words: the capture kernel, $check_release, has no driver for $target_fstype" \
            "Install the modules of that kernel, or name another target in $KDUMP_CONF."
    elif [ -n "$target_mount" ]; then
        check_space "$target_mount"
    else
        check_verdict "$check_name" ok "$check_words, not mounted now"
    fi
}

# Each disk on another machine; fails, with a verdict, where its driver is missing.
check_attached() {
    attach_left=$target_attach
    while next_word "$attach_left"; do
        check_how=$word
        next_word "$rest"
        check_address=$word
        next_word "$rest"
        case $check_address in
        *:*) check_address="[$check_address]:$word" ;;
        *) check_address=$check_address:$word ;;
        esac
        next_word "$rest"
        attach_left=${attach_left#*"$LF"}
        case $check_how in
        iscsi) check_words="$check_words, by iSCSI from $check_address ($word)" check_how=iscsi_tcp ;;
        nvme) check_words="$check_words, by NVMe over TCP from $check_address ($word)" check_how=nvme-tcp ;;
        esac
        check_driver "$check_how" && continue
        check_verdict "$check_name" FAILED "$check_words: the capture kernel, $check_release, has no driver $check_how" \
            "Install the modules of that kernel, or name another target in $KDUMP_CONF."
        return 1
    done
}

# FILE SYSTEM: whether the capture kernel has it, as a module or built in; yes where its
# lists are not there.
check_driver() {
    check_driver=$1
    case $1 in
    ext2 | ext3) check_driver=ext4 ;;
    esac
    [ -s "$ROOT/lib/modules/$check_release/modules.dep" ] || return 0
    for file in "$ROOT/lib/modules/$check_release"/modules.builtin "$ROOT/lib/modules/$check_release"/modules.dep; do
        [ -r "$file" ] || continue
        while IFS= read -r line; do
            case ${line%%:*} in
            */"$check_driver".ko*) return 0 ;;
            esac
        done <"$file"
    done
    return 1
}

check_raw() {
    read_first_line "/sys/class/block/${target_device##*/}/size" || first_line=
    case $first_line in
    '' | *[!0-9]*) check_verdict "$check_name" ok "$check_words" ;;
    *) check_room "$((first_line / 2))" ;;
    esac
}

check_space() { # MOUNT POINT
    free_space_of "$ROOT$1"
    check_room "$free_space"
}

# FREE (KiB): a dump without pages that need not be there is seldom larger than half
# of memory; all of it always fits when as much as memory is free.
check_room() {
    memory=0
    while read -r key value _; do
        [ "$key" != MemTotal: ] || { memory=$value; break; }
    done <"$ROOT/proc/meminfo"
    check_words="$check_words, $(($1 / 1024)) MiB free for $((memory / 1024)) MiB of memory"
    if [ "$1" -ge "$memory" ]; then
        check_verdict "$check_name" ok "$check_words"
    elif [ "$1" -lt $((memory / 8)) ]; then
        check_verdict "$check_name" warning "$check_words: a dump may not fit" \
            "Make room, remove old dumps (keep_dumps), or name another target."
    else
        check_verdict "$check_name" ok "$check_words; a dump of everything would not fit"
    fi
}

check_server() {
    if ! command -v ssh >/dev/null 2>&1; then
        check_verdict "$check_name" FAILED "$check_words: ssh is not installed" "Install the OpenSSH client."
        return
    fi
    if ! can_read "$ROOT$conf_sshkey"; then
        check_verdict "$check_name" FAILED "$check_words: the key $conf_sshkey is not there" \
            "kdumpctl propagate makes one and takes it to the server."
        return
    fi
    if ! said=$(check_ask 2>&1 </dev/null); then
        check_verdict "$check_name" FAILED "$check_words: ${said:-no answer}" \
            "kdumpctl propagate takes the key there; known_hosts must hold the server."
        return
    fi
    check_words="$check_words, the server takes our key"
    case $target_kind,$said in
    *, | ssh,* | *[!0-9]) check_verdict "$check_name" ok "$check_words" ;;
    *) check_room "$((said / 1024))" ;;
    esac
}

# By sftp it also tells how many bytes are free, or says that the server does not.
check_ask() {
    set -- ssh -i "$ROOT$conf_sshkey" -o BatchMode=yes -o StrictHostKeyChecking=yes -o ConnectTimeout=10
    case $target_kind in
    ssh) "$@" "$target_source" true ;;
    sftp) vmcore sftp free "$target_path" -- "$@" -s "$target_source" sftp ;;
    esac
}

# Each rule of the kernel that the plan breaks.
check_plan() {
    kernel_plan || { complain "$plan_says" "$plan_remedy"; return 1; }
    rule=
    plan_broken=
    while IFS= read -r line; do
        case $line in
        *'"name": "'*)
            rule=${line#*'"name": "'}
            rule=${rule%\"*}
            ;;
        *'"ok": false'*) plan_broken=$rule ;;
        *'"detail": "'*)
            [ -n "$plan_broken" ] || continue
            line=${line#*'"detail": "'}
            complain "$plan_broken: ${line%\"*}" || return 1
            ;;
        esac
    done <<TEXT
$plan
TEXT
    case $plan in
    *'"warnings": ['*'"'*) check_plan_warnings "${plan#*'"warnings": ['}" ;;
    esac
}

check_plan_warnings() { # TEXT
    while IFS= read -r line; do
        trim "$line"
        case $trimmed in
        \"*) warn "${trimmed%,}" ;;
        esac
    done <<TEXT
$1
TEXT
}

check_notify() {
    next_argument "$sys_notify_command"
    { [ -f "$ROOT$argument" ] && [ -x "$ROOT$argument" ]; } ||
        warn "KDUMP_NOTIFY_COMMAND: $argument is not there, or not executable"
}

check_builder() {
    initrd_builder
}

check_initrd() {
    if check_part initramfs manifest_make; then
        keep_words yes
        if initrd_state; then
            keep_words no
            check_verdict initramfs ok "$initrd_says"
        else
            initrd=
            keep_words no
            check_part initramfs check_builder &&
                check_verdict initramfs ok "$initrd_says"
        fi
    fi
}

check_all() {
    check_part "running kernel" check_support && check_verdict "running kernel" ok "takes a crash kernel (loaded: $loaded)"
    check_part reservation reservation_exists && check_verdict reservation ok "$((reserved / 1048576)) MiB"
    if ! check_part configuration config_read; then
        return
    fi
    check_verdict configuration ok "$KDUMP_CONF, $SYSCONFIG"
    check_part collector check_collector && check_verdict collector ok "$conf_core_collector"
    [ -z "$sys_notify_command" ] || check_part notification check_notify
    check_targets=no
    check_part target targets_resolve && check_targets=yes
    keep_words yes
    release_find || release=
    keep_words no
    check_release=$release
    [ "$check_targets" = no ] || target_each check_target
    check_part kernel image_find || return
    check_verdict kernel ok "$release, $image"
    check_part "command line" cmdline_make && check_verdict "command line" ok "$cmdline"
    [ "$check_targets" = yes ] || return
    facts_make "$release"
    check_initrd
    check_part plan check_plan || return
    check_verdict plan ok "kexec's plan keeps every rule of the kernel"
    check_part memory memory_judge && check_verdict memory ok "about $((needed / 1048576)) of $((reserved / 1048576)) MiB needed"
}

cmd_check() {
    check_json=no
    case ${1-} in
    '') ;;
    --json) check_json=yes ;;
    *) wrong_usage "check: $1: unknown option" ;;
    esac
    check_failed=no
    check_comma=
    initrd=
    [ "$check_json" = no ] || printf '{"checks": ['
    check_all
    [ "$check_json" = no ] || printf '], "ok": %s}\n' "$([ "$check_failed" = no ] && printf true || printf false)"
    [ "$check_failed" = no ]
}

# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck shell=sh disable=SC2154
# kdumpctl status: is the machine ready for a crash? No lock, no configuration, no
# process: an answer at any time.
#
#   cmd_status [--json]   exits 0 when a crash kernel is loaded, 3 when not

# TEXT: sets json, TEXT as a JSON string. No fact holds control characters but tabs.
json_text() {
    json=
    json_left=$1
    while :; do
        piece=${json_left%%[\"\\[:cntrl:]]*}
        json=$json$piece
        json_left=${json_left#"$piece"}
        case $json_left in
        '') break ;;
        "$TAB"*) json="$json\\t" ;;
        \"*) json=$json\\\" ;;
        *) json=$json\\\\ ;;
        esac
        json_left=${json_left#?}
    done
    json=\"$json\"
}

status_json() {
    case $loaded in
    yes) json=true ;;
    no) json=false ;;
    *) json=null ;;
    esac
    read_first_line /sys/kernel/kexec_crash_size || first_line=0
    printf '{"operational": %s, "reserved": %s' "$json" "${first_line:-0}"
    if [ "$loaded" = yes ] && loaded_record_read; then
        json_text "$release"
        printf ', "release": %s' "$json"
        json_text "$image"
        printf ', "image": %s' "$json"
        json_text "$initrd"
        printf ', "initrd": %s' "$json"
        json_text "$cmdline"
        printf ', "command_line": %s' "$json"
    fi
    test_read
    json_text "$test_id"
    printf ', "test": {"id": %s' "$json"
    json_text "$test_result"
    printf ', "result": %s}' "$json"
    if last_dump_read; then
        json_text "$dump_directory"
        printf ', "last_dump": {"directory": %s' "$json"
        json_text "$dump_status"
        printf ', "status": %s' "$json"
        json_text "$dump_panic"
        printf ', "panic": %s' "$json"
        json_text "$dump_test"
        printf ', "test": %s}' "$json"
    fi
    printf '}\n'
}

last_dump_say() {
    last_dump_read || return 0
    dump_sentence
    if [ -d "$ROOT$dump_directory" ]; then
        note "last dump: $sentence"
    else
        note "last dump, not there now: $sentence"
    fi
}

cmd_status() {
    case ${1-} in
    '' | --json) ;;
    *) wrong_usage "status: $1: unknown option" ;;
    esac
    crash_kernel_state
    if [ "${1-}" = --json ]; then
        status_json
    else
        case $loaded in
        yes) note "Kdump is operational" ;;
        no) note "Kdump is not operational" ;;
        *) note "Kdump is not operational: $state_why" ;;
        esac
        if [ "$VERBOSE" = yes ] && [ "$loaded" = yes ] && loaded_record_read; then
            note "kernel: $release, $image"
            note "initramfs: $initrd"
            note "command line: $cmdline"
        fi
        test_say
        last_dump_say
    fi
    [ "$loaded" = yes ] || return 3
}

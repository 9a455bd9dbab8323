# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck shell=sh disable=SC2034,SC2154
# A dump on a partition without a file system becomes a directory of dumps like any
# other, at the first start after the crash.
#
#   recover_raw NUMBER   for target_each: looks on a raw target and takes what is there
#                        to the path of the configuration; what cannot be taken is said
#                        and stays where it is
#
# The capture (target-raw.sh) leaves a flattened dump at the start and the kernel's log
# in the last MiB. What has been taken is not taken again: the first letter of its
# signature is made another. Nothing else of the partition is changed.

RAW_TAIL=1048576
RAW_SIGNATURE=makedumpfile
RAW_LOG="kdump log"

recover_raw() { # NUMBER
    [ "$target_kind" = raw ] || return 0
    raw_look "$ROOT$target_device" || return 0
    note "there is a dump on $target_device; taking it to $conf_path"
    raw_directory || return 0
    raw_status="nothing"
    raw_take_log
    if raw_take_dump && raw_readme && raw_sync; then
        note "recovered ${recovered#"$ROOT"}: $raw_status"
        raw_mark || warn "$target_device cannot be written (above): the next start takes the same dump again"
    else
        rm -rf "$recovered"
        warn "$target_device keeps the dump that is on it, until the next crash overwrites it (above)"
    fi
}

# DEVICE: sets raw_dump (yes or no), raw_log_size (empty: no log), raw_name and raw_test;
# fails when there is nothing.
raw_look() {
    raw_device=$1
    raw_dump=no
    raw_log_size=
    raw_name=
    raw_test=
    raw_head=$(dd if="$raw_device" bs=12 count=1 2>/dev/null | tr -d '\0')
    [ "$raw_head" != $RAW_SIGNATURE ] || raw_dump=yes
    raw_end=0
    real=$(readlink -f "$raw_device")
    if read_first_line "/sys/class/block/${real##*/}/size" && [ "$first_line" -gt $((RAW_TAIL / 512)) ]; then
        raw_end=$((first_line / 8 - RAW_TAIL / 4096))
        read -r kdump log raw_log_size raw_name raw_test <<TEXT
$(dd if="$raw_device" bs=4096 skip="$raw_end" count=1 2>/dev/null | tr -d '\0' | sed -n '1{s/[^0-9A-Za-z .:_-]//g;p;}')
TEXT
        case $kdump\ $log,$raw_log_size in
        "$RAW_LOG",*[!0-9]* | "$RAW_LOG",) raw_log_size= ;;
        "$RAW_LOG",*) [ "$raw_log_size" -lt $RAW_TAIL ] || raw_log_size= ;;
        *) raw_log_size= ;;
        esac
        [ -n "$raw_log_size" ] || raw_name='' raw_test=''
    fi
    [ "$raw_dump" = yes ] || [ -n "$raw_log_size" ]
}

# Sets recovered. A dump that took the room of its log has no name of its own.
raw_directory() {
    case $raw_name in
    [!a-zA-Z0-9]* | '')
        read_first_line /proc/sys/kernel/hostname || first_line=localhost
        raw_name="$first_line-$(date -u '+%Y-%m-%d-%H:%M:%S')"
        ;;
    esac
    recovered=$ROOT$conf_path/$raw_name
    number=1
    while [ -e "$recovered" ]; do
        number=$((number + 1))
        recovered=$ROOT$conf_path/$raw_name.$number
    done
    (umask 077 && mkdir -p "$recovered") && return 0
    warn "$target_device keeps the dump that is on it: ${recovered#"$ROOT"} cannot be made (above)"
    return 1
}

raw_take_log() {
    [ -n "$raw_log_size" ] || return 0
    dd if="$raw_device" bs=4096 skip="$raw_end" 2>/dev/null | sed 1d | head -c "$raw_log_size" \
        >"$recovered/vmcore-dmesg.txt"
    raw_status="the kernel's log alone"
}

# What broke off is taken as far as it goes.
raw_take_dump() {
    [ "$raw_dump" = yes ] || return 0
    cmd vmcore rebuild -q "$raw_device" "$recovered/vmcore-incomplete" 9>&-
    case $? in
    0)
        mv "$recovered/vmcore-incomplete" "$recovered/vmcore" || return 1
        raw_status="the dump, from $target_device"
        ;;
    3) raw_status="a part of the dump, from $target_device" ;;
    *) return 1 ;;
    esac
}

raw_readme() {
    {
        printf '%s\n\n' "A kernel crash dump of ${raw_name%%-[12][0-9][0-9][0-9]-*}"
        printf '%s\n' "Status:       $raw_status"
        for file in vmcore vmcore-incomplete; do
            [ -e "$recovered/$file" ] || continue
            printf '%s\n\n' "Size:         $(wc -c <"$recovered/$file") bytes, $file"
            (cd "$recovered" && vmcore info "$file" 9>&- 2>/dev/null)
        done
    } >"$recovered/README.txt"
    case $raw_test in
    '' | *[!0-9a-zA-Z-]*) ;;
    *)
        raw_word=incomplete
        [ ! -e "$recovered/vmcore" ] || raw_word=success
        echo $raw_word >"$recovered/kdump-test-$raw_test"
        ;;
    esac
    chmod -R go-rwx "$recovered" && [ -s "$recovered/README.txt" ]
}

# Before the partition forgets.
raw_sync() {
    cmd sync -f "$recovered" 2>/dev/null || cmd sync
}

raw_mark() {
    [ "$raw_dump" = no ] || raw_letter M 0 || return 1
    [ -z "$raw_log_size" ] || raw_letter K $((raw_end * 4096))
}

raw_letter() { # LETTER OFFSET
    printf '%s' "$1" | dd of="$raw_device" bs=1 seek="$2" conv=notrunc,fsync 2>"$ROOT/run/kdump/raw.err" && return 0
    cat "$ROOT/run/kdump/raw.err" >&2
    return 1
}

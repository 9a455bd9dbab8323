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
# in the last MiB, and writes over no dump that is there. What has been taken is not taken
# again: the first letter of its signature is made another. Nothing else of the partition is
# changed. What is being taken has no name of a dump until it is whole, so that one that was
# interrupted is taken again from the start. Its README.txt then names the sums of what it was
# taken from: one that has its name but did not lose its mark any more is known by them.

RAW_TAIL=1048576
RAW_SIGNATURE=makedumpfile
RAW_LOG="kdump log"
RAW_UNDER_WAY=.kdump-recovering

recover_raw() { # NUMBER
    [ "$target_kind" = raw ] || return 0
    raw_look "$ROOT$target_device" || return 0
    raw_identify
    if raw_was_taken; then
        note "the dump on $target_device was taken to ${raw_taken#"$ROOT"} already"
        raw_mark || warn "$target_device cannot be written (above)"
        return 0
    fi
    note "there is a dump on $target_device; taking it to $conf_path"
    raw_directory || return 0
    raw_status="nothing"
    raw_take_log
    if raw_take_dump && raw_readme && raw_sync && raw_name_it; then
        note "recovered ${recovered#"$ROOT"}: $raw_status"
        raw_mark || warn "$target_device cannot be written (above): the next crash's dump will find no room there"
        return 0
    fi
    rm -rf "$recovering"
    if [ "$raw_dump" = yes ] && raw_is_none; then
        warn "$target_device begins as a dump does, but holds none that can be read (above); the next crash may overwrite it"
        raw_letter M 0 || warn "$target_device cannot be written (above)"
    else
        warn "$target_device keeps the dump that is on it (above); until a start takes it, no other is written there"
    fi
    return 0
}

# No dump at all, rather than one for which there was no room.
raw_is_none() {
    vmcore info "$raw_device" >/dev/null 2>&1 9>&-
    [ $? -eq 1 ]
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

# Sets raw_sums, of the beginnings of the dump and the log; the time of the crash is in both.
raw_identify() {
    raw_sums=
    [ "$raw_dump" = no ] || raw_add_sum 0
    [ -z "$raw_log_size" ] || raw_add_sum "$raw_end"
}

# What cannot be read is like nothing else, itself neither.
raw_add_sum() { # BLOCK
    sum=$({ dd if="$raw_device" bs=4096 skip="$1" count=256 2>/dev/null || date +%s.%N; } | sha256sum)
    raw_sums="$raw_sums${raw_sums:+ }${sum%% *}"
}

# Sets raw_taken, the directory. Of the two marks each may be the one that was not written.
raw_was_taken() {
    for file in "$ROOT$conf_path"/*/README.txt; do
        raw_taken=${file%/*}
        [ ! -e "$file" ] || ! grep -q -s -E "^Origin: .* $raw_sums( [0-9a-f]+)?\$" "$file" || return 0
    done
    return 1
}

# Sets recovering, the directory while it is filled. A dump that took the room of its log
# has no name of its own.
raw_directory() {
    case $raw_name in
    [!a-zA-Z0-9]* | '')
        read_first_line /proc/sys/kernel/hostname || first_line=localhost
        raw_name="$first_line-$(date -u '+%Y-%m-%d-%H:%M:%S')"
        ;;
    esac
    recovering=$ROOT$conf_path/$RAW_UNDER_WAY
    rm -rf "$recovering"
    (umask 077 && mkdir -p "$recovering") && return 0
    warn "$target_device keeps the dump that is on it: a directory in $conf_path cannot be made (above)"
    return 1
}

# Sets recovered; to be seen by whoever looks only when all of it is on the disk.
raw_name_it() {
    recovered=$ROOT$conf_path/$raw_name
    number=1
    while [ -e "$recovered" ]; do
        number=$((number + 1))
        recovered=$ROOT$conf_path/$raw_name.$number
    done
    mv "$recovering" "$recovered" && raw_sync
}

raw_take_log() {
    [ -n "$raw_log_size" ] || return 0
    dd if="$raw_device" bs=4096 skip="$raw_end" 2>/dev/null | sed 1d | head -c "$raw_log_size" \
        >"$recovering/vmcore-dmesg.txt"
    raw_status="the kernel's log alone"
}

# What broke off is taken as far as it goes.
raw_take_dump() {
    [ "$raw_dump" = yes ] || return 0
    cmd vmcore rebuild -q "$raw_device" "$recovering/vmcore-incomplete" 9>&-
    case $? in
    0)
        mv "$recovering/vmcore-incomplete" "$recovering/vmcore" || return 1
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
        printf '%s\n' "Origin:       $target_device $raw_sums"
        for file in vmcore vmcore-incomplete; do
            [ -e "$recovering/$file" ] || continue
            printf '%s\n\n' "Size:         $(wc -c <"$recovering/$file") bytes, $file"
            (cd "$recovering" && vmcore info "$file" 9>&- 2>/dev/null)
        done
    } >"$recovering/README.txt"
    case $raw_test in
    '' | *[!0-9a-zA-Z-]*) ;;
    *)
        raw_word=incomplete
        [ ! -e "$recovering/vmcore" ] || raw_word=success
        echo $raw_word >"$recovering/kdump-test-$raw_test"
        ;;
    esac
    chmod -R go-rwx "$recovering" && [ -s "$recovering/README.txt" ]
}

# Before the partition forgets.
raw_sync() {
    cmd sync -f "$ROOT$conf_path" 2>/dev/null || cmd sync
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

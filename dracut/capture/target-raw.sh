# shellcheck shell=sh disable=SC2034,SC2154 # the files of one program share their variables
# A partition without a file system. The dump lies at its start in the
# flattened format, which carries its own end; in the last MiB lies the
# kernel's log, written first, until the dump needs that room too. At the
# next start kdumpctl (recover.sh) turns both into a directory of dumps, and
# marks what it took; a dump that nobody took yet is not written over.

RAW_TAIL=1048576
RAW_MAGIC="kdump log"
RAW_SIGNATURE=makedumpfile

raw_save() {
    attach_disks "target$target" || return 0
    target_fact lvm || :
    volume=$fact
    target_fact source
    find_device "$fact" || return 0
    raw_size || return 0
    raw_is_free || return 0
    # What is left of the dump before this one must not be taken for it, nor for its rest
    # where it breaks off early: until pages differ, records of both begin in the same places.
    raw_blocks=$(((raw_bytes - RAW_TAIL) / 1048576))
    [ "$raw_blocks" -gt 0 ] || raw_blocks=1
    [ "$raw_blocks" -lt 16 ] || raw_blocks=16
    limit small dd if=/dev/zero of="$device" bs=1048576 count="$raw_blocks" conv=notrunc,fsync 2>"$run/raw.err" || {
        why_file "$run/raw.err"
        warn "$device cannot be written: $why"
        return 0
    }
    raw_log
    room=$raw_bytes
    stream_dump raw_write
}

raw_size() {
    raw_bytes=0
    raw_name=$(readlink -f "$device")
    { read -r raw_sectors <"$ROOT/sys/class/block/${raw_name##*/}/size"; } 2>/dev/null &&
        raw_bytes=$((raw_sectors * 512))
    [ "$raw_bytes" -gt $RAW_TAIL ] || {
        warn "$device has $raw_bytes bytes: too small for a dump"
        return 1
    }
    say "room for a dump: $((raw_bytes / 1048576)) MiB"
}

# The first crash of several tells more than those after it.
raw_is_free() {
    raw_head=
    limit small dd if="$device" of="$run/raw.head" bs=12 count=1 2>/dev/null &&
        { IFS= read -r raw_head <"$run/raw.head" || :; }
    [ "$raw_head" = $RAW_SIGNATURE ] || return 0
    warn "$device holds the dump of an earlier crash, which no start has taken from there yet; it is kept"
    return 1
}

raw_log() {
    dump_log "$run/vmcore-dmesg.txt" || return 0
    {
        printf '%s %s %s %s\n' "$RAW_MAGIC" "$(stat -c %s "$run/vmcore-dmesg.txt")" "$name" "$test_id"
        cat "$run/vmcore-dmesg.txt"
    } >"$run/raw-log"
    raw_blocks=$((RAW_TAIL / 4096))
    limit small dd if="$run/raw-log" of="$device" bs=4096 count=$raw_blocks \
        seek=$((raw_bytes / 4096 - raw_blocks)) conv=notrunc,fsync 2>/dev/null || return 0
    saved=2 saved_what="the kernel's log alone"
    say "saved the kernel's log"
}

# A plain copy as one record of a flattened file: by that, and by its end, the next start
# knows it.
raw_copy() {
    raw_copied=$(stat -c %s "$vmcore") || return
    printf '%s\0\0\0\0' $RAW_SIGNATURE
    raw_numbers 1 1
    dd if=/dev/zero bs=4064 count=1 2>/dev/null
    raw_numbers 0 "$raw_copied"
    cat "$vmcore" || return
    raw_numbers -1 -1
}

raw_numbers() { # NUMBER...: eight bytes each, the highest first
    for raw_number; do
        for raw_shift in 56 48 40 32 24 16 8 0; do
            # shellcheck disable=SC2059 # one byte
            printf "\\$(printf %03o $((raw_number >> raw_shift & 255)))"
        done
    done
}

raw_write() {
    dd of="$device" bs=1M conv=notrunc,fsync iflag=fullblock
}

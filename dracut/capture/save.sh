# shellcheck shell=sh disable=SC2034,SC2154 # the files of one program share their variables
# A dump in a directory that is mounted: the log first, then the dump as
# vmcore-incomplete until it is whole, then what a reader needs.
#
#   save_directory TOP   makes TOP/NAME and fills it
#
# $saved: 0 a dump; 3 a dump, of a source that was not whole; 2 no whole dump,
# but the log or a part of the dump; 1 nothing. $saved_what says it in words,
# $saved_as is the dump's directory.
#
# A server or a disk that is gone holds up whoever asks it for a file, this shell too: what
# is done there is done within a limit.

save_directory() { # TOP
    saved=1 saved_what="nothing" saved_as='' save_gone=''
    save_make "$1" || return 0
    save_log
    space_limit "$1"
    if [ -n "$room" ] && [ "$room" -lt 67108864 ]; then
        space_prune "$1" 1
        space_limit "$1"
    fi
    [ -z "$room" ] || say "room for a dump: $((room / 1048576)) MiB"
    if [ "${room:-1}" -gt 0 ]; then
        save_dump
    else
        warn "there is no room for a dump"
    fi
    case $saved in
    0 | 3) space_prune "$1" ;;
    esac
    [ -z "$save_gone" ] || return 0
    save_texts
    save_sync "$1"
}

# That file system alone: a server that is gone since an earlier target would
# hold up everybody's.
save_sync() { # TOP
    limit sync sync -f "$1" 2>/dev/null
    case $? in
    0) ;;
    "$LIMIT_STOPPED") warn "sync did not end" ;;
    # Not every busybox has -f.
    *) limit sync sync || warn "sync did not end" ;;
    esac
}

# A second crash in the same second, or a clock that always starts at the
# same time, must not meet the dump that is there.
save_make() { # TOP
    limit small save_make_new "$1" >"$run/made" 2>"$run/mkdir.err" || {
        why_file "$run/mkdir.err"
        warn "cannot make $path/$name: ${why:-no answer}"
        return 1
    }
    IFS= read -r saved_as <"$run/made"
}

save_make_new() { # TOP: prints the directory's name
    mkdir -p "$1" || return
    save_new=$1/$name save_number=1
    until mkdir -m 700 "$save_new"; do
        [ -e "$save_new" ] || return
        save_number=$((save_number + 1))
        save_new=$1/$name.$save_number
    done
    printf '%s\n' "$save_new"
}

save_log() {
    dump_log "$saved_as/vmcore-dmesg.txt" || return 0
    saved=2 saved_what="the kernel's log alone"
    # This kernel may be the next to die.
    save_sync "$saved_as"
    say "saved the kernel's log"
}

# The chain: filtered, then without what filtering needs, then a plain copy.
# Where it was room that lacked, more would not fit either.
save_dump() {
    cpus_more
    collector_read
    [ "$collector_kind" = own ] || collector_levels
    for save_way in filtered plain raw; do
        dump_fits $save_way || continue
        say "saving the dump ($save_way)"
        dump_to "$saved_as/vmcore" $save_way
        case $status in
        0) saved=0 saved_what="the dump, $save_way"
            break ;;
        3) saved=3 saved_what="the dump, $save_way; its source was not whole"
            why_file "$run/dump.err"
            warn "$why"
            break ;;
        esac
        warn "saving the dump ($save_way) failed: $why"
        if [ -n "$stood_still" ] && ! save_answers; then
            save_gone=1
            warn "the target does not answer any more"
            break
        fi
        save_part $save_way
        [ -z "$no_room" ] || break
    done
    case $saved in
    0 | 3) limit small save_part_none ;;
    esac
}

# One that does not answer is left alone from then on.
save_answers() {
    limit small df -P "$saved_as" >/dev/null 2>&1
    [ $? -ne "$LIMIT_STOPPED" ]
}

# What a failed attempt left is kept until another one is whole.
save_part() { # WAY
    limit small save_part_kept "$1" || return 0
    saved=2 saved_what="a part of the dump"
}

save_part_kept() { # WAY
    save_left=$saved_as/vmcore-incomplete
    [ -s "$save_left" ] || {
        rm -f "$save_left"
        return 1
    }
    [ -n "$no_room" ] || mv "$save_left" "$save_left.$1"
}

save_part_none() {
    rm -f "$saved_as"/vmcore-incomplete.*
}

save_readme() {
    cd "$saved_as" && readme_text vmcore vmcore-incomplete*
}

save_texts() {
    limit sync save_readme >"$run/README.txt" || warn "README.txt is not whole"
    kernel_log_text >"$run/kexec-dmesg.log"
    [ -z "$test_id" ] || test_text >"$run/kdump-test-$test_id"
    for save_file in README.txt kexec-dmesg.log ${test_id:+"kdump-test-$test_id"}; do
        limit small cp "$run/$save_file" "$saved_as/$save_file" 2>/dev/null ||
            warn "$save_file could not be written"
    done
}

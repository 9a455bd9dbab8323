#!/usr/bin/env bats
# Every shell script of the project: clean under shellcheck, and readable by
# each shell that may have to run it.

load common

scripts() { # those that name sh, by first line or by ending
    local file
    while IFS= read -r file; do
        case $file in
        *.bats | *.bash) continue ;;
        *.sh)
            # dracut's modules are bash's by dracut's own rule.
            head -n 1 "$file" | grep -q '^#!/bin/bash$' || printf '%s\n' "$file" ;;
        *) head -n 1 "$file" | LC_ALL=C grep -aqE '^#!(/usr)?/bin/(env )?(sh|busybox sh)' && printf '%s\n' "$file" ;;
        esac
    done < <(find "$TOP" \( -path "$TOP/build" -o -path "$TOP/.git" -o -path "$TOP/build-aux" -o -path "$TOP/autom4te.cache" -o -name configure \) -prune -o -type f -print | sort)
}

@test "shellcheck has nothing to say" {
    local file count=0
    while IFS= read -r file; do
        ok shellcheck -x -P SCRIPTDIR -s sh "$file"
        count=$((count + 1))
    done < <(scripts)
    assert [ "$count" -ge 3 ]
}

@test "shellcheck has nothing to say about what bash alone runs" {
    ok shellcheck -s bash "$TOP/dracut/55kdump/module-setup.sh"
}

@test "dash, bash and busybox sh can read them" {
    local file shell
    while IFS= read -r file; do
        for shell in dash "bash --posix" "busybox sh"; do
            # shellcheck disable=SC2086
            ok $shell -n "$file"
        done
    done < <(scripts)
}

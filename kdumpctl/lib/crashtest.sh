# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck shell=sh disable=SC2034,SC2154
# kdumpctl test: a real crash, on purpose, with an id that is told to the capture
# kernel as kdump_test_id=ID. The capture side leaves a file kdump-test-ID in the
# directory of the dump, with one word in it: success, incomplete or fail. The start
# after the crash looks for it.
#
#   cmd_test [--force]   does not return when it works
#   test_report          after a crash: looks for the result; says it once
#   test_read            sets test_id and test_result (none, pending, success,
#                        incomplete, fail, lost)
#   test_say             a line about the last test, if there was one

TEST_RECORD=/var/lib/kdump/crash-test

test_read() {
    test_id=
    test_result=none
    [ -r "$ROOT$TEST_RECORD" ] || return 0
    read -r test_id test_result <"$ROOT$TEST_RECORD" || true
    test_result=${test_result:-pending}
}

test_say() {
    test_read
    case $test_result in
    none) ;;
    pending) note "crash test $test_id: under way, or its result was not looked for yet" ;;
    success) note "crash test $test_id: the dump arrived" ;;
    lost) note "crash test $test_id: no dump of it was found" ;;
    *) note "crash test $test_id: $test_result" ;;
    esac
}

test_write() { # ID RESULT
    mkdir -p "$ROOT${TEST_RECORD%/*}"
    printf '%s %s\n' "$1" "$2" >"$ROOT$TEST_RECORD"
}

# Only targets that are mounted here can be looked at, and what was recovered.
test_look() { # NUMBER
    [ -n "$target_mount" ] || [ "$target_kind" = raw ] || return 0
    test_could_look=yes
    for file in "$ROOT${target_mount%/}$target_path"/*/"kdump-test-$test_id" "$ROOT$conf_path"/*/"kdump-test-$test_id"; do
        [ -f "$file" ] || continue
        read -r test_found <"$file" || true
    done
}

test_report() {
    test_read
    [ "$test_result" = pending ] || return 0
    test_found=
    test_could_look=no
    target_each test_look
    case $test_found in
    success | incomplete | fail) test_write "$test_id" "$test_found" ;;
    *)
        if [ "$test_could_look" = no ]; then
            note "crash test $test_id: look on the target for a dump with a file kdump-test-$test_id"
            return 0
        fi
        test_write "$test_id" lost
        ;;
    esac
    test_say
}

test_is_wanted() {
    case ${1-} in
    --force) return 0 ;;
    esac
    printf '%s' "This panics the running kernel at once; what is not saved is lost. Go on? [y/N] "
    read -r answer || answer=
    case $answer in
    y | Y | yes | YES) return 0 ;;
    esac
    return 1
}

cmd_test() {
    case ${1-} in
    '' | --force) ;;
    *) wrong_usage "test: $1: unknown option" ;;
    esac
    crash_kernel_state
    if [ "$loaded" != yes ]; then
        complain "no crash kernel is loaded, so the machine would not come back with a dump" \
            "kdumpctl start first."
        return 1
    fi
    if [ -e "$ROOT/proc/vmcore" ]; then
        complain "this is a capture kernel"
        return 1
    fi
    test_is_wanted "${1-}" || { note "nothing was done"; return 0; }
    take_lock
    loaded_record_read || { complain "what is loaded was not loaded by kdumpctl" "kdumpctl restart first."; return 1; }
    read_first_line /proc/sys/kernel/random/uuid || { complain "no random id: /proc/sys/kernel/random/uuid"; return 1; }
    test_id=${first_line%%-*}
    cmdline_without "$cmdline" kdump_test_id
    cmdline="$kept kdump_test_id=$test_id${init_words:+ $init_words}"
    crash_kernel_load || return 1
    test_write "$test_id" pending
    note "crash test $test_id: panicking now"
    cmd sync
    { printf 1 >"$ROOT/proc/sys/kernel/sysrq"; } 2>/dev/null || true
    printf c >"$ROOT/proc/sysrq-trigger" || complain "the kernel did not panic"
}

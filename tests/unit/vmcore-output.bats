# vmcore: what becomes of what it prints.

setup() {
    load common
    load vmcore
    cd "$BATS_TEST_TMPDIR" || exit 1
    make_vmcore raw --pages 3
    ln -s "$VMCORE" makedumpfile
}

# with REDIRECTION CMD...
with() {
    local to=$1
    shift
    bash -c "\"\$@\" $to" with "$@"
}

@test "output: where it is the result, one that cannot be written is a failure" {
    ok "$VMCORE" save -q raw dump
    local command
    for command in "info dump" "info --json dump" "info --print-vmcoreinfo dump" "dmesg dump" \
        "check dump" "save --dry-run raw new" "save -f --json raw dump" "--version" "save --help"; do
        # shellcheck disable=SC2086
        fails 1 with ">/dev/full" "$VMCORE" $command
        same "$stderr" "vmcore: writing standard output: No space left on device"
        # shellcheck disable=SC2086
        fails 1 with ">&-" "$VMCORE" $command
        same "$stderr" "vmcore: writing standard output: Bad file descriptor"
    done
    fails 1 with ">/dev/full" ./makedumpfile --mem-usage raw
    # More than a buffer holds.
    make_vmcore many --cpus 200
    fails 1 with ">/dev/full" "$VMCORE" info --json many
    assert_regex "$stderr" "^vmcore: writing standard output: "
}

@test "output: where a file is, it is as good without the summary" {
    local to
    for to in ">/dev/full" ">&-"; do
        ok with "$to" "$VMCORE" save -f raw dump
        ok with "$to" "$VMCORE" check -q dump
        ok with "$to" "$VMCORE" save -f -F raw flat
        ok with "$to" "$VMCORE" rebuild -f flat rebuilt
        ok with "$to" ./makedumpfile -f -c -d 1 raw dump
        ok with "$to" "$VMCORE" dmesg -f raw log
    done
    fails 1 with ">&-" "$VMCORE" save raw -
    assert_regex "$stderr" "Bad file descriptor"
}

@test "output: - is standard output, for the log too" {
    ok "$VMCORE" dmesg raw
    local log=$output
    ok "$VMCORE" dmesg raw -
    same "$output" "$log"
    ok ./makedumpfile --dump-dmesg raw -
    same "$output" "$log"
    [ ! -e ./- ]
}

# stands FILE CMD...: the command, started without the numbers 0 to 2, does not have
# FILE as one of them while it is written.
stands() {
    local file=$1 i job number
    shift
    # shellcheck disable=SC2016
    on_failing_disk SLOW_WRITE="$file:300000" \
        bash -c 'echo $$ >pid; exec "$@" <&- >&- 2>&-' stands "$@" 3>&- &
    job=$!
    for ((i = 0; i < 100; i++)); do
        [ -e "$file" ] && break
        sleep 0.1
    done
    for number in 0 1 2; do
        same "$(readlink "/proc/$(cat pid)/fd/$number")" /
    done
    kill "$(cat pid)"
    ! wait "$job" 2>/dev/null
}

@test "output: closed standard files do not become the dump" {
    failing_disk
    stands dump-incomplete "$VMCORE" save raw dump
    ok "$VMCORE" save -q -F raw flat
    stands rebuilt-incomplete "$VMCORE" rebuild flat rebuilt
}

# vmcore by the name of makedumpfile: the same options, the same work.

setup() {
    load common
    load vmcore
    cd "$BATS_TEST_TMPDIR" || exit 1
    ln -s "$VMCORE" makedumpfile
}

@test "makedumpfile: a usual core_collector line works unchanged" {
    make_vmcore raw --pages 3 --truth truth
    ok ./makedumpfile -c --message-level 7 -d 31 raw dump
    assert_line --partial "left out: "
    ok "$UNIT/compare-dump" --truth truth --level 31 raw dump
    ok "$VMCORE" save -q -c -d 31 raw ours
    cmp dump ours
    ok ./makedumpfile -E -f -d 17 --num-threads 0 raw dump
    ok "$UNIT/compare-dump" --truth truth --level 17 raw dump
}

@test "makedumpfile: without options, every page as it is" {
    make_vmcore raw
    ok ./makedumpfile --message-level 0 raw dump
    assert [ -z "$output" ]
    ok "$VMCORE" save -q --raw -d 0 raw ours
    cmp dump ours
}

@test "makedumpfile: --dump-dmesg" {
    make_vmcore raw
    ok ./makedumpfile --dump-dmesg raw log
    run grep -c "Kernel panic" log
    assert_output 1
    fails 1 ./makedumpfile --dump-dmesg raw log
    ok ./makedumpfile --dump-dmesg -f raw log
}

@test "makedumpfile: what is not supported is named" {
    make_vmcore raw
    local option
    for option in -F -R -x -i -g -X -e --split --reassemble --mem-usage --config --partial-dmesg; do
        fails 1 ./makedumpfile $option raw dump
        # shellcheck disable=SC2154
        [[ $stderr = *"makedumpfile's option $option is not supported"* ]] || fail "$stderr"
    done
    fails 1 ./makedumpfile -d 32 raw dump
    fails 1 ./makedumpfile -c raw
    fails 1 ./makedumpfile --message-level 32 raw dump
    [ ! -e dump ]
    ok ./makedumpfile -h
    ok ./makedumpfile -v
}

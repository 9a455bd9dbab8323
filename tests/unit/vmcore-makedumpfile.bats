# vmcore by the name of makedumpfile: the same options, the same work.

setup() {
    load common
    load vmcore
    cd "$BATS_TEST_TMPDIR" || exit 1
    ln -s "$VMCORE" makedumpfile
}

@test "makedumpfile: a usual core_collector line works unchanged" {
    make_vmcore raw --pages 3 --truth truth
    ok ./makedumpfile -l --message-level 7 -d 31 raw dump
    assert_line "The dumpfile is saved to dump."
    ok "$UNIT/compare-dump" --truth truth --level 31 raw dump
    ok "$VMCORE" save -q -l -d 31 raw ours
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

@test "makedumpfile: --dump-dmesg, --partial-dmesg" {
    make_vmcore raw --cleared 4
    ok ./makedumpfile --dump-dmesg raw log
    run grep -c "Kernel panic" log
    assert_output 1
    fails 1 ./makedumpfile --dump-dmesg raw log
    ok ./makedumpfile --dump-dmesg -f raw log
    ok ./makedumpfile --dump-dmesg --partial-dmesg raw part
    same "$(cat part)" "$(tail -n 1 log)"
    fails 1 ./makedumpfile --partial-dmesg raw dump
}

@test "makedumpfile: -F and -R, packed and ELF" {
    make_vmcore raw --memory 2M+1M
    ok "$VMCORE" save -q -c -d 1 raw ours
    ./makedumpfile -F -c -d 1 --message-level 0 raw >flat
    ./makedumpfile -R dump <flat
    cmp dump ours
    ok "$UNIT/flatten" --undo flat undone
    cmp undone ours
    run --separate-stderr bash -c './makedumpfile -F -E raw | ./makedumpfile -R -f dump'
    [ "$status" -eq 0 ]
    pages_equal raw dump
    head -c 100000 flat >cut
    run --separate-stderr bash -c './makedumpfile -R other <cut'
    [ "$status" -eq 1 ]
    [[ $stderr = *"breaks off"* ]]
}

@test "makedumpfile: --split and --reassemble, with its own codec" {
    make_vmcore raw --memory 2M+4M
    local codec
    for codec in -c -l -z ""; do
        rm -f a b c joined whole
        # shellcheck disable=SC2086
        ok ./makedumpfile --message-level 0 --split $codec -d 1 raw a b c
        # shellcheck disable=SC2086
        ok ./makedumpfile --message-level 0 $codec -d 1 raw whole
        ok ./makedumpfile --message-level 0 --reassemble c a b joined
        cmp joined whole
    done
    rm a b c
    ok ./makedumpfile --split --splitblock-size 1024 raw a b c
    assert_line "The dumpfiles are saved to a, b, c."
    [ $(($(field a $((16384 + 88)) 8) % 64)) -eq 0 ]
    fails 1 ./makedumpfile --reassemble raw a joined2
    same "$stderr" "vmcore: --reassemble: --part a: raw is no part of a split dump"
    fails 1 ./makedumpfile --reassemble c a joined2
    assert_regex "$stderr" "^vmcore: --reassemble: 1 MiB of memory are in files that are not named"
    [ ! -e joined2 ]
    fails 1 ./makedumpfile --split raw d
    fails 1 ./makedumpfile --split -E raw d e
}

@test "makedumpfile: -x and -i, and exit status 2" {
    make_vmcore raw --memory 2M+256K
    "$UNIT/make-vmlinux" vmlinux
    ok ./makedumpfile --message-level 0 -x vmlinux -c raw dump
    ok ./makedumpfile -g text raw
    ok "$VMCORE" info --print-vmcoreinfo raw
    same "$(cat text)" "$output"
    ok ./makedumpfile --message-level 0 -i text -c -f raw dump
    ok ./makedumpfile -g more -x vmlinux raw
    grep -q '^OSRELEASE=6.12.0-test$' more
    "$UNIT/make-vmlinux" --build-id aa vmlinux
    fails 2 ./makedumpfile -x vmlinux -c -f raw dump
    sed -i 's/^OSRELEASE=.*/OSRELEASE=7.0/' text
    fails 2 ./makedumpfile -i text -c -f raw dump
    fails 1 ./makedumpfile -g other -x vmlinux
    [[ $stderr = *"the VMCOREINFO the kernel itself made"* ]]
    fails 1 ./makedumpfile -x vmlinux -i text raw other
    fails 1 ./makedumpfile -x nothing raw other
}

@test "makedumpfile: --show-stats and --mem-usage count what there is" {
    make_vmcore raw --pages 3 --truth truth
    local free cache total
    free=$(awk '$2 == "free" || $2 == "unaccepted"' truth | wc -l)
    cache=$(awk '$2 == "cache"' truth | wc -l)
    total=$(wc -l <truth)
    ok ./makedumpfile --show-stats -c -d 31 raw dump
    assert_line "Original pages  : $(printf '0x%016x' "$total")"
    assert_line "    Free pages              : $(printf '0x%016x' "$free")"
    assert_line "    Non-private cache pages : $(printf '0x%016x' "$cache")"
    assert_line --regexp '^Write bytes     : [0-9]+$'
    ok ./makedumpfile --message-level 16 -c -f -d 17 raw dump
    assert_line "    Free pages              : $(printf '0x%016x' "$free")"
    assert_line "    Non-private cache pages : 0x0000000000000000"
    ok ./makedumpfile --mem-usage raw
    assert_line --regexp "^FREE +$free +yes"
    assert_line --regexp "^NON_PRI_CACHE +$cache +yes"
    assert_line --regexp "^Total pages on system: +$total"
    make_vmcore plain
    fails 1 ./makedumpfile --mem-usage plain
    [[ $stderr = *"page types are not known"* ]]
}

@test "makedumpfile: --dry-run and --check-params write nothing" {
    make_vmcore raw --pages 3
    ok ./makedumpfile --dry-run --show-stats -d 31 raw dump
    assert_line --partial "Excluded pages"
    ok ./makedumpfile --check-params -l --message-level 7 -d 31 vmcore dumpfile
    ok ./makedumpfile --check-params -F -l -d 31 vmcore
    fails 1 ./makedumpfile --check-params -F -l -d 31 vmcore dumpfile
    fails 1 ./makedumpfile --check-params --no-such vmcore dumpfile
    fails 1 ./makedumpfile --check-params -E -c vmcore dumpfile
    local wrong
    for wrong in "-d 32" "-d 1,x" "-L 0" "-L much" "--num-threads many" "--message-level 99"; do
        # shellcheck disable=SC2086
        fails 1 ./makedumpfile --check-params $wrong vmcore dumpfile
        # Named as it was given.
        [[ $stderr = "vmcore: $wrong: "* ]] || fail "$stderr"
    done
    ok ./makedumpfile --check-params --dump-dmesg vmcore log
    [ ! -e dump ] && [ ! -e dump-incomplete ] && [ ! -e dumpfile ]
}

@test "makedumpfile: options that ask for different things do not go together" {
    make_vmcore raw --pages 3
    local options
    for options in "--dump-dmesg --mem-usage raw" "--split --dump-dmesg raw a b" "-R --dump-dmesg a" \
        "--reassemble -F raw a b" "--mem-usage -g a raw" "-R -F a" "--split -F raw a b"; do
        # shellcheck disable=SC2086
        fails 1 ./makedumpfile $options </dev/null
        assert_regex "$stderr" "^vmcore: --?[a-zRF-]+ does not go with --?[a-zRFg-]+$"
    done
    for options in "--dump-dmesg -L 100 raw a" "-R -L 100 a"; do
        # shellcheck disable=SC2086
        fails 1 ./makedumpfile $options </dev/null
        assert_regex "$stderr" "does not go with -L$"
    done
    fails 1 ./makedumpfile -R --dry-run a </dev/null
    same "$stderr" "vmcore: --dry-run is for dumps alone"
    same "$(echo [ab])" "[ab]"
    # The log, on standard output.
    ok ./makedumpfile -F --dump-dmesg raw
    same "$output" "$("$VMCORE" dmesg raw)"
    ok ./makedumpfile --split -c -d 1 raw a b
    fails 1 ./makedumpfile --reassemble -L 1000 a b joined
    assert_regex "$stderr" "it would be larger than"
    [ ! -e joined ]
}

@test "makedumpfile: -L with a list of levels" {
    make_vmcore raw --pages 3 --truth truth
    ok "$VMCORE" save -q --raw -d 31 raw small
    local size
    size=$(stat -c %s small)
    fails 0 ./makedumpfile --message-level 0 -L $((size + 100)) -d 1,31 raw dump
    [[ $stderr = *"level 1: "*"it would be larger than"*"trying level 31"* ]]
    cmp dump small
    fails 1 ./makedumpfile -L 100000 -d 1,31 raw other
    [[ $stderr = *"it would be larger than 97.66 KiB"* ]]
    [ ! -e other ]
}

@test "makedumpfile: what is not supported is named, with what comes nearest" {
    make_vmcore raw
    local option
    for option in -X -e --config --eppic --diskset=x --vtop=0 --xen-syms; do
        fails 1 ./makedumpfile $option raw dump
        # shellcheck disable=SC2154
        [[ $stderr = *"makedumpfile's option $option is not supported"* ]] || fail "$stderr"
    done
    fails 1 ./makedumpfile --vtop 9000000000200000 raw
    [[ $stderr = *"crash's vtop"* ]]
    fails 1 ./makedumpfile -d 32 raw dump
    fails 1 ./makedumpfile -c raw
    fails 1 ./makedumpfile --message-level 32 raw dump
    [ ! -e dump ]
    ok ./makedumpfile -h
    ok ./makedumpfile -v
}

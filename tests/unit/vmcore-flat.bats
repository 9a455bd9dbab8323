# vmcore: flattened dumps, written into a pipe, read in any order, rebuilt.

setup() {
    load common
    load vmcore
    cd "$BATS_TEST_TMPDIR" || exit 1
}

@test "flat: to standard output, rebuilt from standard input, kdump and ELF" {
    make_vmcore raw --memory 2M+2M --memory 2G+1M:text
    local format
    for format in kdump elf; do
        ok "$VMCORE" save -q --format $format raw plain
        "$VMCORE" save -q --format $format raw - | "$VMCORE" rebuild -q - rebuilt
        cmp plain rebuilt
        [ "$(stat -c %a rebuilt)" = 600 ]
        "$VMCORE" save -q --format $format raw - >flat
        ok "$UNIT/flatten" --undo flat independent
        cmp plain independent
        pages_equal raw independent
        rm plain rebuilt
    done
}

@test "flat: --flatten and --format flat, to a file" {
    make_vmcore raw --memory 2M+1M
    ok "$VMCORE" save -q raw plain
    ok "$VMCORE" save --format flat raw one
    assert_line "one: kdump-compressed, zlib, flattened"
    ok "$VMCORE" save -q -F raw two
    cmp one two
    ok "$UNIT/flatten" --undo one undone
    cmp undone plain
    ok "$VMCORE" save -q -F --format elf -d 0 raw three
    ok "$VMCORE" rebuild three elf
    assert_output --regexp '^elf: [0-9]+ bytes written'
    pages_equal raw elf
    fails 1 "$VMCORE" save raw one
    fails 1 "$VMCORE" rebuild three elf
    ok "$VMCORE" rebuild -f three elf
}

@test "flat: every command reads it as the plain file" {
    make_vmcore raw --memory 2M+1M --memory 2G+1M
    ok "$VMCORE" save -q raw plain
    ok "$VMCORE" save -q -F raw flat
    ok "$VMCORE" dmesg plain
    local log=$output
    ok "$VMCORE" dmesg flat
    same "$output" "$log"
    ok "$VMCORE" info flat
    assert_line "Format:       kdump-compressed, flattened"
    ok "$VMCORE" save -q flat again
    cmp again plain
    ok "$VMCORE" save -q -F --format elf raw flat-elf
    ok "$VMCORE" info --json flat-elf
    assert_output --partial '"flattened":true'
    ok "$VMCORE" save -q flat-elf from-elf
    cmp from-elf plain
}

@test "flat: records out of order, overlapping, and larger than a page" {
    make_vmcore raw --memory 2M+1M --memory 2G+1M
    ok "$VMCORE" save -q raw plain
    local size seed
    for size in 512 4096 70000; do
        for seed in 1 2 3; do
            ok "$UNIT/flatten" plain flat --record $size --shuffle $seed --rewrite $seed
            ok "$VMCORE" save -q -f flat again
            cmp again plain
            ok "$VMCORE" rebuild -q -f flat rebuilt
            cmp rebuilt plain
        done
    done
}

@test "flat: one that was cut is read as far as it goes, and says so" {
    make_vmcore raw --memory 2M+8M:random
    ok "$VMCORE" save -q raw plain
    ok "$VMCORE" save -q -F raw whole
    local size total
    total=$(stat -c %s whole)
    # Without its end mark alone: everything is there.
    head -c $((total - 16)) whole >cut
    fails 3 "$VMCORE" save -q cut dump
    [[ $stderr = *"cut: its flattened records end early"* ]]
    pages_equal raw dump
    for size in $((total / 4)) $((total / 2)) $((total - 5000)); do
        head -c "$size" whole >cut
        fails 3 "$VMCORE" dmesg cut
        assert_output --partial "synthetic crash"
        fails 3 "$VMCORE" save -q -f cut dump
        local lost
        lost=$(echo "$stderr" | sed -n 's/^vmcore: warning: \([0-9]*\) of 512 pages could.*/\1/p')
        [ "$lost" -gt 0 ] && [ "$lost" -lt 512 ]
        # What is there is at most a buffer less than the file's share.
        [ $((512 - lost)) -ge $((512 * (size - 1200000) / total)) ]
        pages_equal --missing "$lost" raw dump
        fails 3 "$VMCORE" rebuild -f cut rebuilt
        [[ $stderr = *"cut breaks off"* ]]
        fails 3 "$VMCORE" save -q -f rebuilt dump
        pages_equal --missing "$lost" raw dump
    done
    # Behind it bytes that are no record, but large numbers where one would begin.
    head -c $((total - 16)) whole >cut
    printf '\037\063\104\125\146\167\210\231\022\063\104\125\146\167\210\231%1000s' x >>cut
    fails 3 "$VMCORE" save -q -f cut dump
    pages_equal raw dump
    fails 3 "$VMCORE" rebuild -f cut rebuilt
    [[ $stderr = *"cut breaks off"* ]]
    fails 1 "$UNIT/compare-dump" raw rebuilt
    assert_output --partial ": 512 equal (0 zero, 511 raw, 1 zlib), 0 differ,"
    for size in 1 12 16 4095 4096 4100 4112; do
        head -c $size whole >cut
        fails 1 "$VMCORE" info cut
        rm -f rebuilt
        fails 1 "$VMCORE" rebuild cut rebuilt
        [ ! -e rebuilt ] && [ ! -e rebuilt-incomplete ]
    done
}

@test "flat: damaged records end in words" {
    make_vmcore raw --memory 2M+256K
    ok "$VMCORE" save -q -F raw flat
    local seed
    for seed in $(seq 30); do
        /usr/bin/python3 - flat bad "$seed" <<'END'
import random, sys
rnd, data = random.Random(int(sys.argv[3])), bytearray(open(sys.argv[1], "rb").read())
for _ in range(rnd.randrange(1, 6)):
    data[rnd.randrange(16, 4096 + 64) if rnd.random() < 0.8 else rnd.randrange(len(data))] = rnd.choice((0, 0xff, 0x7f, 0x80))
open(sys.argv[2], "wb").write(data)
END
        run --separate-stderr timeout 20 "$VMCORE" dmesg bad
        [[ " 0 1 3 " = *" $status "* && $stderr != *Sanitizer* && $stderr != *"runtime error"* ]] || fail "seed $seed: $stderr"
        rm -f rebuilt
        run --separate-stderr timeout 20 "$VMCORE" rebuild bad rebuilt
        [[ " 0 1 3 " = *" $status "* && $stderr != *Sanitizer* && $stderr != *"runtime error"* ]] || fail "seed $seed: $stderr"
    done
}

@test "flat: a type or version that is not known is refused" {
    make_vmcore raw --memory 2M+256K
    ok "$VMCORE" save -q -F raw flat
    printf '\2' | dd of=flat bs=1 seek=31 conv=notrunc status=none
    fails 1 "$VMCORE" info flat
    [[ $stderr = *"flat: flattened, of type 1 and version 2; 1 and 1 are known"* ]]
}

@test "flat: a pipe whose reader ends early, and one that is no source" {
    make_vmcore raw --memory 2M+8M:random
    run --separate-stderr bash -c "set -o pipefail; '$VMCORE' save -q raw - | head -c 100000 >/dev/null"
    [ "$status" -eq 1 ]
    [[ $stderr = *"writing standard output: Broken pipe"*"what reads the other end of the pipe"* ]]
    fails 1 bash -c "'$VMCORE' save -q raw - | '$VMCORE' info /dev/stdin"
    [[ $stderr = *"vmcore rebuild makes a dump"* ]]
}

@test "flat: the summary keeps out of the stream" {
    make_vmcore raw --memory 2M+1M
    "$VMCORE" save raw - >flat 2>summary
    grep -q '^standard output: kdump-compressed, zlib, flattened' summary
    ok "$UNIT/flatten" --undo flat plain
    pages_equal raw plain
}

@test "flat: a full disk behind the redirection" {
    make_vmcore raw --memory 2M+1M
    fails 1 bash -c "'$VMCORE' save -q raw - >/dev/full"
    [[ $stderr = *"writing standard output: No space left on device"* ]]
}

@test "flat: a plain dump needs no rebuilding" {
    make_vmcore raw --memory 2M+256K
    ok "$VMCORE" save -q raw plain
    fails 1 "$VMCORE" rebuild plain rebuilt
    [[ $stderr = *"plain: not a flattened file"*"a plain dump needs no rebuilding"* ]]
    fails 1 "$VMCORE" rebuild plain -
    [ ! -e rebuilt ] && [ ! -e rebuilt-incomplete ]
}

# vmcore: dumps in several files, written, read as one, joined.

setup() {
    load common
    load vmcore
    cd "$BATS_TEST_TMPDIR" || exit 1
}

@test "split: N files are together the dump, whichever is named" {
    make_vmcore raw --memory 2M+4M --memory 2G+3M:text
    ok "$VMCORE" save -q raw plain
    local n i
    for n in 2 3 7; do
        rm -f part.*
        ok "$VMCORE" save --split $n raw part
        assert_line "files: $n"
        [ "$(echo part.* | wc -w)" -eq $n ]
        for i in 1 $n; do
            ok "$VMCORE" save -q -f part.$i joined
            cmp joined plain
        done
    done
    pages_equal raw joined
}

@test "split: the files' headers are as crash wants them" {
    make_vmcore raw --memory 2M+4M --memory 2G+2M:text
    ok "$VMCORE" save -q --split 2 raw one two
    # Block 0 is the same in both; the sub headers differ in their frames alone.
    cmp -n 16384 one two
    cmp -n 80 one two 16384 16384
    cmp -n 8 one two $((16384 + 96)) $((16384 + 96))
    [ "$(field one $((16384 + 12)) 4)" -eq 1 ] && [ "$(field two $((16384 + 12)) 4)" -eq 1 ]
    # 256 pages from 2M and 128 from 2G; each file has half of the 384.
    [ "$(field one $((16384 + 80)) 8)" -eq 0 ]
    [ "$(field one $((16384 + 88)) 8)" -eq $((128 + 192)) ]
    [ "$(field two $((16384 + 80)) 8)" -eq $((128 + 192)) ]
    [ "$(field two $((16384 + 88)) 8)" -eq $((0x80000000 / 16384 + 128)) ]
    [ "$(field two $((16384 + 96)) 8)" -eq $((0x80000000 / 16384 + 128)) ]
    # Bitmaps are of all pages in each.
    cmp -n $((4 * 16384)) one two $((4 * 16384)) $((4 * 16384))
}

@test "split: --split-block cuts only where a block ends" {
    make_vmcore raw --memory 2M+4M
    ok "$VMCORE" save -q --split 3 --split-block 1M raw part
    local i
    for i in 1 2; do
        [ $(($(field part.$i $((16384 + 88)) 8) % 64)) -eq 0 ]
    done
    ok "$VMCORE" save -q part.2 joined
    pages_equal raw joined
}

@test "split: a file that is not there is memory that is missing" {
    make_vmcore raw --memory 2M+6M
    ok "$VMCORE" save -q --split 3 raw part
    rm part.2
    fails 3 "$VMCORE" info part.3
    [[ $stderr = *"part.1: of this split dump 2 MiB of 6 MiB of memory are in files that are not here"* ]]
    assert_line --partial "crash vmlinux-6.12.0-test part.1 part.3"
    fails 3 "$VMCORE" save -q part.1 joined
    fails 1 "$UNIT/compare-dump" raw joined
    assert_output --partial "256 equal"
    assert_output --partial "128 absent"
}

@test "split: files elsewhere are named, strange ones refused" {
    make_vmcore raw --memory 2M+4M
    mkdir a b c
    ok "$VMCORE" save -q --split 3 raw a/x b/y c/z
    ok "$VMCORE" save -q --part c/z --part a/x b/y joined
    pages_equal raw joined
    fails 3 "$VMCORE" info b/y
    fails 1 "$VMCORE" info --part joined b/y
    [[ $stderr = *"b/y and joined are not of the same split dump"* ]]
    fails 1 "$VMCORE" info --part a/x joined
    [[ $stderr = *"joined is no part of a split dump"* ]]
    # Two files with the same pages: which one is meant must be said.
    cp a/x b/x
    cp c/z b/z
    ok "$VMCORE" dmesg b/y
    cp a/x b/copy
    fails 1 "$VMCORE" dmesg b/y
    [[ $stderr = *"hold the same pages of a split dump"*"--part"* ]]
    ok "$VMCORE" dmesg --part a/x --part b/z b/y
    # Another dump's parts beside it are left alone.
    make_vmcore raw2 --memory 2M+5M
    rm b/copy
    ok "$VMCORE" save -q --split 2 raw2 b/other
    ok "$VMCORE" dmesg b/y
}

@test "split: flattened parts, and a part that was cut" {
    make_vmcore raw --memory 2M+4M:random
    ok "$VMCORE" save -q -F --split 2 raw part
    ok "$VMCORE" save -q part.1 joined
    pages_equal raw joined
    rm -f part.*
    ok "$VMCORE" save -q --split 2 raw part
    truncate -s -100000 part.2
    fails 3 "$VMCORE" save -q -f part.1 joined
    [[ $stderr = *"7 of 256 pages could not be read"* ]]
    pages_equal --missing 7 raw joined
}

@test "split: what does not go together" {
    make_vmcore raw --memory 2M+256K
    fails 1 "$VMCORE" save --split 2 raw -
    fails 1 "$VMCORE" save --split 2 raw one -
    [ -z "$output" ] && [ ! -e one ]
    fails 1 "$VMCORE" save --split 2 --format elf raw part
    fails 1 "$VMCORE" save --split 3 raw one two
    [[ $stderr = *"one DEST, or with --split N one or N; 2 are given"* ]]
    fails 1 "$VMCORE" save --split 2 raw one one
    [[ $stderr = *"--split: one is named twice"* ]]
    fails 1 "$VMCORE" save --split 2 raw one-incomplete one
    [[ $stderr = *"--split: one-incomplete is what one is called while it is written"* ]]
    fails 1 "$VMCORE" save raw one two
    fails 1 "$VMCORE" save --split 1 raw part
    fails 1 "$VMCORE" save --split 17 raw part
    [[ $stderr = *"17 files for 16 pages"* ]]
    : >part.2
    fails 1 "$VMCORE" save --split 2 raw part
    [[ $stderr = *"part.2: File exists"* ]]
    [ ! -e part.1 ] && [ ! -e part.1-incomplete ]
}

@test "split: a disk that fills up leaves no file under its name" {
    failing_disk
    make_vmcore raw --memory 2M+8M:random
    fails 1 on_failing_disk FAIL_WRITE=part.2-incomplete:2000000:28 "$VMCORE" save --split 3 raw part
    [[ $stderr = *"No space left on device"* ]]
    [ ! -e part.1 ] && [ ! -e part.2 ] && [ ! -e part.3 ]
    [ -s part.1-incomplete ] && [ -s part.2-incomplete ]
    # They can be read as one, too.
    fails 3 "$VMCORE" dmesg part.1-incomplete
    assert_output --partial "synthetic crash"
}

@test "split: more files than places to cut at: some hold nothing" {
    make_vmcore raw --memory 2M+4M
    ok "$VMCORE" save -q raw plain
    ok "$VMCORE" save -q --split 80 raw part
    ok "$VMCORE" check -q part.41
    ok "$VMCORE" save -q part.7 joined
    cmp plain joined
}

@test "split: more files than may be open are not taken for missing ones" {
    make_vmcore raw --memory 2M+4M
    ok bash -c "ulimit -Sn 64; exec '$VMCORE' save -q --split 80 raw part"
    ok "$VMCORE" save -q raw plain
    ok bash -c "ulimit -Sn 64; exec '$VMCORE' save -q part.7 joined"
    cmp plain joined
    fails 1 bash -c "ulimit -n 64; exec '$VMCORE' info part.7"
    assert_regex "$stderr" "^vmcore: opening part\.[0-9]+: Too many open files$"
}

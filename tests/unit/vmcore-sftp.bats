#!/usr/bin/env bats
# vmcore sftp, with OpenSSH's own server at the other end, and with one that
# is not as it should be.

setup() {
    load common
    load vmcore
    cd "$BATS_TEST_TMPDIR" || exit 1
    SERVER=/usr/lib/openssh/sftp-server
    [ -x "$SERVER" ] || fail "OpenSSH's sftp-server is not here (Debian: openssh-sftp-server)"
    STAND_IN=$UNIT/sftp-stand-in
    THERE=$BATS_TEST_TMPDIR/there
    mkdir "$THERE"
}

@test "sftp: a flattened stream arrives as the plain dump" {
    make_vmcore raw --memory 2M+2M --memory 2G+3M:random
    local format
    for format in kdump elf; do
        ok "$VMCORE" save -q --format $format raw plain
        "$VMCORE" save -q --format $format raw - | "$VMCORE" sftp put --as "a dump" - "$THERE" -- "$SERVER"
        cmp plain "$THERE/a dump"
        assert_equal "$(stat -c %a "$THERE/a dump")" 600
        same "$(ls "$THERE")" "a dump"
        rm plain
    done
}

@test "sftp: with a server that answers in any order, and one without extensions" {
    make_vmcore raw --memory 2M+8M:random
    ok "$VMCORE" save -q raw plain
    "$VMCORE" save -q raw - | "$VMCORE" sftp put --as one - "$THERE" -- "$STAND_IN" --shuffle
    cmp plain "$THERE/one"
    echo old >"$THERE/two"
    "$VMCORE" save -q raw - | "$VMCORE" sftp put --as two - "$THERE" -- "$STAND_IN" --without fsync@openssh.com \
        --without posix-rename@openssh.com --without statvfs@openssh.com --no-words
    cmp plain "$THERE/two"
    ok "$VMCORE" sftp free "$THERE" -- "$STAND_IN" --without statvfs@openssh.com
    assert_output unknown
    ok "$VMCORE" sftp mkdir "$THERE/new" -- "$STAND_IN" --without statvfs@openssh.com
    assert_output "$THERE/new
unknown"
}

@test "sftp: files as they are, under their names, in the place of others" {
    printf 'a log\n' >vmcore-dmesg.txt
    : >empty
    echo old >"$THERE/empty"
    ok "$VMCORE" sftp put vmcore-dmesg.txt ./empty "$THERE" -- "$SERVER"
    same "$(ls "$THERE")" "empty
vmcore-dmesg.txt"
    cmp vmcore-dmesg.txt "$THERE/vmcore-dmesg.txt"
    assert [ ! -s "$THERE/empty" ]
    fails 1 "$VMCORE" sftp put vmcore-dmesg.txt missing "$THERE" -- "$SERVER"
    assert_equal "$stderr" "vmcore: opening missing: No such file or directory"
    fails 1 "$VMCORE" sftp put . "$THERE" -- "$SERVER"
    [[ $stderr == *"reading .: Is a directory"* ]] || fail "$stderr"
}

@test "sftp: a directory that is new, with what is above it, and the space there" {
    ok "$VMCORE" sftp mkdir "$THERE/a b/c/dump" -- "$SERVER"
    assert_line --index 0 "$THERE/a b/c/dump"
    local free=${lines[1]} known
    known=$(df -P -B 1 "$THERE" | awk 'NR == 2 { print $4 }')
    [ $((free - known)) -lt 1000000000 ] && [ $((known - free)) -lt 1000000000 ] || fail "$free, $known by df"
    same "$(stat -c %a "$THERE/a b/c/dump")" 700
    ok "$VMCORE" sftp mkdir "$THERE/a b/c/dump" -- "$SERVER"
    assert_line --index 0 "$THERE/a b/c/dump.2"
    ok "$VMCORE" sftp mkdir "$THERE/a b/c/dump" -- "$SERVER"
    assert_line --index 0 "$THERE/a b/c/dump.3"
    same "$(ls "$THERE/a b/c")" "dump
dump.2
dump.3"
    # Where it is not yet, that of what it will be in.
    ok "$VMCORE" sftp free "$THERE/not/yet" -- "$SERVER"
    [[ $output =~ ^[0-9]+$ ]] || fail "$output"
    refute [ -e "$THERE/not" ]
}

@test "sftp: what breaks off keeps its other name, and an old file its own" {
    make_vmcore raw --memory 2M+2M:random
    ok "$VMCORE" save -q raw plain
    ok "$VMCORE" save -q -F raw flat
    echo old >"$THERE/vmcore"
    head -c 1000000 flat >part
    fails 3 bash -c "'$VMCORE' sftp put --as vmcore - '$THERE' -- '$SERVER' <part"
    assert_equal "$stderr" "vmcore: warning: standard input breaks off; what came is on the server, as $THERE/vmcore-incomplete"
    same "$(cat "$THERE/vmcore")" old
    run "$VMCORE" rebuild -q part rebuilt
    cmp rebuilt "$THERE/vmcore-incomplete"
    # That it is a part stands in it, too: in its header, where crash looks.
    assert_equal "$(field "$THERE/vmcore-incomplete" 424 1)" $(($(field plain 424 1) | 8))
    fails 3 "$VMCORE" info "$THERE/vmcore-incomplete"
    [[ $stderr == *"its writer marked it as incomplete"* ]] || fail "$stderr"
    # Nothing at all.
    rm "$THERE"/*
    fails 3 bash -c "'$VMCORE' sftp put --as vmcore - '$THERE' -- '$SERVER' </dev/null"
    assert_equal "$stderr" "vmcore: warning: standard input is empty"
    assert_equal "$(ls "$THERE")" ""
    # A plain stream says nothing of its end; its size does.
    head -c 100000 raw >part
    fails 3 bash -c "'$VMCORE' sftp put --as vmcore --size $(stat -c %s raw) - '$THERE' -- '$SERVER' <part"
    cmp part "$THERE/vmcore-incomplete"
    ok bash -c "'$VMCORE' sftp put --as vmcore --size $(stat -c %s raw) - '$THERE' -- '$SERVER' <raw"
    cmp raw "$THERE/vmcore"
}

@test "sftp: a directory that may not be written" {
    local -a server=("$SERVER")
    # For root nothing is forbidden.
    [ "$(id -u)" -ne 0 ] || server=(setpriv --bounding-set=-dac_override,-dac_read_search "$SERVER")
    chmod 555 "$THERE"
    echo text >file
    fails 1 "$VMCORE" sftp put file "$THERE" -- "${server[@]}"
    assert_equal "$stderr" "vmcore: making $THERE/file-incomplete: Permission denied"
    fails 1 "$VMCORE" sftp mkdir "$THERE/a/b" -- "${server[@]}"
    assert_equal "$stderr" "vmcore: making $THERE/a: Permission denied"
    fails 1 "$VMCORE" sftp put file "$THERE/none" -- "${server[@]}"
    assert_equal "$stderr" "vmcore: making $THERE/none/file-incomplete: No such file or directory"
}

@test "sftp: a full disk is called that, where the server tells its free space" {
    make_vmcore raw --memory 2M+4M:random
    fails 1 bash -c "'$VMCORE' save -q raw - 2>/dev/null | '$VMCORE' sftp put --as vmcore - '$THERE' -- '$STAND_IN' --full 1000000"
    assert_equal "$stderr" "vmcore: writing $THERE/vmcore-incomplete: No space left on device"
    same "$(ls "$THERE")" vmcore-incomplete
    # One that does not: only what it says.
    fails 1 bash -c "'$VMCORE' save -q raw - 2>/dev/null | '$VMCORE' sftp put --as vmcore - '$THERE' -- '$STAND_IN' --full 1000000 --without statvfs@openssh.com"
    [[ $stderr == "vmcore: writing $THERE/vmcore-incomplete: at offset 0x"*': the server says "Failure"' ]] || fail "$stderr"
    # Room on the disk, but the file may not grow.
    fails 1 bash -c "'$VMCORE' save -q raw - 2>/dev/null | '$VMCORE' sftp put --as vmcore - '$THERE' -- bash -c 'trap \"\" XFSZ; ulimit -f 1000; exec $SERVER'"
    [[ $stderr == "vmcore: writing $THERE/vmcore-incomplete: at offset 0x"*': the server says "Failure"' ]] || fail "$stderr"
    assert_equal "$(stat -c %s "$THERE/vmcore-incomplete")" 1024000
}

@test "sftp: a file system that is really full" {
    [ "$(id -u)" -eq 0 ] || skip "only root can make one"
    make_vmcore raw --memory 2M+4M:random
    fails 1 unshare -m bash -c "mount -t tmpfs -o size=2M tmpfs '$THERE' || exit 99
        '$VMCORE' save -q raw - 2>/dev/null | '$VMCORE' sftp put --as vmcore - '$THERE' -- '$SERVER'"
    assert_equal "$stderr" "vmcore: writing $THERE/vmcore-incomplete: No space left on device"
}

@test "sftp: a server that dies, and a command that does not get there" {
    make_vmcore raw --memory 2M+4M:random
    fails 1 bash -c "'$VMCORE' save -q raw - 2>/dev/null | '$VMCORE' sftp put --as vmcore - '$THERE' -- '$STAND_IN' --dies 1000000"
    [[ $stderr == "vmcore: writing $THERE/vmcore-incomplete: the connection to the server ended" ]] || fail "$stderr"
    same "$(ls "$THERE")" vmcore-incomplete
    assert [ -s "$THERE/vmcore-incomplete" ]
    fails 1 "$VMCORE" sftp free "/$(printf 'long%.0s' {1..9000})" -- "$SERVER"
    [[ $stderr == *": the name is too long" ]] || fail "$stderr"
    # Its own words come first.
    fails 1 "$VMCORE" sftp free / -- bash -c 'echo "mars: Permission denied (publickey)." >&2; exit 255'
    same "$stderr" "mars: Permission denied (publickey).
vmcore: bash ended with status 255: the connection to the server ended"
    fails 1 "$VMCORE" sftp free / -- bash -c 'kill -9 $$'
    assert_equal "$stderr" "vmcore: bash was ended by signal 9: the connection to the server ended"
    fails 1 "$VMCORE" sftp free / -- ./no-such-program
    assert_equal "$stderr" "vmcore: running ./no-such-program: No such file or directory"
}

@test "sftp: what no server should say" {
    local line type hex text
    echo text >file
    while IFS='|' read -r type hex text; do
        fails 1 timeout 20 "$VMCORE" sftp put file "$THERE" -- "$STAND_IN" --answer "$type" "$hex" --answer-end
        [[ $stderr == *"$text"* && $stderr != *Sanitizer* && $stderr != *"runtime error"* ]] ||
            fail "$type $hex: $stderr"
        refute [ -e "$THERE/file" ]
    done <<'TABLE'
1||the connection to the server ended
1|000000|the connection to the server ended
1|00000000|a packet of 0 bytes
1|57656c63 6f6d65|a packet of 1466264675 bytes, or what is none: "Welc"
1|ffffffff02|a packet of 4294967295 bytes
1|00000005 02000000|the connection to the server ended
1|00000001 02|version at offset 0x1: needs 4 bytes, 0 are there
1|00000005 02 00000002|the server speaks version 2 of sftp, not 3
1|00000005 65 00000003|a packet of type 101, number 3, that answers nothing
1|00000009 02 00000003 00000005|extensions at offset 0x9: needs 5 bytes, 0 are there
1|00000009 02 00000003 ffffffff|extensions at offset 0x9: needs 4294967295 bytes, 0 are there
1|0000000a 02 00000003 00000001 61|extensions at offset 0xa: needs 4 bytes, 0 are there
3|00000001 66|number of a request at offset 0x1
3|00000009 66 00000063 00000000|a packet of type 102, number 99, that answers nothing
3|00000009 67 ID 00000000|a packet of type 103
3|00000009 65 ID 00000000|a packet of type 101
3|00000009 66 ID 00000101|the server sent a handle of 257 bytes
3|00000009 66 ID 00000004|handle at offset 0x9: needs 4 bytes, 0 are there
3|00000005 66 ID|handle at offset 0x5: needs 4 bytes
3|00000005 65 ID|status at offset 0x5: needs 4 bytes
3|0000000d 65 ID 00000004 7fffffff|words of a status at offset 0xd: needs 2147483647 bytes, 0 are there
3|00000010 65 ID 00000004 00000003 1b5b48|making
3|00000009 65 ID 000004d2|the server says number 1234
6|0000000d 65 ID 00000004 00000000|writing
6|00000009 66 ID 00000000|a packet of type 102
6|00000009 65 00000001 00000000|a packet of type 101, number 1, that answers nothing
6|00000009 65 ID 00000000 00000009 65 ID 00000000|a packet of type 101
4|00000009 65 ID 00000004|closing
TABLE
    # Nothing of a server's words reaches a terminal but letters and signs.
    fails 1 "$VMCORE" sftp put file "$THERE" -- "$STAND_IN" --answer 3 "00000010 65 ID 00000004 00000003 1b5b48" --answer-end
    assert_equal "$stderr" "vmcore: making $THERE/file-incomplete: the server says \"?[H\""
    # More free space than a number holds.
    ok "$VMCORE" sftp free / -- "$STAND_IN" --answer 200 "0000005d c9 ID $(printf 'ffffffffffffffff%.0s' {1..11})" --answer-end
    assert_output 18446744073709551615
    fails 1 "$VMCORE" sftp free / -- "$STAND_IN" --answer 200 "0000000d c9 ID 0000000000000000" --answer-end
    [[ $stderr == *"free space at offset 0xd: needs 8 bytes"* ]] || fail "$stderr"
}

@test "sftp: command lines" {
    local line text
    while IFS='|' read -r line text; do
        # shellcheck disable=SC2086 # words
        fails 1 "$VMCORE" sftp $line
        [[ $stderr == *"$text"*"vmcore sftp --help says what it takes" ]] || fail "$line: $stderr"
    done <<'TABLE'
|sftp needs an action and DIR
free /|sftp needs a command behind --
free / --|sftp needs a command behind --
free a b -- cat|free needs DIR
get a b -- cat|get: must be free, mkdir or put
put a -- cat|put needs FILE and DIR
put --as x a b c -- cat|--as is for one FILE; 2 are given
put --as a/b a c -- cat|--as a/b: must be a name
put - c -- cat|standard input needs --as
put --size x - c -- cat|--size x: must be a number of bytes
put --nothing - c -- cat|--nothing: no such option
TABLE
}

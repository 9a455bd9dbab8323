#!/usr/bin/env bats
# lib/: the ground floor, asked through tests/unit/probe.

load common

table() {
    local count=0 verb input expected
    while IFS='|' read -r verb input expected; do
        run "$PROBE" "$verb" "$input"
        same "$verb $input: $output" "$verb $input: $expected"
        count=$((count + 1))
    done < <(rows "$DATA/lib/$1")
    [ "$count" -eq "$2" ] || fail "$1: $count rows tried, $2 expected"
}

@test "numbers and sizes: every row of the table" {
    table numbers.table 36
}

@test "errors stack from the outside in and keep the innermost remedy" {
    fails 1 "$PROBE" error "opening /x" "reading the header" "loading /x"
    same "$output" "loading /x: reading the header: opening /x: No such file or directory
remedy: the inner remedy"
}

@test "reader: little and big endian, every width" {
    printf '\001\002\003\004\005\006\007\010\011\012\013\014\015\016\017' >"$BATS_TEST_TMPDIR/in"
    ok "$PROBE" reader "$BATS_TEST_TMPDIR/in" u8 u16 u32 u64
    same "$output" "1
302
7060504
f0e0d0c0b0a0908"
    ok "$PROBE" reader "$BATS_TEST_TMPDIR/in" be u8 u16 u32 u64
    same "$output" "1
203
4050607
8090a0b0c0d0e0f"
}

@test "reader: a read past the end gives zeros, is remembered, and says where" {
    printf '\001\002\003\004' >"$BATS_TEST_TMPDIR/in"
    fails 1 "$PROBE" reader "$BATS_TEST_TMPDIR/in" u16 u32 u8
    same "$output" "201
0
0
input: header at offset 0x2: needs 4 bytes, 2 are there"
}

@test "reader: seeks, skips and slices do not leave the span" {
    printf '0123456789abcdef' >"$BATS_TEST_TMPDIR/in"
    ok "$PROBE" reader "$BATS_TEST_TMPDIR/in" seek:16 seek:0 skip:16
    fails 1 "$PROBE" reader "$BATS_TEST_TMPDIR/in" seek:17
    assert_output "input: header at offset 0x11: the file ends at 0x10"
    fails 1 "$PROBE" reader "$BATS_TEST_TMPDIR/in" seek:4 skip:18446744073709551615
    assert_output "input: header at offset 0x4: needs 18446744073709551615 bytes, 12 are there"
    fails 1 "$PROBE" reader "$BATS_TEST_TMPDIR/in" seek:1 bytes:18446744073709551615
    assert_line "not there"
    ok "$PROBE" reader "$BATS_TEST_TMPDIR/in" slice:4:4 u32
    assert_output 37363534
    fails 1 "$PROBE" reader "$BATS_TEST_TMPDIR/in" slice:4:4 u32 u8
    assert_line "input: header at offset 0x8: needs 1 bytes, 0 are there"
    fails 1 "$PROBE" reader "$BATS_TEST_TMPDIR/in" slice:8:9
}

# Names as codec_name() gives them.
codecs=(gzip xz lzma zstd bzip2 lz4 "lz4 (legacy frame)" lzo)

pack() { # CODEC: stdin to stdout
    case $1 in
    gzip) gzip -9 ;;
    xz) xz --check=crc32 ;;
    lzma) xz --format=lzma ;;
    zstd) zstd -q -22 --ultra ;;
    bzip2) bzip2 -9 ;;
    lz4) lz4 -9 ;;
    "lz4 (legacy frame)") lz4 -l -9 ;;
    lzo) lzop -9 ;;
    esac
}

@test "unpack: each codec gives the bytes back, whatever size was expected" {
    local codec expected size
    # Compressible; an expectation of 1 makes the output grow many times.
    seq 1 200000 >"$BATS_TEST_TMPDIR/plain"
    size=$(wc -c <"$BATS_TEST_TMPDIR/plain")
    for codec in "${codecs[@]}"; do
        pack "$codec" <"$BATS_TEST_TMPDIR/plain" >"$BATS_TEST_TMPDIR/packed"
        printf 'bytes after the end' >>"$BATS_TEST_TMPDIR/packed"
        for expected in 0 1 "$size" $((size * 3)); do
            # An .lzma that gives its size ends with it; trailing bytes are no part of it.
            ok "$PROBE" unpack "$BATS_TEST_TMPDIR/packed" "$expected" 64M "$BATS_TEST_TMPDIR/out"
            assert_output "$codec $size"
            cmp "$BATS_TEST_TMPDIR/plain" "$BATS_TEST_TMPDIR/out"
        done
    done
}

@test "unpack: a stream longer than the limit stops there; one of exactly the limit passes" {
    local codec
    head -c 1048576 /dev/zero >"$BATS_TEST_TMPDIR/plain"
    head -c 67108864 /dev/zero >"$BATS_TEST_TMPDIR/bomb"
    for codec in "${codecs[@]}"; do
        pack "$codec" <"$BATS_TEST_TMPDIR/plain" >"$BATS_TEST_TMPDIR/packed"
        ok "$PROBE" unpack "$BATS_TEST_TMPDIR/packed" 0 1M "$BATS_TEST_TMPDIR/out"
        fails 1 "$PROBE" unpack "$BATS_TEST_TMPDIR/packed" 0 1048575 "$BATS_TEST_TMPDIR/out"
        assert_output --partial "more than the limit"
    done
    gzip -1 <"$BATS_TEST_TMPDIR/bomb" >"$BATS_TEST_TMPDIR/packed"
    fails 1 "$PROBE" unpack "$BATS_TEST_TMPDIR/packed" 0 16M "$BATS_TEST_TMPDIR/out"
    assert_output "input: unpacking the gzip stream at offset 0x0: more than the limit of 16 MiB unpacked"
}

@test "unpack: truncation anywhere is an error that names the codec" {
    local codec size cut
    seq 1 20000 >"$BATS_TEST_TMPDIR/plain"
    for codec in "${codecs[@]}"; do
        pack "$codec" <"$BATS_TEST_TMPDIR/plain" >"$BATS_TEST_TMPDIR/packed"
        size=$(wc -c <"$BATS_TEST_TMPDIR/packed")
        for cut in 20 $((size / 2)) $((size - 1)); do
            head -c "$cut" "$BATS_TEST_TMPDIR/packed" >"$BATS_TEST_TMPDIR/cut"
            fails 1 "$PROBE" unpack "$BATS_TEST_TMPDIR/cut" 0 16M "$BATS_TEST_TMPDIR/out"
            assert_output --partial "unpacking the $codec stream at offset 0x0: the stream ends early: $cut bytes gave"
        done
    done
}

@test "unpack: damage is an error" {
    local codec
    seq 1 20000 >"$BATS_TEST_TMPDIR/plain"
    for codec in "${codecs[@]}"; do
        pack "$codec" <"$BATS_TEST_TMPDIR/plain" >"$BATS_TEST_TMPDIR/packed"
        printf '\252\252\252\252\252\252\252\252' |
            dd of="$BATS_TEST_TMPDIR/packed" bs=1 seek=2000 conv=notrunc status=none
        # These two carry no checksum: damage that still decodes cannot be seen.
        case $codec in lzma | "lz4 (legacy frame)") continue ;; esac
        fails 1 "$PROBE" unpack "$BATS_TEST_TMPDIR/packed" 0 16M "$BATS_TEST_TMPDIR/out"
        assert_output --partial "unpacking the $codec stream"
    done
}

@test "vmcoreinfo: every row of the table" {
    local count=0 kind name expected
    while IFS='|' read -r kind name expected; do
        run "$PROBE" vmcoreinfo "$DATA/lib/vmcoreinfo.txt" "$kind" "$name"
        same "$kind $name: $output" "$kind $name: $expected"
        count=$((count + 1))
    done < <(rows "$DATA/lib/vmcoreinfo.table")
    [ "$count" -eq 17 ] || fail "$count rows tried, 17 expected"
}

@test "vmcoreinfo: no OSRELEASE, and too long, are refused" {
    printf 'PAGESIZE=16384\n' >"$BATS_TEST_TMPDIR/in"
    fails 1 "$PROBE" vmcoreinfo "$BATS_TEST_TMPDIR/in" key PAGESIZE
    assert_output "VMCOREINFO of 15 bytes holds no OSRELEASE"
    { printf 'OSRELEASE=x\n'; head -c 65536 /dev/zero | tr '\0' a; } >"$BATS_TEST_TMPDIR/in"
    fails 1 "$PROBE" vmcoreinfo "$BATS_TEST_TMPDIR/in" key OSRELEASE
    assert_output "VMCOREINFO of 65548 bytes: the limit is 65536"
}

@test "elfcore: headers read back, also past PN_XNUM" {
    local count
    for count in 1 2 65534 65535 65536; do
        ok "$PROBE" elf-build "$count" "$BATS_TEST_TMPDIR/elf"
        ok "$PROBE" elf-read "$BATS_TEST_TMPDIR/elf"
        same "$output" "machine 258 segments $count headers_end $((64 + 56 * count + (count >= 65535 ? 64 : 0))) last $(printf '9%015x %x' $(((count - 1) << 20)) $(((count - 1) << 20))) 4096 8192"
    done
}

@test "elfcore: truncated at every byte is an error, never a crash" {
    ok "$PROBE" elf-build 2 "$BATS_TEST_TMPDIR/elf"
    ok "$PROBE" elf-cuts "$BATS_TEST_TMPDIR/elf"
    assert_output "176 cuts, 176 refused"
}

@test "elfcore: readelf agrees with what was built" {
    command -v readelf >/dev/null || skip "readelf is not here"
    ok "$PROBE" elf-build 3 "$BATS_TEST_TMPDIR/elf"
    ok readelf -hl "$BATS_TEST_TMPDIR/elf"
    assert_output --partial "LoongArch"
    assert_output --partial "0x9000000000200000 0x0000000000200000"
    assert_output --regexp "Flags: +0x0$|Flags: +0x0,|Flags: +0x0
"
}

@test "notes: put and read back; a zero note ends the list; a cut one is an error" {
    ok "$PROBE" note-put "$BATS_TEST_TMPDIR/notes" CORE abc VMCOREINFO "x=1" Q ""
    ok "$PROBE" notes "$BATS_TEST_TMPDIR/notes"
    same "$output" "CORE 7 abc
VMCOREINFO 7 x=1
Q 7 "
    cp "$BATS_TEST_TMPDIR/notes" "$BATS_TEST_TMPDIR/zero"
    head -c 64 /dev/zero >>"$BATS_TEST_TMPDIR/zero"
    printf 'x' >>"$BATS_TEST_TMPDIR/zero"
    ok "$PROBE" notes "$BATS_TEST_TMPDIR/zero"
    assert_equal "${#lines[@]}" 3
    head -c 30 "$BATS_TEST_TMPDIR/notes" >"$BATS_TEST_TMPDIR/cut"
    fails 1 "$PROBE" notes "$BATS_TEST_TMPDIR/cut"
    assert_line --partial "input: note at offset"
}

@test "new file: under its name only when whole, mode 0600, old one kept until then" {
    local dir=$BATS_TEST_TMPDIR
    umask 022
    ok "$PROBE" new-file "$dir/a" text commit
    assert_equal "$(cat "$dir/a")" text
    assert_equal "$(stat -c %a "$dir/a")" 600
    assert [ ! -e "$dir/a-incomplete" ]

    ok "$PROBE" new-file "$dir/a" other abandon
    assert_output "left a partial file"
    assert_equal "$(cat "$dir/a")" text
    assert_equal "$(cat "$dir/a-incomplete")" other

    ok "$PROBE" new-file "$dir/a" third drop
    refute_output
    assert [ ! -e "$dir/a-incomplete" ]

    ok "$PROBE" new-file "$dir/a" "" abandon
    refute_output
    assert [ ! -e "$dir/a-incomplete" ]

    fails 1 "$PROBE" new-file "$dir/a" fourth commit exclusive
    assert_output "creating $dir/a: File exists"
    assert_equal "$(cat "$dir/a")" text
}

@test "new file: a link under the partial name is replaced, not followed" {
    local dir=$BATS_TEST_TMPDIR
    echo precious >"$dir/victim"
    ln -s victim "$dir/a-incomplete"
    ok "$PROBE" new-file "$dir/a" text commit
    assert_equal "$(cat "$dir/victim")" precious
    assert_equal "$(cat "$dir/a")" text
    assert [ ! -L "$dir/a" ]
}

@test "new file: one run at a time, and a name that appears meanwhile is not taken" {
    local dir=$BATS_TEST_TMPDIR
    echo held >"$dir/a-incomplete"
    fails 1 flock -x "$dir/a-incomplete" "$PROBE" new-file "$dir/a" text commit
    assert_output "$dir/a-incomplete: another run is writing it"
    assert_equal "$(cat "$dir/a-incomplete")" held
    assert [ ! -e "$dir/a" ]

    # commit-late: the probe itself makes PATH before it commits.
    fails 1 "$PROBE" new-file "$dir/b" text commit-late exclusive
    assert_line "renaming $dir/b-incomplete to $dir/b: File exists"
    assert_line "left a partial file"
    assert_equal "$(cat "$dir/b")" ""
    assert_equal "$(cat "$dir/b-incomplete")" text
}

@test "new file: a directory that is not there is named" {
    fails 1 "$PROBE" new-file /nowhere/a text commit
    assert_output "opening /nowhere/a-incomplete: No such file or directory"
}

@test "file read: /proc files without a size, limits, directories" {
    ok "$PROBE" read /proc/self/status 1M
    assert [ "$output" -gt 100 ]
    head -c 5000 /dev/zero >"$BATS_TEST_TMPDIR/f"
    ok "$PROBE" read "$BATS_TEST_TMPDIR/f" 5000
    assert_output 5000
    fails 1 "$PROBE" read "$BATS_TEST_TMPDIR/f" 4999
    assert_output "reading $BATS_TEST_TMPDIR/f: more than the limit of 4999 bytes"
    fails 1 "$PROBE" read "$BATS_TEST_TMPDIR" 1M
    assert_output "reading $BATS_TEST_TMPDIR: Is a directory"
}

@test "text: what is no character becomes a question mark, byte for byte" {
    local bytes utf8 printable
    while IFS='|' read -r bytes utf8 printable; do
        ok "$PROBE" text utf8 "$(printf '%b' "$bytes")"
        same "$output" "$(printf '%b' "$utf8")"
        ok "$PROBE" text printable "$(printf '%b' "$bytes")"
        same "$output" "$(printf '%b' "${printable:-$utf8}")"
    done <<'TABLE'
plain|plain
gr\303\274n \342\202\254 \360\237\220\247|gr\303\274n \342\202\254 \360\237\220\247
\377\376x|??x
cut \303|cut ?
cut \342\202|cut ??
cut \360\237\220x|cut ???x
long \300\257 \340\200\257 \360\200\200\257|long ?? ??? ????
surrogate \355\240\200|surrogate ???
beyond \364\220\200\200|beyond ????
\200\277|??
tab\tline\nend|tab\tline\nend
\033[1m\177\r|\033[1m\177\r|?[1m??
\302\233m|\302\233m|??m
TABLE
}

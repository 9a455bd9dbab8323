# QEMU migration streams, mapped-ram files and save images, all made of one
# guest: every form must give the same memory.

setup_file() {
    load common
    cd "$BATS_FILE_TMPDIR" || exit 1
    "$UNIT/make-vmcore" whole
    "$UNIT/make-guest" whole dump --plant note@0x300000 --plant data@0x80005000
    "$VMCORE" save -q -d 0 --format elf dump dump.elf 2>/dev/null
    memory dump.elf >truth
}

setup() {
    load common
    load vmcore
    cd "$BATS_TEST_TMPDIR" || exit 1
    WHOLE=$BATS_FILE_TMPDIR/whole
}

# memory ELF: place, size and content of each run of memory.
# Also used in setup_file.
memory() {
    /usr/bin/python3 - "$1" <<'PY'
import hashlib, struct, sys
data = open(sys.argv[1], "rb").read()
for i in range(struct.unpack_from("<H", data, 56)[0]):
    kind, _, offset, _, paddr, size, _, _ = struct.unpack_from("<IIQQQQQQ", data, 64 + 56 * i)
    if kind == 1:
        print(hex(paddr), hex(size), hashlib.sha1(data[offset:offset + size]).hexdigest())
PY
}

# guest NAME [OPTION]...
guest() {
    local name=$1
    shift
    "$UNIT/make-guest" "$WHOLE" "$name" --plant note@0x300000 --plant data@0x80005000 "$@"
}

# same_memory FILE [OPTION]...: opens without a word and holds what the guest had.
same_memory() {
    local file=$1
    shift
    ok "$VMCORE" save -qf -d 0 --format elf "$@" "$file" saved.elf
    same "$(memory saved.elf)" "$(cat "$BATS_FILE_TMPDIR/truth")"
    rm saved.elf
}

@test "stream: plain, live with pages that repeat and deltas, packed pages" {
    guest plain --format stream
    same_memory plain
    guest live --format stream --live
    same_memory live
    guest packed --format stream --packed
    same_memory packed
}

@test "stream: registers with the PC from the cpu sections" {
    guest plain --format stream
    ok "$VMCORE" info plain
    assert_line "Format:       QEMU migration stream"
    assert_line "CPUs:         2, registers from the stream's cpu sections"
    ok "$VMCORE" info --json plain
    assert_line --partial '"era":"0x9000000000200100"'
    assert_line --partial '"era":"0x9000000000200200"'
    ok "$VMCORE" save -q plain saved
    ok "$VMCORE" info --json saved
    assert_line --partial '"era":"0x9000000000200200"'
}

@test "stream: devices before the RAM, decoys of footers in them" {
    guest first --format stream --cpus-first
    same_memory first
    ok "$VMCORE" info first
    assert_line "CPUs:         2, registers from the stream's cpu sections"
}

@test "stream: NUMA: blocks by name, whatever their order in the stream" {
    guest numa --format stream --block ram-node10:68M --block ram-node2:64M --block ram-node9:128M
    same_memory numa
}

@test "stream: mapped-ram" {
    guest mapped --format mapped --capability mapped-ram
    same_memory mapped
    guest mapped --format mapped --capability mapped-ram --block ram-node0:200M --block ram-node1:60M
    same_memory mapped
}

@test "stream: pages that went elsewhere: multifd, postcopy" {
    guest multifd --format stream --no-pages
    fails 1 "$VMCORE" info multifd
    assert_regex "$stderr" "^vmcore: multifd: 66560 of 66560 pages of RAM block 'loongarch.ram' are not in this stream: they went through other channels \(multifd\)"
    guest postcopy --format stream --postcopy
    fails 1 "$VMCORE" info postcopy
    assert_regex "$stderr" "the guest went over to postcopy"
}

@test "stream: cut: in the RAM what came, behind it all of it" {
    guest plain --format stream
    head -c 4000000 plain >cut
    fails 3 "$VMCORE" info cut
    assert_regex "$stderr" "cut: the file was cut"
    assert_line --regexp "^Missing: +[0-9]"
    head -c -400 plain >cut
    ok "$VMCORE" dmesg cut
    guest mapped --format mapped --capability mapped-ram
    head -c 269500000 mapped >cut
    fails 3 "$VMCORE" info cut
    assert_line --regexp "^Missing: +[0-9]"
}

@test "stream: broken: what is wrong, and where" {
    local at
    guest plain --format stream
    for at in 0 20 100; do
        head -c $at plain >cut
        fails 1 "$VMCORE" info cut
    done
    printf 'QEVM\0\0\0\2' >old
    fails 1 "$VMCORE" info old
    assert_regex "$stderr" "a migration stream of version 2; 3 is known"
}

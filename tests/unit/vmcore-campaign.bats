# Each kind of file vmcore reads, cut and written over at random places, always
# the same ones. tests/fuzz/campaign is the longer search, on real files.

setup() {
    load common
    cd "$BATS_TEST_TMPDIR" || exit 1
    "$UNIT/make-vmcore" --pages 3 --pages-at 0x80800000 whole
}

guest() { # NAME [OPTION]...
    local name=$1
    shift
    "$UNIT/make-guest" whole "$name" --plant note@0x300000 --plant data@0x80005000 "$@"
}

# calm FILE...: nothing of it is bad, and something is whole, something is not.
calm() {
    ok "$TOP/tests/fuzz/campaign" --cuts 40 --flips 40 --work . --keep "$BUILD/campaign" "$@"
    assert_equal "${#lines[@]}" $#
    assert_line --regexp "cut: .*[0-9]+ exit 3; changed: .*longest"
    refute_line --partial none
}

@test "campaign: vmcore as ELF, kdump-compressed and flattened" {
    "$VMCORE" save -q whole packed
    "$VMCORE" save -q whole - >flat
    calm whole packed flat
}

@test "campaign: ELF and kdump of QEMU" {
    guest elf
    guest kdump --format kdump
    calm elf kdump
}

@test "campaign: migration streams, mapped-ram" {
    guest stream --format stream
    guest live --format stream --live
    guest mapped --format mapped --capability mapped-ram
    calm stream live mapped
}

@test "campaign: a live stream of several blocks, where it is told where they lie" {
    guest live --format stream --live --block node0:0x8000000 --block node1:rest
    calm "live node0@0 node1@0x8000000"
}

@test "campaign: bare memory" {
    guest elf
    tail -c +$((64 + 3 * 56 + 1)) elf | tail -c $((0x10000000 + 0x840000)) >ram
    # Nothing in it tells how long it was.
    ok "$TOP/tests/fuzz/campaign" --cuts 40 --flips 40 --work . --keep "$BUILD/campaign" ram@virt
    assert_output --regexp "^ram: cut: .*[0-9]+ exit 0.*; changed: 40 exit 0; longest"
}

@test "campaign: save images" {
    guest save.zstd --save zstd
    guest save.sparse --capability mapped-ram --save sparse
    calm save.zstd save.sparse
}

@test "campaign: a bad end is told from a good one" {
    mkdir -p fake/makedumpfile-glue
    # In turns: killed, silent, and a dump of other bytes than there were.
    cat >fake/makedumpfile-glue/vmcore <<X
#!/bin/bash
n=\$(cat n 2>/dev/null || echo 0)
echo \$((n + 1)) >n
case \$n in
0) exec "$VMCORE" "\$@" ;;
1) kill -SEGV \$\$ ;;
2) exit 1 ;;
3) echo "ERROR: AddressSanitizer: heap" >&2; exit 1 ;;
4) "$VMCORE" "\$@"; printf x | dd of="\${@: -1}" bs=1 seek=100000 conv=notrunc status=none ;;
5) echo done >&2; exit 3 ;;
esac
X
    chmod +x fake/makedumpfile-glue/vmcore
    LOONGDUMP_BUILD=fake fails 1 "$TOP/tests/fuzz/campaign" --cuts 2 --flips 3 --work . --keep kept whole
    assert_line --regexp "^whole: bytes at .*: ended by signal 11; kept as kept/1-whole"
    assert_line --regexp "^whole: bytes at .*: not a word; kept as"
    assert_line --regexp "^whole: bytes at .*: exit status 1; kept as"
    assert_line --regexp "^whole: cut at .*: exit status 3, and no dump"
    assert_line --regexp "^whole: cut at .*: the dump is not as that of the whole file at 0x"
    assert [ -e kept/5-whole ]
}

@test "campaign: what lies before changed bytes may not change" {
    mkdir -p fake/makedumpfile-glue
    # The second dump is that of the changed file.
    cat >fake/makedumpfile-glue/vmcore <<X
#!/bin/bash
n=\$(cat n 2>/dev/null || echo 0)
echo \$((n + 1)) >n
"$VMCORE" "\$@"
status=\$?
[ \$n -ne 1 ] || tr '\0' x </dev/zero | dd of="\${@: -1}" bs=16k count=4 seek=4 conv=notrunc status=none
exit \$status
X
    chmod +x fake/makedumpfile-glue/vmcore
    LOONGDUMP_BUILD=fake fails 1 "$TOP/tests/fuzz/campaign" --cuts 0 --flips 1 --work . --keep kept whole
    assert_line --regexp "^whole: bytes at .*: the dump is not as that of the whole file at 0x"
}

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
    guest mapped --format mapped --capability mapped-ram
    calm stream mapped
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

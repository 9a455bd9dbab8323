# QEMU migration streams, mapped-ram files and save images, all made of one
# guest: every form must give the same memory.

setup_file() {
    load common
    cd "$BATS_FILE_TMPDIR" || exit 1
    "$UNIT/make-vmcore" --pages 3 --pages-at 0x80800000 whole
    "$UNIT/make-guest" whole dump --plant note@0x300000 --plant data@0x80005000
    "$VMCORE" save -q -d 1 --format elf dump dump.elf 2>/dev/null
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
    ok "$VMCORE" save -qf -d 1 --format elf "$@" "$file" saved.elf
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
    # QEMU before 8.1 has no CRMD where newer ones have it; the PC is there.
    LC_ALL=C sed 's/\(\x03cpu\x00\x00\x00.\x00\x00\x00\)\x04/\1\x00/g' plain >version0
    ok "$VMCORE" save -qf version0 saved
    ok "$VMCORE" info saved
    assert_line "CPUs:         2, registers from NT_PRSTATUS notes"
    LC_ALL=C sed 's/\x03cpu\x00/\x03gpu\x00/g' plain >none
    fails 0 "$VMCORE" info none
    same "$stderr" "vmcore: warning: none: no CPU's registers are in the stream"
}

@test "stream: devices before the RAM, decoys of footers in them" {
    guest first --format stream --cpus-first
    same_memory first
    ok "$VMCORE" info first
    assert_line "CPUs:         2, registers from the stream's cpu sections"
}

@test "stream: NUMA: blocks by name, whatever their order in the stream" {
    guest numa --format stream --block ram-node9:128M --block ram-node2:64M --block ram-node10:rest
    same_memory numa
}

@test "stream: DIMMs behind all that the machine began with" {
    guest libvirt --format stream --block memdimm2:73984K --block ram-node0:128M --block ram-node1:rest
    same_memory libvirt
    guest qemu --format stream --block mem1:65792K --block loongarch.ram:rest
    same_memory qemu
    guest path --format stream --block /objects/memdimm1:65792K --block /objects/loongarch.ram:rest
    same_memory path
}

@test "stream: the firmware is no memory, by either name QEMU has for it" {
    guest flash --format stream
    same_memory flash
    guest bios --format stream --firmware loongarch.bios --flash 4M
    same_memory bios
}

# as_elf FILE [OPTION]...: what the same guest is as an ELF file, which says addresses.
as_elf() {
    local file=$1
    shift
    guest elf --format elf "${@/--save=*/--flash=1M}"
    "$VMCORE" save -qf -d 1 --format elf elf saved.elf 2>/dev/null
    memory saved.elf >truth
    guest "$file" --format stream "$@"
    ok "$VMCORE" save -qf -d 1 --format elf "$file" saved.elf
    same "$(memory saved.elf)" "$(cat truth)"
}

@test "stream: blocks by what is in them, whatever their names" {
    as_elf nodes --block z:128M --block m:64M --block a:rest --order z,m,a \
        --lists 16M+40 --lists 130M+40 --lists 200M+40
    # A DIMM behind a gap; its name comes first.
    as_elf dimm --ram 320M --block a:64M@0xa0000000 --block z:rest \
        --lists 16M+40 --lists 0x80010000+40 --lists 0xa0010000+40 --write 0xa3fff000:dimm
    as_elf dimms --ram 320M --block dimm2:64M@0x84000000 --block dimm1:32M@0x90000000 \
        --block m:rest --lists 16M+40 --lists 0x84010000+40 --lists 0x90010000+40
    # Few of another address: a file with a kernel's memory in it.
    as_elf decoys --block z:128M --block a:rest --order z,a \
        --lists 16M+40 --lists 144M+40 --lists 1M+30 --copy 1M+4K@150M
}

@test "stream: a block of which nothing tells where it lies is named" {
    make_vmcore other --memory 2M+4M --memory 0x80000000+4M
    "$UNIT/make-guest" other nodes --format stream --plant note@0x300000 --block a:128M --block b:rest
    fails 0 "$VMCORE" info nodes
    assert_regex "$stderr" "nodes: nothing in it tells where RAM block 'b' lies: it is put where its name has it"
    # Of one that is zeros it does not matter.
    "$UNIT/make-guest" other empty --format stream --plant note@0x300000 --lists 0x80010000+40 \
        --ram 320M --block b:64M@0x84000000 --block c:64M@0x88000000 --block a:rest
    ok "$VMCORE" info empty
}

@test "stream: where memory beyond 256 MiB lies is told by its own lists, without tables" {
    local base
    for base in 0x80000000 0x90000000; do
        make_vmcore other --memory 2M+4M --memory "$base+4M"
        "$UNIT/make-guest" other stream --format stream --base "$base" --plant note@0x300000 \
            --lists "$((base + 0x10000))+40"
        ok "$VMCORE" info --json stream
        assert_line --partial "\"start\":\"$base\""
        "$UNIT/make-guest" other elf --base "$base" --plant note@0x300000 --lists "$((base + 0x10000))+40"
        tail -c $((260 << 20)) elf >ram
        fails 0 "$VMCORE" info --json ram@virt
        assert_line --partial "\"start\":\"$base\""
        refute_regex "$stderr" "nothing in it tells"
    done
}

@test "stream: where memory beyond 256 MiB lies is told by the kernel's own tables" {
    local base
    make_vmcore other --pages 3 --pages-at 0x90800000 --memory 2M+4M --memory 0x90000000+4M
    for base in 0x80000000 0x90000000; do
        "$UNIT/make-guest" other stream --format stream --base "$base" --plant note@0x300000
        ok "$VMCORE" info --json stream
        assert_line --partial "\"start\":\"$base\""
        assert_line --partial '"page_table_levels":3'
        # VMCOREINFO and the tables above 256 MiB, the utsname too.
        "$UNIT/make-guest" other stream --format stream --base "$base" --plant data@0x90004000
        ok "$VMCORE" info --json stream
        assert_line --partial "\"start\":\"$base\""
    done
    make_vmcore other --memory 2M+4M --memory 0x90000000+4M
    "$UNIT/make-guest" other stream --format stream --plant note@0x300000
    fails 0 "$VMCORE" info stream
    assert_regex "$stderr" "nothing in it tells where the memory beyond 256 MiB lies"
}

@test "stream: mapped-ram" {
    guest mapped --format mapped --capability mapped-ram
    same_memory mapped
    guest mapped --format mapped --capability mapped-ram --block ram-node0:200M --block ram-node1:rest
    same_memory mapped
}

@test "stream: pages that went elsewhere: multifd, postcopy" {
    guest multifd --format stream --no-pages
    fails 1 "$VMCORE" info multifd
    assert_regex "$stderr" "^vmcore: multifd: [0-9]+ of [0-9]+ pages of RAM block 'loongarch.ram' are not in this stream: they went through other channels \(multifd\)"
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
    head -c -1000 plain >cut
    fails 0 "$VMCORE" dmesg cut
    same "$stderr" "vmcore: warning: cut: the stream breaks off behind its RAM; the registers of 1 CPUs came"
    fails 3 "$VMCORE" check cut
    assert_line --regexp "^BAD +layout +cut: the stream breaks off behind its RAM"
    # Whatever begins where a section should.
    head -c -120 plain >cut
    head -c 200 /dev/zero | tr '\0' '\167' >>cut
    fails 0 "$VMCORE" info cut
    assert_regex "$stderr" "^vmcore: warning: cut: .*behind its RAM"
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

# As many pages as no file has: the time must go with what came of them.
@test "stream: a few kilobytes that speak of 64 TiB" {
    /usr/bin/python3 - <<'PY'
def u(size, value):
    return value.to_bytes(size, "big")

def name(text):
    return u(1, len(text)) + text

size = (64 << 40) - (1 << 20)
ram = name(b"loongarch.ram")
open("huge", "wb").write(
    b"QEVM" + u(4, 3) + b"\1" + u(4, 2) + name(b"ram") + u(4, 0) + u(4, 4)
    + u(8, size | 4) + ram + u(8, size) + u(8, 0x10) + b"\x7e" + u(4, 2)
    + b"\3" + u(4, 2) + u(8, 0x200000 | 8) + ram + b"x" * 4096 + u(8, (size - 4096) | 0x28) + b"y" * 4096)
PY
    fails 3 timeout 10 "$VMCORE" info huge
    assert_line --regexp "^Memory: +8 KiB"
    fails 3 timeout 10 "$VMCORE" check -q huge
    fails 3 timeout 10 "$VMCORE" save -q --format elf huge dump
    assert grep -q yyyy dump
}

@test "saved: each packing of virsh save, sparse, and a file packed as a whole" {
    local how
    for how in raw gzip bzip2 xz lzop zstd sparse; do
        guest saved --save "$how" $([ "$how" != sparse ] || echo --capability mapped-ram)
        ok "$VMCORE" info saved
        assert_line "Format:       virsh save image"
        same_memory saved
    done
    for how in gzip bzip2 xz lzop zstd; do
        guest packed --format stream --pack "$how"
        same_memory packed
    done
    gzip -1c "$BATS_FILE_TMPDIR/dump.elf" >core.gz
    ok "$VMCORE" info --json core.gz
    assert_line --partial '"release":"6.12.0-test"'
}

@test "saved: where DIMMs lie is in the domain's XML" {
    local base xml
    xml() {
        printf '%s' "<devices><memory model='dimm'><target><size unit='KiB'>65536</size><node>0</node></target>" \
            "<address type='dimm' slot='3' base='$1'/></memory></devices>"
    }
    as_elf saved --save=raw --ram 320M --block memdimm3:64M@0xa0000000 --block ram-node0:rest \
        --write 0xa0000000:dimm --xml "$(xml 0xa0000000)"
    # Behind another element of that name, which ends by itself, and others' addresses.
    as_elf saved --save=raw --ram 320M --block memdimm3:64M@0xa0000000 --block ram-node0:rest \
        --write 0xa0000000:dimm --xml "<numatune><memory mode='strict' nodeset='0'/></numatune><disk><address type='pci' slot='0x00'/></disk>$(xml 0xa0000000)"
    # An address that cannot be: on other memory, inside a page, beyond all.
    for base in 0x80000000 0xa0000800 0xfffffffffffff000 0x1000; do
        guest saved --save raw --ram 320M --block memdimm3:64M@0xa0000000 --block ram-node0:rest --xml "$(xml $base)"
        ok "$VMCORE" info --json saved
        assert_line --partial '"memory_bytes":402653184'
    done
}

@test "saved: not finished, cut in the header, the XML, the packed stream" {
    local at
    guest part --save raw --part
    fails 3 "$VMCORE" info part
    assert_regex "$stderr" "its writer marked it as incomplete"
    guest saved --save gzip
    for at in 15 90 300; do
        head -c $at saved >cut
        fails 1 "$VMCORE" info cut
        assert_regex "$stderr" "^vmcore: cut: "
    done
    head -c 1000000 saved >cut
    fails 3 "$VMCORE" info cut
    assert_regex "$stderr" "cut: unpacking the gzip stream: the stream ends early"
    assert_line --regexp "^Missing: +[0-9]"
}

@test "saved: fewer CPUs in the stream than in the domain" {
    guest saved --save raw
    sed 's|<vcpu>2</vcpu>|<vcpu>3</vcpu>|' saved >three
    fails 0 "$VMCORE" info three
    same "$stderr" "vmcore: warning: three: the domain has 3 CPUs, the registers of 2 are in it"
    # Those beyond the current ones can be plugged in, and are not there; one byte
    # of the room behind the XML goes for each that it grows by.
    /usr/bin/python3 - saved >more <<'PY'
import sys
data = open(sys.argv[1], "rb").read()
old, new = b"<vcpu>2</vcpu>", b"<vcpu placement='static' current='2'>9</vcpu>"
end = data.index(b"</domain>") + 9
sys.stdout.buffer.write(data[:end].replace(old, new) + data[end + len(new) - len(old):])
PY
    ok "$VMCORE" info more
}

@test "saved: of another architecture, another version, another packing" {
    guest saved --save raw
    sed 's/loongarch64/x86_64\x00\x00\x00\x00\x00/' saved | sed "s/x86_64\\x00*'/x86_64'     /" >other
    fails 1 "$VMCORE" info other
    assert_regex "$stderr" "other: a guest of x86_64, not of loongarch64"
    printf '\3' | dd of=saved bs=1 seek=16 conv=notrunc status=none
    fails 1 "$VMCORE" info saved
    assert_regex "$stderr" "a virsh save image of version 3; 1 and 2 are known"
    printf '\2' | dd of=saved bs=1 seek=16 conv=notrunc status=none
    printf '\11' | dd of=saved bs=1 seek=28 conv=notrunc status=none
    fails 1 "$VMCORE" info saved
    assert_regex "$stderr" "packed in way 9, which is not known"
}

@test "ram: shared memory beside the stream; what is missing is named" {
    local nodes="--block node0:200M --block node1:rest"
    # shellcheck disable=SC2086
    guest state --format stream --capability x-ignore-shared $nodes --shared node0
    fails 1 "$VMCORE" info state
    assert_regex "$stderr" "the memory of RAM block 'node0' \(200 MiB\) is not in it: shared memory"
    assert_regex "$stderr" "--ram node0=FILE"
    guest low --format raw
    head -c 200M low >node0.ram
    same_memory state --ram node0=node0.ram
    same_memory state --ram node0.ram
    head -c 199M low >less
    fails 1 "$VMCORE" info --ram node0=less state
    assert_regex "$stderr" "--ram node0=less: less: 199 MiB, RAM block 'node0' is of 200 MiB"
    fails 1 "$VMCORE" info --ram other=node0.ram state
    assert_regex "$stderr" "--ram other=node0.ram: no RAM block of state is waiting for it"
    # shellcheck disable=SC2086
    guest state --format mapped --capability x-ignore-shared --capability mapped-ram $nodes --shared node0
    fails 1 "$VMCORE" info state
    same_memory state --ram node0=node0.ram
    fails 1 "$VMCORE" info --ram node0.ram "$WHOLE"
    assert_regex "$stderr" "--ram node0.ram: .* holds all of its memory itself \(ELF core\)"
}

@test "raw: memory at an address; what is no such thing" {
    guest low --format raw
    guest text --format registers
    ok "$VMCORE" info --registers text low@0
    assert_line "Format:       raw memory"
    assert_line "Kernel:       6.12.0-test"
    assert_line "CPUs:         2, registers from the text of info registers"
    head -c 6M low >a
    tail -c +6291457 low >b
    ok "$VMCORE" save -q --format elf low@0 one
    ok "$VMCORE" save -q --format elf --ram a@0 b@6M two
    ok cmp one two
    ok "$VMCORE" info low@virt
    fails 1 "$VMCORE" info low
    assert_regex "$stderr" "of bare memory say where it lies: FILE@ADDRESS"
    fails 1 "$VMCORE" info low@here
    assert_regex "$stderr" "low@here: here is no physical address of a page"
    fails 1 "$VMCORE" info --ram a@4M b@6M
    assert_regex "$stderr" "a@4M and b@6M overlap"
}

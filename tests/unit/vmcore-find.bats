# VMCOREINFO found in memory, for files that carry none: QEMU's dump-guest-memory.

setup() {
    load common
    load vmcore
    cd "$BATS_TEST_TMPDIR" || exit 1
    make_vmcore whole
}

# guest NAME [OPTION]...: what QEMU would have written of that kernel.
guest() {
    local name=$1
    shift
    "$UNIT/make-guest" whole "$name" "$@"
}

NO_PC="QEMU did not write the CPUs' program counters into this file"

# says FILE KEY: the value info gives, past the warning that QEMU's file earns.
says() {
    fails 0 "$VMCORE" info --json "$1"
    /usr/bin/python3 -c 'import json, sys; d = json.load(sys.stdin); print(eval(sys.argv[1]))' "$2" <<<"$output"
}

@test "find: the note's page, the text's page, both" {
    local plant
    for plant in note data; do
        guest dump --plant "$plant@0x300000"
        assert_equal "$(says dump 'd["release"], d["page_size"], d["page_size_known"], d["panic"]')" \
            "('6.12.0-test', 16384, True, 'Kernel panic - not syncing: synthetic crash')"
    done
    guest dump --plant note@0x80001000 --plant data@0x300000
    assert_equal "$(says dump 'd["release"], len(d["warnings"])')" "('6.12.0-test', 1)"
    fails 0 "$VMCORE" info dump
    assert_regex "$stderr" "^vmcore: warning: dump: $NO_PC"
}

@test "find: not where no page begins, nor where a word is wrong" {
    local place
    for place in note@0x300010 data@0x300800 note@0x300000:PAGESIZE=12345 data@0x300000:OSRELEASE=-; do
        guest dump --plant "$place"
        assert_equal "$(says dump 'd["release"]')" None
    done
}

@test "find: a stale copy below, of another release, is not taken" {
    guest dump --plant note@0x280000:OSRELEASE=5.10.0-old,CRASHTIME=- --plant note@0x300000
    assert_equal "$(says dump 'd["release"], len(d["warnings"])')" "('6.12.0-test', 1)"
}

@test "find: a copy displaced elsewhere, whose memory is not there, is not taken" {
    guest dump --plant "data@0x280000:SYMBOL(init_uts_ns)=9000000000301000" --plant note@0x300000
    assert_equal "$(says dump 'd["release"], d["panic"]')" \
        "('6.12.0-test', 'Kernel panic - not syncing: synthetic crash')"
}

@test "find: a cut copy of the same kernel gives way to the whole one" {
    guest dump --plant "data@0x280000:SYMBOL(prb)=-" --plant note@0x300000
    assert_equal "$(says dump 'd["panic"]')" "Kernel panic - not syncing: synthetic crash"
}

@test "find: a file's page whose note ends where its size says" {
    guest dump --plant note@0x300000 --write '0x302000:SYMBOL(prb)=9000000000000000\n'
    assert_equal "$(says dump 'd["panic"]')" "Kernel panic - not syncing: synthetic crash"
}

@test "find: two kernels in memory: the one the CPUs are in, and the other is named" {
    # The second kernel's utsname lies where a second image would have it.
    guest dump --plant note@0x300000 --copy 0x201000+0x1000@0x80101000 \
        --plant "note@0x80200000:SYMBOL(init_uts_ns)=9000000080101000,SYMBOL(_stext)=9000000080100000,CRASHTIME=-"
    fails 0 "$VMCORE" info dump
    assert_regex "$stderr" "kernel 6.12.0-test with its VMCOREINFO at 0x300018 is taken; another one, 6.12.0-test, is in memory too, with its VMCOREINFO at 0x80200018"
}

@test "find: what only looks like it is said to disagree" {
    guest dump --plant "note@0x300000:OSRELEASE=6.6.6"
    fails 0 "$VMCORE" info dump
    assert_regex "$stderr" "the VMCOREINFO found in memory at 0x300018 does not agree with that memory"
    assert_line "Kernel:       6.6.6"
}

@test "find: the dump saved of it carries the note, and crash's page size" {
    local format
    guest dump --plant note@0x300000
    for format in kdump elf; do
        fails 0 "$VMCORE" save -q --format "$format" dump "saved.$format"
        ok "$VMCORE" info "saved.$format" --registers <(guest /dev/stdout --format registers)
        assert_line "Kernel:       6.12.0-test"
        assert_line "Panic:        Kernel panic - not syncing: synthetic crash"
    done
    fails 0 "$VMCORE" dmesg dump
    assert_line --partial "Booting from a generator"
}

@test "find: kdump of QEMU, 4K blocks and no machine: pages of the kernel's size" {
    local size
    for size in 4K 16K 64K; do
        make_vmcore whole --page-size "$size"
        guest elf --plant note@0x300000
        guest kdump --plant note@0x300000 --format kdump
        fails 0 "$VMCORE" save -qf -d 0 --format elf elf one
        fails 0 "$VMCORE" save -qf -d 0 --format elf kdump two
        ok cmp one two
        fails 0 "$VMCORE" save -qf kdump saved
        assert_equal "$(field saved 428 4)" $((${size%K} * 1024))
    done
}

@test "find: registers from the text of info registers: in the notes, with the PC" {
    guest dump --plant note@0x300000
    guest text --format registers
    ok "$VMCORE" save -q --registers text dump saved
    ok "$VMCORE" info --json saved
    assert_equal "$(/usr/bin/python3 -c 'import json, sys; d = json.load(sys.stdin); print(d["registers_from"], [(c["era"], c["sp"]) for c in d["cpus"]])' <<<"$output")" \
        "NT_PRSTATUS [('0x9000000000200100', '0x1003'), ('0x9000000000200200', '0x2003')]"
}

@test "find: registers text that is not: named, with where to get it" {
    guest dump --plant note@0x300000
    guest text --format registers
    fails 1 "$VMCORE" info --registers whole dump
    assert_regex "$stderr" "^vmcore: --registers: whole: no registers of any CPU in it"
    sed 's/ r17 [0-9a-f]*//' text >less
    fails 1 "$VMCORE" info --registers less dump
    assert_regex "$stderr" "less: CPU 0: its program counter or some of r0 to r31 are missing"
    sed '/^CPU#1/,$d' text >one
    fails 0 "$VMCORE" info --registers one dump
    assert_regex "$stderr" "one: registers of 1 CPUs; dump has those of 2"
}

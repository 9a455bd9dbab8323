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
    # QEMU's numbers leave out CPUs that are not plugged in, and follow the order they were in.
    guest gap --plant note@0x300000 --cpu-gap 2
    fails 0 "$VMCORE" info gap
    assert_regex "$stderr" "^vmcore: warning: gap: $NO_PC"
}

# crash takes the n-th note for CPU n.
@test "find: CPUs plugged in out of order, or with some between them that are not: said" {
    local file said="crash takes the registers of CPU 3 for those of CPU 1"
    guest gap --plant note@0x300000 --cpu-gap 2
    guest text --format registers --cpu-gap 2
    guest stream --format stream --plant note@0x300000 --cpu-gap 2
    for file in gap "gap --registers text" stream; do
        # shellcheck disable=SC2086
        fails 0 "$VMCORE" info $file
        assert_regex "$stderr" ": $said"
    done
    for file in --no-cpu-numbers --cpus-first; do
        guest stream --format stream --plant note@0x300000 $file
        fails 0 "$VMCORE" info stream
        [[ $stderr != *"the registers of CPU"* ]]
    done
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

# A crash before the last boot is longer than what the kernel running now says, and as
# true of it; where the page is not the kernel's own it is of a file, or left over.
# How long the first one is it does not say: it may reach to where the CPUs are.
@test "find: two kernels in memory: of the one that begins nearest before the CPUs" {
    guest dump --plant "note@0x300000:SYMBOL(_stext)=9000000000100000" --copy 0x201000+0x1000@0x80101000 \
        --plant "note@0x80200000:SYMBOL(init_uts_ns)=9000000080101000,SYMBOL(_stext)=9000000000200000,CRASHTIME=-"
    fails 0 "$VMCORE" info dump
    assert_regex "$stderr" "kernel 6.12.0-test with its VMCOREINFO at 0x80200018 is taken; another one, 6.12.0-test, is in memory too, with its VMCOREINFO at 0x300018"
}

@test "find: a stale copy of the same kernel, in cache or a free page, is not taken" {
    local kind copy frame page
    make_vmcore whole --pages 3 --truth truth --set CRASHTIME=-
    for kind in cache cache-private anonymous free kernel; do
        # Of the second run, at 0x80000000.
        frame=$(awk -v kind="$kind" '$2 == kind && length($1) == 7 { print $1; exit }' truth)
        page=$((frame * 16384))
        for copy in note data; do
            guest dump --plant note@0x300000 --plant "$copy@$page:CRASHTIME=1795000000"
            fails 0 "$VMCORE" info --json dump
            case $kind in
            kernel) assert_line --partial '"crash_time":1795000000' ;;
            *) assert_line --partial '"vmcoreinfo_found":"0x300018"' ;;
            esac
        done
        # Of two places with one text the kernel's own is named.
        guest dump --plant "note@$page" --plant data@0x300000
        [ "$kind" = kernel ] || assert_equal "$(says dump 'd["vmcoreinfo_found"]')" 0x300000
    done
    # Flags without PG_lru, but for the zone: not on its list yet.
    frame=$(awk '$2 == "cache" && length($1) == 7 { print $1; exit }' truth)
    make_vmcore whole --pages 3 --set CRASHTIME=- --page-bytes "$frame:0:0000000000000200"
    guest dump --plant note@0x300000 --plant "data@$((frame * 16384)):CRASHTIME=1795000000"
    assert_equal "$(says dump 'd["vmcoreinfo_found"]')" 0x300018
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

# Debian's QEMU is built without both.
@test "find: kdump of QEMU packed with lzo and snappy" {
    local codec
    guest zlib --plant note@0x300000 --format kdump
    fails 0 "$VMCORE" save -qf -d 0 --format elf zlib one
    for codec in lzo snappy; do
        guest kdump --plant note@0x300000 --format kdump --codec "$codec"
        fails 0 "$VMCORE" save -qf -d 0 --format elf kdump two
        ok cmp one two
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

@test "find: the displacement, with and without a vmlinux, and the lines crash wants" {
    local stext="SYMBOL(_stext)=9000000000ec0000"
    guest dump --plant "note@0x300000:$stext"
    assert_equal "$(says dump 'd["displacement"], d["displacement_sure"], d["crash_command"]')" \
        "('0xca0000', False, 'vmcore save dump dump && crash --kaslr auto vmlinux-6.12.0-test dump')"
    "$UNIT/make-vmlinux" --symbol _stext=9000000000220000 --symbol vm_map_base=8fffffffff660000 vmlinux
    fails 0 "$VMCORE" info --vmlinux vmlinux --json dump
    assert_line --partial '"displacement":"0xca0000"'
    assert_line --partial '"displacement_sure":true'
    assert_line --partial "crash --kaslr 0xca0000 vmlinux"
    fails 0 "$VMCORE" save -q --vmlinux vmlinux dump saved
    ok "$VMCORE" info --print-vmcoreinfo saved
    assert_line "KERNELOFFSET=ca0000"
    # 0xffff800000000000 + 32 MiB of ports + two pages + 256 MiB of modules
    assert_line "NUMBER(VMALLOC_START)=0xffff800012008000"
    guest dump --plant "note@0x300000:SYMBOL(_stext)=9000000000220000,NUMBER(VMALLOC_START)=0xffff800082008000"
    fails 0 "$VMCORE" save -qf --vmlinux vmlinux dump saved
    ok "$VMCORE" info --print-vmcoreinfo saved
    assert_line "KERNELOFFSET=0"
    assert_equal "$(grep -c VMALLOC_START <<<"$output")" 1
    assert_equal "$(says dump 'd["displacement"], d["crash_command"]')" \
        "('0x0', 'vmcore save dump dump && crash vmlinux-6.12.0-test dump')"
}

# Where not all of a guest's CPUs are online, crash takes none of the notes of all.
@test "find: CPUs that were offline: said with a vmlinux, and how to tell crash" {
    local online hint="Where not all CPUs were online, as after a panic, it wants --cpus 2, too;"
    "$UNIT/make-vmlinux" --symbol _stext=9000000000220000 --symbol __num_online_cpus=9000000000280000 vmlinux
    for online in 0 1 2; do
        # 0x50000 away from where it was linked.
        guest dump --plant "note@0x300000:SYMBOL(_stext)=9000000000270000" --write "0x2d0000:\\x0$online\\x00\\x00\\x00"
        fails 0 "$VMCORE" info --vmlinux vmlinux dump
        if [ $online -eq 1 ]; then
            assert_line --partial "crash --kaslr 0x50000 --cpus 2 vmlinux-6.12.0-test dump"
            assert_regex "$stderr" "dump: 1 of 2 CPUs were online; crash shows their registers only with --cpus 2"
        else
            assert_line --partial "crash --kaslr 0x50000 vmlinux-6.12.0-test dump"
            [[ $stderr != *online* ]]
        fi
        if [ $online -eq 0 ]; then assert_line --partial "$hint"; else refute_output --partial "$hint"; fi
    done
    fails 0 "$VMCORE" info dump
    assert_line --partial "$hint"
    # It is in what is saved, too, with all CPUs' notes in their order.
    guest dump --plant "note@0x300000:SYMBOL(_stext)=9000000000270000" --write '0x2d0000:\x01\x00\x00\x00'
    guest text --format registers
    fails 0 "$VMCORE" save -q --registers text dump saved
    fails 0 "$VMCORE" info --json --vmlinux vmlinux saved
    assert_equal "$(/usr/bin/python3 -c 'import json, sys; d = json.load(sys.stdin); print(d["cpus_online"], d["crash_command"], [c["era"] for c in d["cpus"]])' <<<"$output")" \
        "1 crash --kaslr 0x50000 --cpus 2 vmlinux-6.12.0-test saved ['0x9000000000200100', '0x9000000000200200']"
    # A kernel's own dump has those of the CPUs that were online.
    ok "$VMCORE" info whole
    refute_output --partial "--cpus"
}

@test "find: the displacement without VMCOREINFO: where the kernel keeps its own" {
    # reloc_offset and the banner of a kernel moved by 0x50000; of the place it
    # came from, the variable is left.
    "$UNIT/make-vmlinux" --symbol reloc_offset=9000000000280000 --symbol linux_banner=9000000000281000 vmlinux
    guest dump --write '0x280000:\x00\x00\x07\x00\x00\x00\x00\x00' \
        --write '0x2d0000:\x00\x00\x05\x00\x00\x00\x00\x00' --write '0x2d1000:Linux version 6.12.0-test'
    fails 0 "$VMCORE" info --vmlinux vmlinux dump
    assert_line "Displacement: 0x50000 (reloc_offset in memory)"
    guest dump --write '0x280000:\x00\x00\x00\x00\x00\x00\x00\x00' --write '0x281000:Linux version 6.12.0-test'
    fails 0 "$VMCORE" info --vmlinux vmlinux dump
    assert_line "Displacement: none (reloc_offset in memory)"
}

@test "find: of another kernel than the vmlinux: said first" {
    guest dump --plant note@0x300000
    "$UNIT/make-vmlinux" --build-id 1234 vmlinux
    fails 2 "$VMCORE" info --vmlinux vmlinux dump
    same "$stderr" "vmcore: --vmlinux: vmlinux has BUILD-ID 1234, the kernel in the dump (6.12.0-test) has 00112233445566778899aabbccddeeff00112233"
}

@test "find: two kernels in memory: the vmlinux chooses" {
    guest dump --plant note@0x300000 --copy 0x201000+0x1000@0x80101000 \
        --plant "note@0x80200000:SYMBOL(init_uts_ns)=9000000080101000,SYMBOL(_stext)=9000000080100000,BUILD-ID=1234"
    "$UNIT/make-vmlinux" --build-id 1234 vmlinux
    fails 0 "$VMCORE" info --vmlinux vmlinux --json dump
    assert_line --partial '"vmcoreinfo_found":"0x80200018"'
}

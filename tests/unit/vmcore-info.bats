# vmcore info: what it says of a dump, as text and as JSON.

setup() {
    load common
    load vmcore
    cd "$BATS_TEST_TMPDIR" || exit 1
}

json() {
    /usr/bin/python3 -c 'import json, sys; print(eval(sys.argv[1], {"d": json.load(sys.stdin)}))' "$1" <<<"$output"
}

@test "info: an ELF vmcore on one screen" {
    make_vmcore raw
    ok "$VMCORE" info raw
    same "$output" "$(cat "$DATA/vmcore/info-elf.txt")"
}

@test "info: a dump of ours needs no -p" {
    make_vmcore raw
    ok "$VMCORE" save -q raw dump
    ok "$VMCORE" info dump
    assert_line "Format:       kdump-compressed"
    assert_line "To open it:   crash vmlinux-6.12.0-test dump"
    assert_line "Panic:        Kernel panic - not syncing: synthetic crash"
}

@test "info: the command can be given to a shell, whatever the file is called" {
    local name="a dump; of 'today'"
    make_vmcore raw
    mv raw "$name"
    ok "$VMCORE" info --json "$name"
    eval "set -- $(json 'd["crash_command"]')"
    same "$*" "crash -p 16384 vmlinux-6.12.0-test $name"
    same "$#" 5
}

@test "info: JSON" {
    make_vmcore raw --page-size 64K
    ok "$VMCORE" info --json raw
    [ "$(json 'd["release"], d["page_size"], d["crash_time"], d["complete"]')" = "('6.12.0-test', 65536, 1795000000, True)" ]
    [ "$(json '[r["start"] for r in d["memory"]], d["memory_bytes"], d["pages"]')" = "(['0x200000', '0x80000000'], 8388608, 128)" ]
    [ "$(json 'len(d["cpus"]), d["cpus"][1]["pid"], d["cpus"][1]["era"]')" = "(2, 101, '0x9000000000210001')" ]
    [ "$(json 'd["panic"]')" = "Kernel panic - not syncing: synthetic crash" ]
    [ "$(json 'd["crash_command"]')" = "crash -p 65536 vmlinux-6.12.0-test raw" ]
}

@test "info: what is not known is null, and why stands in the warnings" {
    make_vmcore raw --no-notes
    ok "$VMCORE" info --json raw
    [ "$(json 'd["release"], d["build_id"], d["crash_time"], d["panic"], d["registers_from"], d["page_size_known"]')" = \
        "(None, None, None, None, None, False)" ]
    [ "$(json 'len(d["warnings"])')" = 2 ]
}

@test "info: a cut file is said to be, and exits 3" {
    make_vmcore raw
    truncate -s -1M raw
    fails 3 "$VMCORE" info raw
    assert_line "Missing:      1 MiB that the headers speak of"
    fails 3 "$VMCORE" info --json raw
    [ "$(json 'd["complete"], d["missing_bytes"]')" = "(False, 1048576)" ]
}

@test "info: the plainest of several last words wins" {
    printf '1.0 Unable to handle kernel paging request\n2.0 Oops[#1]:\n3.0 Kernel panic - not syncing: Fatal\n' >log
    make_vmcore raw --log log
    ok "$VMCORE" info raw
    assert_line "Panic:        Kernel panic - not syncing: Fatal"
    printf '1.0 CPU 0 Unable to handle kernel paging request\n2.0 Oops[#1]:\n' >log
    make_vmcore raw --log log
    ok "$VMCORE" info raw
    assert_line "Panic:        Oops[#1]:"
}

@test "info: a hostile panic line cannot steer the terminal" {
    printf '1.0 Kernel panic - not syncing: \\x1b[2J\\nsecond\n' >log
    make_vmcore raw --log log
    ok "$VMCORE" info raw
    assert_line "Panic:        Kernel panic - not syncing: ?[2J"
}

# foreign NAME: a dump whose host, release and log are not text.
foreign() {
    make_vmcore "$1"
    sed -i -e 's/#1 SMP synthetic/\x1b[2J\xff\xc3\xbc syntheti/' -e 's/testhost/te\x9b\xfem\x07ts/' \
        -e 's/6\.12\.0-test/6.12\xff0-\x1b[1m/' "$1"
}

@test "info: nothing out of a dump reaches the terminal as it is" {
    foreign raw
    local command
    for command in "info raw" "check raw" "info --vmlinux raw raw" "check --vmlinux raw raw"; do
        # shellcheck disable=SC2086
        run "$VMCORE" $command
        [ "$status" -le 3 ]
        refute_output --partial $'\e'
        refute_output --partial $'\a'
        refute_output --partial $'\x9b'
    done
    ok "$VMCORE" info raw
    assert_line "Kernel:       6.12?0-?[1m"
    assert_line "Version:      ?[2J?ü syntheti"
    assert_line "Host:         te??m?ts"
}

@test "info, check, save: JSON is JSON, whatever the dump and the files are called" {
    foreign raw
    local name=$'na\xffme \e[1m \xc3\xbc' dump=$'du\xfemp'
    mv raw "$name"
    local command
    for command in info check save; do
        local operands=("$name")
        [ "$command" != save ] || operands+=("$dump")
        run --separate-stderr "$VMCORE" "$command" --json "${operands[@]}"
        [ "$status" -eq 0 ] || [ "$status" -eq 3 ]
        [ "$(json 'd.get("file", d.get("source"))')" = $'na?me \e[1m \xc3\xbc' ]
    done
    [ "$(json 'd["files"]')" = "['du?mp']" ]
}

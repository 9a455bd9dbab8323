#!/usr/bin/env bats
# Every fuzz target, for a few seconds, always from the same seeds and the same
# random number: what it finds it finds again. `tests/run fuzz` is the longer
# search. $FUZZ_SECONDS says how long a target may take, $FUZZ_RUNS how many
# inputs it may try (-1: any), $FUZZ_CORPUS where inputs are kept.

load ../unit/common

setup_file() {
    [ -x "$BUILD/tests/fuzz/fuzz-image" ] || skip "no fuzz targets in this build"
    export FUZZ_SEEDS=$BATS_FILE_TMPDIR/seeds LOONGDUMP_BUILD=$BUILD
    "$TOP/tests/fuzz/seeds" "$FUZZ_SEEDS"
}

fuzz() { # TARGET
    local corpus=${FUZZ_CORPUS:-$BATS_TEST_TMPDIR}/$1
    mkdir -p "$corpus"
    run "$TOP/tests/fuzz/fuzz" "$1" "$corpus" -seed="${FUZZ_RANDOM:-1}" -runs="${FUZZ_RUNS:-20000}" \
        -max_total_time="${FUZZ_SECONDS:-8}" "$FUZZ_SEEDS/$1"
    if [ "$status" -ne 0 ]; then
        # A test's directory does not outlive it; the input must.
        mkdir -p "$BUILD/fuzz-failed"
        mv "$corpus".failed-* "$BUILD/fuzz-failed/" 2>/dev/null
        printf '%s\n' "$output" | grep -v -e '^#[0-9]' -e '^NEW_FUNC' | tail -n 40
        fail "fuzz-$1 failed; the input is in $BUILD/fuzz-failed"
    fi
    [[ $output =~ number_of_executed_units:\ *([0-9]+) ]] && [ "${BASH_REMATCH[1]}" -gt 100 ] ||
        fail "fuzz-$1 tried hardly anything: $output"
    [ -z "${FUZZ_SECONDS-}" ] || printf '# %s: %d inputs\n' "$1" "${BASH_REMATCH[1]}" >&3
}

@test "fuzz: command lines" {
    fuzz cmdline
}

@test "fuzz: dumps of every format that is read" {
    fuzz dump
}

@test "fuzz: core files and notes" {
    fuzz elfcore
}

@test "fuzz: records of flattened files, read and rebuilt" {
    fuzz flat
}

@test "fuzz: kernel images of any kind, packed or not" {
    fuzz image
}

@test "fuzz: zboot images" {
    fuzz zboot
}

@test "fuzz: PE images" {
    fuzz pe
}

@test "fuzz: ELF images" {
    fuzz elf
}

@test "fuzz: /proc/iomem" {
    fuzz iomem
}

@test "fuzz: kdump-compressed headers, bitmaps and descriptors" {
    fuzz kdump
}

@test "fuzz: migration streams" {
    fuzz stream
}

@test "fuzz: mapped-ram files" {
    fuzz mapped
}

@test "fuzz: save images" {
    fuzz saved
}

@test "fuzz: what an sftp server says" {
    fuzz sftp
}

@test "fuzz: the text of info registers" {
    fuzz registers
}

@test "fuzz: types of pages and lists of free ones" {
    fuzz pages
}

@test "fuzz: the index of pages, beside an array" {
    fuzz index
}

@test "fuzz: compressed streams" {
    fuzz unpack
}

@test "fuzz: VMCOREINFO" {
    fuzz vmcoreinfo
}

@test "every fuzz target has its test here" {
    same "$(sed -n 's/^    fuzz \([a-z]*\)$/\1/p' "$BATS_TEST_FILENAME" | sort)" \
        "$(cd "$TOP/tests/fuzz" && printf '%s\n' fuzz-*.c | sed 's/^fuzz-\(.*\)\.c$/\1/')"
}

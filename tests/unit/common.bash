# Shared by the unit and the machine tests. Loaded by `load common`.
#
#   ok CMD...             must exit 0 and say nothing on stderr; stdout is in $output
#   fails STATUS CMD...   must exit with STATUS; stdout in $output, stderr in $stderr
#   same ACTUAL EXPECTED  two texts are equal, with a diff when they are not
#   eventually TEXT       a condition that is true within some seconds
#   rows FILE             a data table without comments and empty lines
#
# $KEXEC $VMCORE $PROBE $PROBE_KEXEC are the programs under test, $DATA is
# tests/data, $UNIT is tests/unit.

bats_require_minimum_version 1.5.0
bats_load_library bats-support
bats_load_library bats-assert

export LC_ALL=C
unset CDPATH
TOP=$(cd "$BATS_TEST_DIRNAME/../.." && pwd)
BUILD=${LOONGDUMP_BUILD:-$TOP}
UNIT=$TOP/tests/unit
DATA=$TOP/tests/data
KEXEC=$BUILD/kexec/kexec
VMCORE=$BUILD/makedumpfile-glue/vmcore
PROBE=$BUILD/tests/unit/probe
PROBE_KEXEC=$BUILD/tests/unit/probe-kexec

ok() {
    run --separate-stderr "$@"
    if [ "$status" -ne 0 ] || [ -n "$stderr" ]; then
        printf 'command: %s\nexit: %s\nstdout: %s\nstderr: %s\n' \
            "$*" "$status" "$output" "$stderr" | fail
    fi
}

fails() {
    local expected=$1
    shift
    run --separate-stderr "$@"
    if [ "$status" -ne "$expected" ]; then
        printf 'command: %s\nexit: %s, expected %s\nstdout: %s\nstderr: %s\n' \
            "$*" "$status" "$expected" "$output" "$stderr" | fail
    fi
}

same() {
    diff -u --label expected --label actual <(printf '%s\n' "$2") <(printf '%s\n' "$1") ||
        fail "the texts differ (above)"
}

eventually() { # TEXT
    local tries
    for ((tries = 0; tries < 200; tries++)); do
        ! eval "$1" || return 0
        sleep 0.1
    done
    return 1
}

rows() {
    grep -v -e '^#' -e '^$' "$1"
}

# True when the programs were built with a sanitizer: memory figures then
# say nothing about the program.
sanitized() {
    nm "$1" 2>/dev/null | grep -q __asan_init
}

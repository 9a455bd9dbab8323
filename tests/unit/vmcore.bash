# Shared by vmcore-*.bats. Loaded after common.

# make_vmcore NAME [OPTION]...: a synthetic vmcore in $BATS_TEST_TMPDIR, where
# all tests here work.
make_vmcore() {
    local name=$1
    shift
    "$UNIT/make-vmcore" "$@" "$name"
}

# pages_equal RAW DUMP [OPTION]...: the independent reader finds nothing wrong.
pages_equal() {
    ok "$UNIT/compare-dump" "$@"
}

# field FILE OFFSET WIDTH: an unsigned little-endian number in FILE.
field() {
    od -An -t "u$3" -j "$2" -N "$3" "$1" | tr -d ' '
}

# failing_disk: builds the preload library and puts it into $FAILING_DISK.
failing_disk() {
    command -v cc >/dev/null || skip "no C compiler"
    ldd "$VMCORE" >/dev/null 2>&1 || skip "vmcore is linked statically"
    FAILING_DISK=$BATS_FILE_TMPDIR/failing-disk.so
    [ -f "$FAILING_DISK" ] ||
        cc -shared -fPIC -o "$FAILING_DISK" "$UNIT/vmcore-preload.c" -ldl
}

# on_failing_disk SETTING... CMD...: SETTINGs are NAME=VALUE.
on_failing_disk() {
    env ASAN_OPTIONS="${ASAN_OPTIONS:-}:verify_asan_link_order=0" \
        LD_PRELOAD="$FAILING_DISK" "$@"
}

#!/usr/bin/env bats
# The house itself: it builds without a warning, packs, installs, uninstalls.

load ../unit/common

configure_and_make() { # DIR ARGUMENT...: in DIR, warnings are errors
    local dir=$1
    shift
    mkdir -p "$dir"
    (cd "$dir" && "$TOP/configure" -q "$@" && make -s -j"$(nproc)" all &&
        make -s -j"$(nproc)" check-programs) \
        >"$dir.log" 2>&1 || {
        tail -n 40 "$dir.log"
        fail "the build failed"
    }
}

@test "gcc builds everything without a warning" {
    configure_and_make "$BATS_TEST_TMPDIR/gcc" CC=gcc "CFLAGS=-O2 -Werror"
    assert [ -x "$BATS_TEST_TMPDIR/gcc/kexec/kexec" ]
    assert [ -x "$BATS_TEST_TMPDIR/gcc/makedumpfile-glue/vmcore" ]
}

@test "clang builds everything without a warning" {
    configure_and_make "$BATS_TEST_TMPDIR/clang" CC=clang "CFLAGS=-O2 -Werror"
}

@test "gcc's static analyser has nothing to say about lib/" {
    local file
    for file in "$TOP"/lib/*.c; do
        ok gcc -std=gnu11 -D_GNU_SOURCE -I"$TOP" -I"$BUILD" -O1 -fanalyzer -Werror -c "$file" -o /dev/null
    done
}

@test "without libdeflate it builds too, and zlib does the work" {
    configure_and_make "$BATS_TEST_TMPDIR/zlib" --without-libdeflate "CFLAGS=-O1 -Werror"
    ok "$BATS_TEST_TMPDIR/zlib/makedumpfile-glue/vmcore" --version
    refute_output --regexp "libdeflate [0-9]"
}

@test "make dist: the tarball builds by itself, installs the listed files, and uninstalls them all" {
    local dir=$BATS_TEST_TMPDIR tree=$BATS_TEST_TMPDIR/tree
    mkdir "$dir/pack" "$dir/build"
    (cd "$dir/pack" && "$TOP/configure" -q && make -s dist) >"$dir/log" 2>&1 ||
        fail "make dist: $(tail -n 20 "$dir/log")"
    tar -xf "$dir"/pack/loongdump-*.tar.xz -C "$dir"
    (cd "$dir/build" && ../loongdump-*/configure -q --prefix=/usr --sysconfdir=/etc && make -s -j"$(nproc)" &&
        make -s install DESTDIR="$tree") >"$dir/log" 2>&1 ||
        fail "building the tarball: $(tail -n 20 "$dir/log")"
    same "$(cd "$tree" && find . -type f -o -type l | sort)" "$(rows "$DATA/house/installed.list")"
    (cd "$dir/build" && make -s uninstall DESTDIR="$tree") >"$dir/log" 2>&1 ||
        fail "make uninstall: $(tail -n 20 "$dir/log")"
    same "$(find "$tree" -type f -o -type l)" ""
}

@test "the tarball holds what git holds" {
    git -C "$TOP" rev-parse HEAD >/dev/null 2>&1 || skip "not a git checkout"
    local dir=$BATS_TEST_TMPDIR missing
    mkdir "$dir/pack"
    (cd "$dir/pack" && "$TOP/configure" -q && make -s dist) >"$dir/log" 2>&1
    tar -tf "$dir"/pack/loongdump-*.tar.xz | sed 's|^[^/]*/||' | sort >"$dir/packed"
    git -C "$TOP" ls-files | grep -v -x -e .gitignore | sort >"$dir/tracked"
    missing=$(comm -13 "$dir/packed" "$dir/tracked")
    same "$missing" ""
}

@test "man pages have no formatting errors" {
    local page count=0
    command -v man >/dev/null || skip "man is not here"
    for page in "$TOP"/kexec/*.[158] "$TOP"/makedumpfile-glue/*.[158] \
        "$TOP"/kdumpctl/*.[158]; do
        LC_ALL=C.UTF-8 ok man --warnings -E UTF-8 -l -Tutf8 -Z "$page"
        count=$((count + 1))
    done
    assert [ "$count" -ge 4 ]
}

#!/usr/bin/env bats
# The packages of loongarch64, made by the cross compiler: `make rpm CROSS=`. No
# guest is needed; the programs run in an emulator of the processor alone.

load machine

# The chroot's tools by the names that a cross compiler's have here.
tools() { # DIR
    local tool sysroot
    sysroot=$(lab path sysroot)
    mkdir "$1"
    for tool in "gcc --sysroot=$sysroot" ar ranlib strip objcopy objdump nm; do
        printf '#!/bin/sh\nexec "%s" enter /usr/bin/loongarch64-linux-gnu-%s "$@"\n' \
            "$TOP/tests/machine/lab/lab" "$tool" >"$1/loongarch64-linux-gnu-${tool%% *}"
    done
    chmod +x "$1"/*
}

setup_file() {
    local sysroot
    command -v rpmbuild >/dev/null || skip "rpmbuild is not installed (tests/run check installs it)"
    sysroot=$(lab path sysroot)
    tools "$BATS_FILE_TMPDIR/bin"
    mkdir "$BATS_FILE_TMPDIR/build" "$BATS_FILE_TMPDIR/root"
    cd "$BATS_FILE_TMPDIR/build" || return 1
    if ! {
        "$TOP/configure" -q --prefix=/usr &&
            PATH=$BATS_FILE_TMPDIR/bin:$PATH \
                make -s rpm CROSS=loongarch64-linux-gnu RPMFLAGS="--define 'optflags -O1'" \
                PKG_CONFIG_LIBDIR="$sysroot/usr/lib/loongarch64-linux-gnu/pkgconfig:$sysroot/usr/share/pkgconfig" \
                PKG_CONFIG_SYSROOT_DIR="$sysroot"
    } >"$BATS_FILE_TMPDIR/log" 2>&1; then
        tail -n 30 "$BATS_FILE_TMPDIR/log"
        return 1
    fi
    cd "$BATS_FILE_TMPDIR/root" || return 1
    for package in kexec vmcore; do
        rpm2cpio ../build/rpm/RPMS/loongarch64/loongdump-$package-*.rpm | cpio -idm --quiet
    done
}

setup() {
    RPMS=$BATS_FILE_TMPDIR/build/rpm/RPMS/loongarch64
    ROOT=$BATS_FILE_TMPDIR/root
}

@test "rpm: the five packages, of loongarch64" {
    run rpm -qp --qf '%{NAME} %{ARCH}\n' "$RPMS"/*.rpm
    assert_output "loongdump loongarch64
loongdump-dracut loongarch64
loongdump-kdumpctl loongarch64
loongdump-kexec loongarch64
loongdump-vmcore loongarch64"
}

@test "rpm: on loongarch64 kexec is kexec, and the programs are that machine's and run" {
    for program in usr/sbin/kexec usr/bin/vmcore; do
        assert_regex "$(readelf -h "$ROOT/$program")" "Machine: +LoongArch"
        run lab enter qemu-loongarch64 -L "$(lab path sysroot)" "$ROOT/$program" --version
        assert_success
        assert_line --regexp "^${program##*/} \(loongdump\) "
    done
    run rpm -qp --provides "$RPMS"/loongdump-kexec-*.rpm
    assert_line --regexp "^kexec-tools = "
}

# For the tests of the packages: building them, and roots to put them into.

# As fast as it goes, side by side: what the programs do is tested elsewhere.
#   start_build NAME COMMAND...   in the background; its log is $WORK/NAME.log
#   await_builds                  fails, with the log's end, when one did
start_build() {
    local name=$1
    shift
    # bats waits for whoever has its descriptor 3.
    (
        set -e
        mkdir "$WORK/$name"
        cd "$WORK/$name"
        "$TOP/configure" -q --prefix=/usr
        "$@"
    ) >"$WORK/$name.log" 2>&1 </dev/null 3>&- &
    builds+=("$name:$!")
}

await_builds() {
    local build
    for build in "${builds[@]}"; do
        wait "${build#*:}" || {
            tail -n 30 "$WORK/${build%:*}.log"
            fail "the build of ${build%:*} failed"
        }
    done
    builds=()
}

build_rpm() { # RPMFLAGS
    make -s rpm RPMFLAGS="--define 'optflags -O0' $1"
}

build_deb() {
    make -s deb DEB_BUILD_OPTIONS="noopt noautodbgsym"
}

# Debian's packages of loong64, but with programs for this machine: its compiler
# and tools stand in for those.
build_loong64() {
    local tool
    mkdir bin
    for tool in objdump objcopy strip; do
        ln -s "$(command -v $tool)" "bin/loongarch64-linux-gnu-$tool"
    done
    PATH=$PWD/bin:$PATH CC=gcc PKG_CONFIG=pkg-config \
        make -s deb DEB_BUILD_OPTIONS="noopt noautodbgsym" DEBFLAGS="-d -aloong64"
}

# What packages bring, but for directories, licenses and documentation.
rpm_files() {
    local package
    for package in "$@"; do
        rpm -qp --qf '[%{FILEMODES:perms} .%{FILENAMES}\n]' "$package"
    done | sed -E -e '/^d/d' -e 's/^[^ ]* //' -e '\,^\./usr/share/(doc|licenses)/,d' \
        -e '\,^\./usr/lib/\.build-id/,d'
}

deb_files() {
    local package
    for package in "$@"; do
        dpkg-deb --fsys-tarfile "$package" | tar -t
    done | sed -E -e '/\/$/d' -e '\,^\./usr/share/(doc|lintian)/,d' -e 's/ .*//'
}

# Sorted, and manual pages by the names they have before they are compressed.
one_list() {
    sed 's|^\(\./usr/share/man/.*\)\.gz$|\1|' | sort
}

# scratch_root DIR: enough of a system for scriptlets. Its systemctl writes down
# what it is told, and knows whether kdump.service is enabled.
scratch_root() {
    local root=$1 file
    mkdir -p "$root"/usr/bin "$root/run/systemd/system" "$root/etc" "$root/dev" "$root/var/lib/dpkg"
    : >"$root/dev/null"
    ln -s usr/bin "$root/bin"
    cp "$(command -v busybox)" "$root/usr/bin/"
    for file in $(ldd "$root/usr/bin/busybox" | grep -o '/[^ ]*'); do
        mkdir -p "$root${file%/*}"
        cp "$file" "$root$file"
    done
    for file in sh touch rm mkdir rmdir; do
        ln -s busybox "$root/usr/bin/$file"
    done
    cat >"$root/usr/bin/systemctl" <<'STUB'
#!/bin/sh
echo "${0##*/} $*" >>/run/log
case "$*" in
debian-installed*) exit 1 ;; # deb-systemd-helper has not heard of it
*is-enabled*) [ -e /run/enabled ] ;;
*enable\ * | *preset\ *) touch /run/enabled ;;
*disable\ *) rm -f /run/enabled ;;
esac
STUB
    chmod 755 "$root/usr/bin/systemctl"
    ln -s systemctl "$root/usr/bin/systemd-run"
    ln -s systemctl "$root/usr/bin/deb-systemd-helper"
    ln -s systemctl "$root/usr/bin/deb-systemd-invoke"
    rpm --root "$root" --initdb
    : >"$root/var/lib/dpkg/status"
}

# Without dependencies: the root has nothing but what is above. Debian's rpm
# wants to be told that it knows what it does.
into() { # ROOT ARGUMENT... of rpm
    ok rpm --root "$1" --force-debian --nodeps "${@:2}"
}

build_old() {
    rpmbuild -bb --define "_topdir $PWD/rpm" --define "data $DATA/kdumpctl" "$DATA/house/kexec-tools-2.0.26.old"
}

# Release 2 of the same build, with another default in every configuration file.
build_next() { # NAME of the first build
    local built
    built=$(echo "$WORK/$1"/rpm/BUILDROOT/*)
    tar -xf "$WORK/$1"/loongdump-*.tar.xz -C "$WORK/$1/rpm/BUILD"
    cp -a "$built" "${built/-1./-1.next.}"
    for file in "${built/-1./-1.next.}"/etc/kdump.conf "${built/-1./-1.next.}"/etc/sysconfig/kdump; do
        [ ! -e "$file" ] || echo "# The next release's." >>"$file"
    done
    rpmbuild -bb --short-circuit --noclean --with dropin --nodeps --define "dist .next" \
        --define "_topdir $WORK/$1/rpm" --define "_rpmdir $WORK/next" "$WORK/$1/rpm/loongdump.spec"
}

# everything_in ROOT: its files, but for rpm's own.
everything_in() {
    (cd "$1" && find . ! -type d ! -path './var/lib/rpm/*' ! -path './usr/lib/sysimage/*' |
        sed 's/^\.//' | sort)
}

# Sourced by tests/run: what must be on this machine, and the builds.
#
#   need_packages PACKAGE...   install what is missing (Debian, root)
#   need_servers               the servers that the machine tests start themselves
#   need_fuzzer                clang and what its -fsanitize=fuzzer links with
#   build_native FLAVOUR       prints nothing; the result is in $top/build/FLAVOUR
#
# Expects: $top (the checkout), $cache, say, die.
# shellcheck shell=sh disable=SC2154,SC2034

# Debian packages for the build and the unit tests.
unit_packages="gcc make autoconf automake pkg-config libc6-dev
zlib1g-dev liblzma-dev libzstd-dev libjson-c-dev libelf-dev libdeflate-dev libbz2-dev liblz4-dev liblzo2-dev libsnappy-dev
bats bats-assert bats-support parallel shellcheck python3 binutils
gzip xz-utils zstd bzip2 lz4 lzop busybox dash locales strace openssh-sftp-server"

# Compilers and sanitizer runtimes for the whole suite.
check_packages="clang rpm rpmlint debhelper lintian"

# Servers of logins, file systems and disks, for the captures that go to one.
server_packages="openssh-server openssh-client nfs-ganesha nfs-ganesha-vfs tgt"

is_installed() {
    case $(dpkg-query -W -f '${db:Status-Status}' "$1" 2>/dev/null) in
    installed) return 0 ;;
    *) return 1 ;;
    esac
}

need_packages() {
    missing=
    for package in "$@"; do
        is_installed "$package" || missing="$missing $package"
    done
    [ -n "$missing" ] || return 0
    command -v apt-get >/dev/null ||
        die "this machine has no apt-get; install by hand what these Debian packages hold:$missing"
    [ "$(id -u)" -eq 0 ] ||
        die "these packages are missing, and only root can install them:$missing"
    say "installing:$missing"
    mkdir -p "$cache/log"
    log=$cache/log/packages.log
    # shellcheck disable=SC2086  # a list of words
    if ! { apt-get update && DEBIAN_FRONTEND=noninteractive apt-get install -y --no-install-recommends $missing; } >"$log" 2>&1; then
        tail -n 20 "$log" >&2
        die "apt-get failed; the whole log is $log"
    fi
}

# Installing them starts nothing, on a machine where a server of that kind may be the
# administrator's business.
need_servers() (
    if [ ! -e /usr/sbin/policy-rc.d ] && [ "$(id -u)" -eq 0 ]; then
        trap 'rm -f /usr/sbin/policy-rc.d' EXIT
        trap 'exit 1' HUP INT TERM
        printf '#!/bin/sh\nexit 101\n' >/usr/sbin/policy-rc.d
        chmod 755 /usr/sbin/policy-rc.d
    fi
    # shellcheck disable=SC2086  # a list of words
    need_packages $server_packages
)

# The fuzzer's runtime belongs to one version of clang, and so does its package.
need_fuzzer() {
    need_packages clang
    need_packages "libclang-rt-$(clang -dumpversion | cut -d . -f 1)-dev"
}

# FLAVOUR: what it is for. Warnings are errors in every one.
#   plain      gcc -O2: what is measured and what the machine tests use
#   sanitized  gcc with address and undefined-behaviour sanitizers: unit tests
#   clang      a second opinion on the code
#   fuzz       clang with its fuzzer and both sanitizers: the fuzz targets
build_native() {
    flavour=$1
    dir=$top/build/$flavour
    targets="all check-programs"
    case $flavour in
    plain) set -- CC=gcc "CFLAGS=-g -O2 -Werror" ;;
    sanitized)
        set -- CC=gcc "CFLAGS=-g -O1 -Werror -fno-omit-frame-pointer -fsanitize=address,undefined -fno-sanitize-recover=undefined"
        ;;
    clang) set -- CC=clang "CFLAGS=-g -O2 -Werror" ;;
    fuzz)
        targets="all fuzzers"
        set -- CC=clang "CFLAGS=-g -O1 -Werror -fno-omit-frame-pointer -fsanitize=fuzzer-no-link,address,undefined -fno-sanitize-recover=undefined"
        ;;
    *) die "no build flavour '$flavour'" ;;
    esac
    mkdir -p "$dir"
    log=$dir/build.log
    if ! build_steps "$dir" "$@" >"$log" 2>&1; then
        tail -n 30 "$log" >&2
        die "the $flavour build failed; the whole log is $log"
    fi
}

build_steps() {
    dir=$1
    shift
    autotools_files || return 1
    if [ ! -e "$dir/Makefile" ]; then
        (cd "$dir" && "$top/configure" --prefix=/usr --sysconfdir=/etc "$@") || return 1
    fi
    # One after the other: each runs its own sub-make over the same objects.
    for target in $targets; do
        make -C "$dir" -j "$(nproc)" "$target" || return 1
    done
}

# configure is not in git. Once it is there, make's own rules keep it fresh.
autotools_files() {
    [ -e "$top/configure" ] && [ -e "$top/Makefile.in" ] && return 0
    (cd "$top" && autoreconf -fi)
}

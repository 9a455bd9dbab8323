#!/usr/bin/env bats
# rpm's and Debian's packages: what is in which, what they replace, and how they
# are installed, upgraded and removed in a root of their own. Each is built once;
# the set that loongarch64 gets has this machine's programs in it here.

load ../unit/common
load packages

setup_file() {
    export WORK=$BATS_FILE_TMPDIR
    export RPMS=$WORK/rpm-dropin/rpm/RPMS/x86_64 PLAIN=$WORK/rpm-plain/rpm/RPMS/x86_64
    export DEBS=$WORK/deb/deb LOONG64=$WORK/loong64/deb
    builds=()
    start_build rpm-dropin build_rpm "--with dropin --noclean"
    start_build loong64 build_loong64
    await_builds
    start_build rpm-plain build_rpm ""
    start_build deb build_deb
    start_build old build_old
    await_builds
    start_build next build_next rpm-dropin
    await_builds
    export OLD=$WORK/old/rpm/RPMS/noarch NEXT=$WORK/next/x86_64
}

@test "rpm: every installed file is in exactly one package" {
    # Debian's kernel packages have a place for hooks.
    same "$(rpm_files "$RPMS"/*.rpm | one_list)" "$(rows "$DATA/house/installed.list" | grep -v '^./etc/kernel/')"
}

@test "deb: every installed file is in exactly one package" {
    same "$(deb_files "$LOONG64"/*.deb | one_list)" "$(rows "$DATA/house/installed.list")"
}

@test "a program's manual page and completion are in the package of the program" {
    local kind package program count=0
    for kind in rpm deb; do
        for package in "$RPMS"/*."$kind" "$LOONG64"/*."$kind"; do
            [ -e "$package" ] || continue
            "${kind}_files" "$package" >"$BATS_TEST_TMPDIR/files"
            for program in $(sed -n 's|^\./usr/s\?bin/||p' "$BATS_TEST_TMPDIR/files"); do
                case $program in makedumpfile | kdumpctl) continue ;; esac
                grep -q "^\./usr/share/man/man[18]/$program\.[18]" "$BATS_TEST_TMPDIR/files" ||
                    fail "$program has no manual page in ${package##*/}"
                grep -qx "\./usr/share/bash-completion/completions/$program" "$BATS_TEST_TMPDIR/files" ||
                    fail "$program has no completion in ${package##*/}"
                count=$((count + 1))
            done
        done
    done
    assert [ "$count" -eq 4 ]
}

@test "on other machines: two programs, by names that no other package has" {
    local files="./usr/bin/vmcore
./usr/sbin/loongdump-kexec
./usr/share/bash-completion/completions/loongdump-kexec
./usr/share/bash-completion/completions/vmcore
./usr/share/man/man1/vmcore.1
./usr/share/man/man8/loongdump-kexec.8"
    same "$(rpm_files "$PLAIN"/*.rpm | one_list)" "$files"
    same "$(deb_files "$DEBS"/*_amd64.deb | one_list)" "$files"
    local package
    for package in "$PLAIN"/*.rpm; do
        same "$(rpm -qp --obsoletes --conflicts "$package")" ""
        same "$(rpm -qp --provides "$package" | grep -v '^loongdump')" ""
    done
    for package in "$DEBS"/*_amd64.deb; do
        same "$(dpkg-deb -f "$package" Conflicts Replaces Provides)" ""
    done
}

@test "rpm: on loongarch64 each package replaces what openEuler has in one" {
    local name obsoletes
    rpmspec() {
        command rpmspec -q --target loongarch64 "$@" "$WORK/rpm-dropin/rpm/loongdump.spec"
    }
    for name in kexec vmcore kdumpctl; do
        obsoletes=$(rpmspec --qf '%{NAME}:[ %{OBSOLETES}]\n' | grep "^loongdump-$name:")
        assert [ "${obsoletes#*kexec-tools}" != "$obsoletes" ]
    done
    same "$(rpmspec --qf '[%{=NAME} %{CONFLICTS}\n]' | sort)" "loongdump-kdumpctl kdump-utils
loongdump-kexec kexec-tools
loongdump-vmcore makedumpfile"
    unset -f rpmspec
}

@test "rpm: openEuler's kexec-tools is replaced; the edited configuration stays, the service stays enabled" {
    grep -qx ./etc/kdump.conf "$DATA/house/installed.list" || skip "kdump.conf is not installed yet"
    local root=$BATS_TEST_TMPDIR/root
    scratch_root "$root"
    into "$root" -i "$OLD"/*.rpm
    echo "path /srv/dumps" >>"$root/etc/kdump.conf"
    touch "$root/run/enabled"
    run rpm --root "$root" --force-debian --nodeps -U "$RPMS"/*.rpm
    assert_success
    assert_output "warning: /etc/kdump.conf created as /etc/kdump.conf.rpmnew"
    same "$(rpm --root "$root" -qa --qf '%{NAME}\n' | sort)" "loongdump
loongdump-dracut
loongdump-kdumpctl
loongdump-kexec
loongdump-vmcore"
    assert [ ! -e "$root/usr/bin/kdumpctl" ]
    ok grep -x "path /srv/dumps" "$root/etc/kdump.conf"
    # The sysconfig that nobody edited is ours now.
    fails 1 grep 'KDUMP_IMG="vmlinux"' "$root/etc/sysconfig/kdump"
    assert [ -e "$root/run/enabled" ]
    same "$(tail -n 2 "$root/run/log")" "systemctl daemon-reload
systemctl --no-block restart kdump.service"
    ok rpm --root "$root" --nodeps -V loongdump-kexec loongdump-vmcore loongdump-dracut
}

@test "rpm: a service that was off stays off when kexec-tools is replaced" {
    local root=$BATS_TEST_TMPDIR/root
    scratch_root "$root"
    into "$root" -i "$OLD"/*.rpm
    into "$root" -U "$RPMS"/*.rpm
    assert [ ! -e "$root/run/enabled" ]
    same "$(ls "$root/run")" "log
systemd"
}

@test "rpm: an upgrade keeps an edited configuration, renews one that is not, and loads again" {
    grep -qx ./etc/kdump.conf "$DATA/house/installed.list" || skip "kdump.conf is not installed yet"
    local root=$BATS_TEST_TMPDIR/root
    scratch_root "$root"
    into "$root" -i "$RPMS"/*.rpm
    same "$(cat "$root/run/log")" "systemctl --no-reload preset kdump.service
systemctl daemon-reload
systemd-run --quiet --collect --no-block /usr/sbin/kdumpctl condrestart"
    assert [ -e "$root/run/enabled" ]
    echo "path /srv/dumps" >>"$root/etc/kdump.conf"
    rm "$root/run/log"
    run rpm --root "$root" --force-debian --nodeps -U "$NEXT"/*.rpm
    assert_success
    assert_output "warning: /etc/kdump.conf created as /etc/kdump.conf.rpmnew"
    ok grep -x "path /srv/dumps" "$root/etc/kdump.conf"
    ok grep -x "# The next release's." "$root/etc/sysconfig/kdump"
    fails 1 grep -e preset -e disable "$root/run/log"
    same "$(tail -n 1 "$root/run/log")" "systemd-run --quiet --collect --no-block /usr/sbin/kdumpctl condrestart"
}

@test "rpm: removal switches the service off; dumps and an edited configuration stay, nothing else" {
    grep -qx ./etc/kdump.conf "$DATA/house/installed.list" || skip "kdump.conf is not installed yet"
    local root=$BATS_TEST_TMPDIR/root
    scratch_root "$root"
    everything_in "$root" >"$BATS_TEST_TMPDIR/before"
    into "$root" -i "$RPMS"/*.rpm
    mkdir "$root/var/crash/host-2026-11-25-10:00:00"
    touch "$root/var/crash/host-2026-11-25-10:00:00/vmcore" "$root/run/enabled"
    mkdir -p "$root/boot"
    touch "$root"/boot/initramfs-{1,2}kdump.{img,manifest} "$root"/var/lib/kdump/{crash-test,last-dump,reported,initramfs-3kdump.img} \
        "$root/boot/initramfs-1.img"
    echo "path /srv/dumps" >>"$root/etc/kdump.conf"
    run rpm --root "$root" --force-debian --nodeps -e loongdump loongdump-kdumpctl loongdump-dracut loongdump-kexec loongdump-vmcore
    assert_success
    assert_output "warning: /etc/kdump.conf saved as /etc/kdump.conf.rpmsave"
    assert [ ! -e "$root/run/enabled" ]
    everything_in "$root" >"$BATS_TEST_TMPDIR/after"
    same "$(comm -13 "$BATS_TEST_TMPDIR/before" "$BATS_TEST_TMPDIR/after")" "/boot/initramfs-1.img
/etc/kdump.conf.rpmsave
/run/log
/var/crash/host-2026-11-25-10:00:00/vmcore"
    assert [ ! -e "$root/usr/lib/kdump" ]
    assert [ ! -e "$root/etc/kdump" ]
    assert [ ! -e "$root/var/lib/kdump" ]
}

@test "rpm: no scriptlet fails when systemctl does, is missing, or nothing can be written" {
    local root=$BATS_TEST_TMPDIR/root
    scratch_root "$root"
    local all="loongdump loongdump-kdumpctl loongdump-dracut loongdump-kexec loongdump-vmcore"
    printf '#!/bin/sh\necho complaint >&2\nexit 1\n' >"$root/usr/bin/systemctl"
    into "$root" -i "$RPMS"/*.rpm
    into "$root" -U "$NEXT"/*.rpm
    rm "$root/usr/bin/systemctl"
    into "$root" -U --oldpackage "$RPMS"/*.rpm
    # shellcheck disable=SC2086  # a list
    into "$root" -e $all
    rm -r "$root/run"
    printf '#!/bin/sh\n' >"$root/usr/bin/systemctl"
    chmod 755 "$root/usr/bin/systemctl"
    into "$root" -i "$RPMS"/*.rpm
    rm "$root/bin/rm" "$root/bin/touch"
    into "$root" -U "$NEXT"/*.rpm
    # shellcheck disable=SC2086
    into "$root" -e $all
}

@test "rpm: rpmlint has nothing to say that is not explained" {
    run rpmlint -r "$TOP/rpm/loongdump.rpmlintrc" "$RPMS"/*.rpm "$PLAIN"/*.rpm "$WORK/rpm-dropin/rpm/loongdump.spec"
    assert_success
    assert_line --partial "0 errors, 0 warnings"
}

@test "deb: lintian has nothing to say" {
    # The maintainers have no address yet.
    ok lintian --allow-root --fail-on warning \
        --suppress-tags bogus-mail-host,bogus-mail-host-in-debian-changelog,no-manual-page "$DEBS"/*.deb
    assert_output ""
}

@test "deb: on loong64 each package says whose place it takes" {
    fields() {
        dpkg-deb -f "$LOONG64/loongdump-$1"_*.deb "${@:2}"
    }
    same "$(fields kexec Provides Conflicts Replaces)" "Provides: kexec-tools (= 2:2.0.32), loongdump-loader
Conflicts: kexec-tools
Replaces: kexec-tools"
    same "$(fields vmcore Provides Conflicts Replaces)" "Provides: makedumpfile (= 1:1.7.8)
Conflicts: makedumpfile
Replaces: makedumpfile"
    # Of all architectures, but what it wants is there on loong64 alone.
    assert [ "$(fields kdumpctl Depends | grep -c 'loongdump-loader')" -eq 1 ]
    unset -f fields
}

@test "deb: installed, upgraded and removed; dumps and an edited configuration stay" {
    local root=$BATS_TEST_TMPDIR/root next=$BATS_TEST_TMPDIR/next
    into_dpkg() {
        # What is forced, dpkg warns about.
        run dpkg --root="$root" --force-architecture --force-depends --force-bad-path --force-confold "$@"
        assert_success
        refute_output --partial "error"
    }
    scratch_root "$root"
    into_dpkg -i "$LOONG64"/*.deb
    mkdir "$root/var/crash/host-2026-11-25-10:00:00"
    touch "$root/var/crash/host-2026-11-25-10:00:00/vmcore"
    dpkg-deb -R "$LOONG64"/loongdump-kdumpctl_*.deb "$next"
    sed -i 's/^Version: .*/&+next/' "$next/DEBIAN/control"
    dpkg-deb -b "$next" "$next.deb" >/dev/null
    into_dpkg -i "$next.deb"
    # Switched on is the service, not the early one, which is the user's.
    ok grep -E "^deb-systemd-helper .*enable kdump.service" "$root/run/log"
    fails 1 grep -E "^deb-systemd-(helper enable|invoke .*start) .*kdump-early" "$root/run/log"
    ok grep -x "deb-systemd-invoke start kdump.service" "$root/run/log"
    fails 1 grep restart "$root/run/log"
    mkdir -p "$root/boot"
    touch "$root"/boot/initramfs-{1,2}kdump.{img,manifest} "$root"/var/lib/kdump/{crash-test,last-dump,reported}
    into_dpkg -r loongdump loongdump-kdumpctl loongdump-dracut loongdump-kexec loongdump-vmcore
    assert [ ! -e "$root/usr/lib/kdump" ]
    # The kernel's hooks are configuration, and know that what they call is gone.
    ok chroot "$root" /bin/sh /etc/kernel/postinst.d/kdump 7.2
    into_dpkg --purge loongdump-kdumpctl
    assert [ ! -e "$root/etc/kernel" ]
    same "$(ls "$root/boot")" ""
    assert [ -e "$root/var/crash/host-2026-11-25-10:00:00/vmcore" ]
}

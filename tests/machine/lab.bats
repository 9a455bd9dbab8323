#!/usr/bin/env bats
# The lab itself: what it starts ends with whoever wanted it.

load machine

@test "a program of the Debian tree runs here; its changes are kept where asked, and no format stays registered" {
    local changes=$BATS_TEST_TMPDIR/changes
    ok lab debian --changes "$changes" sh -c 'uname -m; echo kept >/etc/kept; rm /etc/hostname'
    assert_output loongarch64
    assert_equal "$(cat "$changes/etc/kept")" kept
    assert [ -s "$(lab path debian)/etc/hostname" ]
    assert [ ! -e "$(lab path debian)/etc/kept" ]
    lab root --size 1G "$BATS_TEST_TMPDIR/root" "$changes"
    lab fetch "$BATS_TEST_TMPDIR/root" "$BATS_TEST_TMPDIR" /etc
    assert_equal "$(cat "$BATS_TEST_TMPDIR/etc/kept")" kept
    assert [ ! -e "$BATS_TEST_TMPDIR/etc/hostname" ]
    assert [ -s "$BATS_TEST_TMPDIR/etc/fstab" ]
    # Mounted apart, so that what others have registered is not counted.
    run unshare -m sh -c 'mount -t binfmt_misc none /proc/sys/fs/binfmt_misc 2>/dev/null
        for entry in /proc/sys/fs/binfmt_misc/lab-loong64-*; do
            [ -d "/proc/${entry##*-}" ] || echo "$entry"
        done'
    refute_line --regexp 'lab-loong64-[0-9]+$'
}

# members NAMESPACE: the processes whose mount namespace it is.
members() {
    readlink /proc/[0-9]*/ns/mnt | grep -cxF "$1"
}

@test "a libvirtd session with a guest ends when its owner is killed, whole" {
    local dir=$BATS_TEST_TMPDIR/virt owner namespace
    sleep 100 3>&- &
    owner=$!
    lab initramfs "$BATS_TEST_TMPDIR/initrd"
    lab virt start --for "$owner" "$dir"
    lab virt create "$dir" guest --mem 512M --smp 1 --initrd "$BATS_TEST_TMPDIR/initrd"
    ok lab virt virsh "$dir" domstate guest
    assert_output running
    # libvirtd and QEMU are in it, and what keeps them.
    namespace=$(readlink "/proc/$(cat "$dir/pid")/ns/mnt")
    assert [ "$(members "$namespace")" -ge 3 ]
    kill -KILL "$owner"
    for _ in {1..50}; do
        members "$namespace" >/dev/null || break
        sleep 0.1
    done
    run members "$namespace"
    assert_output 0
    run lab virt virsh "$dir" list
    assert_failure
    assert_output --partial "has ended"
}

@test "a guest that stays: a processor that spins with interrupts off is seen from outside, and stays where it is" {
    local dir=$BATS_TEST_TMPDIR/qemu first
    mkdir "$BATS_TEST_TMPDIR/extra"
    cp "$(lab path faults)" "$BATS_TEST_TMPDIR/extra"
    echo "insmod /faults.ko fault=spin cpu=1" >"$BATS_TEST_TMPDIR/extra/job"
    lab initramfs "$BATS_TEST_TMPDIR/initrd" "$BATS_TEST_TMPDIR/extra"
    lab qemu start --for $$ "$dir" --initrd "$BATS_TEST_TMPDIR/initrd" --mem 512M
    lab qemu wait "$dir" "spinning with interrupts off on CPU 1"
    # Modules lie in the kernel's mapped window; it has said so before it is back there.
    where() {
        first=$(lab qemu monitor "$dir" hmp info registers -a | sed -n '/^CPU#1/,$s/^ *PC=\([0-9a-f]*\) .*/\1/p')
        [[ $first == ffff* ]]
    }
    eventually where || fail "CPU 1 is at $first"
    for _ in 1 2 3; do
        ok lab qemu monitor "$dir" hmp info registers -a
        assert_line --regexp "PC=$first "
    done
    ok lab qemu monitor "$dir" query-status
    assert_output --partial '"status": "running"'
    lab qemu stop "$dir"
    run lab qemu monitor "$dir" query-status
    assert_failure
    assert_output --partial "has ended"
}

@test "a guest that does not end is stopped, and what its CPUs do is said" {
    mkdir "$BATS_TEST_TMPDIR/extra"
    echo "sleep 1000" >"$BATS_TEST_TMPDIR/extra/job"
    lab initramfs "$BATS_TEST_TMPDIR/initrd" "$BATS_TEST_TMPDIR/extra"
    fails 1 lab boot --initrd "$BATS_TEST_TMPDIR/initrd" --log "$BATS_TEST_TMPDIR/log" --timeout 8
    assert_regex "$stderr" "boot: not off after 8 s, stopped. CPUs at ([0-9a-f]+ [0-9a-f]+ ;){3} Last:"
}

# As QEMU told of one that was lost: CPU 1 in the kernel before; that CPU in the page at
# 1 MiB, where it belongs; and both in one kernel.
@test "a CPU that kexec -e left behind is told from one that waits for the next kernel" {
    local registers=$DATA/lab/left-behind.txt
    left() {
        # shellcheck source=lab/boot.sh
        (. "$TOP/tests/machine/lab/boot.sh" && left_behind)
    }
    same "$(left <"$registers")" "CPU 1 at 900000000471de60"
    same "$(sed 's/PC=900000000471de60/PC=9000000000100084/' "$registers" | left)" ""
    same "$(sed 's/EENTRY 9000000004990000/EENTRY 9000000007950000/' "$registers" | left)" ""
}

@test "a guest that resets is started again where that was asked for, with its disk as it left it" {
    local dir=$BATS_TEST_TMPDIR/disk
    mkdir "$dir"
    cat >"$dir/job" <<'JOB'
echo boot >>/disk/boots
sync
case $(wc -l </disk/boots) in
1) echo c >/proc/sysrq-trigger ;;
2) reboot -f -n ;;
*) exit 0 ;;
esac
sleep 60
JOB
    lab disk "$BATS_TEST_TMPDIR/disk.img" 64M "$dir"
    run lab boot --disk "$BATS_TEST_TMPDIR/disk.img" --log "$BATS_TEST_TMPDIR/log" \
        --reboots --timeout 300
    assert_success
    assert_output --regexp "powered off after [0-9]+ s"
    lab fetch "$BATS_TEST_TMPDIR/disk.img" "$BATS_TEST_TMPDIR/got" /boots
    assert_equal "$(wc -l <"$BATS_TEST_TMPDIR/got/boots")" 3
    run grep -a -c "^LOONGDUMP: first kernel" "$BATS_TEST_TMPDIR/log"
    assert_output 3
}

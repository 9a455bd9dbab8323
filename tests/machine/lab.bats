#!/usr/bin/env bats
# The lab itself: what it starts ends with whoever wanted it.

load machine

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

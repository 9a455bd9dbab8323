#!/usr/bin/env bats
# 4 GiB on two NUMA nodes, 4 CPUs, crashkernel=512M,high: two reservations, and
# segments only in the one above 4 GiB, where the kernel wants them.

load machine

setup_file() {
    guest_disk "$BATS_FILE_TMPDIR/disk" kexec-numa
    guest_run kexec-numa 1G "crashkernel=512M,high" 300 --mem 4G --smp 4 -- \
        -object memory-backend-ram,id=m0,size=2G -object memory-backend-ram,id=m1,size=2G \
        -numa node,nodeid=0,cpus=0-1,memdev=m0 -numa node,nodeid=1,cpus=2-3,memdev=m1
}

setup() {
    GUEST=$BATS_FILE_TMPDIR/kexec-numa
}

json() { # EXPRESSION FILE
    /usr/bin/python3 -SE -c 'import json, sys; d = json.load(open(sys.argv[2])); print(eval(sys.argv[1]))' "$1" "$2"
}

@test "two nodes, two regions: every segment in the upper one, both are the crash kernel's memory" {
    same "$(result nodes)" "0-1"
    assert_equal "$(result iomem | grep -c 'Crash kernel$')" 2
    same "$(result ckr-size)" 536870912
    result plan >/dev/null
    same "$(json "all(int(s['mem'], 0) >= 1 << 32 for s in d['load']['segments']), d['load']['command_line'].count(' mem='), d['machine']['cpus']" "$GUEST/out/plan.out")" \
        "(True, 2, 4)"
}

@test "the recorded system of the unit tests is this machine" {
    diff <(sed -n 's/ : \(System RAM\|Crash kernel\)$/ \1/p' "$DATA/kexec/machines/qemu-numa-4g/proc/iomem" | tail -n 4) \
        <(sed -n 's/ : \(System RAM\|Crash kernel\)$/ \1/p' "$GUEST/out/system/proc/iomem" | tail -n 4)
}

@test "the panic gives a dump with all CPUs and the memory of both nodes" {
    result load
    assert_regex "$(result capture-cmdline)" "mem=524288K@[0-9]+K mem=131072K@[0-9]+K"
    result info >/dev/null
    result save
    ok "$VMCORE" dmesg "$GUEST/vmcore"
    assert_output --partial "Kernel panic - not syncing: sysrq triggered crash"
    ok "$VMCORE" info "$GUEST/vmcore"
    assert_line --regexp "^CPUs: +4, registers from NT_PRSTATUS notes"
}

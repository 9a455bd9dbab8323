#!/usr/bin/env bats
# Memory kept from both kernels with mem= is the same, bit for bit, after
# the jump (kexec -f): what QEMU's cpr-reboot needs for the RAM of its guests.

load machine

setup_file() {
    guest_disk "$BATS_FILE_TMPDIR/disk" kept
    jumps guest_run kept 1G "mem=256M@0 mem=1536M@0x80000000" 300
}

setup() {
    GUEST=$BATS_FILE_TMPDIR/kept
}

@test "neither kernel calls the kept memory its own, and the plan is not in it" {
    local kernel
    for kernel in first second; do
        run result "$kernel-iomem"
        assert_line --regexp "^80000000-dfffffff : System RAM$"
    done
    run /usr/bin/python3 - "$GUEST/out/plan.out" <<'PYTHON'
import json, sys
for s in json.load(open(sys.argv[1]))["load"]["segments"]:
    if int(s["mem"], 0) + s["memsz"] > 0xe0000000:
        print(s["role"], s["mem"])
PYTHON
    assert_success
    refute_output
}

@test "256 words over 256 MiB, written before the jump, are there after it" {
    result fill
    result second-cmdline | grep -q loongdump.second
    assert_equal "$(result before | sort -u | wc -l)" 256
    assert [ "$(result untouched | sha256sum)" != "$(result before | sha256sum)" ]
    assert_equal "$(result after | sha256sum)" "$(result before | sha256sum)"
}

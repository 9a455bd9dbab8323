# vmcore: is the dump of the kernel the user says it is of?

setup() {
    load common
    load vmcore
    cd "$BATS_TEST_TMPDIR" || exit 1
    make_vmcore raw --memory 2M+256K
    ln -s "$VMCORE" makedumpfile
}

@test "vmlinux: by BUILD-ID" {
    "$UNIT/make-vmlinux" vmlinux
    ok "$VMCORE" save -q --vmlinux vmlinux raw dump
    # The release does not count where both have a BUILD-ID.
    "$UNIT/make-vmlinux" --release 5.0 vmlinux
    ok "$VMCORE" dmesg --vmlinux vmlinux raw
    "$UNIT/make-vmlinux" --build-id 1234 vmlinux
    fails 2 "$VMCORE" save -q -f --vmlinux vmlinux raw dump
    same "$stderr" "vmcore: --vmlinux: vmlinux has BUILD-ID 1234, the kernel in the dump (6.12.0-test) has 00112233445566778899aabbccddeeff00112233"
    fails 2 "$VMCORE" info --vmlinux vmlinux raw
    fails 2 ./makedumpfile -c -x vmlinux raw other
    [ ! -e other ]
}

@test "vmlinux: by release, where there is no BUILD-ID" {
    "$UNIT/make-vmlinux" --build-id - vmlinux
    ok "$VMCORE" dmesg --vmlinux vmlinux raw
    "$UNIT/make-vmlinux" --build-id - --release 6.12.0 vmlinux
    fails 2 "$VMCORE" dmesg --vmlinux vmlinux raw
    [[ $stderr = *"vmlinux is of kernel 6.12.0, the kernel in the dump is 6.12.0-test"* ]]
    "$UNIT/make-vmlinux" --build-id - --release - vmlinux
    fails 0 "$VMCORE" dmesg --vmlinux vmlinux raw
    [[ $stderr = *"vmlinux: nothing tells whether it is the kernel in the dump"* ]]
}

@test "vmlinux: what is no vmlinux" {
    : >empty
    fails 1 "$VMCORE" info --vmlinux empty raw
    [[ $stderr = *"empty: not an ELF file"*"not the image that boots"* ]]
    "$UNIT/make-vmlinux" --machine 62 vmlinux
    fails 1 "$VMCORE" info --vmlinux vmlinux raw
    [[ $stderr = *"vmlinux: for ELF machine 62, not loongarch64"* ]]
    "$UNIT/make-vmlinux" vmlinux
    local size
    for size in 20 64 100 200 300; do
        head -c $size vmlinux >cut
        run --separate-stderr "$VMCORE" dmesg --vmlinux cut raw
        [[ $stderr != *Sanitizer* ]] && [ -n "$stderr" ]
    done
}

@test "vmcoreinfo: as text, in and out" {
    ok "$VMCORE" info --print-vmcoreinfo raw
    echo "$output" >text
    grep -q '^OSRELEASE=6.12.0-test$' text
    make_vmcore bare --memory 2M+256K --set OSRELEASE=-
    fails 1 "$VMCORE" dmesg bare
    ok "$VMCORE" dmesg raw
    local log=$output
    fails 0 "$VMCORE" dmesg --vmcoreinfo text bare
    same "$output" "$log"
    # It goes into what is saved.
    fails 0 "$VMCORE" save -q --vmcoreinfo text bare dump
    ok "$VMCORE" dmesg dump
    same "$output" "$log"
    sed -i 's/^BUILD-ID=.*/BUILD-ID=99/' text
    fails 2 "$VMCORE" dmesg --vmcoreinfo text raw
    [[ $stderr = *"text is of kernel 99, the dump of 00112233445566778899aabbccddeeff00112233"* ]]
    echo nonsense >text
    fails 1 "$VMCORE" dmesg --vmcoreinfo text raw
}

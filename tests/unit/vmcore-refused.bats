# vmcore: what it refuses, in words, and what a failure leaves behind.

setup() {
    load common
    load vmcore
    cd "$BATS_TEST_TMPDIR" || exit 1
}

@test "options: what is no dump level" {
    make_vmcore raw
    fails 1 "$VMCORE" save -d 32 raw dump
    [[ $stderr = *"-d 32: a dump level is 0 to 31"* ]]
    fails 1 "$VMCORE" save -d x raw dump
    [ ! -e dump ]
}

@test "options: codecs and formats" {
    make_vmcore raw
    fails 1 "$VMCORE" save -l -z raw dump
    [[ $stderr = *"exclude each other"* ]]
    fails 1 "$VMCORE" save --format elf -z raw dump
    fails 1 "$VMCORE" save --format flatt raw dump
    [[ $stderr = *"--format flatt: must be kdump, elf or flat"* ]]
    fails 1 "$VMCORE" save --format elf -c raw dump
    fails 1 "$VMCORE" save -c --raw raw dump
    fails 1 "$VMCORE" save --no-such raw dump
    [[ $stderr = *"--no-such: no such option"* ]]
    fails 1 "$VMCORE" save raw
    fails 1 "$VMCORE" save --page-size 8K raw dump
    fails 1 "$VMCORE" save --page-size 4K raw dump
    [[ $stderr = *"its page size is 16384, not 4096"* ]]
    fails 1 "$VMCORE" convert raw dump
    fails 1 "$VMCORE"
    [ ! -e dump ] && [ ! -e dump-incomplete ]
}

@test "options: every command explains itself" {
    local command
    for command in save info dmesg rebuild check grab; do
        ok "$VMCORE" $command --help
        assert_line --partial "Exit status: 0 "
    done
    ok "$VMCORE" --help
    ok "$VMCORE" --version
    assert_line --partial "zlib streams:"
}

@test "source: not there, empty, a directory, no dump" {
    fails 1 "$VMCORE" save nothing dump
    same "$stderr" "vmcore: opening nothing: No such file or directory"
    : >empty
    fails 1 "$VMCORE" info empty
    [[ $stderr = *"empty: the file is empty"* ]]
    mkdir dir
    fails 1 "$VMCORE" info dir
    [[ $stderr = *"Is a directory"* ]]
    head -c 100000 /dev/urandom >noise
    fails 1 "$VMCORE" save noise dump
    [[ $stderr = *"noise: neither an ELF core nor a kdump-compressed dump"* ]]
    fails 1 "$VMCORE" info /dev/null
    [ ! -e dump ] && [ ! -e dump-incomplete ]
}

@test "source: a pipe or a directory is refused at once, whatever it is given for" {
    mkfifo pipe
    mkdir dir
    make_vmcore raw --memory 2M+1M
    fails 1 timeout 20 "$VMCORE" info pipe
    assert_regex "$stderr" "pipe: not a file that can be read in any order"
    fails 1 timeout 20 "$VMCORE" info pipe@0
    fails 1 "$VMCORE" info dir@0
    same "$stderr" "vmcore: reading dir: Is a directory"
    fails 1 timeout 20 "$VMCORE" info --vmlinux dir raw
    same "$stderr" "vmcore: --vmlinux: dir: not a regular file"
    fails 1 timeout 20 "$VMCORE" info --vmlinux pipe raw
    same "$stderr" "vmcore: --vmlinux: pipe: not a regular file"
}

@test "source: what is known by sight is called by its name" {
    printf 'DISKDUMP\0\0\0\3' >old
    fails 1 "$VMCORE" info old
    [[ $stderr = *"a diskdump of an old kernel"* ]]
}

@test "source: a dump of another architecture says which" {
    make_vmcore raw --machine 62
    fails 1 "$VMCORE" save raw dump
    [[ $stderr = *"raw: a 64-bit little-endian dump of x86_64 (ELF machine 62), not of loongarch64"* ]]
    make_vmcore raw --machine 183
    fails 1 "$VMCORE" dmesg raw
    [[ $stderr = *"aarch64"* ]]
    make_vmcore raw
    ok "$VMCORE" save -q raw dump
    printf 'x86_64\0\0\0\0\0' | dd of=dump bs=1 seek=$((12 + 4 * 65)) conv=notrunc status=none
    fails 1 "$VMCORE" info dump
    [[ $stderr = *"dump: a dump of x86_64, not of loongarch64"* ]]
}

@test "source: an executable is not taken for a core" {
    fails 1 "$VMCORE" info /bin/sh
    [[ $stderr = *"not a core dump"* ]]
}

@test "destination: one that exists is refused at once, and replaced with --force" {
    make_vmcore raw
    echo precious >dump
    fails 1 "$VMCORE" save raw dump
    same "$stderr" "vmcore: saving to dump: File exists
vmcore: name another file, or replace it with --force"
    [ "$(cat dump)" = precious ]
    ok "$VMCORE" save -q --force raw dump
    pages_equal raw dump
    [ ! -e dump-incomplete ]
}

@test "destination: a directory, a device, a missing directory" {
    make_vmcore raw
    mkdir dir
    fails 1 "$VMCORE" save raw dir
    [[ $stderr = *"name a file in it: dir/vmcore"* ]]
    fails 1 "$VMCORE" save --force raw /dev/full
    [[ $stderr = *"/dev/full: it is no regular file"* ]]
    [ -c /dev/full ] && [ ! -e /dev/full-incomplete ]
    fails 1 "$VMCORE" save raw none/dump
    [[ $stderr = *"No such file or directory"*"create the directory first"* ]]
}

@test "destination: a directory that may not be written to" {
    make_vmcore raw
    # Nobody may create files in sysfs, not even root.
    [ -d /sys/kernel ] || skip "no sysfs is mounted here"
    fails 1 "$VMCORE" save raw /sys/kernel/dump
    [[ $stderr = *"/sys/kernel/dump-incomplete: Permission denied"*"name a file in a directory you may write to"* ]] ||
        [[ $stderr = *"Read-only file system"*"mount that file system writable"* ]]
}

@test "destination: a file size limit ends in words, at every stage" {
    make_vmcore raw
    ok "$VMCORE" save -q -F raw flat
    local blocks
    for blocks in 1 16 64 128 1024; do
        fails 1 bash -c "ulimit -f $blocks; exec '$VMCORE' save raw dump"
        [[ $stderr = *"dump-incomplete at offset"*"File too large"*"ulimit -f"* ]]
        [ ! -e dump ]
        fails 1 bash -c "ulimit -f $blocks; exec '$VMCORE' rebuild flat dump"
        [[ $stderr = *"dump-incomplete at offset"*"File too large"*"ulimit -f"* ]]
        fails 1 bash -c "ulimit -f $blocks; exec '$VMCORE' save --format elf -d 0 raw dump"
        [ ! -e dump ]
    done
    fails 1 bash -c "set -o pipefail; (ulimit -f 0; exec '$VMCORE' dmesg raw log) 2>&1 | cat"
    assert_output --partial "writing log-incomplete: File too large"
    gzip raw
    fails 1 bash -c "ulimit -f 1000; TMPDIR=. exec '$VMCORE' check -q raw.gz"
    [[ $stderr = *"File too large"* ]]
}

@test "destination: a full disk names the file, what was written and a remedy" {
    failing_disk
    make_vmcore raw --memory 2M+32M:random
    echo precious >dump
    fails 1 on_failing_disk FAIL_WRITE=-incomplete:9000000:28 "$VMCORE" save --force raw dump
    [[ $stderr = *"saving raw to dump: after "*" MiB: writing dump-incomplete at offset "*"No space left on device"* ]]
    [[ $stderr = *"free space on that file system"* ]]
    [ "$(cat dump)" = precious ]
    [ -s dump-incomplete ]
}

@test "destination: a failing disk, too" {
    failing_disk
    make_vmcore raw --memory 2M+32M:random
    fails 1 on_failing_disk FAIL_WRITE=-incomplete:9000000:5 "$VMCORE" save raw dump
    [[ $stderr = *"Input/output error"*"name a file on another one"* ]]
    [ ! -e dump ]
}

@test "destination: what a full disk left can be read as far as it got" {
    failing_disk
    make_vmcore raw --memory 2M+32M:random
    fails 1 on_failing_disk FAIL_WRITE=-incomplete:9000000:28 "$VMCORE" save raw dump
    fails 3 "$VMCORE" info dump-incomplete
    assert_line "Format:       kdump-compressed, not finished by its writer"
    fails 3 "$VMCORE" dmesg dump-incomplete
    assert_output --partial "synthetic crash"
    fails 3 "$VMCORE" save -q dump-incomplete rescued
    local lost
    lost=$(echo "$stderr" | sed -n 's/^vmcore: warning: \([0-9]*\) of 2048 pages could.*/\1/p')
    [ "$lost" -gt 0 ] && [ "$lost" -lt 2048 ]
    pages_equal --missing "$lost" raw rescued
    fails 1 on_failing_disk FAIL_WRITE=-incomplete:9000000:28 "$VMCORE" save --format elf raw elf
    fails 3 "$VMCORE" dmesg elf-incomplete
    assert_output --partial "synthetic crash"
}

@test "source: unreadable pages are marked, counted and said; the dump goes on" {
    failing_disk
    make_vmcore raw --memory 2M+8M
    # In the middle of memory: two whole pages and a corner of each neighbour.
    fails 3 on_failing_disk FAIL_READ=/raw:0x300100:0x308100 "$VMCORE" save -q raw dump
    [[ $stderr = *"warning: 3 of 512 pages could not be read and are marked as missing; the first: reading raw at offset 0x"*"Input/output error"* ]]
    pages_equal --missing 3 raw dump
    [ "$(field dump 424 4)" -eq 9 ]
    fails 3 on_failing_disk FAIL_READ=/raw:0x300100:0x308100 "$VMCORE" save -q --format elf raw elf
    pages_equal --missing 3 raw elf
    # And such a dump goes through again.
    fails 3 "$VMCORE" save -q dump again
    pages_equal --missing 3 raw again
}

@test "source: unreadable first and last pages, with many gaps in ELF" {
    failing_disk
    make_vmcore raw --memory 2M+1M --memory 0x1000000+1M:text --memory 0x2000000+1M:text
    local where
    where=$(od -An -t u8 -j $((64 + 56 * 2 + 8)) -N 8 raw | tr -d ' ')
    fails 3 on_failing_disk FAIL_READ="/raw:$where:$((where + 0x100000))" "$VMCORE" save -q --format elf raw elf
    pages_equal --missing 64 raw elf
    fails 3 "$VMCORE" info elf
    assert_line "Format:       ELF core, not finished by its writer"
}

# killed_while_saving SIGNAL [SIG_IGN]: on a slow disk, when the first pages are
# there. Its status is that of vmcore. A shell starts background jobs with SIGINT
# ignored, so python gives it back, or has the signal ignored.
killed_while_saving() {
    env ASAN_OPTIONS="${ASAN_OPTIONS:-}:verify_asan_link_order=0" LD_PRELOAD="$FAILING_DISK" \
        SLOW_WRITE=-incomplete:40000 /usr/bin/python3 -c 'import os, signal, sys
signal.signal(getattr(signal, sys.argv[1]), getattr(signal, sys.argv[2]))
os.execv(sys.argv[3], sys.argv[3:])' "SIG${1/KILL/INT}" "${2:-SIG_DFL}" "$VMCORE" save raw dump 3>&- &
    local pid=$!
    for _ in $(seq 200); do
        [ "$(stat -c %s dump-incomplete 2>/dev/null || echo 0)" -gt 2000000 ] && break
        sleep 0.02
    done
    kill -"$1" $pid
    wait $pid
}

@test "destination: its unfinished file is removed meanwhile" {
    failing_disk
    make_vmcore raw --memory 2M+8M:random
    echo precious >dump
    run --separate-stderr bash -c "
        ASAN_OPTIONS=\$ASAN_OPTIONS:verify_asan_link_order=0 LD_PRELOAD='$FAILING_DISK' SLOW_WRITE=-incomplete:40000 \
            '$VMCORE' save -q --force raw dump &
        for _ in \$(seq 200); do [ -s dump-incomplete ] && break; sleep 0.02; done
        rm dump-incomplete
        wait \$!"
    [ "$status" -eq 1 ]
    [[ $stderr = *"renaming dump-incomplete to dump: No such file or directory"* ]]
    [ "$(cat dump)" = precious ]
}

@test "killed: only -incomplete is left, and the next run replaces it" {
    failing_disk
    make_vmcore raw --memory 2M+32M:random
    local signal
    for signal in KILL TERM INT HUP; do
        rm -f dump-incomplete
        run killed_while_saving $signal
        [ "$status" -eq $((128 + $(kill -l $signal))) ]
        [ ! -e dump ]
        [ -s dump-incomplete ]
        [ "$(stat -c %a dump-incomplete)" = 600 ]
        [ $signal = KILL ] || assert_output --partial "interrupted by"
    done
    ok "$VMCORE" save -q raw dump
    pages_equal raw dump
    [ ! -e dump-incomplete ]
}

@test "killed: not by a signal that is ignored, as under nohup" {
    failing_disk
    make_vmcore raw --memory 2M+3M:random
    local signal
    for signal in TERM INT HUP; do
        rm -f dump
        ok killed_while_saving $signal SIG_IGN
        pages_equal raw dump
    done
}

@test "saving: over no file that is read, however it is named" {
    make_vmcore raw --memory 2M+1M
    ok "$VMCORE" info --print-vmcoreinfo raw
    echo "$output" >info
    cp raw text-incomplete
    cp raw memory-incomplete
    : >vmlinux
    local options
    for options in "raw@0 raw" "./raw@0x1000000 raw" "raw ram --ram ram" "raw ram --ram node0=ram" \
        "raw@0 ram --ram ram@1G" "raw vmlinux --vmlinux vmlinux" "raw info --vmcoreinfo info" \
        "raw info --registers info"; do
        : >ram
        # shellcheck disable=SC2086
        fails 1 "$VMCORE" save -f $options
        assert_regex "$stderr" "^vmcore: saving to [a-z]*: that is what is read"
    done
    # Unfinished files of an earlier run are removed also without --force.
    fails 1 "$VMCORE" save memory-incomplete@0 memory
    fails 1 "$VMCORE" save --registers text-incomplete raw text
    fails 1 "$VMCORE" dmesg --vmcoreinfo text-incomplete raw text
    cmp raw memory-incomplete
    cmp raw text-incomplete
    ok "$VMCORE" save -q -F raw flat
    cp flat part-incomplete
    fails 1 "$VMCORE" rebuild -f - flat <flat
    assert_regex "$stderr" "saving to flat: that is what is read"
    fails 1 "$VMCORE" rebuild - part <part-incomplete
    cmp flat part-incomplete
}

@test "saving: to a name that could not be given is refused before the work" {
    make_vmcore raw --memory 2M+1M
    ln -s nowhere link
    fails 1 "$VMCORE" save raw link
    same "$stderr" "vmcore: saving to link: File exists
vmcore: it is a link that leads nowhere: remove it, or replace it with --force"
    fails 1 "$VMCORE" save raw ""
    same "$stderr" "vmcore: saving to a file without a name"
    ok "$VMCORE" save -q -f raw link
    [ ! -L link ]
    [ ! -e link-incomplete ]
}

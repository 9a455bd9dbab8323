# vmcore: cut and damaged input gives words or what is left, never a crash.

setup() {
    load common
    load vmcore
    cd "$BATS_TEST_TMPDIR" || exit 1
}

# calm STATUSES CMD...: one of the statuses, without a sanitizer's or the
# shell's complaint.
calm() {
    local statuses=$1
    shift
    run --separate-stderr timeout 20 "$@"
    [[ " $statuses " = *" $status "* && $stderr != *Sanitizer* && $stderr != *"runtime error"* ]] ||
        printf 'command: %s\nexit: %s\nstderr: %s\n' "$*" "$status" "$stderr" | fail
    [ "$status" -eq 0 ] || [ -n "$stderr" ] || fail "no word of it: $*"
}

@test "cut: an ELF vmcore at many places" {
    make_vmcore raw --memory 2M+1M --memory 2G+1M
    local size total
    total=$(stat -c %s raw)
    for size in 1 4 15 16 19 20 40 63 64 100 119 120 200 231 232 240 600 1000 1231 2000 4095 4096 \
        8192 $((0x4000 + 1)) 100000 $((total / 2)) $((total / 2 + 1)) $((total - 16384)) $((total - 1)); do
        head -c $size raw >short
        calm "1 3" "$VMCORE" dmesg short
        calm "1 3" "$VMCORE" save -q short dump
        if [ "$status" -eq 3 ]; then
            [[ $stderr = *"short: the file was cut: "*" of 2 MiB of memory are missing"* ]]
            pages_equal --cut --page-size 16384 short dump
            rm dump
        fi
        [ ! -e dump ]
    done
}

@test "cut: what is saved of it stays marked, in every format" {
    make_vmcore raw --memory 2M+1M --memory 2G+1M
    head -c 1500000 raw >short
    local options
    for options in "" "--format elf" "-F" "-F --format elf" "--split 2"; do
        # shellcheck disable=SC2086
        fails 3 "$VMCORE" save -q $options short dump
        if [ "$options" = "--split 2" ]; then
            mv dump.1 dump
        fi
        fails 3 "$VMCORE" check dump
        assert_line "BAD   layout     its writer did not finish it, or left pages out"
        fails 3 "$VMCORE" save -qf -d 0 dump again
        fails 3 "$VMCORE" info again
        assert_regex "$output" "not finished by its writer"
        rm dump
    done
}

@test "cut: a kdump-compressed dump at many places" {
    make_vmcore raw --memory 2M+1M --memory 2G+1M
    ok "$VMCORE" save -q raw whole
    local size total
    total=$(stat -c %s whole)
    for size in 1 7 8 12 300 463 464 16384 16400 16487 16488 17000 20000 65535 65536 98304 131071 131072 \
        131080 134143 134144 134145 150528 $((total / 2)) $((total - 16384)) $((total - 1)); do
        head -c $size whole >short
        calm "1 3" "$VMCORE" dmesg short
        calm "1 3" "$VMCORE" save -q short dump
        rm -f dump
    done
}

# flip SOURCE COUNT LIMIT: COUNT copies bad.1, bad.2, ... each with some bytes
# before LIMIT overwritten, the same ones each time.
flip() {
    /usr/bin/python3 - "$@" <<'END'
import random, sys
source, count, limit = sys.argv[1], int(sys.argv[2]), int(sys.argv[3])
whole = open(source, "rb").read()
for seed in range(1, count + 1):
    rnd, data = random.Random(seed), bytearray(whole)
    for _ in range(rnd.randrange(1, 12)):
        data[rnd.randrange(min(limit, len(data)))] = rnd.choice((0, 0xff, 0x7f, 0x80, rnd.randrange(256)))
    open(f"bad.{seed}", "wb").write(data)
END
}

@test "damaged: flipped bytes in ELF headers and notes" {
    make_vmcore raw --memory 2M+256K
    flip raw 40 6000
    local bad
    for bad in bad.*; do
        calm "0 1 3" "$VMCORE" dmesg "$bad"
    done
    flip raw 20 240
    for bad in bad.*; do
        calm "0 1 3" "$VMCORE" info "$bad"
    done
}

@test "damaged: flipped bytes in a kdump-compressed dump" {
    make_vmcore raw --memory 2M+256K
    ok "$VMCORE" save -q raw whole
    local bad
    flip whole 20 464
    for bad in bad.*; do
        calm "0 1 3" "$VMCORE" info "$bad"
    done
    flip whole 20 1000000
    for bad in bad.*; do
        calm "0 1 3" "$VMCORE" save -q -f "$bad" dump
        rm -f dump
    done
}

@test "damaged: one page of a kdump-compressed dump is lost, the others are not" {
    make_vmcore raw --memory 2M+4M:text
    ok "$VMCORE" save -q raw whole
    local desc=$(((4 + 2) * 16384)) at # bitmaps at 64K, one block each
    at=$(field whole $((desc + 24 * 100)) 8)
    printf '\377\377\377\377' | dd of=whole bs=1 seek="$at" conv=notrunc status=none
    fails 3 "$VMCORE" save -q whole dump
    [[ $stderr = *"1 of 256 pages could not be read"*"whole: page frame 0xe4: a zlib stream of "*"is damaged"* ]]
    pages_equal --missing 1 raw dump
}

@test "damaged: VMCOREINFO that lies about the page size" {
    make_vmcore raw --set PAGESIZE=12345
    fails 0 "$VMCORE" info raw
    [[ $stderr = *"PAGESIZE=12345, which no loongarch64 has"* ]]
    assert_line "Page size:    16384 (assumed)"
}

@test "damaged: segments beyond 48 bits" {
    make_vmcore raw
    printf '\377\377\377\377\377\377\377\177' | dd of=raw bs=1 seek=$((64 + 56 + 40)) conv=notrunc status=none
    fails 1 "$VMCORE" info raw
    [[ $stderr = *"beyond the 48 bits of loongarch64"* ]]
}

# vmcore dmesg: the lockless ring, as both generations of kernels write it.

setup() {
    load common
    load vmcore
    cd "$BATS_TEST_TMPDIR" || exit 1
}

# golden NAME OPTION...: tests/data/vmcore/NAME.log through the ring gives
# NAME.txt, from the vmcore and from our own dumps of it.
golden() {
    local name=$1 expected=$DATA/vmcore/${2}
    shift 2
    make_vmcore raw --log "$DATA/vmcore/$name.log" "$@"
    ok "$VMCORE" dmesg raw
    same "$output" "$(cat "$expected")"
    ok "$VMCORE" save -q -f raw dump
    ok "$VMCORE" dmesg dump
    same "$output" "$(cat "$expected")"
    ok "$VMCORE" save -q -f --format elf raw dump
    ok "$VMCORE" dmesg dump
    same "$output" "$(cat "$expected")"
}

@test "dmesg: lines, bytes that are not printable, records without text" {
    golden plain plain.txt
}
@test "dmesg: a small ring that went around many times, newer kernels" {
    golden around around-new.txt --count-bits 4 --size-bits 9 --rule new
}
@test "dmesg: a small ring that went around many times, older kernels" {
    golden around around-old.txt --count-bits 4 --size-bits 9 --rule old
}
@test "dmesg: a block that ends exactly at the ring's end, newer kernels" {
    golden exact exact-new.txt --count-bits 5 --size-bits 8 --rule new
}
@test "dmesg: a block that ends exactly at the ring's end, older kernels" {
    golden exact exact-old.txt --count-bits 5 --size-bits 8 --rule old
}
@test "dmesg: more records than descriptors" {
    golden around around-few.txt --count-bits 2 --size-bits 12
}

@test "dmesg: --partial, since the log was cleared" {
    local seq
    make_vmcore raw
    ok "$VMCORE" dmesg raw
    local all=$output
    for seq in 0 1 3 4 5; do
        make_vmcore raw --cleared $seq
        ok "$VMCORE" dmesg --partial raw
        # The third record has two lines.
        same "$output" "$(echo "$all" | tail -n +$((seq > 2 ? seq + 2 : seq + 1)))"
        ok "$VMCORE" dmesg raw
        same "$output" "$all"
    done
    make_vmcore raw
    fails 1 "$VMCORE" dmesg --partial raw
    [[ $stderr = *"VMCOREINFO does not tell where clear_seq is"* ]]
}

@test "dmesg: --json is JSON, whatever the records hold" {
    make_vmcore raw
    ok "$VMCORE" dmesg --json raw
    same "$(echo "$output" | /usr/bin/python3 -c 'import json, sys
for r in json.load(sys.stdin): print(r["seq"], r["time"], repr(r["text"]))')" "0 0 'Linux version 6.12.0-test (loongarch64)'
1 0 'Booting from a generator'
2 1234567000 'first line\nsecond line'
3 12000001000 'tab\there, escape \\\\x1b[1m, high \\\\xff'
4 99999999999000 'Kernel panic - not syncing: synthetic crash'"
    make_vmcore raw --cleared 5
    ok "$VMCORE" dmesg --json --partial raw
    same "$output" "[]"
}

@test "dmesg: an empty log is no failure" {
    : >none
    make_vmcore raw --log none
    ok "$VMCORE" dmesg raw
    [ -z "$output" ]
}

@test "dmesg: 20000 records, from a dump as well" {
    seq 20000 | sed 's/.*/&.5 record number &/' >many
    make_vmcore raw --memory 2M+8M:text --log many --count-bits 15 --size-bits 20
    seq 20000 | awk '{ printf "[%5d.500000] record number %d\n", $1, $1 }' >expected
    ok "$VMCORE" dmesg raw out
    cmp out expected
    ok "$VMCORE" save -q raw dump
    ok "$VMCORE" dmesg --force dump out
    cmp out expected
}

@test "dmesg: to a file, 0600, not over another one" {
    make_vmcore raw
    umask 022
    ok "$VMCORE" dmesg raw log
    [ "$(stat -c %a log)" = 600 ]
    ok "$VMCORE" dmesg raw
    same "$(cat log)" "$output"
    fails 1 "$VMCORE" dmesg raw log
    [[ $stderr = *"File exists"*"--force"* ]]
    ok "$VMCORE" dmesg --force raw log
    [ ! -e log-incomplete ]
}

@test "dmesg: a full standard output is a failure" {
    make_vmcore raw
    fails 1 bash -c "'$VMCORE' dmesg raw >/dev/full"
    [[ $stderr = *"writing standard output: No space left on device"* ]]
}

@test "dmesg: each missing key is named" {
    local key
    for key in "SYMBOL(prb)" "SIZE(prb_desc)" "OFFSET(prb_desc_ring.head_id)" "OFFSET(printk_info.text_len)" \
        "OFFSET(prb_data_ring.data)" "SIZE(printk_ringbuffer)"; do
        make_vmcore raw --set "$key=-"
        fails 1 "$VMCORE" dmesg raw
        key=${key#*(}
        [[ $stderr = *"${key%)}"* ]]
    done
    make_vmcore raw --no-vmcoreinfo
    fails 1 "$VMCORE" dmesg raw
    [[ $stderr = *"without VMCOREINFO the log cannot be found"* ]]
}

@test "dmesg: a counter that is not there is at offset 0" {
    make_vmcore raw --set "OFFSET(atomic_long_t.counter)=-"
    ok "$VMCORE" dmesg raw
    assert_output --partial "synthetic crash"
}

@test "dmesg: absurd rings end at once" {
    local change
    for change in count_bits=0 count_bits=26 count_bits=63 count_bits=0xffffffff size_bits=0 size_bits=64 descs=0 \
        descs=0xffff800000000000 infos=0x9000000000000000 descs=0x9fffffffffffffff; do
        make_vmcore raw --ring "$change"
        run --separate-stderr timeout 10 "$VMCORE" dmesg raw
        [ "$status" -eq 1 ] || [ "$status" -eq 3 ]
        [ -n "$stderr" ]
    done
    for change in tail_id=0 tail_id=0x3fffffffffffffff head_id=0x123456789 head_id=0; do
        make_vmcore raw --ring "$change"
        run --separate-stderr timeout 10 "$VMCORE" dmesg raw
        [ "$status" -le 3 ]
    done
}

@test "dmesg: a text ring that is not in the dump loses records, not the rest" {
    make_vmcore raw --ring data=0x9000000080000000
    fails 3 "$VMCORE" dmesg raw
    [[ $stderr = *"5 of the log's records could not be read"* ]]
}

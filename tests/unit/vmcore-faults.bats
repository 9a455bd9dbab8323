# vmcore save: each call to the disk fails in turn, and each moment is one to be
# killed in. Nothing half done ever bears the dump's name, and what stands under
# it stays until the new one is whole.

setup() {
    load common
    load vmcore
    cd "$BATS_TEST_TMPDIR" || exit 1
    failing_disk
}

# at_each_call ERRNO CHECK CMD...: CMD with its first, second, ... call failing,
# until there is no such call; each time CHECK is asked, with what CMD said in
# "err", its exit status in $status and the number of the call in $call. The number
# of calls is in $calls. ERRNO 0: it is killed there.
at_each_call() {
    local errno=$1 check=$2
    shift 2
    for ((call = 1; ; call++)); do
        rm -f struck dump* part*
        echo precious >dump
        status=0
        on_failing_disk FAULT_MARK=struck FAIL_CALL="${SUFFIX:--incomplete}:$call:$errno" "$@" \
            >out 2>err || status=$?
        [ -e struck ] || break
        $check || fail <<END
call $call failed with $errno: exit $status, $(ls)
$(cat err)
END
    done
    [ "$status" -eq 0 ]
    calls=$((call - 1))
}

is_precious() {
    [ "$(cat dump)" = precious ]
}

# What is under the name now is whole.
is_whole() {
    [ "$(head -c 8 dump)" != precious ] && "$VMCORE" info dump >info 2>&1
}

# said TEXT: and a remedy, and nothing of a sanitizer.
said() {
    [ "$status" -eq 1 ] && grep -q "^vmcore: saving raw to .*: $1" err && [ "$(wc -l <err)" -eq 2 ]
}

# The directory is synced last, when the dump is there.
refused_in_words() {
    if grep -q 'syncing directory' err; then
        is_whole && said "No space left on device$" && grep -q "dump is there and whole" err
        return
    fi
    is_precious && said "No space left on device$" && grep -q "free space on that file system" err &&
        { [ "$(echo dump*)" = dump ] || [ "$(echo dump*)" = "dump dump-incomplete" ]; }
}

@test "full disk: at each call of a kdump, an ELF and a flattened dump" {
    make_vmcore raw --memory 2M+1M --memory 2G+2M
    at_each_call 28 refused_in_words "$VMCORE" save --force --threads 1 raw dump
    [ "$calls" -ge 15 ]
    pages_equal raw dump
    at_each_call 28 refused_in_words "$VMCORE" save --force --threads 1 --format elf raw dump
    [ "$calls" -ge 10 ]
    pages_equal raw dump
    at_each_call 28 refused_in_words "$VMCORE" save --force --threads 1 -d 0 --flatten --raw raw dump
    [ "$calls" -ge 30 ]
}

# In the order of the calls: three files are written, synced and closed; then
# they get their names, and each time the directory is synced.
no_part_or_whole_ones() {
    local part
    [ "$status" -eq 1 ] && grep -q "No space left on device" err && [ "$(wc -l <err)" -eq 2 ] || return
    for part in part.1 part.2 part.3; do
        [ ! -e $part ] || grep -q 'renaming\|syncing directory' err || return
        [ ! -e $part ] || [ "$(head -c 5 $part)" = KDUMP ] || return
    done
}

@test "full disk: at each call of a split dump" {
    make_vmcore raw --memory 2M+1M --memory 2G+2M
    at_each_call 28 no_part_or_whole_ones "$VMCORE" save --threads 1 --split 3 raw part
    [ "$calls" -ge 40 ]
    ok "$VMCORE" info part.1
}

@test "full disk: at each call of a rebuild, and of a log" {
    make_vmcore raw --memory 2M+1M --memory 2G+1M
    "$VMCORE" save -q --threads 1 -F raw flat
    "$VMCORE" save -q --threads 1 raw plain
    old_and_words() {
        [ "$status" -eq 1 ] && grep -q "No space left on device$" err && [ "$(wc -l <err)" -le 2 ] &&
            { is_precious || grep -q 'syncing directory' err; }
    }
    at_each_call 28 old_and_words "$VMCORE" rebuild --force flat dump
    [ "$calls" -ge 10 ]
    cmp plain dump
    at_each_call 28 old_and_words "$VMCORE" dmesg --force raw dump
    [ "$calls" -ge 4 ]
    grep -q 'synthetic crash' dump
}

@test "full disk: at each call the next level of a list is tried" {
    make_vmcore raw --memory 2M+1M --memory 2G+2M --pages 3
    "$VMCORE" save -q --threads 1 -d 31 raw small
    tried_again() {
        if grep -q 'syncing directory' err; then
            is_whole && said "No space left on device$"
            return
        fi
        [ "$status" -eq 0 ] && cmp small dump && [ ! -e dump-incomplete ] &&
            grep -q '^vmcore: warning: level 1: .*No space left on device; trying level 31$' err &&
            [ "$(wc -l <err)" -eq 1 ]
    }
    at_each_call 28 tried_again "$VMCORE" save -q --force --threads 1 -d 1,31 raw dump
    [ "$calls" -ge 15 ]
}

@test "full disk: a real one, with one level and with a list" {
    unshare -rm true 2>/dev/null || skip "no user namespaces here"
    make_vmcore raw --memory 2M+1M --memory 2G+2M:random --pages 3
    "$VMCORE" save -q --threads 1 -d 31 raw small
    mkdir disk
    # on_small_disk KIB COMMAND
    on_small_disk() {
        unshare -rm sh -c "mount -t tmpfs -o size=${1}K none disk; echo precious >disk/dump; $2"
    }
    local room
    for room in 12 80 160 1024 2048; do
        fails 0 on_small_disk $room "'$VMCORE' save --force raw disk/dump; echo \$?; cat disk/dump"
        same "$output" "1
precious"
        [[ $stderr = *"No space left on device"*"free space on that file system"* ]]
    done
    room=$((($(stat -c %s small) + 200000) / 1024))
    fails 0 on_small_disk $room "'$VMCORE' save -q --force -d 1,31 raw disk/dump; cmp small disk/dump; ls disk"
    same "$output" dump
    [[ $stderr = *"No space left on device; trying level 31" ]]
}

@test "failing disk: at each call, EIO instead" {
    make_vmcore raw --memory 2M+1M --memory 2G+2M
    failed_in_words() {
        if grep -q 'syncing directory' err; then
            is_whole && said "Input/output error$"
            return
        fi
        is_precious && said "Input/output error$"
    }
    at_each_call 5 failed_in_words "$VMCORE" save --force --threads 1 -z raw dump
    [ "$calls" -ge 15 ]
}

@test "killed: at each call the old dump stands, and what is left is right as far as it goes" {
    make_vmcore raw --memory 2M+1M --memory 2G+2M
    local saw_some=0 format lost
    right_so_far() {
        [ "$status" -eq 137 ] || return
        # Killed when it had its name.
        is_precious || { is_whole && pages_equal raw dump; return; }
        [ -s dump-incomplete ] || return 0
        run "$VMCORE" save -q -f dump-incomplete rescued
        case $status in
        0) pages_equal raw rescued ;;
        3)
            lost=$(echo "$output" | sed -n 's/^vmcore: warning: \([0-9]*\) of [0-9]* pages could.*/\1/p')
            pages_equal --cut --missing "${lost:-0}" raw rescued || return
            saw_some=$((saw_some + 1))
            ;;
        1) ;;
        *) return 1 ;;
        esac
    }
    at_each_call 0 right_so_far "$VMCORE" save --force --threads 1 raw dump
    [ "$calls" -ge 15 ]
    [ "$saw_some" -ge 3 ]
}

@test "killed: in ELF and flattened the old dump stands, too" {
    make_vmcore raw --memory 2M+1M --memory 2G+2M
    old_or_whole() {
        [ "$status" -eq 137 ] && { is_precious || is_whole; }
    }
    at_each_call 0 old_or_whole "$VMCORE" save --force --threads 1 --format elf raw dump
    at_each_call 0 old_or_whole "$VMCORE" save --force --threads 1 --flatten raw dump
}

@test "standard output: each call fails in turn" {
    make_vmcore raw --memory 2M+1M --memory 2G+1M
    told() {
        [ "$status" -eq 1 ] && grep -q 'ing standard output: No space left on device$' err
    }
    SUFFIX=/out at_each_call 28 told "$VMCORE" save -q --threads 1 raw -
    [ "$calls" -ge 20 ]
    ok "$UNIT/flatten" --undo out plain
    pages_equal raw plain
}

@test "reads and writes in small bites, every third interrupted" {
    make_vmcore raw --memory 2M+1M --memory 2G+1M
    local option
    for option in -c --raw --format=elf --flatten; do
        ok "$VMCORE" save -q -f --threads 1 $option raw whole
        ok on_failing_disk CHOPPED=-incomplete:999 "$VMCORE" save -q -f --threads 1 $option raw dump
        cmp whole dump
        ok on_failing_disk CHOPPED=/raw:5000 "$VMCORE" save -q -f --threads 1 $option raw dump
        cmp whole dump
    done
}

# Pages that a failing read hid are missing, all others equal.
missing_or_equal() {
    local lost
    case $status in
    0) pages_equal raw dump ;;
    3)
        # The memory of this one holds no other VMCOREINFO.
        if grep -q "warning: the CPUs' registers are lost" err; then
            run "$UNIT/compare-dump" --page-size 16384 raw dump
            [[ $output = *" 0 differ, 0 absent, 0 extra; 0 notes"$'\n'"wrong: the notes are not the same" ]]
            return
        fi
        lost=$(sed -n 's/^vmcore: warning: \([0-9]*\) of [0-9]* pages could not be read.*Input\/output error$/\1/p' err)
        pages_equal --missing "${lost:-0}" raw dump
        ;;
    1) [ ! -e dump ] && grep -q 'Input/output error' err ;;
    *) return 1 ;;
    esac
}

@test "source: each read fails once; no page is ever wrong" {
    make_vmcore raw --memory 2M+1M --memory 2G+2M:text
    "$VMCORE" save -q --threads 1 raw packed
    local source call status seen
    for source in raw packed; do
        seen=
        for ((call = 1; ; call++)); do
            rm -f struck dump
            status=0
            on_failing_disk FAULT_MARK=struck FAIL_READ_CALL="/$source:$call:5" \
                "$VMCORE" save -q --threads 1 $source dump >out 2>err || status=$?
            [ -e struck ] || break
            seen=$seen$status
            missing_or_equal || fail "read $call of $source: exit $status, $(cat err)"
        done
        # Refused where the headers failed; whole where a page was read again.
        [[ $seen = *1*0* ]]
    done
}

@test "source: unreadable pages in the middle, in every kind of dump" {
    make_vmcore raw --memory 2M+8M
    local option
    for option in -c -l -z --raw --format=elf --threads=4; do
        fails 3 on_failing_disk FAIL_READ=/raw:0x300100:0x308100 "$VMCORE" save -q -f $option raw dump
        [[ $stderr = *"warning: 3 of 512 pages could not be read and are marked as missing; the first: reading raw at offset 0x"*"Input/output error"* ]]
        pages_equal --missing 3 raw dump
    done
    fails 3 on_failing_disk FAIL_READ=/raw:0x300100:0x308100 "$VMCORE" save -q --flatten raw flat
    ok "$UNIT/flatten" --undo flat plain
    pages_equal --missing 3 raw plain
    fails 3 on_failing_disk FAIL_READ=/raw:0x300100:0x308100 "$VMCORE" save -q --split 3 raw part
    fails 3 "$VMCORE" save -q part.1 joined
    pages_equal --missing 3 raw joined
}

@test "source: struct pages that cannot be read keep their pages" {
    make_vmcore raw --truth truth --memory 2M+1M --memory 2G+4M --pages 3
    local where
    # Where the struct pages lie: the segment from 4 GiB on, after the tables.
    where=$(/usr/bin/python3 - raw <<'END'
import struct, sys
raw = open(sys.argv[1], "rb").read(4096)
for i in range(struct.unpack_from("<H", raw, 56)[0]):
    kind, _, offset, _, phys, size, _, _ = struct.unpack_from("<IIQQQQQQ", raw, 64 + 56 * i)
    if kind == 1 and phys >= 1 << 32:
        print(offset, offset + size)
        break
END
    )
    [ -n "$where" ]
    run --separate-stderr on_failing_disk FAIL_READ="/raw:${where/ /:}" "$VMCORE" save -q -d 31 raw dump
    [ "$status" -eq 3 ]
    [[ $stderr = *"Input/output error"* ]]
    ok "$UNIT/compare-dump" --missing $((($(echo $where | sed 's/\(.*\) \(.*\)/\2 - \1/')) / 16384)) raw dump
}

# mapped DUMP [OPTION]...: how many pages of raw were seen in mappings.
mapped() {
    local dump=$1
    shift
    on_failing_disk "$VMCORE" save -f --json "$@" raw "$dump" 2>err >out &&
        /usr/bin/python3 -c 'import json; print(json.load(open("out"))["mapped"])'
}

# As the kernel does with /proc/vmcore.
@test "source: pages in mappings: the same file, by as many as the kernel gives" {
    make_vmcore raw --truth truth --memory 2M+1M --memory 2G+20M --pages 3
    "$VMCORE" save -q --threads 1 -d 0 raw whole
    "$VMCORE" save -q --threads 1 -d 31 raw small
    local maps seen before=0
    for maps in 0 1 2 100; do
        seen=$(LIKE_VMCORE=/raw:$maps mapped dump --threads 1 -d 0)
        cmp whole dump
        case $maps in
        0) assert_equal "$seen" 0 ;;
        *) assert [ "$seen" -gt "$before" ] ;;
        esac
        before=$seen
    done
    assert_equal "$seen" "$(/usr/bin/python3 -c 'import json; print(json.load(open("out"))["pages"])')"
    LIKE_VMCORE=/raw:100 mapped dump --threads 1 -d 31 >seen
    cmp small dump
    assert [ "$(cat seen)" -gt 100 ]
    LIKE_VMCORE=/raw:100 mapped dump --threads 3 --format elf -d 0 >seen
    pages_equal --truth truth --level 0 raw dump
    LIKE_VMCORE=/raw:100 mapped dump --threads 1 --no-mmap -d 0 >seen
    assert_equal "$(cat seen)" 0
    cmp whole dump
    assert_equal "$(mapped dump --threads 1 -d 0)" 0
}

@test "source: a file that is cut is mapped no further than it goes" {
    make_vmcore raw --memory 2M+1M --memory 2G+8M
    truncate -s $((6 * 1048576 + 5000)) raw
    fails 3 "$VMCORE" save -q --threads 1 -d 0 raw read
    fails 3 env LIKE_VMCORE=/raw:100 ASAN_OPTIONS="${ASAN_OPTIONS:-}:verify_asan_link_order=0" \
        LD_PRELOAD="$FAILING_DISK" "$VMCORE" save -q --threads 1 -d 0 raw dump
    cmp read dump
}

# The memory itself has VMCOREINFO in it.
@test "source: notes that cannot be read: the memory is saved, what is lost is said" {
    local file at
    make_vmcore whole --cpus 16
    "$UNIT/make-guest" whole elf --plant note@0x300000 --plant data@0x301000
    "$VMCORE" save -q --raw elf kdump 2>err
    for file in elf kdump; do
        case $file in
        elf) at=4096 ;; # inside them, behind what every open reads
        kdump) at=$(field kdump 16432 8) ;; # offset_note of the sub header
        esac
        fails 3 on_failing_disk FAIL_READ="/$file:$at:$((at + 1))" "$VMCORE" save -q -f $file dump
        [[ $stderr = *"warning: the CPUs' registers are lost: ELF notes: reading $file at offset 0x"*": Input/output error"* ]]
        run "$UNIT/compare-dump" --page-size 16384 elf dump
        assert_output --regexp ' 0 differ, 0 absent, 0 extra; '
        run "$VMCORE" info dump
        assert_line --regexp '^Kernel: +6\.12\.0-test$'
    done
}

@test "destination: the source itself, by any name, also as the unfinished file" {
    make_vmcore raw --memory 2M+1M
    "$VMCORE" save -q raw dump
    cp dump before
    fails 1 "$VMCORE" save --force dump dump
    same "$stderr" "vmcore: saving to dump: that is what is read
vmcore: name another file"
    ln -s dump link
    ln dump hard
    fails 1 "$VMCORE" save -f dump link
    fails 1 "$VMCORE" save -f link hard
    fails 1 "$VMCORE" dmesg -f dump ./dump
    mv dump dump-incomplete
    fails 1 "$VMCORE" save dump-incomplete dump
    same "$stderr" "vmcore: saving to dump: until it is whole it is written as dump-incomplete, and that is what is read
vmcore: name another file"
    fails 1 "$VMCORE" dmesg dump-incomplete dump
    fails 1 "$VMCORE" rebuild dump-incomplete dump
    fails 1 "$VMCORE" save --split 2 dump-incomplete other dump
    [ ! -e dump ]
    cmp before dump-incomplete
    # One of the files it is split into, found beside the one that was named.
    "$VMCORE" save -q --split 2 raw part
    fails 1 "$VMCORE" save -f part.1 part.2
    [[ $stderr = *"saving to part.2: that is what is read"* ]]
    ok "$VMCORE" save -q part.1 joined
    pages_equal raw joined
}

@test "destination: a file system that is mounted to be read only" {
    unshare -rm true 2>/dev/null || skip "no user namespaces here"
    make_vmcore raw --memory 2M+1M
    mkdir disk
    fails 1 unshare -rm sh -c "mount -t tmpfs -o ro none disk; exec '$VMCORE' save raw disk/dump"
    [[ $stderr = *"Read-only file system"*"mount that file system writable"* ]]
}

@test "sparse: holes of the source are zeros of the dump, and holes there" {
    make_vmcore raw --memory 2M+1M --memory 2G+64M:zero --memory 8G+1M:text
    cp --sparse=always raw holes
    [ "$(du -k holes | cut -f 1)" -lt 4096 ]
    local option
    for option in -c --format=elf; do
        ok "$VMCORE" save -q -f --threads 1 $option raw whole
        ok "$VMCORE" save -q -f --threads 1 $option holes dump
        cmp whole dump
        [ "$(du -k dump | cut -f 1)" -lt 4096 ]
        ok "$VMCORE" save -q -f dump again
        pages_equal raw again
    done
}

@test "memory: whatever there is, the dump is whole" {
    make_vmcore raw --memory 2M+1M --memory 2G+48M:text
    local room option
    for option in -c -l -z --format=elf; do
        for room in 8000000 2000000 400000; do
            ok on_failing_disk ALLOC_ROOM=$room "$VMCORE" save -f --threads 4 $option raw dump
            assert_line --partial ' 0 unreadable'
            [ $option = --format=elf ] || assert_line --regexp '^pages: .* [0-9]{4} packed'
            pages_equal raw dump
        done
    done
    for option in -c -l -z; do
        run --separate-stderr on_failing_disk ALLOC_ROOM=120000 "$VMCORE" save -q -f --threads 4 $option raw dump
        [ "$status" -eq 0 ]
        [[ $stderr = "vmcore: warning: there is no memory for "*": pages are not packed" ]]
        pages_equal raw dump
    done
    fails 1 on_failing_disk ALLOC_ROOM=1 "$VMCORE" save -q -f raw dump
    same "$stderr" "vmcore: out of memory"
}

@test "memory: no more workers than half of what is available has room for" {
    unshare -rm true 2>/dev/null || skip "no user namespaces here"
    make_vmcore raw --memory 2M+1M --memory 2G+128M:zero
    # workers KIB: how many threads besides the first there are with so much.
    workers() {
        printf 'MemFree: 1 kB\nMemAvailable: %8u kB\n' "$1" >meminfo
        ASAN_OPTIONS=${ASAN_OPTIONS:-}:detect_leaks=0 unshare -rm sh -c "mount --bind meminfo /proc/meminfo &&
            exec strace -f -qq -o calls -e trace=clone,clone3 '$VMCORE' save -q -f --threads 6 raw dump"
        threads=$(grep -c '^[0-9]* *clone.* = [0-9]' calls || :)
    }
    local threads
    workers 1000000
    [ "$threads" -eq 5 ]
    workers 10000
    [ "$threads" -gt 0 ] && [ "$threads" -lt 5 ]
    workers 2000
    [ "$threads" -eq 0 ]
    pages_equal raw dump
}

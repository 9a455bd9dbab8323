#!/usr/bin/env bats
# Every way a guest's memory leaves QEMU and libvirt, by the real ones: each
# file must open, hold what the guest said of itself, and the same memory as the
# others that were taken at that moment. Three guests: one under libvirt; one of
# QEMU alone, idle, busy, with one CPU lost in the kernel, and after its crash kernel took
# over; one of our own kernel, displaced, with two NUMA nodes and a DIMM, that has panicked.
# $LOONGDUMP_SOURCES names a directory to keep the files in, or to take them from.

load machine
load sources

setup_file() {
    make_sources "${LOONGDUMP_SOURCES:-$BATS_FILE_TMPDIR}"
}

setup() {
    local sources=${LOONGDUMP_SOURCES:-$BATS_FILE_TMPDIR}
    V=$sources/virt
    Q=$sources/qemu
    P=$sources/panicked
    SECOND=$sources/over/twice
    VMLINUX=$(lab path vmlinux)
    cd "$BATS_TEST_TMPDIR" || exit 1
}

# The warning that a file of dump-guest-memory earns without --registers.
NO_PC="QEMU did not write the CPUs' program counters"

# info FILE [OPTION...]: as JSON in $output; only that warning may come.
info() {
    fails 0 "$VMCORE" info --json "$@"
    [ -z "$stderr" ] || assert_regex "$stderr" "^vmcore: warning: .*$NO_PC[^
]*\$"
}

value() {
    /usr/bin/python3 -c 'import json, sys; d = json.load(sys.stdin); print(eval(sys.argv[1]))' "$1" <<<"$output"
}

# memory FILE [OPTION...]: a sum of each run of its memory.
memory() {
    "$VMCORE" save -qf -d 1 --format elf "$@" memory.elf 2>/dev/null || return 1
    /usr/bin/python3 - <<'PY'
import hashlib, struct
data = open("memory.elf", "rb").read()
for i in range(struct.unpack_from("<H", data, 56)[0]):
    kind, _, offset, _, paddr, size, _, _ = struct.unpack_from("<IIQQQQQQ", data, 64 + 56 * i)
    if kind == 1:
        print(hex(paddr), hex(size), hashlib.sha1(data[offset:offset + size]).hexdigest())
PY
    rm memory.elf
}

# fact LOG: what the guest printed between its marks.
facts() { tr -d '\r' <"$1" | sed -n '/^FACTS-BEGIN/,/^FACTS-END/p'; }

# own_words FILE LOG [OPTION...]: the VMCOREINFO is the guest's own, word by word.
own_words() {
    local file=$1 log=$2
    shift 2
    same "$("$VMCORE" info --print-vmcoreinfo "$@" "$file" 2>/dev/null | grep -v -e ^KERNELOFFSET= -e VMALLOC_START)" \
        "$(facts "$log" | sed -n 's/^vmcoreinfo //p' | grep -v VMALLOC_START)"
}

# is_whole FILE LOG [OPTION...]: the kernel, all of its log, both CPUs, page types
# that make sense, and nothing missing.
is_whole() {
    local file=$1 log=$2 free
    shift 2
    info "$@" "$file"
    assert_equal "$(value 'd["complete"], len(d["cpus"]), d["page_size"], d["page_table_levels"], d["memory_bytes"]')" \
        "(True, 2, 16384, 3, 536870912)"
    assert [ "$(value 'd["log_records"]')" -gt 300 ]
    free=$(facts "$log" | awk '$1 == "MemFree:" { print int($2 / 16) }')
    assert [ "$(value 'd["page_types"]["free"]["pages"]')" -gt $((free * 90 / 100)) ]
    assert [ "$(value 'd["page_types"]["free"]["pages"]')" -lt $((free * 110 / 100)) ]
    own_words "$file" "$log" "$@"
}

# crash_agrees FILE LOG [OPTION...]: what crash says of the dump saved of FILE is
# what the guest said of itself. It is left as `dump`, and the words as `said`.
crash_agrees() {
    local file=$1 log=$2 pid name
    shift 2
    fails 0 "$VMCORE" save -qf -d 31 "$@" "$file" dump
    run crash_says dump sys "bt -a" ps log "kmem -i"
    [ "$status" -eq 0 ] || fail "crash on the dump of $file: exit $status: $output"
    printf '%s\n' "$output" >said
    # Each process the guest knew but the ps that told it; workers and the kernel's own
    # tests come and go.
    while read -r pid name; do
        grep -Eq "^>? +$pid +[0-9]+ +[0-9]+ +[0-9a-f]{16} .*${name%%[^a-z_]*}" said ||
            fail "$file: crash does not know process $pid, $name"
    done < <(facts "$log" | grep -E '^ *[0-9]+ +[a-z]' | grep -v -e kworker -e cryptomgr -e ' ps$')
    same "$file $(awk '$1 == "TOTAL" && $2 == "MEM" { print $3 }' said)" \
        "$file $(facts "$log" | awk '$1 == "MemTotal:" { n = $2 / 16 } END { print n }')"
    grep -Fq "$(facts "$log" | grep '^\[.*job: ')" said || fail "$file: the log in it ends before what the guest said last"
    grep -Eq "^(PID: .*COMMAND: | #0 )" said || fail "$file: crash shows no stack"
    [ "$(grep -c '^PID: .* CPU: [01] ' said)" -eq 2 ] || fail "$file: not a stack of each CPU"
    assert_line --partial "Linux version $(value_of_release "$file" "$@")"
}

value_of_release() {
    "$VMCORE" info --json "$@" 2>/dev/null |
        /usr/bin/python3 -c 'import json, sys; print(json.load(sys.stdin)["release"])'
}

# idle: both CPUs' stacks end where an idle CPU's does, and the log where the guest's did,
# but for what the kernel says of a host that is slow.
idle() { # FILE LOG
    grep -q 'do_idle at' said || fail "$1: no CPU is idle"
    grep -q -e 'start_kernel at' -e 'rest_init at' said || fail "$1: where is CPU 0?"
    grep -q 'start_secondary at' said || fail "$1: where is CPU 1?"
    same "$1 $(grep -E '^\[ *[0-9]+\.[0-9]{6}\] ' said | grep -v -e 'hrtimer: interrupt took' -e 'hogged CPU' | tail -n 1 | sed 's/ *$//')" "$1 $(facts "$2" | grep '^\[.*job: ')"
}

@test "sources: virsh dump" {
    is_whole "$V/plain" "$V/console.log"
    assert_equal "$(value 'd["format"], d["registers_from"]')" "('QEMU migration stream', 'stream')"
}

@test "sources: virsh dump --memory-only, also as kdump-zlib" {
    is_whole "$V/elf" "$V/console.log"
    assert_equal "$(value 'd["format"], d["registers_from"]')" "('ELF core', 'NT_PRSTATUS without PC')"
    crash_agrees "$V/elf" "$V/console.log"
    is_whole "$V/kdump" "$V/console.log"
}

@test "sources: virsh save in each format, managed save, a snapshot's memory" {
    local format
    for format in raw gzip bzip2 xz lzop zstd sparse; do
        is_whole "$V/save.$format" "$V/console.log"
        assert_equal "$(value 'd["format"], d["registers_from"]')" "('virsh save image', 'stream')"
    done
    is_whole "$V/snapshot" "$V/console.log"
    is_whole "$V/managed" "$V/console.log"
}

# same_dump FILE...: all are of one moment, and what is saved of them is the same to the
# byte; a FILE with OPTIONs.
same_dump() {
    local file
    for file; do
        # shellcheck disable=SC2086
        fails 0 "$VMCORE" save -qf -d 31 --format elf $file "$([ "$file" = "$1" ] && echo first || echo other)"
        [ "$file" = "$1" ] || cmp first other || fail "$file: not the dump of $1"
    done
    rm -f first other
}

# Of those that are the same crash is asked once.
@test "sources: crash says of each kind what the guest said of itself" {
    local kind
    crash_agrees "$V/plain" "$V/console.log"
    idle "$V/plain" "$V/console.log"
    same_dump "$V"/{plain,save.{raw,gzip,bzip2,xz,lzop,zstd,sparse},snapshot,managed,grab/vmcore}
    # QEMU writes a note of its own there.
    crash_agrees "$V/elf" "$V/console.log" --registers "$V/registers"
    idle "$V/elf" "$V/console.log"
    same_dump "--registers $V/registers $V/elf" "--registers $V/registers $V/kdump"
    same "$(memory "$V/elf")" "$(memory "$V/plain")"
    for kind in grab.live/vmcore grab.stuck/vmcore; do
        crash_agrees "$V/$kind" "$V/console.log"
        idle "$V/$kind" "$V/console.log"
    done
    crash_agrees "$Q/stream.elf" "$Q/console.log" --registers "$Q/registers"
    idle "$Q/stream.elf" "$Q/console.log"
    same_dump "--registers $Q/registers $Q/stream.elf" "--registers $Q/registers $Q/kdump" \
        "--registers $Q/registers $Q/kdump-raw"
    for kind in stream mapped mapped-multifd; do
        crash_agrees "$Q/$kind" "$Q/console.log"
        idle "$Q/$kind" "$Q/console.log"
    done
    # Busy ones.
    crash_agrees "$Q/live" "$Q/console.log"
    crash_agrees "$Q/background" "$Q/console.log"
    crash_agrees "$V/plugged.stream" "$V/plugged.console"
    same_dump "$V/plugged.stream" "$V/plugged.save"
}

# left FILE: of what was left behind for a search to find, what is there in an ELF dump
# of the guest, where a page begins.
left() {
    /usr/bin/python3 - "$1" <<'PY'
import mmap, struct, sys
with open(sys.argv[1], "rb") as f:
    data = mmap.mmap(f.fileno(), 0, access=mmap.ACCESS_READ)
found = set()
for i in range(struct.unpack_from("<H", data, 56)[0]):
    kind, _, offset, _, paddr, size, _, _ = struct.unpack_from("<IIQQQQQQ", data, struct.unpack_from("<Q", data, 32)[0] + 56 * i)
    at = data.find(b"OSRELEASE=", offset, offset + size) if kind == 1 else -1
    while at >= 0:
        text = bytes(data[at:at + 16384]).split(b"\0")[0]
        if (at - offset + paddr) % 16384 in (0, 24):
            found.add(text.partition(b"LEFT=")[2].decode().strip() or text.splitlines()[0][10:].decode())
        at = data.find(b"OSRELEASE=", at + 1, offset + size)
print(*sorted(found))
PY
}

@test "sources: VMCOREINFO is that of the kernel that runs, not one in its cache nor of the one that is loaded" {
    local file stock own
    stock=$(value_of_release "$Q/stream") own=$(value_of_release "$P/stream")
    assert [ "$stock" != "$own" ]
    # It is all there to be mistaken.
    assert_regex "$(left "$Q/stream.elf")" "(^| )$own .*cached"
    assert_regex "$(left "$Q/stream.elf")" "(^| )${stock//+/.}( |\$)"
    assert_regex "$(left "$V/elf")" "(^| )cached( |\$)"
    for file in stream kdump mapped live background; do
        own_words "$Q/$file" "$Q/console.log"
        info --vmlinux "$VMLINUX" "$Q/$file"
        assert_equal "$(value 'd["crash_time"]')" None
        fails 2 "$VMCORE" info --vmlinux "$(lab path testkernel-vmlinux)" "$Q/$file"
        assert_regex "$stderr" "has BUILD-ID .*, the kernel in the dump \\(${stock//+/.}\\) has "
    done
}

@test "sources: a kernel that died and the one that took over, in one memory" {
    local stock own vmlinux file
    vmlinux=$(lab path testkernel-vmlinux)
    stock=$(value_of_release "$Q/stream") own=$(value_of_release "$P/stream")
    for file in "$SECOND" "--vmlinux $vmlinux $SECOND"; do
        # shellcheck disable=SC2086
        fails 0 "$VMCORE" info --json $file
        assert_regex "$(value '"\n".join(d["warnings"])')" "kernel $own with .* is taken; another one, ${stock//+/.}, is in memory too"
        assert_regex "$(value 'd["release"], d["panic"]')" "$own.*VFS: Unable to mount root"
    done
    fails 0 "$VMCORE" info --json --vmlinux "$VMLINUX" "$SECOND"
    assert_regex "$(value '"\n".join(d["warnings"])')" "kernel ${stock//+/.} with .* is taken; another one, $own, is in memory too"
    assert_equal "$(value 'd["release"], d["panic"], d["crash_time"] > 1234567890')" \
        "('$stock', 'Kernel panic - not syncing: sysrq triggered crash', True)"

    fails 0 "$VMCORE" save -qf -d 31 --vmlinux "$VMLINUX" "$SECOND" dump
    run crash_says dump sys log ps
    assert_success
    assert_line --regexp 'PANIC: "Kernel panic - not syncing: sysrq triggered crash"'
    assert_line --partial "job: says what it knows"
    refute_output --partial "VFS: Unable to mount root"
    fails 0 "$VMCORE" save -qf -d 31 --vmlinux "$vmlinux" "$SECOND" dump
    run own_crash testkernel dump sys bt log
    assert_success
    assert_line --partial "Kernel panic - not syncing: VFS: Unable to mount root"
    assert_line --partial "mount_root"
    refute_output --partial "sysrq triggered crash"
}

@test "sources: virsh save that did not end: said, and what came is there" {
    fails 3 "$VMCORE" info --json "$V/part"
    assert_line --partial "part: its writer marked it as incomplete"
    assert_equal "$(value 'd["format"], d["complete"], d["memory_bytes"] > 100000')" "('virsh save image', False, True)"
}

@test "sources: ELF, kdump flattened and raw, stream: the same memory to the byte" {
    local truth
    truth=$(memory "$Q/stream.elf")
    same "$(memory "$Q/stream")" "$truth"
    same "$(memory "$Q/kdump")" "$truth"
    same "$(memory "$Q/kdump-raw")" "$truth"
    is_whole "$Q/stream" "$Q/console.log"
}

@test "sources: mapped-ram, with one channel, with several and direct I/O" {
    is_whole "$Q/mapped" "$Q/console.log"
    assert_equal "$(value 'd["format"]')" "QEMU mapped-ram file"
    same "$(memory "$Q/mapped")" "$(memory "$Q/mapped.elf")"
    is_whole "$Q/mapped-multifd" "$Q/console.log"
    same "$(memory "$Q/mapped-multifd")" "$(memory "$Q/mapped-multifd.elf")"
}

@test "sources: a live guest's stream, pages again and again, some as deltas" {
    same "$(memory "$Q/live")" "$(memory "$Q/live.elf")"
}

@test "sources: a migration's main connection alone: multifd and postcopy are refused by name" {
    fails 1 "$VMCORE" info "$Q/multifd.0"
    assert_regex "$stderr" "pages of RAM block 'loongarch.ram' are not in this stream: they went through other channels \(multifd\)"
    fails 1 "$VMCORE" info "$Q/postcopy.0"
    assert_regex "$stderr" "the guest went over to postcopy"
}

@test "sources: a background snapshot" {
    info "$Q/background"
    assert_equal "$(value 'd["complete"], len(d["cpus"]), d["registers_from"]')" "(True, 2, 'stream')"
}

@test "sources: vmcore grab: standing still, --live, of a guest that cannot be migrated" {
    local dir
    info "$V/grab/vmcore"
    assert_equal "$(value '"\n".join(c["era"] for c in d["cpus"])')" "$(pcs "$V/grab/registers.txt" | sed 's/0x0*/0x/')"
    info "$V/grab.stuck/guest.dump"
    assert_equal "$(value 'd["format"]')" "ELF core"
    info "$V/grab.stuck/vmcore"
    assert_equal "$(value '"\n".join(c["era"] for c in d["cpus"])')" "$(pcs "$V/grab.stuck/registers.txt" | sed 's/0x0*/0x/')"
    assert_equal "$(cat "$V/grab.live/state" "$V/grab.stuck/state")" "running
running"
    for dir in "$V/grab" "$V/grab.live" "$V/grab.stuck"; do
        is_whole "$dir/vmcore" "$V/console.log"
        grep -q "QEMU 11" "$dir/versions.txt"
        grep -q "<name>guest</name>" "$dir/domain.xml"
    done
    same "$(ls "$V/grab" "$V/grab.live" | grep guest.dump)" ""
}

# pcs FILE: the program counters of a text of info registers.
pcs() { sed -n 's/^ PC=\([0-9a-f]*\).*/0x\1/p' "$1"; }

# In QEMU's first section, timer, whose number is 0, the low byte of a clock that looks
# like the start of a footer, and zeros behind it. One of 256 streams is so.
@test "sources: a stream whose clock looks like the end of it" {
    info "$Q/stream"
    local cpus
    cpus=$(value 'd["cpus"]')
    /usr/bin/python3 - "$Q/stream" clock <<'PY'
import shutil, sys
shutil.copyfile(*sys.argv[1:])
with open(sys.argv[2], "r+b") as f:
    data = f.read()
    head = b"\4\0\0\0\0\5timer\0\0\0\0\0\0\0\2"
    at = data.rindex(head) + len(head)
    assert data[at + 24:at + 29] == b"\x7e\0\0\0\0"
    f.seek(at + 7)
    f.write(b"\x7e" + bytes(8))
PY
    info clock
    assert_equal "$(value 'd["cpus"]')" "$cpus"
    is_whole clock "$Q/console.log"
}

@test "sources: the true PC: of a stream, of --registers" {
    info "$Q/stream"
    assert_equal "$(value '"\n".join(c["era"] for c in d["cpus"])')" "$(pcs "$Q/registers" | sed 's/0x0*/0x/')"
    info --registers "$Q/registers" "$Q/stream.elf"
    assert_equal "$(value '"\n".join(c["era"] for c in d["cpus"])')" "$(pcs "$Q/registers" | sed 's/0x0*/0x/')"
    assert_equal "$(value 'd["registers_from"]')" "info registers"
}

# The worker that the module took CPU 2 with, from where it spins to its first
# frame. CSR.ERA is where that CPU was interrupted last, before it. CPU 1 is offline: of the
# three notes crash takes none, and knows two CPUs, until it is told.
@test "sources: a CPU that spins in the kernel, interrupts off, another one offline: stacks from true PCs" {
    local spin pc file
    for file in "$Q/spins" "--registers $Q/spins.registers $Q/spins.elf"; do
        # shellcheck disable=SC2086
        info --vmlinux "$VMLINUX" $file
        pc=$(value 'd["cpus"][2]["era"]')
        assert_regex "$(value 'd["cpus_online"], d["crash_command"]')" "^\(2, '.* && crash --cpus 3 vmlinux.* dump'\)"
        # shellcheck disable=SC2086
        fails 0 "$VMCORE" save -qf -d 31 $file dump
        run crash_says "--cpus 3 dump" "sym fault_spin" "bt -c 0" "bt -c 1" "bt -c 2"
        assert_success
        assert_line --regexp "^ #[0-9]+ .* idle_play_dead at $(value 'd["cpus"][1]["era"][2:]')"
        spin=$(printf '%s\n' "$output" | sed -n 's/^\([0-9a-f]*\) (.) fault_spin .*/\1/p')
        assert [ $((pc - 0x$spin)) -ge 0 ]
        assert [ $((pc - 0x$spin)) -lt 256 ]
        assert_line --regexp "^ #0 .* fault_spin at $(printf %x "$pc")"
        assert_line --regexp "^ #[1-9].* smp_call_on_cpu_callback at "
        assert_line --regexp "^ #[1-9].* worker_thread at "
        assert_line --regexp "^ #[1-9].* kthread at "
    done
    info "$Q/spins.elf"
    assert [ "$(value 'd["cpus"][2]["era"]')" != "$pc" ]
}

@test "sources: memory plugged in while the guest ran, with a gap before it" {
    local truth file
    truth=$(memory "$V/plugged.elf")
    same "$(awk '{ print $1, $2 }' <<<"$truth")" "0x0 0x10000000
0x80000000 0x20000000
0xc0000000 0x20000000"
    for file in stream save; do
        info "$V/plugged.$file"
        same "$(memory "$V/plugged.$file")" "$truth"
    done
}

# Our own kernel: displaced, with NUMA nodes and a DIMM, dead.
@test "sources: a displaced kernel that panicked; a NUMA node in shared memory; a DIMM" {
    local vmlinux kaslr truth file
    vmlinux=$(lab path testkernel-vmlinux)
    fails 1 "$VMCORE" info "$P/state"
    assert_regex "$stderr" "the memory of RAM block 'west' \(256 MiB\) is not in it: shared memory"
    truth=$(memory "$P/elf")
    same "$(memory --ram "west=$P/west.ram" "$P/state")" "$truth"
    same "$(memory --ram "$P/high@0x80000000" "$P/low@0")" "$truth"
    same "$(memory "$P/stream")" "$(memory "$P/stream.elf")"

    info --vmlinux "$vmlinux" "$P/elf"
    kaslr=$(value 'd["displacement"]')
    assert [ "$kaslr" != 0x0 ]
    assert_equal "$(value 'd["panic"]')" "Kernel panic - not syncing: sysrq triggered crash"
    assert_equal "$(value 'd["displacement_sure"]')" True
    info --vmlinux "$vmlinux" --ram "west=$P/west.ram" "$P/state"
    assert_equal "$(value 'd["displacement"]')" "$kaslr"
    fails 2 "$VMCORE" info --vmlinux "$(lab path vmlinux)" "$P/elf"
    assert_regex "$stderr" "has BUILD-ID .*, the kernel in the dump .* has "

    for file in "--ram west=$P/west.ram $P/state" "--registers $P/registers $P/elf" \
        "--registers $P/registers --ram $P/high@0x80000000 $P/low@0"; do
        # shellcheck disable=SC2086
        fails 0 "$VMCORE" save -qf -d 31 --vmlinux "$vmlinux" $file dump
        printf '%s\n' sys "bt" ps log quit >commands
        run lab crash --no_modules --kaslr "$kaslr" -s -i commands "$vmlinux" dump </dev/null
        assert_success
        assert_line --partial "sysrq_handle_crash"
        assert_line --partial "write_sysrq_trigger"
        assert_line --partial "Kernel panic - not syncing: sysrq triggered crash"
    done
    # crash finds the number itself in the note.
    run lab crash --no_modules --kaslr auto -s -i commands "$vmlinux" dump </dev/null
    assert_success
    assert_line --partial "sysrq_handle_crash"
}

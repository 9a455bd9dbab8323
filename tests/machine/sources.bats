#!/usr/bin/env bats
# Every way a guest's memory leaves QEMU and libvirt, by the real ones: each
# file must open, hold what the guest said of itself, and the same memory as the
# others that were taken at that moment. Three guests: one under libvirt; one of
# QEMU alone, idle, busy, and with one CPU lost in the kernel; one of our own kernel,
# displaced, with two NUMA nodes and a DIMM, that has panicked.

load machine

setup_file() {
    local dir=$BATS_FILE_TMPDIR
    mkdir -p "$dir/extra"
    cp "$TOP/tests/machine/jobs/hold.job" "$dir/extra/job"
    cp "$(lab path faults)" "$dir/extra/faults.ko"
    lab initramfs "$dir/initrd" "$dir/extra"
    libvirt_guest >"$dir/libvirt.log" 2>&1 || fail_with "$dir/libvirt.log"
    qemu_guest >"$dir/qemu.log" 2>&1 || fail_with "$dir/qemu.log"
    panicked_guest >"$dir/panicked.log" 2>&1 || fail_with "$dir/panicked.log"
}

fail_with() {
    tail -n 40 "$1"
    return 1
}

libvirt_guest() {
    local virt=$BATS_FILE_TMPDIR/virt format
    lab virt start --for $$ "$virt" || return 1
    lab virt create "$virt" guest --mem 512M --initrd "$BATS_FILE_TMPDIR/initrd" \
        --devices "<controller type='pci' index='1' model='pcie-root-port'/>" &&
        lab virt wait "$virt" guest GUEST-READY 90 && cp "$virt/guest.log" "$virt/console.log" || return 1
    lab virt virsh "$virt" dump guest "$virt/plain" || return 1
    lab virt virsh "$virt" dump --memory-only guest "$virt/elf" || return 1
    lab virt virsh "$virt" dump --memory-only --format kdump-zlib guest "$virt/kdump" || return 1
    for format in raw gzip bzip2 xz lzop zstd sparse; do
        lab virt virsh "$virt" save --image-format "$format" guest "$virt/save.$format" &&
            lab virt virsh "$virt" restore "$virt/save.$format" || return 1
    done
    lab virt virsh "$virt" snapshot-create-as guest snap \
        --memspec "file=$virt/snapshot,snapshot=external" || return 1
    grabs "$virt" || return 1
    lab virt stop "$virt"
}

# Of a guest that stands still already, of one that runs on, and of one that a
# device keeps from being migrated.
grabs() { # VIRT
    mkdir "$1/bin"
    # /tmp is in the chroot, too: there virsh must be the real one.
    printf '#!/bin/sh\nPATH="%s" exec "%s" virt virsh "%s" "$@"\n' "$PATH" "$TOP/tests/machine/lab/lab" "$1" >"$1/bin/virsh"
    chmod +x "$1/bin/virsh"
    local PATH=$1/bin:$PATH
    virsh suspend guest && "$VMCORE" grab guest "$1/grab" && virsh resume guest || return 1
    "$VMCORE" grab --live -z guest "$1/grab.live" && virsh domstate guest >"$1/grab.live/state" || return 1
    virsh qemu-monitor-command --hmp guest "device_add ufs,bus=pci.1" || return 1
    "$VMCORE" grab --keep guest "$1/grab.stuck" && virsh domstate guest >"$1/grab.stuck/state"
}

# monitor COMMAND...: of the guest in $Q.
monitor() { lab qemu monitor "$Q" "$@"; }

# start_guest DIR [OPTION...]: its console is a pipe that is read until
# leave_console, and takes commands.
start_guest() {
    Q=$1
    shift
    mkdir -p "$Q"
    mkfifo "$Q/con.in" "$Q/con.out"
    lab qemu start --for $$ "$Q" --mem 512M --initrd "$BATS_FILE_TMPDIR/initrd" "$@" \
        -chardev "pipe,id=con,path=$Q/con" -serial chardev:con || return 1
    cat "$Q/con.out" >>"$Q/console.log" 3>&- &
    READER=$!
    lab qemu wait "$Q" GUEST-READY 90
}

leave_console() {
    kill "$READER"
    wait "$READER" || true
}

tell() { echo "$1" >"$Q/con.in"; }

dump() { # NAME [FORMAT]
    monitor dump-guest-memory "{\"paging\": false, \"protocol\": \"file:$Q/$1\"${2:+, \"format\": \"$2\"}}"
}

# migrate NAME [SETTING...]: the guest stands still afterwards. NAME.elf is what
# its memory then is.
migrate() {
    local name=$1
    shift
    monitor migrate "file:$Q/$name" "$@" && dump "$name.elf" && monitor cont
}

qemu_guest() {
    start_guest "$BATS_FILE_TMPDIR/qemu" -- -device vmcoreinfo || return 1
    monitor stop
    monitor hmp "info registers -a" >"$Q/registers"
    dump kdump kdump-zlib && dump kdump-raw kdump-raw-zlib || return 1
    migrate stream || return 1
    monitor stop
    migrate mapped mapped-ram || return 1
    migrate mapped-multifd mapped-ram multifd multifd-channels=2 direct-io=on || return 1
    # Few bytes of many pages, over and over.
    tell 'head -c 8m /dev/urandom >/tmp/w; (while :; do i=0; while [ $i -lt 500 ]; do echo $i | dd of=/tmp/w bs=1 seek=$((i*16384+77)) conv=notrunc 2>/dev/null; i=$((i+9)); done; done) & echo BUSY'
    lab qemu wait "$Q" '^BUSY' 60 || return 1
    migrate live xbzrle max-bandwidth=100000000 xbzrle-cache-size=268435456 || return 1
    monitor migrate "file:$Q/background" background-snapshot max-bandwidth=0 && monitor cont || return 1
    # One CPU in the kernel for good, with interrupts off. From there on the shell
    # may wait for that one for ever: the kernel's own words must do.
    tell 'insmod /faults.ko fault=spin cpu=1'
    lab qemu wait "$Q" 'spinning with interrupts off on CPU 1' 60 || return 1
    sleep 0.5
    monitor stop
    monitor hmp "info registers -a" >"$Q/spins.registers"
    migrate spins || return 1
    leave_console
    lab qemu stop "$Q"
}

panicked_guest() {
    local q=$BATS_FILE_TMPDIR/panicked
    mkdir -p "$q"
    start_guest "$q" --kernel "$(lab path testkernel-vmlinuz)" --append panic=0 -- \
        -object "memory-backend-file,id=node0,size=256M,mem-path=$q/node0.ram,share=on" \
        -object memory-backend-ram,id=node1,size=256M \
        -numa node,nodeid=0,cpus=0,memdev=node0 -numa node,nodeid=1,cpus=1,memdev=node1 \
        -m slots=1,maxmem=1G -object memory-backend-ram,id=dimm0,size=128M \
        -device pc-dimm,memdev=dimm0,node=1 || return 1
    tell 'echo c >/proc/sysrq-trigger'
    lab qemu wait "$Q" 'end Kernel panic' 60 || return 1
    monitor stop
    monitor hmp "info registers -a" >"$Q/registers"
    dump elf
    monitor pmemsave "{\"val\": 0, \"size\": 268435456, \"filename\": \"$Q/low\"}" &&
        monitor pmemsave "{\"val\": 2147483648, \"size\": 402653184, \"filename\": \"$Q/high\"}" &&
        monitor migrate "file:$Q/state" x-ignore-shared || return 1
    leave_console
    lab qemu stop "$Q"
}

setup() {
    V=$BATS_FILE_TMPDIR/virt
    Q=$BATS_FILE_TMPDIR/qemu
    P=$BATS_FILE_TMPDIR/panicked
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
}

# crash_agrees FILE LOG [OPTION...]: what crash says of the dump saved of FILE is
# what the guest said of itself.
crash_agrees() {
    local file=$1 log=$2 pid name
    shift 2
    fails 0 "$VMCORE" save -qf -d 31 "$@" "$file" dump
    run crash_says dump sys "bt -a" ps log "kmem -i"
    assert_success
    printf '%s\n' "$output" >said
    # Each process the guest knew but the ps that told it; workers come and go.
    while read -r pid name; do
        grep -Eq "^>? +$pid +[0-9]+ +[0-9]+ +[0-9a-f]{16} .*${name%%[^a-z_]*}" said ||
            fail "crash does not know process $pid, $name"
    done < <(facts "$log" | grep -E '^ *[0-9]+ +[a-z]' | grep -v -e kworker -e ' ps$')
    assert_line --regexp "TOTAL MEM +[0-9]+ "
    assert_line --partial "Linux version $(value_of_release "$file" "$@")"
}

value_of_release() {
    "$VMCORE" info --json "$@" 2>/dev/null |
        /usr/bin/python3 -c 'import json, sys; print(json.load(sys.stdin)["release"])'
}

# idle: both CPUs' stacks end where an idle CPU's does.
idle() {
    grep -q 'do_idle at' said
    grep -q -e 'start_kernel at' -e 'rest_init at' said
    grep -q 'start_secondary at' said
}

@test "sources: virsh dump" {
    is_whole "$V/plain" "$V/console.log"
    assert_equal "$(value 'd["format"], d["registers_from"]')" "('QEMU migration stream', 'stream')"
    crash_agrees "$V/plain" "$V/console.log"
    idle
}

@test "sources: virsh dump --memory-only, also as kdump-zlib" {
    is_whole "$V/elf" "$V/console.log"
    assert_equal "$(value 'd["format"], d["registers_from"]')" "('ELF core', 'NT_PRSTATUS without PC')"
    crash_agrees "$V/elf" "$V/console.log"
    idle
    is_whole "$V/kdump" "$V/console.log"
    crash_agrees "$V/kdump" "$V/console.log"
    idle
}

@test "sources: virsh save in each format, a snapshot's memory" {
    local format
    for format in raw gzip bzip2 xz lzop zstd sparse; do
        is_whole "$V/save.$format" "$V/console.log"
        assert_equal "$(value 'd["format"], d["registers_from"]')" "('virsh save image', 'stream')"
    done
    crash_agrees "$V/save.sparse" "$V/console.log"
    idle
    crash_agrees "$V/save.bzip2" "$V/console.log"
    is_whole "$V/snapshot" "$V/console.log"
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
        crash_agrees "$dir/vmcore" "$V/console.log"
        idle
        grep -q "QEMU 11" "$dir/versions.txt"
        grep -q "<name>guest</name>" "$dir/domain.xml"
    done
    same "$(ls "$V/grab" "$V/grab.live" | grep guest.dump)" ""
}

# pcs FILE: the program counters of a text of info registers.
pcs() { sed -n 's/^ PC=\([0-9a-f]*\).*/0x\1/p' "$1"; }

@test "sources: the true PC: of a stream, of --registers" {
    info "$Q/stream"
    assert_equal "$(value '"\n".join(c["era"] for c in d["cpus"])')" "$(pcs "$Q/registers" | sed 's/0x0*/0x/')"
    info --registers "$Q/registers" "$Q/stream.elf"
    assert_equal "$(value '"\n".join(c["era"] for c in d["cpus"])')" "$(pcs "$Q/registers" | sed 's/0x0*/0x/')"
    assert_equal "$(value 'd["registers_from"]')" "info registers"
}

# The worker that the module took CPU 1 with, from where it spins to its first
# frame. CSR.ERA is where that CPU was interrupted last, before it.
@test "sources: a CPU that spins in the kernel, interrupts off: its stack, from its true PC" {
    local spin pc file
    for file in "$Q/spins" "--registers $Q/spins.registers $Q/spins.elf"; do
        # shellcheck disable=SC2086
        info $file
        pc=$(value 'd["cpus"][1]["era"]')
        # shellcheck disable=SC2086
        fails 0 "$VMCORE" save -qf -d 31 $file dump
        run crash_says dump "sym fault_spin" "bt -c 1"
        assert_success
        spin=$(printf '%s\n' "$output" | sed -n 's/^\([0-9a-f]*\) (.) fault_spin .*/\1/p')
        assert [ $((pc - 0x$spin)) -ge 0 ]
        assert [ $((pc - 0x$spin)) -lt 256 ]
        assert_line --regexp "^ #0 .* fault_spin at $(printf %x "$pc")"
        assert_line --regexp "^ #[1-9].* smp_call_on_cpu_callback at "
        assert_line --regexp "^ #[1-9].* worker_thread at "
        assert_line --regexp "^ #[1-9].* kthread at "
    done
    info "$Q/spins.elf"
    assert [ "$(value 'd["cpus"][1]["era"]')" != "$pc" ]
}

# Our own kernel: displaced, with NUMA nodes and a DIMM, dead.
@test "sources: a displaced kernel that panicked; a NUMA node in shared memory; a DIMM" {
    local vmlinux kaslr truth file
    vmlinux=$(lab path testkernel-vmlinux)
    fails 1 "$VMCORE" info "$P/state"
    assert_regex "$stderr" "the memory of RAM block 'node0' \(256 MiB\) is not in it: shared memory"
    truth=$(memory "$P/elf")
    same "$(memory --ram "node0=$P/node0.ram" "$P/state")" "$truth"
    same "$(memory --ram "$P/high@0x80000000" "$P/low@0")" "$truth"

    info --vmlinux "$vmlinux" "$P/elf"
    kaslr=$(value 'd["displacement"]')
    assert [ "$kaslr" != 0x0 ]
    assert_equal "$(value 'd["panic"]')" "Kernel panic - not syncing: sysrq triggered crash"
    assert_equal "$(value 'd["displacement_sure"]')" True
    info --vmlinux "$vmlinux" --ram "$P/node0.ram" "$P/state"
    assert_equal "$(value 'd["displacement"]')" "$kaslr"
    fails 2 "$VMCORE" info --vmlinux "$(lab path vmlinux)" "$P/elf"
    assert_regex "$stderr" "has BUILD-ID .*, the kernel in the dump .* has "

    for file in "--ram $P/node0.ram $P/state" "--registers $P/registers $P/elf" \
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

# vmcore grab, with a stand-in for virsh: what is asked of libvirt, and what
# becomes of each answer. tests/machine/sources.bats has the real one.

setup_file() {
    load common
    cd "$BATS_FILE_TMPDIR" || exit 1
    "$UNIT/make-vmcore" --pages 3 --pages-at 0x80800000 whole
    "$UNIT/make-guest" whole stream --plant note@0x300000 --plant data@0x80005000 --format stream
    "$UNIT/make-guest" whole elf --plant note@0x300000 --plant data@0x80005000
    "$UNIT/make-guest" whole registers --format registers
    mkdir bin
    ln -s "$UNIT/virsh-stand-in" bin/virsh
}

setup() {
    load common
    load vmcore
    cd "$BATS_TEST_TMPDIR" || exit 1
    export VIRSH=$BATS_TEST_TMPDIR/virsh PATH=$BATS_FILE_TMPDIR/bin:$PATH
    mkdir "$VIRSH"
    cp "$BATS_FILE_TMPDIR/stream" "$BATS_FILE_TMPDIR/elf" "$BATS_FILE_TMPDIR/registers" "$VIRSH"
    echo running >"$VIRSH/state"
    : >"$VIRSH/disks"
    guest_of loongarch64
}

guest_of() { # ARCH
    cat >"$VIRSH/xml" <<X
<domain type='qemu' id='1'>
  <name>guest</name>
  <title>&lt;type arch='none'></title>
  <memory unit='KiB'>262144</memory>
  <os firmware='efi'>
    <type arch='$1' machine='virt-11.1'>hvm</type>
  </os>
</domain>
X
}

# asked WORD...: the calls whose first words these are.
asked() { grep -e "^-q $*" "$VIRSH/log"; }

@test "grab: a dump, registers, XML and versions, for nobody else to read" {
    umask 022
    ok "$VMCORE" grab -d 0 -z guest out
    assert_line "virsh dump: the guest stands still meanwhile"
    assert_line --partial "out/vmcore: kdump-compressed, zstd"
    same "$(ls out)" "$(printf '%s\n' domain.xml registers.txt versions.txt vmcore)"
    same "$(stat -c %a out out/*)" "$(printf '%s\n' 700 600 600 600 600)"
    same "$(cat out/registers.txt)" "$(cat "$VIRSH/registers")"
    same "$(cat out/domain.xml)" "$(cat "$VIRSH/xml")"
    grep -q "daemon: 12.8.0" out/versions.txt
    grep -q "^running" out/versions.txt
    same "$(asked "dump ")" "-q dump --domain guest --file $BATS_TEST_TMPDIR/out/guest.dump"
    ok "$VMCORE" info --json out/vmcore
    assert_line --partial '"registers_from":"NT_PRSTATUS"'
    assert_line --partial '"era":"0x9000000000200200"'
    # With nothing of ours the guest ever stood still.
    run asked suspend
    assert_failure
}

@test "grab: --keep, -q, what vmcore save takes, --connect" {
    ok "$VMCORE" grab --keep -q --format elf --threads 1 -C qemu:///session guest out
    same "$output" ""
    cmp out/guest.dump "$VIRSH/stream"
    same "$(stat -c %a out/guest.dump)" 600
    ok "$VMCORE" info out/vmcore
    assert_line "Format:       ELF core"
    run grep -v -e '^-q -c qemu:///session ' "$VIRSH/log"
    assert_failure
}

@test "grab: a guest that cannot be migrated: --memory-only, standing still, with its registers" {
    rm "$VIRSH/stream"
    echo "Requested operation is not valid: domain has assigned host devices" >"$VIRSH/refusal"
    fails 0 "$VMCORE" grab -q guest out
    same "$stderr" "vmcore: warning: virsh dump: Failed to core dump domain 'guest' to $BATS_TEST_TMPDIR/out/guest.dump; Requested operation is not valid: domain has assigned host devices; trying --memory-only"
    same "$(grep -o -e suspend -e 'info registers' -e 'dump .*memory-only' -e resume "$VIRSH/log" | tail -n 4)" \
        "$(printf '%s\n' suspend "info registers" "dump --memory-only" resume)"
    same "$(cat "$VIRSH/state")" running
    ok "$VMCORE" info --json out/vmcore
    assert_line --partial '"era":"0x9000000000200200"'
    [ ! -e out/guest.dump ]
}

@test "grab: --memory-only leaves paused what was paused" {
    rm "$VIRSH/stream"
    echo paused >"$VIRSH/state"
    fails 0 "$VMCORE" grab -q guest out
    run asked "\(suspend\|resume\)"
    assert_failure
    same "$(cat "$VIRSH/state")" paused
}

@test "grab: --memory-only without registers: no PC, and it is said" {
    rm "$VIRSH/stream" "$VIRSH/registers"
    fails 0 "$VMCORE" grab -q guest out
    [[ $stderr = *"virsh qemu-monitor-command: Operation not supported: no monitor"* ]]
    [[ $stderr = *"QEMU did not write the CPUs' program counters"* ]]
    [ ! -e out/registers.txt ]
    same "$(cat "$VIRSH/state")" running
}

@test "grab: --live: a snapshot of memory and of no disk, whatever the path" {
    cp "$VIRSH/stream" "$VIRSH/live"
    rm "$VIRSH/stream" "$VIRSH/elf"
    printf '%s\n' " file   disk    vda   /a b,c" " file   cdrom   sda   -" >"$VIRSH/disks"
    mkdir a,b a,,b
    chmod 700 a,b a,,b
    # The stand-in writes what it is told: two commas stand for one.
    fails 1 "$VMCORE" grab --live guest a,b
    [[ $stderr = *"which libvirt says to have written: No such file or directory"* ]]
    same "$(asked snapshot)" "-q snapshot-create-as --domain guest --live --no-metadata --memspec snapshot=external,file=$BATS_TEST_TMPDIR/a,,b/guest.dump --diskspec vda,snapshot=no --diskspec sda,snapshot=no"
    ok "$VMCORE" grab --live guest out
    assert_line "virsh snapshot-create-as --live: the guest runs on meanwhile"
    ok "$VMCORE" info out/vmcore
    rm "$VIRSH/live"
    fails 1 "$VMCORE" grab --live guest out2
    [[ $stderr = *"grabbing guest: virsh snapshot-create-as: "*refused* ]]
    [[ $stderr = *"without --live the guest stands still"* ]]
    run asked dump
    assert_line --partial dumpxml
    refute_line --partial "dump --domain"
}

@test "grab: no virsh, no libvirtd, no such guest, none that runs, of another machine or architecture" {
    mkdir empty
    fails 1 env PATH="$PWD/empty" "$VMCORE" grab guest out
    same "$stderr" "vmcore: grabbing guest: running virsh: No such file or directory
vmcore: install libvirt's clients (libvirt-clients, or libvirt-client), on the machine the guest runs on"
    fails 1 "$VMCORE" grab nobody out
    same "$stderr" "vmcore: grabbing nobody: virsh domstate: failed to get domain 'nobody'
vmcore: virsh list --all names the guests there are; --connect URI asks another libvirt"
    fails 1 "$VMCORE" grab --connect qemu+ssh://root@host/system guest out
    [[ $stderr = *"qemu+ssh://root@host/system is of another machine"* ]]
    ok "$VMCORE" grab -q --connect qemu+unix:///system guest local
    : >"$VIRSH/down"
    fails 1 "$VMCORE" grab guest out
    [[ $stderr = *"virsh uri: failed to connect to the hypervisor; Failed to connect socket to"* ]]
    [[ $stderr = *"is libvirtd (virtqemud) running?"* ]]
    rm "$VIRSH/down"
    echo "shut off" >"$VIRSH/state"
    fails 1 "$VMCORE" grab guest out
    [[ $stderr = *"it is shut off and has no memory"* ]]
    echo running >"$VIRSH/state"
    guest_of x86_64
    fails 1 "$VMCORE" grab guest out
    [[ $stderr = *"a guest of x86_64, not of loongarch64"* ]]
    [ ! -e out ]
}

@test "grab: what is wrong with the command line is said before a guest stands still" {
    fails 1 "$VMCORE" grab -d 32 guest out
    [[ $stderr = *"-d 32: a dump level is 0 to 31"* ]]
    fails 1 "$VMCORE" grab -c -z guest out
    fails 1 "$VMCORE" grab --vmlinux none guest out
    [[ $stderr = *"opening none: No such file or directory"* ]]
    fails 1 "$VMCORE" grab guest
    [ ! -e "$VIRSH/log" ] && [ ! -e out ]
    mkdir out
    : >out/vmcore
    fails 1 "$VMCORE" grab guest out
    same "$stderr" "vmcore: grabbing guest: $BATS_TEST_TMPDIR/out/vmcore: File exists
vmcore: name another directory"
    : >file
    fails 1 "$VMCORE" grab guest file
    fails 1 "$VMCORE" grab guest none/out
    [[ $stderr = *"making the directory none/out: No such file or directory"* ]]
    run asked dump
    refute_line --partial "dump --domain"
}

@test "grab: no room: no second try, what is needed is said, the rest stays for one" {
    rm "$VIRSH/stream"
    echo "operation failed: Unable to write: No space left on device" >"$VIRSH/refusal"
    fails 1 "$VMCORE" grab guest out
    [[ $stderr = *"No space left on device"*"the guest has 256 MiB of memory; where $BATS_TEST_TMPDIR/out is, "* ]]
    refute [ -e out/guest.dump ]
    [ "$(asked dump | grep -c -e --file)" -eq 1 ]
    [ -s out/registers.txt ]
    cp "$BATS_FILE_TMPDIR/stream" "$VIRSH"
    ok "$VMCORE" grab -q guest out
}

@test "grab: what QEMU wrote is kept where the dump of it is in doubt" {
    head -c 300000 "$BATS_FILE_TMPDIR/stream" >"$VIRSH/stream"
    fails 3 "$VMCORE" grab -q guest cut
    [[ $stderr = *"cut/guest.dump, as QEMU wrote it, is kept"* ]]
    [ -s cut/vmcore ]
    cmp cut/guest.dump "$VIRSH/stream"
    head -c 300000 /dev/zero >"$VIRSH/stream"
    fails 1 "$VMCORE" grab -q guest noise
    cmp noise/guest.dump "$VIRSH/stream"
    "$UNIT/make-guest" "$BATS_FILE_TMPDIR/whole" "$VIRSH/stream" --format stream
    fails 0 "$VMCORE" grab -q guest unknown
    [[ $stderr = *"no VMCOREINFO was found in it: "*"unknown/guest.dump, as QEMU wrote it, is kept"* ]]
    [ -s unknown/guest.dump ]
}

@test "grab: stopped by a signal: the job is ended, the guest goes on" {
    : >"$VIRSH/hold"
    "$VMCORE" grab guest out >said 2>&1 3>&- &
    local pid=$! tries=0
    until [ -e "$VIRSH/holding" ]; do
        sleep 0.05
        tries=$((tries + 1))
        [ "$tries" -lt 400 ] || fail "$(cat said)"
    done
    kill -TERM "$pid"
    status=0
    wait "$pid" || status=$?
    assert_equal "$status" 143
    asked "domjobabort --domain guest"
    [ "$(asked dump | grep -c -e --file)" -eq 1 ]
    refute [ -e out/vmcore ]
}

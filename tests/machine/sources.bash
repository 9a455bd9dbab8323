# What a guest leaves QEMU and libvirt as, made by the real ones. For
# sources.bats and the campaign.
#
#   make_sources DIR [SIZE]   DIR/virt, DIR/qemu, DIR/over and DIR/panicked, of guests with
#                             SIZE (512M) of memory; 1, and the end of the log, when not.
#                             Where they are all there already they are left. Two
#                             guests run at a time.
#
# Expects: lab, $TOP and $VMCORE. The guests live as long as this shell at most.

# Each kind that is read, with what it needs, for the campaign.
# shellcheck disable=SC2034 # the campaign has it
source_kinds=(
    qemu/kdump "panicked/stream west@0 east@0x80000000 card@0x90000000"
    "panicked/state --ram west=panicked/west.ram"
    "panicked/low@0 --ram panicked/high@0x80000000"
    qemu/kdump-raw qemu/mapped-multifd qemu/live qemu/background qemu/mapped qemu/stream
    virt/snapshot virt/save.{lzop,gzip,bzip2,xz,zstd,sparse,raw} virt/managed
    virt/grab/vmcore virt/grab.live/vmcore
    virt/plain virt/elf virt/kdump
)

make_sources() {
    local libvirt
    SOURCES=$1 MEMORY=${2:-512M}
    [ ! -e "$SOURCES/whole" ] || return 0
    mkdir -p "$SOURCES/extra/left"
    cp "$TOP/tests/machine/jobs/hold.job" "$SOURCES/extra/job"
    cp "$(lab path faults)" "$SOURCES/extra/faults.ko"
    lab initramfs "$SOURCES/initrd" "$SOURCES/extra"
    # Much of it is one processor's work, or the disk's.
    libvirt_guest >"$SOURCES/libvirt.log" 2>&1 3>&- &
    libvirt=$!
    panicked_guest >"$SOURCES/panicked.log" 2>&1 || fail_with "$SOURCES/panicked.log" || return 1
    { qemu_guest && taken_over; } >"$SOURCES/qemu.log" 2>&1 || fail_with "$SOURCES/qemu.log" || return 1
    wait "$libvirt" || fail_with "$SOURCES/libvirt.log" || return 1
    : >"$SOURCES/whole"
}

fail_with() {
    tail -n 40 "$1"
    return 1
}

# at_rest HMP: the guest stands still at a moment when both CPUs are idle, that is, both at
# the one instruction that waits; what comes of one that was at work says of other things.
# One that never is idle is left as it is, for the tests to say. HMP gives it a command of
# the monitor.
at_rest() {
    local tries pcs
    for ((tries = 0; tries < 100; tries++)); do
        "$1" stop && pcs=$("$1" "info registers -a") || return 1
        pcs=$(sed -n 's/^ PC=\([0-9a-f]*\).*/\1/p' <<<"$pcs")
        [ "$(wc -l <<<"$pcs")" -eq 2 ] || return 1
        [ "$(uniq <<<"$pcs" | wc -l)" -ne 1 ] || return 0
        "$1" cont || return 1
        sleep 0.2
    done
    "$1" stop
}

virt_hmp() { # COMMAND
    case $1 in
    stop) lab virt virsh "$SOURCES/virt" suspend guest ;;
    cont) lab virt virsh "$SOURCES/virt" resume guest ;;
    *) lab virt virsh "$SOURCES/virt" qemu-monitor-command --hmp guest "$1" ;;
    esac
}

# The guest stands still from the first dump to the first grab: all of that is one memory.
libvirt_guest() {
    local virt=$SOURCES/virt format
    # What is not beside it the session does not see, wherever that is.
    mkdir -p "$virt" && cp "$SOURCES/initrd" "$virt/initrd" && lab virt start --for $$ "$virt" || return 1
    lab virt create "$virt" guest --mem "$MEMORY" --initrd "$virt/initrd" \
        --devices "<controller type='pci' index='1' model='pcie-root-port'/>" &&
        lab virt wait "$virt" guest GUEST-READY 180 && cp "$virt/guest.log" "$virt/console.log" &&
        at_rest virt_hmp && virt_hmp "info registers -a" >"$virt/registers" || return 1
    lab virt virsh "$virt" dump --memory-only guest "$virt/elf" || return 1
    # Debian's QEMU has neither lzo nor snappy.
    lab virt virsh "$virt" dump --memory-only --format kdump-zlib guest "$virt/kdump" || return 1
    for format in raw gzip bzip2 xz lzop zstd sparse; do
        lab virt virsh "$virt" save --image-format "$format" guest "$virt/save.$format" &&
            lab virt virsh "$virt" restore "$virt/save.$format" || return 1
    done
    lab virt virsh "$virt" dump guest "$virt/plain" && anew "$virt" || return 1
    lab virt virsh "$virt" snapshot-create-as guest snap \
        --memspec "file=$virt/snapshot,snapshot=external" && anew "$virt" || return 1
    managed_save "$virt" && grabs "$virt" && lab virt virsh "$virt" destroy guest &&
        plugged_guest "$virt" && unfinished_save "$virt" || return 1
    lab virt stop "$virt"
}

# Who stood still and was migrated to a file is not migrated again.
anew() { # VIRT
    lab virt virsh "$1" destroy guest && lab virt virsh "$1" restore "$1/save.raw"
}

# Where libvirtd keeps it is memory of its session's own.
managed_save() { # VIRT
    lab virt virsh "$1" dumpxml guest >"$1/defined.xml" &&
        lab virt virsh "$1" define "$1/defined.xml" && lab virt virsh "$1" managedsave guest || return 1
    cp --sparse=always "/proc/$(cat "$1/pid")/root$(lab path chroot)/var/lib/libvirt/qemu/save/guest.save" \
        "$1/managed" && lab virt virsh "$1" start guest
}

# libvirtd dies while it writes.
unfinished_save() { # VIRT
    lab virt virsh "$1" resume plugged || return 1
    lab virt virsh "$1" save --image-format xz plugged "$1/part" 3>&- &
    while kill -0 $! && [ "$(stat -c %s "$1/part" || echo 0)" -lt 1000000 ]; do
        sleep 0.1
    done 2>/dev/null
    lab virt stop "$1"
    ! wait $!
}

# A DIMM comes while the guest runs, and not right behind what it began with.
plugged_guest() { # VIRT
    lab virt create "$1" plugged --mem 768M --initrd "$1/initrd" --append loongdump.plugged \
        --xml "<maxMemory slots='2' unit='MiB'>4096</maxMemory>" \
        --cpu "<numa><cell id='0' cpus='0-1' memory='768' unit='MiB'/></numa>" &&
        lab virt wait "$1" plugged GUEST-WAITS 180 || return 1
    cat >"$1/dimm.xml" <<'XML'
<memory model='dimm'>
  <target><size unit='MiB'>512</size><node>0</node></target>
  <address type='dimm' slot='0' base='0xc0000000'/>
</memory>
XML
    lab virt virsh "$1" attach-device --live plugged "$1/dimm.xml" &&
        lab virt wait "$1" plugged GUEST-READY 180 && cp "$1/plugged.log" "$1/plugged.console" &&
        lab virt virsh "$1" suspend plugged &&
        lab virt virsh "$1" dump --memory-only plugged "$1/plugged.elf" &&
        lab virt virsh "$1" save --image-format raw plugged "$1/plugged.save" &&
        lab virt virsh "$1" restore --paused "$1/plugged.save" &&
        lab virt virsh "$1" dump plugged "$1/plugged.stream"
}

# Of a guest that stands still already, of one that runs on, and of one that a
# device keeps from being migrated.
grabs() { # VIRT
    mkdir "$1/bin"
    # /tmp is in the chroot, too: there virsh must be the real one.
    printf '#!/bin/sh\nPATH="%s" exec "%s" virt virsh "%s" "$@"\n' "$PATH" "$TOP/tests/machine/lab/lab" "$1" >"$1/bin/virsh"
    chmod +x "$1/bin/virsh"
    local PATH=$1/bin:$PATH
    [ "$(virsh domstate guest)" = paused ] && "$VMCORE" grab guest "$1/grab" && virsh resume guest || return 1
    caught_idle "$1/grab.live/vmcore" grab "$1/grab.live" --live -z && virsh domstate guest >"$1/grab.live/state" || return 1
    virsh qemu-monitor-command --hmp guest "device_add ufs,bus=pci.1" || return 1
    caught_idle "$1/grab.stuck/vmcore" grab "$1/grab.stuck" --keep && virsh domstate guest >"$1/grab.stuck/state"
}

grab() { # DIR OPTION...
    rm -rf "$1"
    "$VMCORE" grab "${@:2}" guest "$1"
}

# caught_idle FILE COMMAND...: COMMAND makes FILE of a guest that runs, and is idle most of
# the time. Where it was caught at work that is done again; what fails is not.
caught_idle() {
    local tries
    for tries in 1 2 3 4 5; do
        "${@:2}" && "$VMCORE" info --json "$1" >"$1.json" || return 1
        ! /usr/bin/python3 -c 'import json, sys
sys.exit(len({cpu["era"] for cpu in json.load(sys.stdin)["cpus"]}) != 1)' <"$1.json" || return 0
    done
}

# monitor COMMAND...: of the guest in $Q.
monitor() { lab qemu monitor "$Q" "$@"; }

qemu_hmp() { monitor hmp "$1"; } # COMMAND

# start_guest DIR [OPTION...]: its console is a pipe that is read until
# leave_console, and takes commands.
start_guest() {
    Q=$1
    shift
    mkdir -p "$Q"
    mkfifo "$Q/con.in" "$Q/con.out"
    lab qemu start --for $$ "$Q" --mem "$MEMORY" --initrd "$SOURCES/initrd" "$@" \
        -chardev "pipe,id=con,path=$Q/con" -serial chardev:con || return 1
    cat "$Q/con.out" >>"$Q/console.log" 3>&- &
    READER=$!
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

# listen NAME: what comes through a migration's connections is in NAME.0, NAME.1, ...
listen() {
    "$TOP/tests/machine/listen" "$Q/$1" 3>&- &
    LISTENER=$!
    until [ -S "$Q/$1" ]; do
        sleep 0.1
    done
}

# A migration's main connection, taken down, where memory goes other ways.
captures() {
    local tries
    listen multifd
    monitor migrate "unix:$Q/multifd" multifd multifd-channels=2 && wait "$LISTENER" && monitor cont || return 1
    listen postcopy
    monitor migrate-set-capabilities '{"capabilities": [{"capability": "postcopy-ram", "state": true}]}' &&
        monitor migrate-set-parameters '{"max-bandwidth": 20000000}' &&
        monitor hmp "migrate -d unix:$Q/postcopy" || return 1
    until [ -s "$Q/postcopy.0" ]; do
        kill -0 "$LISTENER" || return 1
        sleep 0.1
    done
    monitor migrate-start-postcopy || return 1
    # It is some time until that is done, and said in the stream.
    for ((tries = 0; tries < 100; tries++)); do
        ! "$VMCORE" info "$Q/postcopy.0" 2>&1 | grep -q "went over to postcopy" || break
        sleep 0.2
    done
    kill "$LISTENER"
}

# In its page cache lie the pages that held VMCOREINFO of the kernel that panicked, as a
# copy of a /proc/vmcore has them; and that kernel is loaded to take over.
leftovers() {
    /usr/bin/python3 - "$SOURCES/extra/left/other" "$SOURCES"/panicked/{low,high} <<'PY' &&
import mmap, sys
count = 0
for name in sys.argv[2:]:
    with open(name, "rb") as f:
        data = mmap.mmap(f.fileno(), 0, access=mmap.ACCESS_READ)
    at = data.find(b"OSRELEASE=")
    while at >= 0:
        if at % 16384 in (0, 24):
            open(sys.argv[1] + str(count), "wb").write(data[at - at % 16384:at - at % 16384 + 16384])
            count += 1
        at = data.find(b"OSRELEASE=", at + 1)
sys.exit(not count)
PY
        cp "$(lab path testkernel-vmlinuz)" "$SOURCES/extra/capture-kernel" &&
        lab initramfs "$SOURCES/initrd.two" "$SOURCES/extra"
}

# The guest once more, as its first stream has it. Its kernel goes down, the other one
# comes up and finds no disk. (With the CPU lost it may wait for that one for ever.)
taken_over() {
    mkdir -p "$SOURCES/over" && ln "$SOURCES/qemu/stream" "$SOURCES/over/stream" &&
        two_kernels "$SOURCES/over" -incoming "file:$SOURCES/over/stream" || return 1
    until [ "$(monitor query-status | grep -c inmigrate)" = 0 ]; do
        sleep 0.2
    done
    monitor cont && tell 'echo c >/proc/sysrq-trigger' &&
        lab qemu wait "$Q" 'end Kernel panic.*VFS' 60 && migrate twice || return 1
    leave_console
    lab qemu stop "$Q"
}

two_kernels() { # DIR [QEMU_ARG...]
    local dir=$1
    shift
    start_guest "$dir" --smp 2,maxcpus=4 --initrd "$SOURCES/initrd.two" --append crashkernel=96M -- \
        -device vmcoreinfo "$@"
}

# CPU 2 has left the kernel that printed its words, for the module, which lies in the
# mapped window.
in_module() {
    local tries
    for ((tries = 0; tries < 100; tries++)); do
        ! qemu_hmp "info registers -a" | sed '1,/^CPU#2/d' | grep -q '^ *PC=ffff' || return 0
        sleep 0.2
    done
    return 1
}

qemu_guest() {
    leftovers && two_kernels "$SOURCES/qemu" && lab qemu wait "$Q" GUEST-READY 180 || return 1
    at_rest qemu_hmp && qemu_hmp "info registers -a" >"$Q/registers" || return 1
    dump kdump kdump-zlib && dump kdump-raw kdump-raw-zlib || return 1
    migrate stream || return 1
    at_rest qemu_hmp && migrate mapped mapped-ram || return 1
    caught_idle "$Q/mapped-multifd" migrate mapped-multifd mapped-ram multifd multifd-channels=2 direct-io=on || return 1
    # Few bytes of many pages, over and over.
    tell 'head -c 8m /dev/urandom >/tmp/w; (while :; do i=0; while [ $i -lt 500 ]; do echo $i | dd of=/tmp/w bs=1 seek=$((i*16384+77)) conv=notrunc 2>/dev/null; i=$((i+9)); done; done) & echo BUSY'
    lab qemu wait "$Q" '^BUSY' 60 || return 1
    migrate live xbzrle max-bandwidth=100000000 xbzrle-cache-size=268435456 || return 1
    monitor migrate "file:$Q/background" background-snapshot max-bandwidth=0 && monitor cont || return 1
    # CPU 1 is taken offline. CPU 2 comes while the guest runs, and is in the kernel for
    # good, with interrupts off. From there on the shell may wait for that one for ever: the
    # kernel's own words must do.
    monitor device_add '{"driver": "max-loongarch-cpu", "id": "late", "socket-id": 0, "core-id": 2, "thread-id": 0}' || return 1
    tell 'cd /sys/devices/system/cpu; until [ -e cpu2/online ]; do sleep 0.1; done; echo 1 >cpu2/online; echo 0 >cpu1/online; insmod /faults.ko fault=spin cpu=2'
    lab qemu wait "$Q" 'spinning with interrupts off on CPU 2' 60 && in_module || return 1
    monitor stop
    monitor hmp "info registers -a" >"$Q/spins.registers"
    migrate spins && captures || return 1
    leave_console
    lab qemu stop "$Q"
}

# Its memory backends have names that tell nothing; sorted they would lie the other way
# round. Its kernel has the driver by which a guest tells QEMU where its VMCOREINFO is;
# the firmware's tables of this machine do not name the device to it.
panicked_guest() {
    local q=$SOURCES/panicked
    mkdir -p "$q"
    start_guest "$q" --mem 512M --kernel "$(lab path testkernel-vmlinuz)" --append panic=0 -- \
        -object "memory-backend-file,id=west,size=256M,mem-path=$q/west.ram,share=on" \
        -object memory-backend-memfd,id=east,size=256M \
        -numa node,nodeid=0,cpus=0,memdev=west -numa node,nodeid=1,cpus=1,memdev=east \
        -m slots=1,maxmem=1G -object memory-backend-ram,id=card,size=128M \
        -device pc-dimm,memdev=card,node=1 -device vmcoreinfo &&
        lab qemu wait "$Q" GUEST-READY 180 || return 1
    tell 'echo c >/proc/sysrq-trigger'
    lab qemu wait "$Q" 'end Kernel panic' 60 && migrate stream || return 1
    monitor stop
    monitor hmp "info registers -a" >"$Q/registers"
    dump elf
    monitor pmemsave "{\"val\": 0, \"size\": 268435456, \"filename\": \"$Q/low\"}" &&
        monitor pmemsave "{\"val\": 2147483648, \"size\": 402653184, \"filename\": \"$Q/high\"}" &&
        monitor migrate "file:$Q/state" x-ignore-shared mode=cpr-reboot || return 1
    leave_console
    lab qemu stop "$Q"
}

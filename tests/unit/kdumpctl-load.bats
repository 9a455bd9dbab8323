#!/usr/bin/env bats
# start, stop, restart, reload, rebuild, status: what is done, with which programs,
# and what is left when something goes wrong. kexec and dracut are stand-ins here; the
# machine tests use the real ones.

load common
load kdumpctl

INITRD=boot/initramfs-${RELEASE}kdump.img

# A root as it is before the first start, and programs that do as told.
fresh() {
    rm -rf "$ROOT" "$STUBS"
    make_root
    stub dracut "for out; do :; done; echo initramfs >\"\$out\""
    stub kexec "case \$* in
        '-p -u') printf 0 >'$ROOT/sys/kernel/kexec_crash_loaded' ;;
        *) printf 1 >'$ROOT/sys/kernel/kexec_crash_loaded' ;;
        esac"
    mkdir -p "$ROOT/usr/lib/dracut/modules.d/55kdump"
    echo module >"$ROOT/usr/lib/dracut/modules.d/55kdump/module-setup.sh"
    echo 0 >"$ROOT/sys/kernel/kexec_crash_loaded"
}

# With what a first start built, and nothing loaded.
built() {
    fresh
    in_shell dash start >/dev/null
    echo 0 >"$ROOT/sys/kernel/kexec_crash_loaded"
}

setup() {
    make_root
    FRESH=fresh
}

loaded() {
    assert_equal "$(cat "$ROOT/sys/kernel/kexec_crash_loaded")" "$1"
}

@test "the report: openEuler's files, KDUMP_IMG=vmlinux, only vmlinuz there: it starts, with one warning" {
    openeuler() {
        fresh
        cp "$KD/openeuler.conf" "$ROOT/etc/kdump.conf"
        cp "$KD/openeuler.sysconfig" "$ROOT/etc/sysconfig/kdump"
    }
    FRESH=openeuler
    kdumpctl start
    assert_equal "$status" 0
    assert_equal "$stderr" "kdumpctl: warning: /etc/sysconfig/kdump:8: KDUMP_IMG=\"vmlinux\": no such image of $RELEASE; taking /boot/vmlinuz-$RELEASE"
    assert_line "kdump: Starting kdump: [OK]"
    loaded 1
    same "$(calls | tail -n 1)" "kexec -p --initrd=$ROOT/$INITRD --command-line=ro console=ttyS0,115200 maxcpus=1 init 3 irqpoll reset_devices cgroup_disable=memory udev.children-max=2 panic=10 novmcoredd rd.systemd.gpt_auto=no $ROOT/boot/vmlinuz-$RELEASE"
}

@test "a first start builds, loads and says so; status, stop, status" {
    kdumpctl_ok start
    same "$output" "kdump: building the initramfs:
kdump:   there is none yet
kdump: kexec: loaded the crash kernel
kdump: Starting kdump: [OK]"
    assert_equal "$(stat -c %a "$ROOT/$INITRD")" 600
    FRESH=
    kdumpctl_ok status
    assert_output "kdump: Kdump is operational"
    kdumpctl_ok -v status
    assert_line "kdump: kernel: $RELEASE, /boot/vmlinuz-$RELEASE"
    kdumpctl_ok stop
    assert_output "kdump: Stopping kdump: [OK]"
    loaded 0
    kdumpctl status
    assert_equal "$status" 3
    assert_output "kdump: Kdump is not operational"
}

@test "nothing changed: no dracut, and the same image again" {
    FRESH=built
    kdumpctl_ok start
    same "$(calls | cut -d ' ' -f 1)" kexec
    assert_output --partial "Starting kdump: [OK]"
}

@test "already running: said, and nothing done" {
    running() { built; echo 1 >"$ROOT/sys/kernel/kexec_crash_loaded"; }
    FRESH=running
    kdumpctl_ok start
    same "$(calls)" ""
    assert_line --partial "Kdump already running"
}

# CHANGE (a command in the root) | what is said to have changed
@test "a dump on a raw target is taken from there before the crash kernel is loaded" {
    dumped() {
        fresh
        conf 'raw /dev/vdb1\npath /var/dumps\n'
        rm -f "$ROOT"/dev/disk/by-uuid/0*
        printf makedumpfile >"$ROOT/dev/vdb1"
        stub date 'echo 2026-11-25-10:00:00'
        stub vmcore 'case $1 in rebuild) for last; do :; done; echo dump >"$last" ;; *) echo facts ;; esac'
    }
    FRESH=dumped
    kdumpctl_ok start
    assert_line "kdump: recovered /var/dumps/loong-2026-11-25-10:00:00: the dump, from /dev/vdb1"
    assert_equal "$(cat "$ROOT"/var/dumps/loong-20*/vmcore)" dump
    assert_equal "$(cat "$ROOT/dev/vdb1")" Makedumpfile
    run calls
    assert_line --partial "vmcore rebuild -q $ROOT/dev/vdb1 $ROOT/var/dumps/"
    assert_line --partial "kexec -p"
}

@test "what is built again, and why; what is not" {
    local change said
    changed() { built; (cd "$ROOT" && eval "$change"); }
    FRESH=changed
    while IFS='|' read -r change said; do
        kdumpctl_ok start
        if [ -n "$said" ]; then
            assert_line "kdump:   $said"
            [[ $(calls) == dracut* ]] || fail "$change: not built again"
        else
            same "$(calls | cut -d ' ' -f 1)" kexec
        fi
    done <<TABLE
true|
touch boot/vmlinuz-$RELEASE etc/kdump.conf|
printf '# a comment\n' >etc/kdump.conf|
printf 'path /var/crash\n' >etc/kdump.conf|
printf 'KDUMP_COMMANDLINE_APPEND="maxcpus=2"\n' >etc/sysconfig/kdump|
printf 'path /var/crash2\n' >etc/kdump.conf|target1_path: changed or new
printf 'failure_action halt\n' >etc/kdump.conf|failure_action: changed or new
printf 'KDUMP_STDLOGLVL=4\n' >etc/sysconfig/kdump|log_console: changed or new
printf 'dracut_args --add x\n' >etc/kdump.conf|dracut_args: changed or new
printf 'extra_bins /bin/x\n' >etc/kdump.conf; mkdir bin; echo >bin/x; chmod +x bin/x|/bin/x: changed or new
printf 'kernex' >boot/vmlinuz-$RELEASE|/boot/vmlinuz-$RELEASE: changed or new
echo x >lib/modules/$RELEASE/modules.dep|/lib/modules/$RELEASE/modules.dep: changed or new
echo x >usr/lib/dracut/modules.d/55kdump/module-setup.sh|/usr/lib/dracut/modules.d/55kdump/module-setup.sh: changed or new
echo x >usr/lib/dracut/modules.d/55kdump/more|/usr/lib/dracut/modules.d/55kdump/more: changed or new
mkdir -p usr/lib/kdump/capture; echo x >usr/lib/kdump/capture/save.sh|/usr/lib/kdump/capture/save.sh: changed or new
mkdir -p usr/lib/kdump; echo x >usr/lib/kdump/machine-facts|/usr/lib/kdump/machine-facts: changed or new
mkdir -p etc/kdump/pre.d; echo >etc/kdump/pre.d/a; chmod +x etc/kdump/pre.d/a|pre_d: changed or new
mv dev/disk/by-uuid/5* dev/disk/by-uuid/6666-6666|target1_source: changed or new
echo x >$INITRD|$ROOT/$INITRD: not as it was built
: >boot/initramfs-${RELEASE}kdump.manifest|$ROOT/$INITRD: no list of what went into it
rm boot/initramfs-${RELEASE}kdump.manifest|$ROOT/$INITRD: no list of what went into it
rm $INITRD|there is none yet
TABLE
}

@test "an ssh target: key, known hosts and the network's files are watched" {
    local change said
    ssh_target() {
        fresh
        conf 'ssh kdump@server\n'
        mkdir -p "$ROOT/root/.ssh" "$ROOT/etc/systemd/network"
        echo key >"$ROOT/root/.ssh/kdump_id_rsa"
        echo hosts >"$ROOT/root/.ssh/known_hosts"
        in_shell dash start >/dev/null
        echo 0 >"$ROOT/sys/kernel/kexec_crash_loaded"
        (cd "$ROOT" && eval "$change")
    }
    FRESH=ssh_target
    while IFS='|' read -r change said; do
        kdumpctl_ok start
        if [ -n "$said" ]; then assert_line "kdump:   $said"; else same "$(calls | cut -d ' ' -f 1)" kexec; fi
    done <<'TABLE'
true|
echo other >root/.ssh/kdump_id_rsa|/root/.ssh/kdump_id_rsa: changed or new
echo other >root/.ssh/known_hosts|/root/.ssh/known_hosts: changed or new
echo other >etc/systemd/network/a.network|/etc/systemd/network/a.network: changed or new
rm root/.ssh/known_hosts|/root/.ssh/known_hosts: gone
TABLE
}

@test "an iSCSI target with an account: its password is the builder's alone, and a new one is noticed" {
    local change said
    served() {
        fresh
        rm -f "$BATS_TEST_TMPDIR"/seen*
        conf 'xfs /dev/vdb1\n'
        stub iscsistart
        stub dracut "[ ! -e \"\$KDUMP_SECRETS\" ] || stat -c %a \"\$KDUMP_SECRETS\" >'$BATS_TEST_TMPDIR/seen-mode'
[ ! -e \"\$KDUMP_SECRETS\" ] || cat \"\$KDUMP_SECRETS\" >'$BATS_TEST_TMPDIR/seen'
cp \"\$KDUMP_FACTS\" '$BATS_TEST_TMPDIR/seen-facts'; for out; do :; done; gzip </dev/null >\"\$out\""
        iscsi_disk vdb1 3 username=me "password=a 'secret'  "
        in_shell dash start >/dev/null
        echo 0 >"$ROOT/sys/kernel/kexec_crash_loaded"
        (cd "$ROOT" && eval "$change")
    }
    FRESH=served
    while IFS='|' read -r change said; do
        kdumpctl_ok start
        if [ -n "$said" ]; then assert_line "kdump:   $said"; else same "$(calls | cut -d ' ' -f 1)" kexec; fi
        assert [ ! -e "$ROOT/run/kdump/secrets" ]
        refute grep -rq "a 'secret'\|another" "$ROOT/run" "$ROOT/boot" "$BATS_TEST_TMPDIR/seen-facts"
        assert_equal "$(stat -c %a "$ROOT/${INITRD%.img}.manifest")" 600
    done <<'TABLE'
true|
iscsi_disk vdb1 3 username=me password=another|secrets: changed or new
iscsi_disk vdb1 3|secrets: gone
iscsi_disk vdb1 3 username=me "password=a 'secret'  " persistent_address=10.0.0.9|target1_attach: changed or new
mkdir -p etc/systemd/network; echo other >etc/systemd/network/a.network|/etc/systemd/network/a.network: changed or new
TABLE
    same "$(cat "$BATS_TEST_TMPDIR/seen")" "iqn.2026-11.example:dumps username me
iqn.2026-11.example:dumps password a 'secret'  "
    assert_equal "$(cat "$BATS_TEST_TMPDIR/seen-mode")" 600
    # A build that fails leaves none either.
    change='rm boot/*.img'
    FRESH=
    served
    stub dracut "exit 1"
    kdumpctl start
    assert_equal "$status" 1
    assert [ ! -e "$ROOT/run/kdump/secrets" ]
}

@test "force_no_rebuild uses what is there; force_rebuild builds" {
    stale() { built; echo other >"$ROOT/boot/vmlinuz-$RELEASE"; conf "$line\n"; }
    FRESH=stale
    line="force_no_rebuild 1"
    kdumpctl_ok start
    same "$(calls | cut -d ' ' -f 1)" kexec
    line="force_rebuild 1"
    kdumpctl_ok start
    assert_line "kdump: building the initramfs: force_rebuild is set"
}

@test "the initramfs is root's alone while it is built, and so is the lock" {
    watched() {
        fresh
        stub dracut "for out; do :; done; stat -c %a \"\$out\" >'$BATS_TEST_TMPDIR/mode'; echo initramfs >\"\$out\""
    }
    FRESH=watched
    umask 022
    kdumpctl_ok start
    assert_equal "$(cat "$BATS_TEST_TMPDIR/mode")" 600
    assert_equal "$(stat -c %a "$ROOT/run/kdump/lock")" 600
}

@test "dracut fails: the old initramfs stays, byte for byte, and nothing half made" {
    no_dracut() {
        built
        echo other >"$ROOT/boot/vmlinuz-$RELEASE"
        stub dracut "for out; do :; done; echo half >\"\$out\"; echo 'dracut: no space' >&2; exit 1"
    }
    FRESH=no_dracut
    kdumpctl start
    assert_equal "$status" 1
    says "dracut: no space"
    says "kdumpctl: What was built before is still in place. kdumpctl -v rebuild shows the command."
    says "kdump: Starting kdump: [FAILED]"
    same "$(cat "$ROOT/$INITRD")" initramfs
    same "$(ls -A "$ROOT/boot")" "initramfs-${RELEASE}kdump.img
initramfs-${RELEASE}kdump.manifest
vmlinuz-$RELEASE"
    refute_line --partial kexec
}

@test "what dracut says is passed on, but for the switch_root that no capture needs" {
    says() {
        fresh
        stub dracut "echo \"dracut[F]: Failed to install switch_root\" >&2; echo \"dracut[E]: no such module\" >&2
            for out; do :; done; echo initramfs >\"\$out\"; exit ${DRACUT_ENDS-0}"
    }
    FRESH=says
    kdumpctl start
    assert_equal "$status" 0
    assert_equal "$stderr" "dracut[E]: no such module"
    DRACUT_ENDS=1
    kdumpctl start
    assert_equal "$status" 1
    assert_regex "$stderr" "switch_root.*no such module"
}

@test "killed while building: the next start clears up and builds" {
    killed() {
        fresh
        stub dracut "for out; do :; done; echo half >\"\$out\"; kill -9 \$PPID"
        in_shell dash start >/dev/null 2>&1 || true
        [ -n "$(ls -A "$ROOT/boot" | grep 'kdump.img\.')" ]
        stub dracut "for out; do :; done; echo whole >\"\$out\""
    }
    FRESH=killed
    kdumpctl_ok start
    same "$(cat "$ROOT/$INITRD")" whole
    same "$(ls -A "$ROOT/boot" | grep -c 'kdump.img\.')" 0
}

@test "stopped by a signal while building: nothing half made stays" {
    fresh
    stub dracut "for out; do :; done; echo half >\"\$out\"; kill -TERM \$PPID; sleep 1"
    run in_shell dash start
    assert_failure
    same "$(ls -A "$ROOT/boot")" "vmlinuz-$RELEASE"
}

@test "/boot cannot be written: the initramfs goes to /var/lib/kdump, and is found there again" {
    # No permission stops root, but sysfs takes no file from anybody.
    [ -s /sys/kernel/notes ] || skip "no /sys/kernel/notes here"
    read_only_boot() {
        fresh
        rm -r "$ROOT/boot"
        ln -s /sys/kernel "$ROOT/boot"
        sysconfig "KDUMP_IMG=/boot/notes\n"
    }
    FRESH=read_only_boot
    kdumpctl_ok start
    assert [ -s "$ROOT/var/lib/kdump/initramfs-${RELEASE}kdump.img" ]
    echo 0 >"$ROOT/sys/kernel/kexec_crash_loaded"
    FRESH=
    ok in_shell dash start
    refute_line --partial building
}

@test "kexec fails: said with what to do, and no record of a load" {
    no_kexec() { fresh; stub kexec "echo 'kexec: no room' >&2; exit 1"; }
    FRESH=no_kexec
    kdumpctl start
    assert_equal "$status" 1
    same "$stderr" "kexec: no room
kdumpctl: kexec could not load the crash kernel (above)
kdumpctl: kdumpctl check holds the plan against the kernel's rules.
kdump: Starting kdump: [FAILED]"
    assert [ ! -e "$ROOT/run/kdump/loaded" ]
}

@test "no reservation, one that failed, and a kernel without crash dumps" {
    lacking() { fresh; (cd "$ROOT" && eval "$change"); }
    FRESH=lacking
    change="echo 0 >sys/kernel/kexec_crash_size; echo ro >proc/cmdline"
    kdumpctl start
    assert_equal "$status" 1
    same "$stderr" "kdumpctl: no memory is reserved for a crash kernel
kdumpctl: kdumpctl reset-crashkernel puts crashkernel= on the boot line; then reboot.
kdump: Starting kdump: [FAILED]"
    change="echo 0 >sys/kernel/kexec_crash_size; echo ro crashkernel=9G >proc/cmdline"
    kdumpctl start
    says "kdumpctl: no memory is reserved for a crash kernel, though the boot line says crashkernel=9G"
    change="rm sys/kernel/kexec_crash_loaded"
    kdumpctl start
    says "kdumpctl: the running kernel cannot load a crash kernel (CONFIG_CRASH_DUMP)"
    kdumpctl status
    assert_equal "$status" 3
}

@test "no dracut, no module of ours, and an initramfs of somebody else's" {
    bare() {
        fresh
        (cd "$ROOT" && eval "$change")
        rm -f "$STUBS/dracut"
    }
    # dracut or initramfs-tools of this machine must not be seen
    for tool in dracut mkinitramfs; do
        ! command -v "$tool" >/dev/null || skip "$tool is on this machine"
    done
    FRESH=bare
    change=true
    kdumpctl start
    assert_equal "$status" 1
    says "kdumpctl: nothing here can build an initramfs: neither dracut nor initramfs-tools is installed"
    change="echo mine >boot/mine.img; echo KDUMP_INITRD=/boot/mine.img >etc/sysconfig/kdump"
    kdumpctl_ok start
    [[ $(calls) == "kexec -p --initrd=$ROOT/boot/mine.img "* ]]
    kdumpctl rebuild
    assert_equal "$status" 1
    says "kdumpctl: KDUMP_INITRD names /boot/mine.img, which is built by somebody else"
    # What a disk takes, its giver has put into it.
    change="$change; mkdir -p sys/dev/block/254:2/dm; echo CRYPT-LUKS2-x >sys/dev/block/254:2/dm/uuid"
    kdumpctl_ok start
    change="echo KDUMP_INITRD=/boot/mine.img >etc/sysconfig/kdump"
    kdumpctl start
    assert_equal "$status" 1
    says "kdumpctl: /etc/sysconfig/kdump:1: KDUMP_INITRD: /boot/mine.img is not there"
    no_module() { fresh; rm -r "$ROOT/usr/lib/dracut"; }
    FRESH=no_module
    kdumpctl start
    says "kdumpctl: dracut is here, but not its module for kdump (/usr/lib/dracut/modules.d/55kdump)"
}

@test "restart keeps the loaded image until kexec replaces it; a failed build leaves it loaded" {
    broken() {
        built
        echo 1 >"$ROOT/sys/kernel/kexec_crash_loaded"
        echo other >"$ROOT/boot/vmlinuz-$RELEASE"
        stub dracut "exit 1"
    }
    FRESH=broken
    kdumpctl restart
    assert_equal "$status" 1
    loaded 1
    [[ $(calls) != *kexec* ]] || fail "kexec was called"
}

@test "reload loads the same again, without the configuration; condrestart only where something is loaded" {
    running() { built; echo 1 >"$ROOT/sys/kernel/kexec_crash_loaded"; conf "broken\n"; }
    FRESH=running
    kdumpctl_ok reload
    same "$output" "kdump: Reloading kdump: [OK]"
    same "$(calls | cut -d ' ' -f 1-2)" "kexec -p"
    # A load that failed is tried again; a stop is not undone.
    lost() { running; echo 0 >"$ROOT/sys/kernel/kexec_crash_loaded"; }
    FRESH=lost
    kdumpctl reload
    assert_equal "$status" 0
    assert_equal "$stderr" "kdumpctl: warning: no crash kernel was loaded"
    loaded 1
    stopped() { running; conf ""; KDUMP_ROOT=$ROOT PATH=$STUBS:$PATH dash "$KDUMPCTL" stop >/dev/null; }
    FRESH=stopped
    kdumpctl reload
    assert_equal "$status" 0
    assert_equal "$stderr" "kdumpctl: warning: no crash kernel was loaded, and none is now; kdumpctl start loads one"
    same "$(calls)" ""
    loaded 0
    FRESH=built
    kdumpctl_ok condrestart
    same "$(calls)" ""
}

@test "rebuild builds, does not load, and says so" {
    running() { built; echo 1 >"$ROOT/sys/kernel/kexec_crash_loaded"; }
    FRESH=running
    kdumpctl_ok rebuild
    same "$output" "kdump: built /$INITRD
kdump: the loaded crash kernel still has the one before; kdumpctl restart loads this one"
    same "$(calls | cut -d ' ' -f 1)" dracut
}

@test "start --early: loads what was built, looks at nothing else; the next start puts it right" {
    early() { built; (cd "$ROOT" && eval "$change"); }
    FRESH=early
    # The disk is not there yet, dracut must not run, and the image changed.
    change="rm dev/disk/by-uuid/* dev/vda2; : >proc/self/mountinfo; echo other >boot/vmlinuz-$RELEASE"
    kdumpctl_ok start --early
    same "$output" "kdump: kexec: loaded the crash kernel, early
kdump: Starting kdump: [OK]"
    same "$(calls | cut -d ' ' -f 1)" kexec
    loaded 1
    # As left by one shell, for each of the others.
    again() {
        built
        echo other >"$ROOT/boot/vmlinuz-$RELEASE"
        KDUMP_ROOT=$ROOT PATH=$STUBS:$PATH dash "$KDUMPCTL" start --early >/dev/null
    }
    FRESH=again
    kdumpctl_ok start
    assert_line "kdump:   /boot/vmlinuz-$RELEASE: changed or new"
    same "$(calls | cut -d ' ' -f 1)" "dracut
kexec"
    FRESH=
    kdumpctl_ok start
    assert_line --partial "Kdump already running"
    kdumpctl_ok start --early
    assert_line --partial "Kdump already running"
}

@test "an early load that was loaded again, for a CPU that came, is still put right by the next start" {
    early() {
        built
        KDUMP_ROOT=$ROOT PATH=$STUBS:$PATH dash "$KDUMPCTL" start --early >/dev/null
        KDUMP_ROOT=$ROOT PATH=$STUBS:$PATH dash "$KDUMPCTL" reload >/dev/null
        echo other >"$ROOT/boot/vmlinuz-$RELEASE"
    }
    FRESH=early
    kdumpctl_ok start
    same "$(calls | cut -d ' ' -f 1-2 | grep -v vmcore | tail -n 1)" "kexec -p"
    refute_output --partial "already running"
}

@test "start --early leaves a machine with a raw target alone: a dump may be there that the next would overwrite" {
    raw() { built; conf "$config"; }
    local config
    FRESH=raw
    for config in 'raw /dev/vdb1\n' 'ext4 /dev/vda2\nfallback raw /dev/vdb1\n'; do
        kdumpctl_ok start --early
        assert_line --partial "a dump may be on the raw target"
        same "$(calls)" ""
    done
    config='ssh raw@host\nfallback nfs raw:/raw\n'
    kdumpctl_ok start --early
    same "$(calls | cut -d ' ' -f 1)" kexec
}

@test "start --early with nothing built, something half built, or one that is given" {
    bare() { fresh; (cd "$ROOT" && eval "$change"); }
    FRESH=bare
    for change in true "echo half >$INITRD" "echo half >$INITRD; echo 'fact a=b' >${INITRD%.img}.manifest"; do
        kdumpctl_ok start --early
        assert_line "kdump: no whole initramfs was built yet; that is left to kdump.service"
        same "$(calls)" ""
    done
    change="echo mine >boot/mine.img; echo KDUMP_INITRD=/boot/mine.img >etc/sysconfig/kdump"
    kdumpctl_ok start --early
    [[ $(calls) == "kexec -p --initrd=$ROOT/boot/mine.img "* ]]
}

@test "an early load stays when the build behind it fails" {
    broken() {
        built
        echo other >"$ROOT/boot/vmlinuz-$RELEASE"
        in_shell dash start --early >/dev/null
        stub dracut "exit 1"
    }
    FRESH=broken
    kdumpctl start
    assert_equal "$status" 1
    loaded 1
    same "$(calls | cut -d ' ' -f 1)" dracut
}

@test "a restart of the service: what is loaded stays until the start, and for good where that fails" {
    local job
    running() {
        built
        echo 1 >"$ROOT/sys/kernel/kexec_crash_loaded"
        stub systemctl "echo '$job'"
    }
    FRESH=running
    job="1042 kdump.service restart running"
    kdumpctl_ok stop --service
    assert_line "kdump: the service is to be started again: what is loaded stays until then"
    loaded 1
    same "$(calls)" "systemctl list-jobs --no-legend kdump.service"

    fresh_restart() { running; in_shell dash stop --service >/dev/null; conf "$conf"; }
    FRESH=fresh_restart
    conf='pth /var/crash\n'
    kdumpctl start
    assert_equal "$status" 1
    assert_line "kdump: what was loaded before is still loaded"
    loaded 1
    same "$(calls)" ""
    conf='path /var/crash\n'
    kdumpctl_ok start
    [[ $(calls) == *"kexec -p --initrd="* ]]

    FRESH=running
    for job in "1042 kdump.service stop running" "" "1042 kdump.service start waiting"; do
        kdumpctl_ok stop --service
        same "$(calls | tail -n 1)" "kexec -p -u"
    done
    job="1042 kdump.service restart running"
    kdumpctl_ok stop
    same "$(calls)" "kexec -p -u"
}

@test "rebuild --kernel: for that release, where needed, and the next start with it builds nothing" {
    other() { fresh; echo other >"$ROOT/boot/vmlinuz-9.9"; mkdir "$ROOT/lib/modules/9.9"; : >"$ROOT/lib/modules/9.9/modules.dep"; }
    FRESH=other
    kdumpctl_ok rebuild --kernel=9.9
    assert_line "kdump: /boot/initramfs-9.9kdump.img is ready for 9.9"
    same "$(ls "$ROOT/boot")" "initramfs-9.9kdump.img
initramfs-9.9kdump.manifest
vmlinuz-$RELEASE
vmlinuz-9.9"
    FRESH=
    kdumpctl_ok rebuild --kernel=9.9
    same "$output" "kdump: /boot/initramfs-9.9kdump.img is ready for 9.9"
    same "$(calls)" ""
    echo 9.9 >"$ROOT/proc/sys/kernel/osrelease"
    unloaded() { echo 0 >"$ROOT/sys/kernel/kexec_crash_loaded"; }
    FRESH=unloaded
    kdumpctl_ok start
    same "$(calls | cut -d ' ' -f 1)" kexec
    kdumpctl rebuild --kernel=8.8
    assert_equal "$status" 1
    says "kdumpctl: no kernel image of 8.8 is there; looked for:"
    local release
    for release in "" ../9.9 -9.9 '9.9 x' '$(id)'; do
        kdumpctl rebuild "--kernel=$release"
        assert_equal "$status" 1
        says "kdumpctl: --kernel=$release: not a kernel's release"
    done
}

@test "dracut is told the release, our module, the disk, and dracut_args with their quotes" {
    args() { fresh; conf 'dracut_args --add-drivers "a b" --mount "/dev/vdb1 /m xfs rw" --omit '"'c d'"'\n'; stub dracut "for w; do case \$w in */boot/.*) ;; *) echo \"<\$w>\" ;; esac; done; for out; do :; done; echo x >\"\$out\""; }
    FRESH=args
    kdumpctl_ok start
    assert_line "<--add-drivers>"
    assert_line "<a b>"
    assert_line "<c d>"
    assert_line "<$RELEASE>"
    assert_line "</dev/vdb1>"
    refute_line "<--mount>"
}

# first_builds: a start that builds until `go` is there. Its output is in `first`.
first_builds() {
    fresh
    stub dracut ": >'$BATS_TEST_TMPDIR/builds'; tries=0
until [ -e '$BATS_TEST_TMPDIR/go' ] || [ \$tries -ge 400 ]; do sleep 0.1; tries=\$((tries + 1)); done
for out; do :; done; echo initramfs >\"\$out\""
    in_shell dash start >"$BATS_TEST_TMPDIR/first" 2>&1 3>&- &
    eventually '[ -e "$BATS_TEST_TMPDIR/builds" ]' || fail "it does not build: $(cat "$BATS_TEST_TMPDIR/first")"
}

@test "two at once: the second waits, says so, and then finds it running" {
    local second
    first_builds
    in_shell busybox start >"$BATS_TEST_TMPDIR/second" 2>"$BATS_TEST_TMPDIR/second.err" 3>&- &
    second=$!
    eventually 'grep -qx "kdump: another kdumpctl is at work; waiting for it" "$BATS_TEST_TMPDIR/second"' ||
        fail "it does not wait: $(cat "$BATS_TEST_TMPDIR"/second*)"
    : >"$BATS_TEST_TMPDIR/go"
    wait $second || fail "$(cat "$BATS_TEST_TMPDIR"/second*)"
    wait
    run cat "$BATS_TEST_TMPDIR/second"
    assert_line --partial "Kdump already running"
    same "$(calls | grep -c ^dracut)" 1
    run cat "$BATS_TEST_TMPDIR/first"
    assert_line "kdump: Starting kdump: [OK]"
}

@test "status does not wait for the lock" {
    first_builds
    run -3 timeout 20 dash -c "KDUMP_ROOT=$ROOT dash $KDUMPCTL status"
    assert_output "kdump: Kdump is not operational"
    : >"$BATS_TEST_TMPDIR/go"
    wait
    run cat "$BATS_TEST_TMPDIR/first"
    assert_line "kdump: Starting kdump: [OK]"
}

@test "status --json is JSON, whatever the command line holds" {
    running() { built; echo 1 >"$ROOT/sys/kernel/kexec_crash_loaded"; sed -i 's/^command_line=.*/command_line=a="b\\c d"\t%s/' "$ROOT/run/kdump/loaded"; }
    FRESH=running
    kdumpctl_ok status --json
    run python3 -c 'import json,sys; d=json.loads(sys.argv[1]); print(d["operational"], d["reserved"], d["command_line"])' "$output"
    assert_output $'True 536870912 a="b\\c d"\t%s'
}

@test "a wrong command or option: exit 1, and where help is" {
    local words
    for words in "" "begin" "-x" "status --yaml" "show --all" "test now" "start now" "rebuild 9.9" \
        "stop now" "stop --service x" "restart --early" "reload x" "notify x" "status --json x" "start --early x" "test --force x" \
        "rebuild --kernel=$RELEASE x" "get-default-crashkernel kdump x"; do
        # shellcheck disable=SC2086
        kdumpctl $words
        assert_equal "$status" 1
        says "kdumpctl: kdumpctl --help lists the commands."
        same "$(calls)" ""
    done
}

# With no right to pass permissions by: what root has as a service that is locked up, and
# what somebody else has.
without_rights() {
    setpriv --bounding-set=-dac_override,-dac_read_search --inh-caps=-dac_override,-dac_read_search "$@"
}

@test "files that may not be read, directories that may not be written: named, with what to do" {
    local what said shell
    command -v setpriv >/dev/null || skip "no setpriv here"
    locked() { fresh; sysconfig 'KDUMP_STDLOGLVL=3\n'; conf 'path /var/crash\n'; (cd "$ROOT" && eval "$what"); }
    while IFS='|' read -r what said; do
        for shell in $SHELLS; do
            locked
            run --separate-stderr without_rights bash -c "$(declare -f in_shell busybox_path chinese_locale)
                ROOT=$ROOT STUBS=$STUBS KDUMPCTL=$KDUMPCTL BATS_FILE_TMPDIR=$BATS_FILE_TMPDIR in_shell $shell start"
            (cd "$ROOT" && chmod -R u+rwX .)
            if [ -n "$said" ]; then

                assert_equal "$status" 1
                says "kdumpctl: ${said//ROOT/$ROOT}"
                same "$(calls)" ""
            else
                assert_equal "$stderr" ""
                assert_equal "$status" 0
                assert [ -s "$ROOT/var/lib/kdump/initramfs-${RELEASE}kdump.img" ]
            fi
        done
    done <<'TABLE'
chmod 0 etc/kdump.conf|/etc/kdump.conf: file: cannot be read; are you root?
chmod 0 etc/sysconfig/kdump|/etc/sysconfig/kdump: file: cannot be read; are you root?
echo ssh a@b >etc/kdump.conf; mkdir -p root/.ssh; echo >root/.ssh/kdump_id_rsa; chmod 0 root/.ssh/kdump_id_rsa|default: sshkey: /root/.ssh/kdump_id_rsa is not there
mkdir -p run/kdump; chmod 555 run/kdump|ROOT/run/kdump/lock cannot be written
chmod 555 boot|
chmod 555 boot var/lib/kdump|no place for the initramfs: neither /boot nor /var/lib/kdump can be written
TABLE
}

# Free KiB of /boot and of /var/lib/kdump | where dracut works | what comes of it
@test "no room in /boot: /var/lib/kdump is next; no room there either: the old one stays" {
    local boot elsewhere works said
    full() {
        built
        echo other >"$ROOT/boot/vmlinuz-$RELEASE"
        stub df 'echo header
            case $3 in
            */boot) echo "/dev/vda2 1 1 '"$boot"' 50% /" ;;
            *) echo "/dev/vda2 1 1 '"$elsewhere"' 50% /" ;;
            esac'
        stub dracut "for out; do :; done
            case \$out in
            *$works*) echo new >\"\$out\" ;;
            *) echo half >\"\$out\"; exit 1 ;;
            esac"
    }
    FRESH=full
    while IFS='|' read -r boot elsewhere works said; do
        kdumpctl start
        if [ -n "$said" ]; then
            assert_equal "$status" 1
            says "kdumpctl: $said"
            same "$(cat "$ROOT/$INITRD")" initramfs
            same "$(calls | grep -c kexec)" 0
        else
            assert_equal "$status" 0
            same "$(cat "$ROOT/var/lib/kdump/initramfs-${RELEASE}kdump.img")" new
            [[ $(calls) == *"kexec -p --initrd=$ROOT/var/lib/kdump/"* ]]
        fi
        same "$(find "$ROOT" -name '.initramfs*')" ""
    done <<'TABLE'
0|100000|/var/lib/kdump/|
8000|100000|/var/lib/kdump/|
0|0|nowhere|dracut could not build the initramfs: /var/lib/kdump has 0 KiB left
100000|100000|nowhere|dracut could not build the initramfs (above)
TABLE
    FRESH=
    boot=0 elsewhere=100000 works=/var/lib/kdump/
    full
    ok in_shell dash start
    echo 0 >"$ROOT/sys/kernel/kexec_crash_loaded"
    : >"$CALLS"
    ok in_shell dash start
    same "$(calls | cut -d ' ' -f 1)" kexec
}

@test "killed at any moment of a build: the next start loads what is whole" {
    local moment
    half() {
        built
        echo other >"$ROOT/boot/vmlinuz-$RELEASE"
        # chmod and mv come last; the list is written behind them.
        stub "$moment" "case \$* in *kdump.img*) kill -9 \$PPID; sleep 0.2 ;; *) exec /bin/$moment \"\$@\" ;; esac"
        in_shell dash start >/dev/null 2>&1 || true
        rm "$STUBS/$moment"
        echo 0 >"$ROOT/sys/kernel/kexec_crash_loaded"
    }
    FRESH=half
    for moment in chmod mv; do
        kdumpctl_ok start
        assert_line --partial "building the initramfs"
        same "$(find "$ROOT" -name '.initramfs*')" ""
        loaded 1
    done
    # Between the two renames: the list is the old one's.
    between() { built; echo newer >"$ROOT/$INITRD"; }
    FRESH=between
    kdumpctl_ok start --early
    assert_line --partial "no whole initramfs"
    kdumpctl_ok start
    assert_line --partial "not as it was built"
}

@test "the directory for dumps is made, for root alone, and labelled where SELinux is on" {
    labelled() {
        fresh
        (cd "$ROOT" && eval "$change")
        stub restorecon "$result"
    }
    FRESH=labelled
    local change="rmdir var/crash" result="exit 0"
    kdumpctl_ok start
    assert_equal "$(stat -c %a "$ROOT/var/crash")" 700
    same "$(calls | grep -c restorecon)" 0
    change="rmdir var/crash; mkdir -p sys/fs/selinux; echo 1 >sys/fs/selinux/enforce"
    kdumpctl_ok start
    same "$(calls | grep restorecon)" "restorecon $ROOT/var/crash"
    result="exit 1"
    kdumpctl start
    assert_equal "$status" 0
    says "kdumpctl: warning: $ROOT/var/crash: its SELinux label could not be set (above)"
    loaded 1
}

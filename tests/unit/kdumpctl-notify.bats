#!/usr/bin/env bats
# kdumpctl notify: after a crash, each dump is reported once, whatever is in it.

load common
load kdumpctl

NAME=loong-2026-11-25-10:00:00

# A root with one dump, as the capture leaves it.
fresh() {
    rm -rf "$ROOT" "$STUBS"
    make_root
    dump "$NAME"
    stub mail "cat >>'$BATS_TEST_TMPDIR/mail'"
    mkdir -p "$ROOT/usr/bin"
    ln -s "$STUBS/mail" "$ROOT/usr/bin/mail"
    rm -f "$BATS_TEST_TMPDIR/mail"
    [ -z "${change-}" ] || (cd "$ROOT/var/crash" && eval "$change")
}

dump() { # NAME
    mkdir -p "$ROOT/var/crash/$1"
    echo dump >"$ROOT/var/crash/$1/vmcore"
    printf '%s\n' "A kernel crash dump of loong" "" "Status:       the dump, level 31" "" \
        "Panic:        Kernel panic - not syncing: sysrq triggered crash" >"$ROOT/var/crash/$1/README.txt"
}

setup() {
    make_root
    FRESH=fresh
}

SAID="/var/crash/$NAME: the dump, level 31; Kernel panic - not syncing: sysrq triggered crash"

@test "a new dump is reported once, with where it is and why; status and its JSON tell of the last" {
    kdumpctl_ok notify
    assert_output "kdump: new dump: $SAID"
    FRESH=
    kdumpctl_ok notify
    assert_output ""
    kdumpctl status
    assert_line "kdump: last dump: $SAID"
    kdumpctl status --json
    run python3 -c 'import json,sys; d=json.loads(sys.argv[1])["last_dump"]; print(d["directory"], d["status"], d["panic"], d["test"], sep="|")' "$output"
    assert_output "/var/crash/$NAME|the dump, level 31|Kernel panic - not syncing: sysrq triggered crash|"
    rm -r "$ROOT/var/crash/$NAME"
    kdumpctl status
    assert_line "kdump: last dump, not there now: $SAID"
    kdumpctl_ok notify
    assert_output ""
}

@test "no dump: nothing is said, and status has no last one" {
    change="rm -r *"
    kdumpctl_ok notify
    assert_output ""
    kdumpctl status
    assert_output "kdump: Kdump is not operational"
    kdumpctl status --json
    run python3 -c 'import json,sys; print("last_dump" in json.loads(sys.argv[1]))' "$output"
    assert_output False
}

# CHANGE in /var/crash | what is said behind "new dump: ", or nothing
@test "what counts as a dump, and what is known of it" {
    local change said
    while IFS='|' read -r change said; do
        kdumpctl_ok notify
        assert_output "${said:+kdump: new dump: $said}"
    done <<TABLE
echo success >$NAME/kdump-test-12345678|$SAID (crash test 12345678)
mv $NAME/vmcore $NAME/vmcore.flat|$SAID
mv $NAME/vmcore $NAME/vmcore-incomplete; sed -i 's/^Status:.*/Status:       a part of the dump/' $NAME/README.txt|/var/crash/$NAME: a part of the dump; Kernel panic - not syncing: sysrq triggered crash
mv $NAME/vmcore $NAME/vmcore-dmesg.txt|$SAID
rm $NAME/vmcore|
rm $NAME/README.txt|/var/crash/$NAME: without a README.txt
rm $NAME/README.txt; printf '[    1.0] x\n[    2.0] Kernel panic - not syncing: VFS\n[    3.0] y\n' >$NAME/vmcore-dmesg.txt|/var/crash/$NAME: without a README.txt; Kernel panic - not syncing: VFS
printf 'Status: ok\nPanic: \$(touch x) \`id\` * "q" %%s\n' >$NAME/README.txt|/var/crash/$NAME: ok; \$(touch x) \`id\` * "q" %s
printf 'Status: ok\nPanic: a\033[31mb\n' >$NAME/README.txt|/var/crash/$NAME: ok
printf 'Status: ok\nPanic: 崩溃\n' >$NAME/README.txt|/var/crash/$NAME: ok; 崩溃
printf 'Status: ok\r\n' >$NAME/README.txt|/var/crash/$NAME: without a README.txt
printf 'Panic: x\0y' >$NAME/README.txt|/var/crash/$NAME: without a README.txt
printf '%0100000d' 1 >$NAME/README.txt|/var/crash/$NAME: without a README.txt
mv $NAME "\$(printf 'a\nb')"|
mv $NAME 'a b \$c'|/var/crash/a b \$c: the dump, level 31; Kernel panic - not syncing: sysrq triggered crash
mv $NAME ./-n|/var/crash/-n: the dump, level 31; Kernel panic - not syncing: sysrq triggered crash
rm -r *; echo x >a.crash; mkdir empty|
TABLE
    assert [ ! -e "$ROOT/var/crash/x" ]
}

@test "the command gets it on its input, with its words as written; where it fails, again the next time" {
    local config='KDUMP_NOTIFY_COMMAND="/usr/bin/mail -s '"'kernel crash'"' root"\n'
    configured() {
        fresh
        # The stand-in lies outside of the root that paths are taken from.
        sysconfig "${config/\/usr\/bin/$STUBS}"
    }
    FRESH=configured
    kdumpctl_ok notify
    same "$(calls)" "mail -s kernel crash root"
    same "$(cat "$BATS_TEST_TMPDIR/mail")" "A kernel crash dump of loong

Directory: /var/crash/$NAME
Status:    the dump, level 31
Panic:     Kernel panic - not syncing: sysrq triggered crash
Test:      no, this crash was not made by kdumpctl test"
    FRESH=
    kdumpctl_ok notify
    same "$(calls)" ""
    failing() { configured; stub mail 'echo "mail: no" >&2; exit 1'; }
    FRESH=failing
    kdumpctl notify
    assert_equal "$status" 1
    same "$stderr" "mail: no
kdumpctl: warning: KDUMP_NOTIFY_COMMAND failed (above); /var/crash/$NAME will be reported again"
    FRESH=
    kdumpctl notify
    assert_equal "$status" 1
    assert_output "kdump: new dump: $SAID"
    stub mail
    ok in_shell dash notify
    assert_output "kdump: new dump: $SAID"
    ok in_shell dash notify
    assert_output ""
}

@test "several at once, on several targets; a target that is not mounted is not looked at" {
    several() {
        fresh
        dump loong-2026-11-26-10:00:00
        conf 'xfs /dev/vdb1\npath /dumps\nfallback nfs server:/x\n'
        echo "40 27 254:16 / /mnt rw - xfs /dev/vdb1 rw" >>"$ROOT/proc/self/mountinfo"
        mkdir -p "$ROOT/mnt/dumps" "$ROOT/dumps"
        mv "$ROOT/var/crash/"*11-26* "$ROOT/mnt/dumps"
        mv "$ROOT/var/crash/"*11-25* "$ROOT/dumps"
    }
    FRESH=several
    kdumpctl_ok notify
    same "$output" "kdump: new dump: /mnt/dumps/loong-2026-11-26${SAID#/var/crash/loong-2026-11-25}
kdump: new dump: /dumps/$NAME${SAID#/var/crash/$NAME}"
}

@test "of what is on a server only this machine's own dumps are reported" {
    shared() {
        fresh
        conf 'nfs server:/x\npath /\n'
        echo "40 27 0:40 / /mnt rw - nfs4 server:/x rw" >>"$ROOT/proc/self/mountinfo"
        dump other-2026-11-25-10:00:00
        mkdir "$ROOT/mnt"
        mv "$ROOT"/var/crash/* "$ROOT/mnt"
    }
    FRESH=shared
    kdumpctl_ok notify
    same "$output" "kdump: new dump: /mnt/${SAID#/var/crash/}"
}

@test "the list of what was reported stays short; VMCORE_CREATION_NOTIFICATION=no: nothing is" {
    long() {
        fresh
        seq -f /var/crash/old-%g 1 600 >"$ROOT/var/lib/kdump/reported"
    }
    FRESH=long
    kdumpctl_ok notify
    same "$(wc -l <"$ROOT/var/lib/kdump/reported")" 500
    same "$(tail -n 2 "$ROOT/var/lib/kdump/reported")" "/var/crash/old-600
/var/crash/$NAME"
    # Nor is a target missed that nobody asks for.
    quiet() { fresh; sysconfig 'VMCORE_CREATION_NOTIFICATION=no\n'; conf 'ext4 UUID=none\n'; }
    FRESH=quiet
    kdumpctl_ok notify
    assert_output ""
}

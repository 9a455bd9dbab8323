# Shared by capture-*.bats. Loaded after common.
#
#   each_shell FUNCTION [ARGUMENT]...
#                  runs it once under every shell, each time with a new machine
#   machine        makes the capture kernel's world in $ROOT: the facts (from
#                  standard input), a vmcore, tools; $PLACE is what gets mounted
#   capture        runs the capture there; what it said is in $output, what it
#                  did to the machine in $DEEDS, a line each
#   dump           prints the directory of the only dump in $PLACE
#   gone           when the machine was restarted, nothing was left that sleeps for $NAP
#                  seconds, which nobody else does
#
# The tools are those the list beside the scripts allows, from busybox where
# the shell is busybox's; a program that is not on it is not found. mount,
# umount, reboot and their like are stubs that write down how they were
# called; what a stub says or does otherwise is in $TOOLS/NAME.

CAPTURE=$TOP/dracut/capture
SHELLS="dash bash busybox"

each_shell() {
    local shell
    for shell in $SHELLS; do
        command -v "$shell" >/dev/null || fail "no $shell here"
        case $shell in
        busybox) SH="busybox sh" ;;
        bash) SH="bash --posix" ;;
        *) SH=$shell ;;
        esac
        WORLD=$BATS_TEST_TMPDIR/$shell
        ROOT=$WORLD/root TOOLS=$WORLD/tools PLACE=$WORLD/place DEEDS=$WORLD/deeds
        NAP=$((100000 + $$)).$RANDOM
        mkdir -p "$WORLD" "$PLACE"
        : >"$DEEDS"
        echo "under $shell:"
        # Nothing behind it: in a list bash would go on after an assertion that fails.
        "$@"
    done
}

machine() {
    mkdir -p "$ROOT/proc/sys/kernel" "$ROOT/proc/sys/vm" "$ROOT/proc/self" "$ROOT/run" \
        "$ROOT/etc" "$ROOT/dev/disk/by-uuid" "$ROOT/sys/class/block" "$TOOLS"
    cat >"$ROOT/etc/kdump.facts"
    "$UNIT/make-vmcore" "$ROOT/proc/vmcore"
    echo 0 >"$ROOT/proc/sys/kernel/panic"
    echo "kexec mem=1G" >"$ROOT/proc/cmdline"
    : >"$ROOT/dev/disk"/by-uuid/1234
    : >"$ROOT/dev/vdb"
    local name when
    while read -r name when; do
        case $name in
        '#'* | '' | *'?') continue ;;
        vmcore) ln -s "$VMCORE" "$TOOLS/vmcore" ;;
        mount | umount | dmesg | ip | ssh | lvm | iscsistart) ;;
        *)
            case $SH in
            busybox*) ln -s "$(command -v busybox)" "$TOOLS/$name" ;;
            *) ln -s "$(command -v "$name")" "$TOOLS/$name" ;;
            esac
            ;;
        esac
    done <"$CAPTURE/commands"
    tool dmesg 'echo "[    0.000000] the capture kernel"'
    tool mount "deed mount \"\$@\"; for last; do :; done; rmdir \"\$last\" && ln -s $PLACE \"\$last\""
    tool umount 'deed umount "$@"; rm "$1" && mkdir "$1"'
    tool reboot 'alone; deed reboot "$@"; kill_capture'
    tool poweroff 'alone; deed poweroff "$@"; kill_capture'
    tool halt 'alone; deed halt "$@"; kill_capture'
}

# tool NAME TEXT: a stub; it is run by a shell of its own. `deed WORDS` writes
# a line to $DEEDS; kill_capture ends the capture as a restart would, and all it has
# started, for which alone looks before: what was killed may still be on its way.
tool() {
    rm -f "$TOOLS/$1"
    cat >"$TOOLS/$1" <<TEXT
#!$(command -v bash)
deed() { echo "\$*" | /usr/bin/sed 's|$ROOT||g' >>$DEEDS; }
alone() {
    local i
    for ((i = 0; i < 50; i++)); do
        pgrep -f "^sleep ${NAP/./\\.}\$" >/dev/null || { : >$WORLD/alone; return; }
        sleep 0.1
    done
}
kill_capture() { kill -KILL -- -\$(<$WORLD/pid); }
PATH=/usr/bin:/bin
real() { local name=\$1; shift; "\$name" "\$@"; }
$2
TEXT
    chmod 755 "$TOOLS/$1"
}

# The restart kills it, as it would everything. One that hangs is killed too,
# with all that may be left.
capture() {
    cat >"$WORLD/run" <<TEXT
echo \$\$ >$WORLD/pid
exec setsid env -i KDUMP_ROOT=$ROOT KDUMP_LIB=$CAPTURE KDUMP_PATH=$TOOLS $(command -v ${SH%% *}) ${SH#"${SH%% *}"} $CAPTURE/kdump-capture
TEXT
    status=0
    timeout 60 bash "$WORLD/run" </dev/null >"$WORLD/said" 2>&1 3>&- || status=$?
    output=$(cat "$WORLD/said")
    kill -KILL -- "-$(cat "$WORLD/pid")" 2>/dev/null || true
    [ "$status" -eq 137 ] || fail "the capture ended by itself ($status): $output"
}

dump() {
    local dirs=("$PLACE"/var/crash/*)
    [ ${#dirs[@]} -eq 1 ] && [ -d "${dirs[0]}" ] || fail "not one dump: ${dirs[*]}"
    echo "${dirs[0]}"
}

gone() {
    [ -e "$WORLD/alone" ] || fail "not all that was started is gone: $output"
}

says() { # TEXT...
    local text
    for text in "$@"; do
        [[ $output == *"$text"* ]] || fail "it does not say '$text': $output"
    done
}

deeds() { # what was done to the machine, expected
    same "$(cat "$DEEDS")" "$1"
}

#!/usr/bin/env bats
# Every kind of panic, and what may go wrong in the capture kernel: what is saved, what
# is said, and whether the machine restarts by itself. A guest for each row, with two
# CPUs and 768 MiB. Some rows are run only when PANIC_ROWS=all, or names them.

load machine

ROWS="panic irq bug null hung soft oom small"
MORE_ROWS="spin capture-memory capture-panics panic-cpus spin-cpus late-cpus"

setup_file() {
    local dir=$BATS_FILE_TMPDIR tree=$BATS_FILE_TMPDIR/tree row
    guest_disk "$dir/disk" panics
    cp "$(lab path faults)" "$dir/disk/faults.ko"
    mkdir -p "$tree/etc" "$tree/usr/lib/kdump"
    cp -r "$TOP/dracut/capture" "$tree/usr/lib/kdump/capture"
    cp "$TOP/dracut/small/init" "$tree/init"
    install -m 755 "$TOP/tests/machine/jobs/panics.hook" "$tree/hook"
    cp "$(lab path faults)" "$tree/faults.ko"
    printf '%s\n' facts=1 host=saturn "core_collector=vmcore save -d 31" failure_action=reboot final_action=reboot \
        kdump_pre=/hook targets=1 target1_kind=fs target1_source=LABEL=loongdump target1_fstype=ext4 \
        target1_path=/crash >"$tree/etc/kdump.facts"
    lab initramfs "$dir/disk/initrd-capture" "$tree"
    lab initramfs "$dir/initrd"
    for row in $(rows); do
        one_row "$row"
    done
    case " $(rows) " in
    *" panic "*) restarts ;;
    esac
}

# A plain restart and one by a panic, of the same guest.
restarts() {
    local dir=$BATS_FILE_TMPDIR
    cp "$TOP/tests/machine/jobs/restart.job" "$dir/disk/job"
    lab disk "$dir/restart.img" 256M "$dir/disk"
    lab boot --reboots --disk "$dir/restart.img" --initrd "$dir/initrd" --log "$dir/restart.log" \
        --append "crashkernel=192M" --smp 2 --mem 768M --timeout 450 || return 1
    mkdir "$dir/restart"
    lab fetch "$dir/restart.img" "$dir/restart" /out /crash
    rm -f "$dir/restart.img"
}

rows() {
    case ${PANIC_ROWS-} in
    '') echo $ROWS ;;
    all) echo $ROWS $MORE_ROWS ;;
    *) echo $PANIC_ROWS ;;
    esac
}

# NAME: how the guest ended is in NAME.end.
one_row() {
    local dir=$BATS_FILE_TMPDIR row=$1 size=192M began
    [ "$row" != small ] || size=96M
    lab disk "$dir/$row.img" 256M "$dir/disk"
    began=$(date +%s)
    lab boot --disk "$dir/$row.img" --initrd "$dir/initrd" --log "$dir/$row.log" \
        --append "crashkernel=$size loongdump.row=$row" --smp 2 --mem 768M --timeout 360 >"$dir/$row.end" 2>&1 || true
    echo $(($(date +%s) - began)) >"$dir/$row.seconds"
    mkdir "$dir/$row"
    lab fetch "$dir/$row.img" "$dir/$row" /out >/dev/null 2>&1
    lab fetch "$dir/$row.img" "$dir/$row" /crash >/dev/null 2>&1 || true
    rm -f "$dir/$row.img"
}

setup() {
    DIR=$BATS_FILE_TMPDIR
}

saved() { # ROW
    local dirs=("$DIR/$1"/crash/saturn-*)
    if [ -e "${dirs[0]}/vmcore" ]; then
        echo dump
    elif [ -e "${dirs[0]}/vmcore-incomplete" ]; then
        echo part
    elif [ -e "${dirs[0]}/vmcore-dmesg.txt" ]; then
        echo log
    else
        echo nothing
    fi
}

comes_back() { # ROW
    case $(cat "$DIR/$1.end") in
    *"boot: reset after"*) echo yes ;;
    *) echo no ;;
    esac
}

# What the kernel that failed said of it, in the log that was saved; in the last rows it
# is the capture, on the console.
said() { # ROW REGEXP
    local log=("$DIR/$1"/crash/saturn-*/vmcore-dmesg.txt)
    case $1 in
    capture-* | *-cpus | small) log=("$DIR/$1.log") ;;
    esac
    [ -e "${log[0]}" ] || return 0
    sed '/Starting crashdump kernel/,$!d' "${log[0]}" | grep -a -o -m 1 -E -e "$2" ||
        tac "${log[0]}" | grep -a -o -m 1 -E -e "$2" || true
}

# What QEMU answers to inject-nmi; a machine that has begun nothing is asked.
nmi() {
    printf '%s\n' '{"execute":"qmp_capabilities"}' '{"execute":"inject-nmi"}' '{"execute":"quit"}' |
        lab enter qemu-system-loongarch64 -M virt -S -nodefaults -display none -qmp stdio |
        sed -n 's/.*"desc": "\([^"]*\)".*/QEMU: \1/p'
}

@test "what is saved, what is said, whether the machine comes back" {
    local row expected regexp text failed=
    printf '# %-15s %-8s %-6s %4s  %s\n' row saved back s said >&3
    while IFS='|' read -r row expected regexp; do
        [ -e "$DIR/$row.end" ] || {
            printf '# %-15s (not run; PANIC_ROWS=all)\n' "$row" >&3
            continue
        }
        text=$(said "$row" "$regexp")
        printf '# %-15s %-8s %-6s %4s  %s\n' "$row" "$(saved "$row")" "$(comes_back "$row")" "$(cat "$DIR/$row.seconds")" "$text" >&3
        [ "$(saved "$row") $(comes_back "$row")" = "$expected yes" ] && [ -n "$text" ] || failed="$failed $row"
    done <<'TABLE'
panic|dump|faults: panic on CPU 1
irq|dump|faults: panic in an interrupt on CPU 1
bug|dump|kernel BUG at faults.c:[0-9]+
null|dump|Unable to handle kernel paging request at virtual address 0000000000000000
hung|dump|hung_task: blocked tasks
soft|dump|softlockup: hung tasks
spin|dump|Hard LOCKUP
oom|dump|Out of memory: compulsory panic_on_oom is enabled
capture-panics|log|Kernel panic - not syncing: sysrq triggered crash
capture-memory|dump|Out of memory: Killed process [0-9]+ \([a-z]*\)
panic-cpus|dump|kdump: CPUs for the dump: 2
spin-cpus|dump|kdump: warning: cpu1 does not come up
late-cpus|dump|CPUs online: 0-1
small|nothing|Out of memory: Killed process [0-9]+ .[a-z]*.
TABLE
    text=$(nmi)
    printf '# %-15s (%s)\n' nmi "$text" >&3
    [[ $text == *"machine does not provide NMIs"* ]] || failed="$failed nmi"
    [ -z "$failed" ] || fail "not as expected:$failed"
}

@test "whole dumps are whole, and crash finds the interrupt that panicked" {
    local row dump
    for row in $(rows); do
        [ "$(saved "$row")" = dump ] || continue
        dump=$(echo "$DIR/$row"/crash/saturn-*/vmcore)
        run --separate-stderr "$VMCORE" check "$dump"
        [ "$status" -eq 0 ] || fail "$row: $output $stderr"
    done
    [ ! -e "$DIR/irq.end" ] || {
        run crash_says "$(echo "$DIR"/irq/crash/saturn-*/vmcore)" bt
        assert_success
        assert_line --partial "fault_irq"
    }
}

@test "from the panic to the machine's next boot, beside a plain restart" {
    [ -e "$DIR/restart" ] || skip "goes with the row panic"
    local -a began left
    local copy
    mapfile -t began <"$DIR/restart/out/began"
    mapfile -t left <"$DIR/restart/out/left"
    assert_equal "${#began[@]} ${#left[@]}" "3 2"
    # From mounting the disk to leaving it, as the capture kernel's own log has it.
    copy=$(sed '/Starting crashdump kernel/,/reboot: Restarting/!d' "$DIR/restart.log" | tr -d '[]' |
        awk '/EXT4-fs .*: mounted/ { from = $1 } /EXT4-fs .*: unmounting/ { print $1 - from; exit }')
    assert [ -n "$copy" ]
    awk -v plain=$((began[1] - left[0])) -v panic=$((began[2] - left[1])) -v copy="$copy" 'BEGIN {
        printf "# a plain restart %d s, from the panic %d s, of these %.1f for the copy: %.1f times\n", plain, panic, copy,
            (panic - copy) / plain }' >&3
}

# For the machine tests: the lab, and what a guest brought back.
#
#   lab COMMAND...         tests/machine/lab/lab
#   guest_disk DIR NAME    DIR gets the kernel, the initramfs and the scripts of jobs/NAME
#   capture_tree DIR FACT...
#                          DIR gets what the capture's initramfs has beside the lab's
#   guest_run NAME ARGS... boots a guest with that disk and fetches what it left
#   jumps CMD...           the same of CMD with lab boot's --jumps, again where the kernel
#                          lost the guest in kexec -e; three times at most
#   show_log LOG           what its console says of trouble, and its end
#   result STEP            stdout of a step in the guest; fails unless it exited 0
#   step_fails STEP STATUS the step's exit status; its stderr is in $stderr
#   crash_says FILE CMD... what crash prints for the commands on the dump FILE (of
#                          several files: a split one)
#   own_crash KERNEL FILE CMD...
#                          the same of a dump of a kernel of our own (testkernel, ...)
#
# $GUEST is the directory with what the guest left (out/ and files).

load ../unit/common

lab() {
    "$TOP/tests/machine/lab/lab" "$@"
}

# The disk's content: the stock kernel as it was shipped, one initramfs for
# both kernels, and the scripts.
guest_disk() {
    local dir=$1 name=$2
    mkdir -p "$dir/out"
    cp "$(lab path vmlinuz)" "$dir/vmlinuz"
    lab initramfs "$dir/initrd"
    cp "$TOP/tests/machine/jobs/steps" "$dir/steps"
    cp "$TOP/tests/machine/jobs/$name.job" "$dir/job"
    if [ -e "$TOP/tests/machine/jobs/$name.capture" ]; then
        cp "$TOP/tests/machine/jobs/$name.capture" "$dir/capture"
    fi
}

capture_tree() {
    mkdir -p "$1/etc" "$1/usr/lib/kdump"
    cp -r "$TOP/dracut/capture" "$1/usr/lib/kdump/capture"
    cp "$TOP/dracut/small/init" "$1/init"
    printf '%s\n' "${@:2}" >"$1/etc/kdump.facts"
}

# guest_run NAME DISK_SIZE APPEND TIMEOUT [OPTION...]: expects
# $BATS_FILE_TMPDIR/disk; OPTIONs are those of lab boot.
guest_run() {
    local name=$1 size=$2 append=$3 timeout=$4 dir=$BATS_FILE_TMPDIR
    shift 4
    lab disk "$dir/$name.img" "$size" "$dir/disk" || return 1
    lab boot --disk "$dir/$name.img" --log "$dir/$name.log" \
        --append "console=ttyS0,115200 $append" --smp 2 --mem 2G --timeout "$timeout" "$@" ||
        {
            local status=$?
            show_log "$dir/$name.log"
            return $status
        }
    mkdir -p "$dir/$name"
    lab fetch "$dir/$name.img" "$dir/$name" || return 1
    rm -f "$dir/$name.img"
}

jumps() {
    local tries status
    for tries in 1 2 3; do
        status=0
        "$@" --jumps || status=$?
        [ $status -eq 4 ] || return $status
        echo "# kexec -e of a kernel that does not wait for its other CPUs lost the guest ($tries of 3)" >&3
    done
    return $status
}

show_log() {
    grep -a -n -m 10 -E 'Linux version|Oops|BUG|WARNING:|Unable to handle|Kernel panic|Call Trace|stall|lockup' "$1" |
        cut -c 1-100
    echo "..."
    tail -n 30 "$1"
}

result() {
    local status
    status=$(cat "$GUEST/out/$1.status") || fail "the guest never got to step $1"
    [ "$status" -eq 0 ] ||
        fail "step $1 in the guest: exit $status: $(cat "$GUEST/out/$1.err")"
    cat "$GUEST/out/$1.out"
}

step_fails() {
    local status
    status=$(cat "$GUEST/out/$1.status") || fail "the guest never got to step $1"
    stderr=$(cat "$GUEST/out/$1.err")
    output=$(cat "$GUEST/out/$1.out")
    [ "$status" -eq "$2" ] ||
        fail "step $1 in the guest: exit $status, expected $2: $stderr"
}

crash_says() { # FILES COMMAND...
    local files=$1 commands=$BATS_TEST_TMPDIR/commands
    shift
    printf '%s\n' "$@" quit >"$commands"
    # shellcheck disable=SC2086  # several files of one dump
    lab crash -s -i "$commands" "$(lab path vmlinux)" $files </dev/null
}

# These kernels have no modules, and crash wants to be told.
own_crash() {
    local kernel=$1 file=$2 commands=$BATS_TEST_TMPDIR/commands
    shift 2
    printf '%s\n' "$@" quit >"$commands"
    lab crash --no_modules --kaslr auto -s -i "$commands" "$(lab path "$kernel-vmlinux")" "$file" </dev/null
}

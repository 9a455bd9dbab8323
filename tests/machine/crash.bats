#!/usr/bin/env bats
# What crash, with our patches, reads out of a dump of the stock kernel: the
# stack of an interrupt, a module's functions, struct pages, a process's memory.
# Without them it knows none of these (patches/crash/).

load machine

setup_file() {
    guest_disk "$BATS_FILE_TMPDIR/disk" crash
    cp "$(lab path faults)" "$BATS_FILE_TMPDIR/disk/faults.ko"
    guest_run crash 1G "crashkernel=512M" 300
}

setup() {
    GUEST=$BATS_FILE_TMPDIR/crash
}

# frames: the functions of the backtrace in $output, one a line.
frames() {
    printf '%s\n' "$output" | sed -n 's/^ *#[0-9]* \[[0-9a-f]*\] \([^ ]*\) at .*/\1/p'
}

@test "a panic in an interrupt: its way from the idle task through the module to the crash" {
    result save >/dev/null
    run crash_says "$GUEST/vmcore" bt
    assert_success
    assert_line --regexp 'CPU: 1 .*COMMAND: "swapper/1"'
    assert_line --regexp ' fault_irq at ffff[0-9a-f]+ \[faults\]$'
    assert_line --regexp ' epc +: [0-9a-f]+ (idle_exit|__arch_cpu_idle)'
    run frames
    assert_equal "$(printf '%s\n' "$output" | head -n 4 | tr '\n' ' ')" "__crash_kexec vpanic panic fault_irq "
    assert_equal "$(printf '%s\n' "$output" | grep -xn -e fault_irq -e handle_loongarch_irq -e do_vint \
        -e handle_vint -e arch_cpu_idle -e start_secondary | cut -d : -f 2 | tr '\n' ' ')" \
        "fault_irq handle_loongarch_irq do_vint handle_vint arch_cpu_idle start_secondary "
    assert_equal "$(printf '%s\n' "$output" | tail -n 1)" start_secondary
}

@test "the other CPU: a system call, down to the registers of its caller and no further" {
    run crash_says "$GUEST/vmcore" "bt -c 0"
    assert_success
    assert_line --regexp 'CPU: 0 .*COMMAND: "insmod"'
    # The user's own: privilege level 3 before the system call.
    assert_line --regexp ' CSR prmd *: 000000000000000[37]$'
    run frames
    assert_line smp_call_function_single
    assert_equal "$(printf '%s\n' "$output" | tail -n 2 | tr '\n' ' ')" "do_syscall handle_syscall "
}

@test "the modules are those the guest had" {
    run crash_says "$GUEST/vmcore" mod
    assert_success
    # faults was loaded after the guest's own list was kept.
    assert_equal "$(printf '%s\n' "$output" | awk '$1 ~ /^ffff/ && $2 != "faults" { print $2 }' | sort)" \
        "$(result modules | cut -d ' ' -f 1 | sort)"
    assert_line --regexp '^ffff[0-9a-f]+ +faults '
}

@test "the date is the guest's" {
    local date
    run crash_says "$GUEST/vmcore" sys
    assert_success
    date=$(date -d "$(printf '%s\n' "$output" | sed -n 's/^ *DATE: //p')" +%s)
    assert [ $((date - $(result date))) -ge 0 ]
    assert [ $((date - $(result date))) -lt 60 ]
}

@test "a process's arguments and environment are read out of its memory" {
    run crash_says "$GUEST/vmcore" "ps -a sleep"
    assert_success
    assert_line "ARG: sleep 1000 "
    assert_line --regexp "^ENV: .*LOONGDUMP_MARK=in-the-stack-of-a-process"
}

@test "the struct page of an address" {
    local task
    run crash_says "$GUEST/vmcore" bt
    task=$(printf '%s\n' "$output" | sed -n 's/.* TASK: \([0-9a-f]*\) .*/\1/p')
    run crash_says "$GUEST/vmcore" "kmem -p $task"
    assert_success
    # 0x9000... is where the kernel sees all memory, cached; pages of 16 KiB.
    assert_line --regexp "^ *[0-9a-f]+ +$(printf '%x' $(((0x$task & 0xffffffffffff) & ~0x3fff))) "
}

@test "slab caches: all the guest had, with its sizes of objects, and as many objects within 5 %" {
    local caches=$BATS_TEST_TMPDIR/caches guest=$BATS_TEST_TMPDIR/guest
    run crash_says "$GUEST/vmcore" "kmem -s"
    assert_success
    refute_output --partial "invalid"
    # crash: CACHE OBJSIZE ALLOCATED TOTAL SLABS SSIZE NAME; object_size is
    # without what SLUB puts behind an object, slabinfo's size is with it.
    printf '%s\n' "$output" | awk '$1 ~ /^9/ { print $NF, $2, $4 }' | sort >"$caches"
    # slabinfo: name active total objsize ...
    result slabinfo | awk 'NR > 2 { print $1, $4, $3 }' | sort >"$guest"
    assert [ "$(wc -l <"$guest")" -gt 50 ]
    assert_equal "$(join -v 2 "$caches" "$guest")" ""
    run join "$caches" "$guest"
    assert_equal "$(printf '%s\n' "$output" | awk '$2 > $4')" ""
    run awk '{ here += $3; there += $5 } END { print (here > there * 0.95 && here < there * 1.05), here, there }' \
        <(printf '%s\n' "$output")
    assert_output --regexp "^1 "
}

@test "an address in a slab: its cache and the task it is" {
    local task
    run crash_says "$GUEST/vmcore" "bt -c 0"
    task=$(printf '%s\n' "$output" | sed -n 's/.* TASK: \([0-9a-f]*\) .*/\1/p')
    run crash_says "$GUEST/vmcore" "kmem $task"
    assert_success
    assert_line --regexp " task_struct$"
    assert_line "  [$task]"
    assert_line 'COMMAND: "insmod"'
}

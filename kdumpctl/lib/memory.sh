# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck shell=sh disable=SC2034,SC2154
# How much memory a capture needs, and how much is reserved.
#
#   cmd_showmem                  MiB reserved
#   cmd_estimate                 what this system's capture needs, part by part
#   cmd_get_default_crashkernel  a value for crashkernel=, for any RAM size
#
#   system_ram                   sets system_ram, in bytes
#   running_page_size            sets page_size, of the running kernel
#   reserved_size                sets reserved, in bytes; 0: nothing
#   kernel_plan                  sets plan, kexec's plan as JSON, one value a line; fails
#                                with plan_says and plan_remedy, what kexec said
#   plan_number KEY              sets number, the first value of KEY in plan
#   estimate_make                sets needed, in bytes, and estimate_parts, lines
#                                "BYTES NAME: HOW IT IS KNOWN"; expects prepare
#   memory_judge         a warning where less is reserved than needed; fails where the
#                        estimate does
#   memory_judge_small   the same of a small reservation, after a load; never fails

# Measured with Debian's 7.2.12 (16 KiB pages) on QEMU's virt machine, 2 CPUs, an
# initramfs of busybox, vmcore save -d 31 of 2 GiB. With the default options the
# capture worked in 128 MiB and had 31 left; without any of them 160 MiB were too
# little, and 256 MiB left 60. Two CPUs took 3 MiB more than one.
MEASURED_MEMMAP=33554432  # page descriptors come in pieces of 32 MiB, one for 8 GiB
MEASURED_KERNEL=27262976  # slabs, stacks, modules, reserves: all else when /init runs
MEASURED_WORK=6291456     # vmcore save with one thread
MEASURED_CPU=3145728      # each CPU more, with its thread of vmcore
MEASURED_KMEM=33554432    # without cgroup.memory=nokmem
MEASURED_CMA=134217728    # without cma=0
MEASURED_SWIOTLB=67108864 # without swiotlb=noforce
# udev and dracut in a Debian's initramfs (10 MiB packed, a dump to the local disk) needed
# nothing beyond all else here, which came to 130 MiB: 124 and 128 were enough, with udev
# killed when its work was done, 120 were not. This is for what was not measured: systemd
# in it, a network, the drivers of a larger machine.
GUESSED_SERVICES=25165824

reserved_size() {
    read_first_line /sys/kernel/kexec_crash_size || first_line=0
    reserved=$first_line
    case $reserved in
    '' | *[!0-9]*) reserved=0 ;;
    esac
}

# As the kernel counts when it picks a range: all RAM, rounded up to 128 MiB
# (parse_crashkernel_mem). MemTotal, for those who may not see addresses, is a little less.
system_ram() {
    system_ram=0
    if [ -r "$ROOT/proc/iomem" ]; then
        while IFS= read -r line; do
            case $line in
            " "*) ;; # part of another
            *[!0-9a-f-]*" : System RAM" | -*) ;;
            *-*" : System RAM")
                line=${line%% *}
                system_ram=$((system_ram + 0x${line#*-} - 0x${line%-*} + 1))
                ;;
            esac
        done <"$ROOT/proc/iomem"
    fi
    if [ "$system_ram" -lt 1048576 ] && [ -r "$ROOT/proc/meminfo" ]; then
        while read -r key amount _; do
            [ "$key" != MemTotal: ] || { system_ram=$((amount * 1024)); break; }
        done <"$ROOT/proc/meminfo"
    fi
    system_ram=$(((system_ram + 134217727) / 134217728 * 134217728))
}

cmd_showmem() {
    reserved_size
    note "Reserved $((reserved / 1048576))MB memory for crash kernel"
}

# The plan with the initramfs if there is one by now.
kernel_plan() {
    set -- -p --dry-run --json "--command-line=$cmdline"
    [ -z "$ROOT" ] || set -- "$@" "--system=$ROOT"
    [ -z "${initrd-}" ] || [ ! -s "$ROOT$initrd" ] || set -- "$@" "--initrd=$ROOT$initrd"
    plan=$(kexec "$@" "$ROOT$image" 2>&1) && return 0
    # Its own words, without the plan: what is wrong, then what to do.
    plan_says=
    plan_remedy=
    while IFS= read -r line; do
        case $line in
        "kexec: warning"*) ;;
        "kexec: "*) if [ -z "$plan_says" ]; then plan_says=${line#kexec: }; else plan_remedy=${line#kexec: }; fi ;;
        esac
    done <<TEXT
$plan
TEXT
    [ -n "$plan_says" ] || plan_says=${plan##*"$LF"}
    plan=
    return 1
}

plan_number() { # KEY
    number=
    case $plan in
    *"\"$1\": "*) ;;
    *) return 1 ;;
    esac
    number=${plan#*"\"$1\": "}
    number=${number%%[!0-9]*}
    [ -n "$number" ]
}

estimate_add() { # BYTES NAME HOW
    estimate_parts="$estimate_parts$1 $2: $3$LF"
    needed=$((needed + $1))
}

# How many CPUs the capture kernel starts with, from its command line (cpus), and
# with how many it may save (cpus_most).
capture_cpus() {
    cpus=0
    for directory in "$ROOT"/sys/devices/system/cpu/cpu[0-9]*; do
        [ ! -d "$directory" ] || cpus=$((cpus + 1))
    done
    cpus_most=$cpus
    [ "$conf_capture_cpus" -eq 0 ] || [ "$conf_capture_cpus" -ge "$cpus" ] || cpus_most=$conf_capture_cpus
    left=$cmdline
    while next_word "$left"; do
        left=$rest
        case $word in
        maxcpus=[1-9] | maxcpus=[1-9][0-9] | maxcpus=[1-9][0-9][0-9])
            [ "${word#*=}" -ge "$cpus" ] || cpus=${word#*=}
            ;;
        esac
    done
}

estimate_make() {
    needed=0
    estimate_parts=
    reserved_size
    kernel_plan || { complain "kexec cannot plan the load: $plan_says" "$plan_remedy"; return 1; }
    plan_number image_size && estimate_add "$number" "kernel" "its size in memory, from the image"
    if plan_number page_size; then page_size=$number; else running_page_size; fi
    if [ -n "${initrd-}" ] && [ -s "$ROOT$initrd" ]; then
        size=$(wc -c <"$ROOT$initrd")
        size=$((size))
        estimate_add "$size" "initramfs, packed" "its file's size"
        manifest_read "$ROOT${initrd%.img}.manifest" || true
        if [ "$stored_unpacked" -gt 0 ]; then
            estimate_add "$stored_unpacked" "initramfs, unpacked" "counted when it was built"
        else
            estimate_add $((size * 3)) "initramfs, unpacked" "a guess, three times the packed size"
        fi
        if [ "$stored_files" -gt 0 ]; then
            estimate_add $((stored_files * page_size / 2)) "ends of its files" \
                "$stored_files, each leaves half a page of $page_size bytes empty"
        fi
    else
        estimate_add 50331648 "initramfs" "a guess, it is not built yet"
    fi
    if [ "$page_size" -eq 16384 ]; then
        estimate_add "$MEASURED_MEMMAP" "page descriptors" "measured"
    else # those of a section of 512 MiB
        estimate_add $((34359738368 / page_size)) "page descriptors" "computed, for pages of $page_size bytes"
    fi
    estimate_add "$MEASURED_KERNEL" "the kernel at work" "measured"
    estimate_option cma "$MEASURED_CMA" cma=0
    estimate_option swiotlb "$MEASURED_SWIOTLB" swiotlb=noforce
    estimate_option cgroup.memory "$MEASURED_KMEM" cgroup.memory=nokmem
    estimate_add "$GUESSED_SERVICES" "peak of the initramfs' services" "a guess"
    estimate_add "$MEASURED_WORK" "saving" "measured"
    capture_cpus
    [ "$cpus" -le 1 ] || estimate_add $((MEASURED_CPU * (cpus - 1))) "CPUs behind the first ($((cpus - 1)))" "measured"
    # These come only while there is memory for them (dracut/capture/cpus.sh).
    cpus_later=$((cpus_most - cpus))
}

memory_judge() {
    estimate_make || return 1
    [ "$reserved" -ge "$needed" ] ||
        warn "$((reserved / 1048576)) MiB reserved, about $((needed / 1048576)) MiB needed; kdumpctl estimate shows the parts"
}

# A capture that runs out of memory saves little or nothing, and nobody hears of that
# before the crash. Of a large reservation it is not asked: making a plan takes a moment.
MEMORY_LARGE=402653184

memory_judge_small() {
    reserved_size
    [ "$reserved" -lt "$MEMORY_LARGE" ] || return 0
    keep_words yes
    memory_judge || true
    memory_says=${kept_warnings%"$LF"}
    keep_words no
    [ -z "$memory_says" ] || warn "$memory_says"
}

# NAME BYTES WORD: what it costs that WORD is not on the capture kernel's line.
estimate_option() {
    has_word "$cmdline" "$3" || estimate_add "$2" "$1" "measured with 7.2; $3 would save it"
}

show_part() { # BYTES NAME-AND-HOW
    printf '  %6s MiB  %s\n' $((($1 + 524288) / 1048576)) "$2"
}

cmd_estimate() {
    prepare || return 1
    keep_words yes
    initrd_state || true
    keep_words no
    estimate_make || return 1
    printf 'What the capture needs on this system:\n'
    parts=$estimate_parts
    while [ -n "$parts" ]; do
        part=${parts%%"$LF"*}
        parts=${parts#*"$LF"}
        show_part "${part%% *}" "${part#* }"
    done
    show_part "$needed" "in all"
    [ "$cpus_later" -le 0 ] ||
        printf '  %10s  %s\n' "" "and $((MEASURED_CPU / 1048576)) for each of $cpus_later more CPUs (capture_cpus), of which each comes only while 32 are left"
    # To a multiple of 32 MiB, with a tenth to spare.
    recommended=$(((needed + needed / 10 + 33554431) / 33554432))
    recommended=$((recommended * 32))
    printf '\nReserved crashkernel:    %sM\n' $((reserved / 1048576))
    printf 'Recommended crashkernel: %sM\n' "$recommended"
    [ $((reserved / 1048576)) -ge "$recommended" ] ||
        warn "the reservation is smaller than recommended; kdumpctl reset-crashkernel --value=${recommended}M, then reboot"
}

cmd_get_default_crashkernel() {
    case ${1-} in
    '' | kdump) ;;
    fadump)
        complain "fadump is for POWER"
        return 1
        ;;
    *) wrong_usage "get-default-crashkernel: $1: kdump is the only kind" ;;
    esac
    default_crashkernel
    printf '%s' "$default_value"
}

# The page size is that of the first mapping of whoever reads this.
running_page_size() {
    page_size=16384
    [ -r "$ROOT/proc/self/smaps" ] || return 0
    while read -r key amount _; do
        [ "$key" = KernelPageSize: ] || continue
        case $amount in
        4 | 16 | 64) page_size=$((amount * 1024)) ;;
        esac
        return 0
    done <"$ROOT/proc/self/smaps"
}

# For the default options of sysconfig.sh.
#   Below 1 GiB   nothing: a reservation would be a fifth of the machine.
#   1G-4G         With 16 KiB pages a whole Debian with dracut saved its dump from 2 GiB in
#                 128 MiB (QEMU's virt machine, 7.2.12; 120 were too little), and half of
#                 it again is the margin: for a network, more drivers, a larger initramfs.
#   4G-64G, 64G-  vmcore takes no more for more memory; what grows with a machine are
#                 its drivers, and their queues with the CPUs. Not measured.
# With pages of 4 KiB the same: the kernel's tables are smaller (8 MiB of page
# descriptors in place of 32), by how much in all is not measured. With 64 KiB 128 MiB
# more, computed and not measured: 2000 files of an initramfs leave 48 MiB more of their
# last pages empty, 100 stacks are 5 MiB larger, and each of some 200 slabs begins with
# pages four times as large for each CPU.
default_crashkernel() { # sets default_value
    running_page_size
    case $page_size in
    65536) default_value="1G-4G:320M,4G-64G:384M,64G-:640M" ;;
    *) default_value="1G-4G:192M,4G-64G:256M,64G-:512M" ;;
    esac
}

# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck shell=sh disable=SC2034,SC2154
# The capture kernel's command line.
#
#   cmdline_make     sets cmdline, from the running kernel's line (or
#                    KDUMP_COMMANDLINE) and the settings; expects config_read
#
# kexec adds elfcorehdr=, mem= and initrd= itself and holds the whole against what
# the kernel takes.

# These are of the first system, or kexec's own: they never go to the capture kernel.
ALWAYS_REMOVE="BOOT_IMAGE kexec kexec_file elfcorehdr mem initrd crashkernel panic_on_warn \
root rootflags rootfstype rd.lvm.lv rd.luks.uuid rd.dm.uuid rd.md.uuid fcoe netroot \
rd.iscsi.initiator iscsi_initiator kdump_test_id"

# The kernel takes '-' and '_' in a name for the same. Sets plain_name.
plain_name() { # WORD
    plain_name=${1%%=*}
    while :; do
        case $plain_name in
        *-*) plain_name=${plain_name%%-*}_${plain_name#*-} ;;
        *) return 0 ;;
        esac
    done
}

# LINE NAMES: sets kept, the words of LINE up to a "--" that are not named, and
# init_words, "--" and what follows it.
cmdline_without() {
    names=" "
    line_left=$2
    while next_word "$line_left"; do
        line_left=$rest
        plain_name "$word"
        names="$names$plain_name "
    done
    kept=
    init_words=
    line_left=$1
    while next_word "$line_left"; do
        if [ "$word" = -- ]; then
            trim "$rest"
            init_words="--${trimmed:+ $trimmed}"
            return 0
        fi
        line_left=$rest
        plain_name "$word"
        case $names in
        *" $plain_name "*) ;;
        *) kept="$kept${kept:+ }$word" ;;
        esac
    done
}

# nr_cpus=N keeps the capture kernel of loongarch64 from ever shutting down (see
# sysconfig.sh); maxcpus=N does what was meant.
cmdline_mend_append() {
    mended=
    line_left=$sys_append
    while next_word "$line_left"; do
        line_left=$rest
        case $word in
        nr_cpus=*)
            step "KDUMP_COMMANDLINE_APPEND: maxcpus=${word#*=} instead of $word, with which the capture kernel could not reboot"
            word=maxcpus=${word#*=}
            ;;
        esac
        has_word "$mended" "$word" || mended="$mended${mended:+ }$word"
    done
}

# A watchdog that was armed goes on counting in the capture kernel; what its driver
# does before it bites must not be a panic.
cmdline_watchdogs() {
    watchdogs=
    for watchdog in "$ROOT"/sys/class/watchdog/watchdog*; do
        { [ -e "$watchdog/pretimeout" ] && [ -d "$watchdog/device/driver" ]; } || continue
        driver=$(cd -P "$watchdog/device/driver" && pwd -P)
        driver=${driver##*/}
        has_word "$watchdogs" "$driver.pretimeout=0" || watchdogs="$watchdogs $driver.pretimeout=0"
    done
}

# Whether all memory the capture kernel will have is below 4 GiB; not known to those
# who may not see addresses.
reservation_is_low() {
    low=no
    while read -r range _ what; do
        [ "$what" = "Crash kernel" ] || continue
        range=${range#*-}
        case $range in
        00000000 | *[!0-9a-f]*) return 1 ;;
        ????????) low=yes ;;
        *) return 1 ;;
        esac
    done <"$ROOT/proc/iomem"
    [ "$low" = yes ]
}

cmdline_make() {
    line=$sys_commandline
    if [ -z "$line" ]; then
        read_first_line /proc/cmdline || { complain "/proc/cmdline cannot be read"; return 1; }
        line=$first_line
    fi
    cmdline_without "$line" "$sys_remove $ALWAYS_REMOVE"
    cmdline_mend_append
    cmdline_watchdogs
    has_word "$sysconfig_set" KDUMP_COMMANDLINE_APPEND || ! [ -r "$ROOT/proc/iomem" ] || ! reservation_is_low ||
        mended="$mended swiotlb=noforce"
    # systemd's guesses at what to mount are about the first system.
    cmdline="$kept${kept:+ }$mended${mended:+ }rd.systemd.gpt_auto=no$watchdogs${init_words:+ $init_words}"
}

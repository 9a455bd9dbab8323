# shellcheck shell=sh disable=SC2034,SC2154 # the files of one program share their variables
# More CPUs for the dump. The kernel was started with one (maxcpus=1): so it takes the
# least memory, and a CPU that the crash left stuck cannot keep the log from being saved.
# The others are brought up from here, when that is done.
#
#   cpus_more   once: until there are as many as the fact capture_cpus says (0: all),
#               memory gets short, or one does not come (5 s later, as the kernel has it).
#               vmcore works in as many threads as there are CPUs, and memory for.
#
# Behind one that did not come no other is tried: should it wake up late, it would start
# with what the kernel laid ready for the last one it called.

CPUS_MOST=8
# KiB that must be available before each. It takes 2 MiB for itself (16 KiB pages), and
# vmcore, with 1.5 MiB a thread, makes do with half of what is left.
CPUS_MEMORY=32768

cpus_more() {
    [ -z "${cpus_known-}" ] || return 0
    cpus_known=1 cpus=0
    for cpu_dir in "$ROOT"/sys/devices/system/cpu/cpu[0-9]*; do
        [ -d "$cpu_dir" ] || continue
        cpu_state
        [ "$cpu_state" = 0 ] || cpus=$((cpus + 1))
    done
    fact capture_cpus $CPUS_MOST || :
    case $fact in
    '' | *[!0-9]*) fact=$CPUS_MOST ;;
    esac
    cpus_most=$fact
    for cpu_dir in "$ROOT"/sys/devices/system/cpu/cpu[0-9]*; do
        cpu_state
        [ "$cpu_state" = 0 ] || continue
        [ "$cpus_most" -eq 0 ] || [ "$cpus" -lt "$cpus_most" ] || break
        cpus_have_memory || break
        limit cpu cpu_start 2>/dev/null || {
            # Nor is its file asked again: that would wait for the same lock.
            warn "${cpu_dir##*/} does not come up"
            break
        }
        cpus=$((cpus + 1))
    done
    [ "$cpus" -eq 0 ] || say "CPUs for the dump: $cpus"
}

# Of $cpu_dir, 0 or 1; the first CPU cannot be switched off, and has no such file.
cpu_state() {
    cpu_state=1
    { read -r cpu_state <"$cpu_dir/online"; } 2>/dev/null || :
}

cpu_start() {
    echo 1 >"$cpu_dir/online"
}

cpus_have_memory() {
    { while read -r cpus_key cpus_value _; do
        [ "$cpus_key" != MemAvailable: ] || break
    done <"$ROOT/proc/meminfo"; } 2>/dev/null || return 1
    [ "$cpus_key" = MemAvailable: ] && [ "$cpus_value" -ge $CPUS_MEMORY ]
}

# shellcheck shell=sh disable=SC2034,SC2154 # the files of one program share their variables
# The texts beside a dump.
#
#   readme_text FILE...   README.txt, about those of the FILES (in the current
#                         directory) that are there; none: about the memory
#   kernel_log_text       what the capture kernel and the capture said
#   test_text             how a crash made by `kdumpctl test` ended, one word;
#                         $test_id is its id, empty where it was no test

# Whoever finds the directory first reads who, when, what and how to go on;
# the lines KEY: VALUE at the start are also for programs.
readme_text() { # FILE...
    readme_of=$vmcore
    printf 'A kernel crash dump of %s\n\n' "$host"
    printf 'Saved:        %s UTC, by the clock of the capture kernel\n' "$when"
    printf 'Status:       %s\n' "$saved_what"
    for readme_file in "$@"; do
        [ -e "$readme_file" ] || continue
        [ "$readme_of" != "$vmcore" ] || readme_of=$readme_file
        printf 'Size:         %s bytes, %s\n' "$(stat -c %s "$readme_file")" "$readme_file"
    done
    limit info "$VMCORE" info "$readme_of" >"$run/info" 2>/dev/null || :
    [ -s "$run/info" ] || return 0
    printf '\n'
    cat "$run/info"
}

test_id_read() {
    test_id=
    read -r readme_line <"$ROOT/proc/cmdline" || :
    case " $readme_line " in
    *" kdump_test_id="*) ;;
    *) return 0 ;;
    esac
    test_id=${readme_line##*kdump_test_id=}
    test_id=${test_id%% *}
    case $test_id in
    *[!0-9a-zA-Z-]*) test_id= ;;
    esac
}

test_text() {
    case $saved in
    0) echo success ;;
    2 | 3) echo incomplete ;;
    *) echo fail ;;
    esac
}

kernel_log_text() {
    dmesg 2>/dev/null
    cat "$run/kdump.log"
}

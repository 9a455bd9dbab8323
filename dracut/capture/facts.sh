# shellcheck shell=sh disable=SC2034,SC2154 # the files of one program share their variables
# What the capture must know, as facts: lines of key=value in one file, made
# while the machine was well. They are read as data; nothing here is sourced
# or evaluated, whatever a value holds.
#
#   fact KEY [DEFAULT]     $fact is its value, of several lines the last;
#                          without such a line DEFAULT and status 1
#   facts_each KEY COMMAND ARGUMENT...
#                          COMMAND ARGUMENT... VALUE for each line, in their
#                          order; stops at the first that fails
#   facts_ok               can the file be read?
#
# $facts names the file. FACTS beside this file says which keys there are.

fact() { # KEY [DEFAULT]
    fact=${2-} fact_found=1
    [ -r "$facts" ] || return 1
    while IFS= read -r fact_line || [ -n "$fact_line" ]; do
        case $fact_line in
        "$1="*) fact=${fact_line#"$1="} fact_found=0 ;;
        esac
    done <"$facts"
    return $fact_found
}

# The lines come through descriptor 7, so that COMMAND keeps its own input.
facts_each() { # KEY COMMAND ARGUMENT...
    [ -r "$facts" ] || return 0
    facts_key=$1
    shift
    while IFS= read -r facts_line <&7 || [ -n "$facts_line" ]; do
        case $facts_line in
        "$facts_key="*) "$@" "${facts_line#"$facts_key="}" 7<&- || return ;;
        esac
    done 7<"$facts"
}

facts_ok() {
    [ -r "$facts" ]
}

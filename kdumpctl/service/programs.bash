# bash completion for kexec, vmcore and makedumpfile: what each --help names, so that
# nothing here can be out of date. Installed under each of these names.

# PROGRAM [COMMAND]: its options, those with a value behind "=" ending in it.
_loongdump_options() {
    local line word
    while read -r line; do
        [[ $line == -* ]] || continue
        for word in ${line%%  *}; do
            [[ $word == -* ]] || break
            word=${word%,}
            case $word in
            *\[=*) printf '%s\n' "${word%%\[*}" ;;
            *=*) printf '%s\n' "${word%%=*}=" ;;
            *) printf '%s\n' "$word" ;;
            esac
        done
    done < <("$@" --help 2>/dev/null)
}

# The commands of vmcore: the words in front of the descriptions.
_loongdump_commands() {
    "$1" --help 2>/dev/null | sed -n 's/^  \([a-z][a-z]*\) .*/\1/p'
}

_loongdump() {
    local program=$1 word=${COMP_WORDS[COMP_CWORD]} before=${COMP_WORDS[COMP_CWORD - 1]}
    local command=${COMP_WORDS[1]} items=
    compopt -o filenames
    # bash cuts words at "=".
    if [[ $word == = ]]; then
        word=
    elif [[ $before == = ]]; then
        before=${COMP_WORDS[COMP_CWORD - 2]}
    fi
    case ${program##*/} in
    vmcore)
        if [[ $COMP_CWORD -eq 1 ]]; then
            items="$(_loongdump_commands "$program") --help --version"
            compopt +o filenames
            mapfile -t COMPREPLY < <(compgen -W "$items" -- "$word")
            return
        fi
        ;;
    *) command= ;;
    esac
    case $before in
    -t | --type) items="zboot pe elf" ;;
    --map) items="text svg" ;;
    --format) items="kdump elf flat" ;;
    --page-size) items="4K 16K 64K" ;;
    -d | --level) [[ ${program##*/} == *kexec ]] || items="1 17 31 31,1" ;;
    esac
    if [[ -z $items && $word == -* ]]; then
        items=$(_loongdump_options "$program" ${command:+"$command"})
        compopt -o nospace
        mapfile -t COMPREPLY < <(compgen -W "$items" -- "$word")
        [[ ${COMPREPLY[0]-} == *= ]] || compopt +o nospace
    elif [[ -n $items ]]; then
        mapfile -t COMPREPLY < <(compgen -W "$items" -- "$word")
    else
        mapfile -t COMPREPLY < <(compgen -f -- "$word")
    fi
}
complete -F _loongdump kexec loongdump-kexec vmcore makedumpfile

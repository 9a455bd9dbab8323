# bash completion for kdumpctl
_kdumpctl() {
    local word=${COMP_WORDS[COMP_CWORD]} command= item
    for item in "${COMP_WORDS[@]:1:COMP_CWORD-1}"; do
        case $item in
        -*) ;;
        *) command=$item && break ;;
        esac
    done
    case $command in
    '') item="start stop restart condrestart reload rebuild status check show test notify propagate showmem estimate get-default-crashkernel reset-crashkernel -v --verbose -h --help --version" ;;
    status | check) item=--json ;;
    start) item=--early ;;
    stop) item=--service ;;
    rebuild) item=--kernel= ;;
    show) item=--facts ;;
    test) item=--force ;;
    reset-crashkernel) item="--kernel=ALL --kernel=DEFAULT --kernel=/boot/ --value= --dry-run" ;;
    *) item= ;;
    esac
    mapfile -t COMPREPLY < <(compgen -W "$item" -- "$word")
}
complete -F _kdumpctl kdumpctl

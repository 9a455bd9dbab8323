# Shared by the kexec-*.bats files, after `load common`.
#
#   image NAME [ARG...]    make a kernel file in $BATS_TEST_TMPDIR; path in $IMAGE
#   machine NAME           the recorded system of tests/data/kexec/machines; path in $SYSTEM
#   bytes COUNT NAME       a file of that size; path in $FILE
#   plan [ARG...]          kexec -p --dry-run for $SYSTEM and $IMAGE; -l with KIND=-l
#   each_plan TABLE CMD... CMD for each row of a table of plans, with its $NAME, $SYSTEM,
#                          $IMAGE and the words for plan in ${ARGS[@]}; how many in $COUNT
#   field JSON EXPRESSION  a value of a JSON text, as Python sees it in `d`

# shellcheck disable=SC2153,SC2154 # DATA is set by common, stderr by bats' run
KDATA=$DATA/kexec

image() {
    IMAGE=$BATS_TEST_TMPDIR/$1
    shift
    "$UNIT/make-image" "$IMAGE" "$@"
}

machine() {
    if [ -d "$KDATA/machines/$1" ]; then
        SYSTEM=$KDATA/machines/$1
    else
        SYSTEM=$BATS_TEST_TMPDIR/machine-$1
        [ -d "$SYSTEM" ] || "$UNIT/make-machine" "$KDATA/machines/$1.txt" "$SYSTEM"
    fi
}

bytes() {
    FILE=$BATS_TEST_TMPDIR/$2
    head -c "$1" /dev/zero | tr '\0' 'i' >"$FILE"
}

plan() {
    "$KEXEC" "${KIND:--p}" --dry-run --system="$SYSTEM" "$@" "$IMAGE"
}

each_plan() {
    local image_args initrd args
    COUNT=0
    while IFS='|' read -r NAME SYSTEM image_args initrd args; do
        NAME=$(trim "$NAME")
        machine "$(trim "$SYSTEM")"
        eval "image $NAME $image_args"
        eval "ARGS=($args)"
        initrd=$(trim "$initrd")
        if [ "$initrd" != 0 ]; then
            bytes "$initrd" initrd
            ARGS+=("--initrd=$FILE")
        fi
        "${@:2}"
        COUNT=$((COUNT + 1))
    done < <(grep -v -e '^#' -e '^$' "$KDATA/$1.table")
}

field() {
    /usr/bin/python3 -SE -c 'import json, sys; d = json.loads(sys.argv[1]); print(eval(sys.argv[2]))' "$1" "$2"
}

# What a failing command must say: cause and remedy, each one line.
says() {
    local cause=$1 remedy=$2
    same "$stderr" "$(printf 'kexec: %s\nkexec: %s' "$cause" "$remedy")"
}

trim() {
    local text=$1
    text=${text#"${text%%[! ]*}"}
    printf '%s' "${text%"${text##*[! ]}"}"
}

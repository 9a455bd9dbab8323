# VMCOREINFO with a key missing, or a value that is wrong: a larger dump and
# words that say why, never a page lost. tests/unit/wrong-keys is the judge.

setup() {
    load common
    load vmcore
    cd "$BATS_TEST_TMPDIR" || exit 1
}

# Keys the page filters ask for.
PAGES='page\.|page\)|folio\.|PG_|PAGE_|mem_section|mem_map|SECTION|PHYSMEM|vmemmap|zone|swapper'

# judge KERNEL OPTION...: the kernel's VMCOREINFO with each key changed.
judge() {
    local kernel=$1 levels=3
    shift
    case $kernel in
    5.19) levels=3:flat ;;
    6.10) levels="2:one --pages-at 128M" ;;
    7.1) levels=2 ;;
    esac
    # shellcheck disable=SC2086
    make_vmcore raw --truth truth --memory 2M+1M --memory 2G+4M --pages $levels --kernel "$kernel" \
        --set "PADDING=$(printf %040d 0)"
    ok "$UNIT/wrong-keys" --silent "$DATA/vmcore/wrong-keys.txt" "$@" "$VMCORE" raw truth
    printf '%s: %s\n' "$kernel" "$output"
}

@test "keys: each missing in turn" {
    judge 6.12 --missing
    assert_line --regexp '^[89][0-9] times, 0 faults$'
}

@test "keys: each missing in turn, on kernels of every layout" {
    local kernel
    for kernel in 5.19 6.3 6.6 6.9 6.10 6.11 6.16 7.1; do
        judge $kernel --missing --key "$PAGES"
    done
}

@test "keys: wrong values" {
    judge 6.12 --key "$PAGES" --every 2
}

@test "keys: wrong values, on kernels of every layout" {
    local kernel
    for kernel in 5.19 6.3 6.6 6.9 6.10 6.11 6.16 7.1; do
        judge $kernel --key "$PAGES" --every 25
    done
}

# Slab's own data lies over page.mapping and may look like a user's.
@test "keys: wrong values of PG_slab, on kernels where slab is a flag" {
    judge 5.19 --key PG_slab
    judge 6.6 --key PG_slab
}

@test "keys: a private page of the page cache is never dropped at level 2 for a wrong flag" {
    make_vmcore raw --truth truth --memory 2M+1M --memory 2G+4M --pages 3 --set "PADDING=$(printf %040d 0)"
    ok "$UNIT/wrong-keys" --silent "$DATA/vmcore/wrong-keys.txt" --level 2 --key 'PG_|page\.private' "$VMCORE" raw truth
}

@test "keys: a PAGESIZE that is not the kernel's: no page type is believed" {
    local levels size
    for levels in 3 3:flat "3:flat --static-sections" "2 --static-sections" "2:one --pages-at 128M"; do
        for size in 4096 65536; do
            # shellcheck disable=SC2086
            make_vmcore raw --pages $levels --set "PAGESIZE=$size"
            fails 0 "$VMCORE" save -q -f -d 31 raw dump
            [[ $stderr = *"page types are not known"* ]] || fail "$levels, $size: $stderr"
            pages_equal --page-size "$size" raw dump
        done
    done
}

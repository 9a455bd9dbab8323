# vmcore save at dump levels 2 to 31 and the page types in vmcore info, on
# kernels of every shape; the generator says what each page is.

setup() {
    load common
    load vmcore
    cd "$BATS_TEST_TMPDIR" || exit 1
}

# kernel_dump OPTION...: raw with struct pages, truth beside it.
kernel_dump() {
    make_vmcore raw --truth truth --memory 2M+1M --memory 2G+4M "$@"
}

# level_drops LEVEL [OPTION of compare-dump]...: exactly the pages of the
# level's types are absent, all others equal; nothing on stderr.
level_drops() {
    local level=$1
    shift
    ok "$VMCORE" save -q -f -d "$level" raw dump
    ok "$UNIT/compare-dump" --truth truth --level "$level" "$@" raw dump
}

# kernels CHOICE: the names in kernels.txt that a row of page-cases.txt means.
kernels() {
    local all
    all=$(rows "$DATA/vmcore/kernels.txt" | sed 1d | cut -d ' ' -f 1)
    case $1 in
    all) printf '%s\n' "$all" ;;
    ">"*) printf '%s\n' "$all" | sed -n "/^${1#?}\$/,\$p" ;;
    "<"*) printf '%s\n' "$all" | sed "/^${1#?}\$/,\$d" ;;
    *) printf '%s\n' "$1" | tr , '\n' ;;
    esac
}

# cases PAGE: all rows for pages of that size.
cases() {
    local size levels choice options kernel count=0
    while read -r size levels choice options; do
        [ "$size" = "$1" ] || continue
        for kernel in $(kernels "$choice"); do
            echo "$size $levels $kernel $options"
            # shellcheck disable=SC2086
            kernel_dump --page-size "$size" --pages "$levels" --kernel "$kernel" $options
            level_drops 31
            count=$((count + 1))
        done
    done < <(rows "$DATA/vmcore/page-cases.txt")
    [ $count -gt 20 ]
}

@test "levels: every kernel of 4K pages" { cases 4K; }
@test "levels: every kernel of 16K pages" { cases 16K; }
@test "levels: every kernel of 64K pages" { cases 64K; }

# poisoned SIZE OPTION...: of the first hugetlb page of so many pages only the
# head says that it is poisoned.
poisoned() {
    local size=$1 frame
    shift
    kernel_dump "$@"
    frame=$(awk -v size="$size" '$2 != "hugetlb" { n = 0; next }
        !n++ { first = $1 }
        n == size { print first; exit }' truth)
    kernel_dump "$@" --page-bytes "$((frame)):2:20"
    awk -v first="$frame" -v size="$size" '$1 == first { left = size }
        left-- > 0 { $2 = "hwpoison" }
        { print }' truth >marked
    mv marked truth
    level_drops 0
    level_drops 31
}

@test "levels: a hugetlb page whose head is poisoned is dropped whole, at every level" {
    poisoned 4 --pages 3
    poisoned 4 --pages 3 --kernel 5.19
    poisoned 128 --pages 4 --page-size 4K --kernel 6.6 --hvo
    poisoned 128 --pages 3 --page-size 4K --kernel 6.12 --hvo
    poisoned 128 --pages 3 --page-size 4K --kernel 7.1 --hvo --mask
}

@test "levels: each drops its types and no others" {
    kernel_dump --pages 3
    local level
    for level in 0 2 4 8 16 17 27; do
        "$VMCORE" save -q -f -d "$level" raw dump
        "$UNIT/compare-dump" --truth truth --level "$level" raw dump
        [ "$(field dump 16392 4)" -eq "$level" ]
    done
}

@test "levels: ELF, too, with the dropped pages outside every segment" {
    kernel_dump --pages 3
    ok "$VMCORE" save -q -d 31 --format elf raw dump
    ok "$UNIT/compare-dump" --truth truth --level 31 raw dump
}

@test "levels: a dump can be filtered again, down to what one go makes" {
    kernel_dump --pages 3
    ok "$VMCORE" save -q -d 1 raw one
    ok "$VMCORE" save -q -d 17 one two
    ok "$VMCORE" save -q -d 31 two three
    ok "$UNIT/compare-dump" --truth truth --level 31 raw three
    # To the byte: what the first filters left out is still known to be there.
    ok "$VMCORE" save -q -d 31 raw direct
    cmp three direct
    ok "$VMCORE" save -q -d 31 --split 2 one part
    ok "$VMCORE" save -q -d 31 part.2 joined
    cmp joined direct
    ok "$VMCORE" info three
    assert_line "Dump level:   31, 2.77 MiB of the machine's memory left out"
}

@test "levels: filtered again, packed to ELF and ELF to packed; levels add up" {
    kernel_dump --pages 3
    ok "$VMCORE" save -q -d 17 --format elf raw elf
    ok "$VMCORE" save -q -d 15 -z elf packed
    ok "$UNIT/compare-dump" --truth truth --level 31 raw packed
    ok "$VMCORE" save -q -d 16 packed again
    [ "$(field again $((16384 + 8)) 4)" -eq 31 ] # dump_level: 15 and 16
    ok "$VMCORE" save -q -d 31 --format elf packed elf2
    ok "$UNIT/compare-dump" --truth truth --level 31 raw elf2
    # A lower level cannot bring back what is gone.
    ok "$VMCORE" save -q -d 0 packed zero
    ok "$UNIT/compare-dump" --truth truth --level 31 raw zero
    [ "$(field zero $((16384 + 8)) 4)" -eq 15 ]
}

@test "levels: pages that are missing in a dump stay missing when it is filtered again" {
    kernel_dump --pages 3
    ok "$VMCORE" save -q -d 1 raw one
    local desc=$(((1 + $(field one 432 4) + $(field one 436 4)) * 16384)) at page=40
    # A packed page of the kernel's own: its data no stream.
    while [ "$(field one $((desc + 24 * page + 12)) 4)" -ne 1 ]; do page=$((page + 1)); done
    at=$(field one $((desc + 24 * page)) 8)
    dd if=/dev/zero of=one bs=1 seek="$at" count=8 conv=notrunc status=none
    fails 3 "$VMCORE" save -q -d 31 one two
    [[ $stderr = *"1 of "*" pages could not be read"* ]]
    fails 3 "$VMCORE" save -q -d 31 two three
    fails 3 "$VMCORE" check three
    assert_line --regexp "^BAD +pages +1 of [0-9]+ cannot be read$"
}

@test "levels: the summary and info count each type" {
    kernel_dump --pages 3
    ok "$VMCORE" save -d 31 raw dump
    assert_line "left out: 177 (73 free, 22 cache, 26 cache-private, 26 anonymous, 20 hugetlb, 5 offline, 5 hwpoison)"
    ok "$VMCORE" info raw
    assert_line "  free                 73    1.14 MiB  16"
    assert_line "  cache                22     352 KiB  2, 4"
    assert_line "  hwpoison              5      80 KiB  any"
    assert_line --regexp "^  -d 31 keeps +163 "
    refute_output --partial "Filters:"
    ok "$VMCORE" info --json raw
    [ "$(/usr/bin/python3 -c 'import json, sys; d = json.load(sys.stdin)
print({k: v["pages"] for k, v in d["page_types"].items() if k not in ("kernel", "slab")}, d["pages_kept_by_level"][31],
      d["filter_notes"], d["page_table_levels"])' <<<"$output")" = \
        "{'free': 73, 'unaccepted': 0, 'cache': 22, 'cache-private': 26, 'anonymous': 26, 'hugetlb': 20, 'offline': 5, 'hwpoison': 5, 'unknown': 0} 163 [] 3" ]
}

# without KEY KEPT-TYPES NOTE: the dump of level 31 holds those types as well,
# and both stderr and info say why.
without() {
    local kept=()
    kernel_dump --pages 3 --kernel "${4:-6.12}" --set "$1=-"
    for type in $2; do kept+=(--kept "$type"); done
    fails 0 "$VMCORE" save -q -f -d 31 raw dump
    # shellcheck disable=SC2154
    [[ $stderr = *"$3"* ]] || fail "$stderr"
    ok "$UNIT/compare-dump" --truth truth --level 31 "${kept[@]}" raw dump
    fails 0 "$VMCORE" info raw
    assert_output --partial "$3"
}

@test "levels: each missing key gives a larger dump and says so" {
    local all="free cache cache-private anonymous hugetlb offline hwpoison" unknown="page types are not known: VMCOREINFO"
    local key
    for key in "SYMBOL(mem_section)" "LENGTH(mem_section)" "SIZE(mem_section)" "OFFSET(mem_section.section_mem_map)" \
        "NUMBER(SECTION_SIZE_BITS)" "NUMBER(MAX_PHYSMEM_BITS)" "SYMBOL(swapper_pg_dir)"; do
        without "$key" "$all" "$unknown"
    done
    without "SIZE(page)" "$all" "$unknown has no usable SIZE(page)"
    without "OFFSET(page.flags)" "cache cache-private anonymous hugetlb hwpoison" "cache, user and hwpoison pages are kept: VMCOREINFO has no usable OFFSET(page.flags)"
    without "OFFSET(page.mapping)" "cache cache-private anonymous hugetlb" "cache and user pages are kept"
    without "OFFSET(page._mapcount)" "free anonymous hugetlb offline" "user, free and offline pages are kept"
    without "OFFSET(page._refcount)" "free" "free pages are kept: VMCOREINFO has no usable OFFSET(page._refcount)"
    without "OFFSET(page.private)" "free" "free pages are kept"
    without "OFFSET(page.compound_head)" "cache cache-private anonymous hugetlb" "compound_head"
    without "NUMBER(PG_lru)" "cache cache-private" "cache pages are kept: VMCOREINFO has no usable NUMBER(PG_lru)"
    without "NUMBER(PG_slab)" "anonymous hugetlb" "user pages are kept" 5.19
}

@test "levels: keys that are not needed may be missing" {
    local key
    for key in "LENGTH(zone.free_area)" "NUMBER(PG_head_mask)" "SYMBOL(vmemmap)" "SYMBOL(_stext)" "NUMBER(PAGE_SLAB_MAPCOUNT_VALUE)"; do
        kernel_dump --pages 3 --set "$key=-"
        level_drops 31
    done
}

@test "levels: wrong values never drop a page of another type" {
    local set
    for set in "SIZE(page)=72" "OFFSET(page._mapcount)=44" "OFFSET(page._refcount)=4096" \
        "SYMBOL(swapper_pg_dir)=9000000000204000" "SYMBOL(swapper_pg_dir)=1234" "SYMBOL(mem_section)=9000000000200000" \
        "SYMBOL(vmemmap)=ffffffff00001000" "LENGTH(mem_section)=3" "SIZE(mem_section)=0" "NUMBER(SECTION_SIZE_BITS)=63" \
        "NUMBER(MAX_PHYSMEM_BITS)=-1" "NUMBER(PG_lru)=64" "NUMBER(PAGE_BUDDY_MAPCOUNT_VALUE)=7"; do
        kernel_dump --pages 3 --set "$set"
        fails 0 "$VMCORE" save -q -f -d 16 raw dump
        ok "$UNIT/compare-dump" --truth truth --level 16 --may-keep raw dump
        ok "$VMCORE" dmesg dump
        assert_output --partial "synthetic crash"
    done
}

@test "levels: a free block of absurd order is kept, and said" {
    local frame
    frame=$(awk '$2 == "free" { print $1; exit }' <(kernel_dump --pages 3 && cat truth))
    # private at 40: order 63, order 2^40
    for order in 3f00000000000000 0000000000010000; do
        kernel_dump --pages 3 --page-bytes "$frame:40:$order"
        fails 0 "$VMCORE" save -q -f -d 31 raw dump
        [[ $stderr = *"1 free blocks contradict their struct pages"* ]]
        ok "$UNIT/compare-dump" --dropped 169 raw dump
    done
}

@test "levels: a free block that claims more than it has ends where pages are in use" {
    local frame
    kernel_dump --pages 3
    frame=$(awk '$2 == "free" { print $1; exit }' truth)
    kernel_dump --pages 3 --page-bytes "$frame:40:0400000000000000"
    fails 0 "$VMCORE" save -q -f -d 31 raw dump
    [[ $stderr = *"1 free blocks contradict their struct pages"* ]]
    ok "$UNIT/compare-dump" --truth truth --level 31 raw dump
}

@test "levels: a page in use inside a free block ends the block" {
    local frame
    kernel_dump --pages 3
    frame=$(awk '$2 == "free" { print $1; exit }' truth)
    kernel_dump --pages 3 --page-bytes "$((frame + 2)):52:01000000"
    fails 0 "$VMCORE" save -q -f -d 31 raw dump
    [[ $stderr = *"contradict"* ]]
    ok "$UNIT/compare-dump" --dropped 171 raw dump
}

@test "levels: memory sections that are not in the dump: all is kept" {
    kernel_dump --pages 3
    truncate -s -300K raw
    fails 3 "$VMCORE" save -q -f -d 31 raw dump
    [[ $stderr = *"page types are not known"* ]]
    fails 3 "$VMCORE" info raw
    # The log is there; the mark of what is not, too.
    fails 3 "$VMCORE" dmesg dump
    assert_output --partial "synthetic crash"
}

@test "levels: the next of a list is tried where a dump finds no room" {
    kernel_dump --pages 3
    "$VMCORE" save -q --raw -d 31 raw small
    local blocks=$(($(stat -c %s small) / 1024 + 64))
    fails 0 bash -c "ulimit -f $blocks; exec '$VMCORE' save -q --raw -d 1,31 raw dump"
    [[ $stderr = *"level 1: saving raw to dump: "*"File too large; trying level 31"* ]]
    cmp small dump
    [ ! -e dump-incomplete ]
    # A pipe would then hold a piece of the one dump and, behind it, the other.
    fails 1 bash -c "exec '$VMCORE' save -q --raw --size-limit $(($(stat -c %s small) + 100000)) -d 1,31 raw - >flat"
    [[ $stderr = *"it would be larger than "* && $stderr != *"trying level 31"* ]] || fail "$stderr"
    same "$(grep -abo makedumpfile flat)" 0:makedumpfile
    fails 1 "$VMCORE" save -d 31, raw dump
    fails 1 "$VMCORE" save -d 31,32 raw dump
}

# Free pages by the zones' lists, where no page type tells them. A list with
# anything wrong in it is not believed: then free pages are kept, and said.

setup() {
    load common
    load vmcore
    cd "$BATS_TEST_TMPDIR" || exit 1
}

# listed OPTION...: raw, whose VMCOREINFO has no type of free pages.
listed() {
    make_vmcore raw --truth truth --memory 2M+1M --memory 2G+4M --set "NUMBER(PAGE_BUDDY_MAPCOUNT_VALUE)=-" "$@"
}

# found OPTION...: exactly the free pages are absent, and how they were found
# is said.
found() {
    listed "$@"
    fails 0 timeout 20 "$VMCORE" save -q -f -d 31 raw dump
    [[ $stderr = *"free pages are told by the zones' lists"* ]] || fail "$stderr"
    ok "$UNIT/compare-dump" --truth truth --level 31 raw dump
}

# doubted WORDS OPTION...: all free pages are kept, the others are not.
doubted() {
    local words=$1
    shift
    listed --pages 3 "$@"
    fails 0 timeout 20 "$VMCORE" save -q -f -d 31 raw dump
    [[ $stderr = *"free pages are kept: VMCOREINFO has no usable NUMBER(PAGE_BUDDY_MAPCOUNT_VALUE), and by the lists of free blocks they are not known: "*$words* ]] ||
        fail "$*: $stderr"
    ok "$UNIT/compare-dump" --truth truth --level 31 --kept free raw dump
}

# frame N: the Nth block in the second zone's list of order 3 and type 0, whose
# head is at 2360 in struct pglist_data.
frame() {
    [ -f blocks ] || make_vmcore raw --blocks blocks --pages 3 --memory 2M+1M --memory 2G+4M
    sed -n 's/^3 0 //p' blocks | sed -n "$1p"
}

@test "free lists: on kernels of every layout" {
    found --pages 3
    found --pages 3:huge --kernel 6.10
    found --pages 2 --kernel 7.1 --mask
    found --pages 4 --page-size 4K --kernel 6.6
    found --pages 2 --page-size 64K
}

@test "free lists: without vmemmap, and with sections in one array" {
    found --pages 3:flat --kernel 5.19
    found --pages 3:flat --static-sections --kernel 6.11
}

@test "free lists: without sections" {
    found --pages 2:one --pages-at 128M --kernel 5.19
    found --pages 2:one --pages-at 128M
}

@test "free lists: of nodes, of which some are not there" {
    found --pages 3 --nodes
}

@test "free lists: without the places they are at" {
    local key
    for key in "SYMBOL(contig_page_data)" "OFFSET(pglist_data.node_zones)" "OFFSET(pglist_data.nr_zones)" "SIZE(zone)" \
        "OFFSET(zone.free_area)" "SIZE(free_area)" "OFFSET(free_area.free_list)" "SIZE(list_head)" "OFFSET(list_head.next)" \
        "OFFSET(list_head.prev)" "OFFSET(page.lru)" "LENGTH(zone.free_area)" "LENGTH(free_area.free_list)"; do
        doubted "it " --set "$key=-"
    done
    for key in node_online_map node_data; do
        doubted "it has neither" --nodes --set "SYMBOL($key)=-"
    done
    doubted "SIZE(nodemask_t)" --nodes --set "SIZE(nodemask_t)=4096"
}

@test "free lists: that run in circles" {
    local a b
    a=$(frame 1) b=$(frame 3)
    doubted "runs in circles" --page-bytes "$b:8:@$a"
    doubted "runs in circles" --page-bytes "$b:8:@$b"
    doubted "runs in circles" --page-bytes "$a:16:@$b"
    # Past its first entry.
    doubted "runs in circles" --node-bytes "2360:@$b"
    doubted "does not end where its head says" --node-bytes "2368:@$a"
}

@test "free lists: with wild pointers" {
    local a to
    a=$(frame 2)
    for to in 0000000000000000 1000000000000000 ffffffffffffff7f 2301000000000090 ffffffffffff0090 00000000ffffffff \
        0f000000ffffffff efbeaddeefbeadde; do
        doubted "is no struct page" --page-bytes "$a:8:$to"
        doubted "is no struct page" --node-bytes "2360:$to"
    done
}

@test "free lists: with pages that are in use, or of another order" {
    local a
    a=$(frame 2)
    doubted "is no free block" --page-bytes "$a:52:01000000"
    doubted "is no free block" --page-bytes "$a:48:00000000"
    doubted "is no free block" --page-bytes "$a:40:3f00000000000000"
    doubted "is no free block" --page-bytes "$a:40:02"
    # An array of lists that is shifted by one order.
    doubted "" --set "OFFSET(zone.free_area)=152"
}

@test "free lists: of absurd numbers of zones, orders and types" {
    doubted "zones" --node-bytes "15392:ffffffff"
    doubted "zones" --node-bytes "15392:00000000"
    local set
    for set in "LENGTH(zone.free_area)=4000000000" "LENGTH(zone.free_area)=0" "LENGTH(free_area.free_list)=18446744073709551615" \
        "SIZE(zone)=0" "SIZE(zone)=18446744073709551615" "SIZE(list_head)=1" "SIZE(free_area)=8" "OFFSET(zone.free_area)=-1" \
        "OFFSET(page.lru)=4096" "OFFSET(list_head.next)=8" "SYMBOL(contig_page_data)=9000ffffffff0000"; do
        doubted "" --set "$set"
    done
}

@test "free lists: a page in use inside a listed block ends the block" {
    local a
    a=$(frame 1)
    listed --pages 3 --page-bytes "$((a + 5)):52:01000000"
    fails 0 "$VMCORE" save -q -f -d 16 raw dump
    [[ $stderr = *"1 free blocks contradict"* ]]
    ok "$UNIT/compare-dump" --truth truth --level 16 --may-keep raw dump
}

@test "free lists: wrong values of what leads to them" {
    listed --pages 3 --set "PADDING=$(printf %040d 0)"
    ok "$UNIT/wrong-keys" --silent "$DATA/vmcore/wrong-keys.txt" --every 3 \
        --key 'zone|free_area|list_head|pglist|page\.lru|contig' "$VMCORE" raw truth
    assert_line --regexp '^[0-9]{2,} times, 0 faults$'
}

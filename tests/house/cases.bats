#!/usr/bin/env bats
# Lists of cases that others or we promise: each names a test, and the test is there.

load ../unit/common

@test "each of the 75 cases of kdump-utils' suite has a counterpart here" {
    local spec what where name
    while IFS='|' read -r spec what where; do
        name=${where#*: }
        grep -qxF "@test \"$name\" {" "$UNIT/${where%%: *}" || fail "no such test: $where"
    done < <(rows "$DATA/kdumpctl/kdump-utils.table")
    same "$(rows "$DATA/kdumpctl/kdump-utils.table" | cut -d '|' -f 1 | uniq -c | sed 's/^ *//')" \
        "3 kdump-lib-initramfs
7 kdump-lib
12 kdumpctl_general
6 kdumpctl_manage_crashkernel
39 kdumpctl_reset_crashkernel
8 kdumpctl_setup_crypttab"
    same "$(rows "$DATA/kdumpctl/kdump-utils.table" | cut -d '|' -f 1-2 | sort | uniq -d)" ""
}

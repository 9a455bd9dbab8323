#!/usr/bin/env bats
# The configuration files, read as data. Each row of the tables under each shell.

load common
load kdumpctl

setup() {
    make_root
}

split_row() { # ROW: sets field1 to field4; \| is a bar
    local row=${1//\\|/$'\x01'}
    IFS='|' read -r field1 field2 field3 field4 <<<"$row|"
    field1=${field1//$'\x01'/|} field2=${field2//$'\x01'/|}
    field2=${field2%|}
}

refused_rows() { # TABLE FILE conf|sysconfig
    local row count=0
    while IFS= read -r row; do
        split_row "$row"
        rm -f "$ROOT/etc/kdump.conf" "$ROOT/etc/sysconfig/kdump"
        "$3" "$field1"
        kdumpctl show --facts
        [ "$status" -eq 1 ] || fail "taken: $row
$output"
        [[ $stderr == *"kdumpctl: $2:$field2"$'\n'* ]] || fail "row: $row
$stderr"
        [ -z "$output" ] || fail "row: $row: $output"
        count=$((count + 1))
    done < <(rows "$1")
    assert [ "$count" -ge 40 ]
}

@test "kdump.conf: over 100 faults, each with file, line, directive and what is allowed" {
    refused_rows "$KD/conf-bad.table" /etc/kdump.conf conf
    assert [ "$(rows "$KD/conf-bad.table" | wc -l)" -gt 100 ]
}

@test "sysconfig: what a shell would expand or run is a fault, never a value" {
    refused_rows "$KD/sysconfig-bad.table" /etc/sysconfig/kdump sysconfig
    assert [ ! -e x ]
}

@test "kdump.conf: what is taken, and what it comes to" {
    local row said
    while IFS= read -r row; do
        split_row "$row"
        conf "$field1"
        kdumpctl show --facts
        assert_equal "$status" 0
        said=${field4:+kdumpctl: warning: /etc/kdump.conf:${field4%|}}
        [ "$stderr" = "$said" ] || fail "row: $row
$stderr"
        [[ $'\n'$output$'\n' == *$'\n'"$field2=$field3"$'\n'* ]] || fail "row: $row
$output"
    done < <(rows "$KD/conf-good.table")
}

@test "the facts of a plain system, whole" {
    kdumpctl_ok show --facts
    same "$output" "$(rows "$KD/facts.txt")"
}

@test "a reader of the facts needs only what facts.sh shows" {
    conf "path '/a = \"b\" # c'\nfailure_action halt\n"
    kdumpctl_ok show --facts
    printf '%s\n' "$output" >"$BATS_TEST_TMPDIR/facts"
    # shellcheck disable=SC2016
    ok dash -c 'while IFS= read -r line; do
            value=${line#*=}
            case ${line%%=*} in
            failure_action) action=$value ;;
            target1_path) path=$value ;;
            esac
        done <"$1"
        printf "%s, %s\n" "$action" "$path"' dash "$BATS_TEST_TMPDIR/facts"
    assert_output "halt, /a = \"b\" # c"
}

@test "lines of 64 KiB, in both files: named, not taken, and quickly" {
    conf "path /$(printf '%065536d' 0)\nfailure_action halt\n"
    sysconfig "KDUMP_COMMANDLINE=\"$(printf '%065536d' 0)\"\n"
    kdumpctl show
    assert_equal "$status" 1
    says "kdumpctl: /etc/kdump.conf:1: line: 65542 characters; at most 4096 are taken"
    says "kdumpctl: /etc/sysconfig/kdump:1: line: 65556 characters; at most 4096 are taken"
    says "kdumpctl: 2 fault(s) in the configuration (above)"
}

@test "a directory, a device or an unreadable file in place of the configuration" {
    mkdir "$ROOT/etc/kdump.conf"
    kdumpctl show
    assert_equal "$status" 1
    says "kdumpctl: /etc/kdump.conf: file: not a regular file"
    rmdir "$ROOT/etc/kdump.conf"
    ln -s /dev/zero "$ROOT/etc/kdump.conf"
    kdumpctl show
    says "kdumpctl: /etc/kdump.conf: file: not a regular file"
}

@test "every fault of both files is named in one run" {
    conf 'foo\npath a/..\nkeep_dumps x\n'
    sysconfig 'KDUMP_IMG=$x\nKDUMP_STDLOGLVL=9\n'
    kdumpctl show
    assert_equal "$status" 1
    assert_equal "$(printf '%s\n' "$stderr" | wc -l)" 7
    says "kdumpctl: 5 fault(s) in the configuration (above)"
}

@test "DOS line ends are taken, with one warning a file" {
    conf 'path /a\r\nfailure_action halt\r\n'
    kdumpctl show --facts
    assert_equal "$status" 0
    assert_equal "$stderr" "kdumpctl: warning: /etc/kdump.conf:1: line: DOS line ends; they are ignored"
    assert_line "target1_path=/a"
    assert_line "failure_action=halt"
}

@test "a last line without a line feed counts" {
    conf 'failure_action halt'
    kdumpctl_ok show --facts
    assert_line "failure_action=halt"
}

@test "sysconfig: the shell's quotes, as a shell would read them" {
    sysconfig "# c\nexport KDUMP_IMG='vmlinuz'  # c\nKDUMP_COMMANDLINE_APPEND=\"a=\\\\\"b c\\\\\" \\\\\$d \"'e\$f'g\\\\ h \nKDUMP_COMMANDLINE=\"one \\\\\n  two\"\nKDUMP_KERNELVER=7.2\nKDUMP_KERNELVER=\"$RELEASE\"\n"
    kdumpctl_ok show
    assert_line --regexp 'KDUMP_IMG +/etc/sysconfig/kdump:2 +vmlinuz$'
    assert_line --regexp 'KDUMP_COMMANDLINE_APPEND +/etc/sysconfig/kdump:3 +a="b c" \$d e\$fg h$'
    assert_line --regexp 'KDUMP_COMMANDLINE +/etc/sysconfig/kdump:4 +one   two$'
    assert_line --regexp "KDUMP_KERNELVER +/etc/sysconfig/kdump:7 +${RELEASE/+/\\+}\$"
}

@test "sysconfig: unknown variables are passed over with a warning, old ones silently" {
    sysconfig 'DEFAULT_KDUMP_KERNEL="x+kdump"\nDEFAULT_TARGET_INITRD=""\nFADUMP_COMMANDLINE_APPEND="x"\nMY_OWN="1"\n'
    kdumpctl show
    assert_equal "$status" 0
    assert_equal "$stderr" "kdumpctl: warning: /etc/sysconfig/kdump:4: MY_OWN: not a variable of this file; without effect"
}

@test "Fedora's and openEuler's files are taken as they are" {
    local file
    for file in fedora openeuler; do
        cp "$KD/$file.conf" "$ROOT/etc/kdump.conf"
        cp "$KD/$file.sysconfig" "$ROOT/etc/sysconfig/kdump"
        kdumpctl show
        assert_equal "$status" 0
        assert_line --partial "makedumpfile -l --message-level 7 -d 31"
    done
}

@test "the three shells are three, each with its own tools, and one of them on a Chinese system" {
    local shell seen= expected
    printf '%s\n' 'printf "%s " "$(readlink "/proc/$$/exe")" "$(readlink -f "$(command -v sed)")" "$LC_ALL" "$DEB_GREP_ENABLE_STRAY_BACKSLASH_WARN"' \
        >"$BATS_TEST_TMPDIR/probe"
    KDUMPCTL=$BATS_TEST_TMPDIR/probe
    for shell in $SHELLS; do
        run in_shell "$shell"
        seen="$seen$output"$'\n'
    done
    same "$seen" "$(readlink -f "$(command -v dash)") $(readlink -f "$(command -v sed)") C 1 
$(readlink -f "$(command -v bash)") $(readlink -f "$(command -v sed)") zh_CN.UTF-8 1 
$(readlink -f "$(command -v busybox)") $(readlink -f "$(command -v busybox)") C 1 
"
    # The locale is there; kdumpctl puts itself into C, whatever it is started in.
    chinese_locale
    assert_equal "$(LC_ALL=zh_CN.UTF-8 locale charmap 2>&1)" UTF-8
    # No awk and no grep, whose dialects differ, is ever started.
    run grep -wE 'awk|mawk|gawk|grep|egrep|sed|perl|python3?' "$KD/commands.table"
    assert_failure
}

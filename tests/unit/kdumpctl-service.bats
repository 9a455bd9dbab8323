#!/usr/bin/env bats
# What surrounds kdumpctl: how many processes it starts and which, the unit, the
# generator, the hooks, the completion.

load common
load kdumpctl

SERVICE=$TOP/kdumpctl/service

setup() {
    make_root
}

@test "a start with nothing changed: at most 60 processes; status at most 5" {
    make_system
    count_processes
    echo "start: $started_by_start processes, status: $started_by_status"
    assert [ "$started_by_start" -le 60 ]
    assert [ "$started_by_start" -ge 3 ]
    assert [ "$started_by_status" -le 5 ]
}

@test "every program that is started, and every option of it, is in the table" {
    local command line word options allowed
    make_system
    for command in start check estimate rebuild restart reload notify show status stop; do
        traced $command || true
        cat "$TRACE" >>"$TRACE.all"
    done
    # execve("/usr/bin/wc", ["wc", "-c"], ...) = 0, of those kdumpctl starts itself
    sed -n 's/.*execve("[^"]*", \[\(.*\)\], 0x.*) = 0$/\1/p' "$TRACE.all" |
        grep -v -e '^"dash"' -e '^"/bin/sh"' -e '^"sh"' | sort -u >"$TRACE.commands"
    assert [ "$(wc -l <"$TRACE.commands")" -ge 6 ]
    while IFS= read -r line; do
        word=${line#\"}
        word=${word%%\"*}
        word=${word##*/}
        allowed=$(rows "$KD/commands.table" | grep -E "^$word( |\$)") || fail "not in the table: $line"
        [[ $allowed != *"*"* ]] || continue
        options=$(printf '%s\n' "$line" | grep -oE '"-[^"]*"' | tr -d '"' || true)
        for word in $options; do
            [[ " $allowed " == *" $word "* ]] || fail "option $word: $line"
        done
    done <"$TRACE.commands"
}

@test "nothing evaluates or sources text: no eval, no dot but for our own files" {
    run grep -nE '(^|[;&|(]|then|do|else)[[:space:]]*(eval|source)[[:space:]]' "$TOP"/kdumpctl/lib/*.sh "$KDUMPCTL"
    refute_output
    # shellcheck disable=SC2016
    run grep -nE '^[[:space:]]*\. ' "$TOP"/kdumpctl/lib/*.sh
    refute_output
    same "$(grep -cE '^\. "\$LIB/[a-z]+\.sh"$' "$KDUMPCTL")" "$(find "$TOP/kdumpctl/lib" -name '*.sh' | wc -l)"
}

@test "the generator: the network is waited for where a dump goes to a server, nowhere else" {
    local config wanted out shell
    while IFS='|' read -r config wanted; do
        for shell in dash "bash --posix" "busybox sh"; do
            out=$BATS_TEST_TMPDIR/units
            rm -rf "$out"
            mkdir "$out"
            conf "$config"
            # shellcheck disable=SC2086
            KDUMP_ROOT=$ROOT ok $shell "$SERVICE/kdump-dep-generator" "$out" "$out" "$out"
            same "$(find "$out" -name '*.conf' | wc -l)" "$wanted"
        done
    done <<'TABLE'
|0
path /var/crash\n#nfs a:/b\n|0
ext4 UUID=1\n|0
nfs a:/b\n|1
  ssh a@b\n|1
sftp a@b|1
ext4 UUID=1\nfallback nfs a:/b\n|1
path nfs\n|0
fence_kdump_nodes a b\n|1
fence_kdump_args -p 7410\n|0
dracut_args --add-drivers "x" --mount "server:/x /mnt nfs4 ro"\n|1
dracut_args --mount="server:/x /mnt nfs"\n|1
dracut_args --mount "/dev/vdb1 /nfs xfs"\n|0
dracut_args --add nfs\n|0
TABLE
    rm "$ROOT/etc/kdump.conf"
    KDUMP_ROOT=$ROOT ok dash "$SERVICE/kdump-dep-generator" "$out"
}

@test "a kernel that goes takes its initramfs with it, and no other" {
    local dir
    for dir in boot var/lib/kdump; do
        touch "$ROOT/$dir"/initramfs-{1,2}kdump.{img,manifest}
    done
    KDUMP_ROOT=$ROOT ok dash "$SERVICE/kernel-hook" add 1
    KDUMP_ROOT=$ROOT ok dash "$SERVICE/kernel-hook" remove ""
    KDUMP_ROOT=$ROOT ok dash "$SERVICE/kernel-hook" remove ../1
    same "$(find "$ROOT" -name 'initramfs-*' | wc -l)" 8
    KDUMP_ROOT=$ROOT ok dash "$SERVICE/kernel-hook" remove 1
    same "$(find "$ROOT" -name 'initramfs-1*')" ""
    same "$(find "$ROOT" -name 'initramfs-*' | wc -l)" 4
}

# crashkernel on the boot line | enabled | kdumpctl's status | what is called
@test "a kernel that comes gets its initramfs where the service is on; it is installed in any case" {
    local line enabled result expected shell
    while IFS='|' read -r line enabled result expected; do
        echo "$line" >"$ROOT/proc/cmdline"
        stub systemctl "exit $enabled"
        stub kdumpctl "exit $result"
        for shell in dash "bash --posix" "busybox sh"; do
            : >"$CALLS"
            # shellcheck disable=SC2086
            KDUMP_ROOT=$ROOT PATH=$STUBS:$PATH run --separate-stderr $shell "$SERVICE/kernel-hook" add 7.2+deb14
            assert_success
            assert_output ""
            same "$(calls)" "$(printf '%b' "$expected")"
            [ -n "$stderr" ] && said=1 || said=0
            assert_equal "$said" "$result"
        done
    done <<'TABLE'
ro crashkernel=512M|0|0|systemctl -q is-enabled kdump.service\nkdumpctl rebuild --kernel=7.2+deb14
ro crashkernel=512M|0|1|systemctl -q is-enabled kdump.service\nkdumpctl rebuild --kernel=7.2+deb14
ro crashkernel=512M|1|0|systemctl -q is-enabled kdump.service
ro xcrashkernel=512M|0|0|
TABLE
}

@test "kernel-install's hook and Debian's hand on the release, and nothing else" {
    local dir=$BATS_TEST_TMPDIR/lib file
    mkdir "$dir"
    printf '#!/bin/sh\necho "$#: $*"\n' >"$dir/kernel-hook"
    hook() { # FILE ARGUMENT...
        sed "s|@kdumpdir@|$dir|g" "$SERVICE/$1.in" >"$dir/$1"
        ok dash "$dir/$1" "${@:2}"
    }
    chmod +x "$dir/kernel-hook"
    hook 60-kdump.install add 7.2 /boot/x/7.2 /boot/vmlinuz-7.2
    assert_output "2: add 7.2"
    hook 60-kdump.install remove 7.2
    assert_output "2: remove 7.2"
    hook kdump.postrm 7.2 /boot/vmlinuz-7.2
    assert_output "2: remove 7.2"
    # debconf listens to the output of a kernel's postinst.
    sed "s|@kdumpdir@|$dir|g" "$SERVICE/kdump.postinst.in" >"$dir/kdump.postinst"
    run --separate-stderr dash "$dir/kdump.postinst" 7.2 /boot/vmlinuz-7.2
    assert_success
    assert_output ""
    assert_equal "$stderr" "2: add 7.2"
    # The package is removed, but not purged.
    rm "$dir/kernel-hook"
    for file in kdump.postinst kdump.postrm; do
        hook "$file" 7.2
        assert_output ""
    done
}

# The first line of a program of the administrator's | what is copied beside it
@test "initramfs-tools' hook: a script brings what runs it" {
    local dir=$BATS_TEST_TMPDIR first copied shell
    mkdir -p "$dir/lib/capture" "$dir/initramfs"
    printf '#!/bin/sh\n' | tee "$dir/lib/machine-facts" >"$dir/lib/machine-drivers"
    chmod 755 "$dir"/lib/machine-*
    : >"$dir/lib/capture/commands"
    printf 'copy_exec() { echo "$1" >>%s/copied; }\n' "$dir" >"$dir/functions"
    sed "s,/usr/share/initramfs-tools/hook-functions,$dir/functions," "$TOP/dracut/initramfs-tools/hook" >"$dir/hook"
    printf '%s\n' targets=0 "kdump_pre=$dir/pre" >"$dir/facts"
    while IFS='|' read -r first copied; do
        printf '%b' "$first" >"$dir/pre"
        for shell in dash "busybox sh"; do
            rm -rf "$dir/copied" "$dir/initramfs"
            mkdir "$dir/initramfs"
            IN_KDUMP=1 KDUMP_FACTS=$dir/facts KDUMP_LIB=$dir/lib DESTDIR=$dir/initramfs ok $shell "$dir/hook"
            same "$(cat "$dir/copied")" "$dir/pre${copied:+
$copied}"
        done
    done <<TABLE
#!/bin/sh\n|
#!/bin/bash\n|/bin/bash
#! /usr/bin/perl -w\n|/usr/bin/perl
#!/usr/bin/env bash\n|$(command -v bash)
#!/usr/bin/env no-such-program\n|
\0177ELF\02\01\01\0\0#!/bin/bash\n|
|
TABLE
    # A collector that is found by its name.
    printf '#!/bin/bash\n' >"$dir/collector"
    chmod 755 "$dir/collector"
    printf '%s\n' targets=0 "kdump_pre=$dir/pre" collector=command "core_collector=collector -x" >"$dir/facts"
    rm -rf "$dir/copied"
    IN_KDUMP=1 KDUMP_FACTS=$dir/facts KDUMP_LIB=$dir/lib DESTDIR=$dir/initramfs PATH=$dir:$PATH ok dash "$dir/hook"
    same "$(cat "$dir/copied")" "$dir/pre
$dir/collector
/bin/bash"
    IN_KDUMP=1 KDUMP_FACTS=$dir/facts KDUMP_LIB=$dir/lib DESTDIR=$dir/initramfs fails 1 dash "$dir/hook"
    says "kdump: core_collector: there is no program 'collector'"
}

# Facts of the configuration, those that machine-facts added | what goes in
@test "dracut's module: the administrator's programs and the cluster's" {
    local dir=$BATS_TEST_TMPDIR conf added expected
    mkdir -p "$dir/etc"
    while IFS='|' read -r conf added expected; do
        printf '%b' "$conf" >"$dir/facts"
        printf '%b' "$conf$added" >"$dir/etc/kdump.facts"
        # shellcheck disable=SC2016
        initdir=$dir KDUMP_FACTS=$dir/facts ok bash -c 'inst() { echo "inst $*"; }
            inst_multiple() { echo "inst_multiple $*"; }
            . "$1"
            kdump_hooks_of_user' bash "$TOP/dracut/55kdump/module-setup.sh"
        same "${output//$'\n'/, }" "$expected"
    done <<'TABLE'
collector=vmcore\ncore_collector=vmcore save\n||
kdump_pre=/a\nextra_bins=/b /c\n||inst /a, inst /b, inst /c
collector=command\ncore_collector=/opt/my -x\n||inst_multiple /opt/my
fence_kdump_nodes=a\n|fence_send=/usr/libexec/fence_kdump_send\n|inst /usr/libexec/fence_kdump_send
TABLE
}

@test "the units: what they run exists, and the early one waits for no disk but what it reads" {
    local unit
    for unit in kdump kdump-early kdump-notify; do
        [ $unit = kdump-notify ] || ok grep -x "ConditionKernelCommandLine=crashkernel" "$SERVICE/$unit.service.in"
        same "$(sed -n 's|^Exec[A-Za-z]*=@sbindir@/kdumpctl \([a-z]*\).*|\1|p' "$SERVICE/$unit.service.in" |
            grep -vxF "$(dash "$KDUMPCTL" --help | sed -n 's/^  \([a-z][a-z-]*\).*/\1/p')")" ""
    done
    fails 1 grep -E '^(After|Wants|Requires)=.*(network|remote-fs|local-fs|basic)' "$SERVICE/kdump-early.service.in"
    same "$(rows "$SERVICE/kdump.preset")" "enable kdump.service
disable kdump-early.service"
}

@test "the files that are installed are taken without a word" {
    cp "$SERVICE/kdump.conf" "$ROOT/etc/kdump.conf"
    cp "$SERVICE/kdump.sysconfig" "$ROOT/etc/sysconfig/kdump"
    kdumpctl_ok show
}

@test "the completion knows every command of --help, and nothing else" {
    local known
    known=$(bash -c '. "$1"; COMP_WORDS=(kdumpctl ""); COMP_CWORD=1; _kdumpctl; printf "%s\n" "${COMPREPLY[@]}"' bash "$SERVICE/kdumpctl.bash" |
        grep -v -e ^- -e condrestart | sort)
    same "$known" "$(dash "$KDUMPCTL" --help | sed -n 's/^  \([a-z][a-z-]*\).*/\1/p' | sort)"
}

# The completion for COMMAND [WORD...], the last one being typed.
completed() {
    bash -c 'compopt() { :; }
        . "$1"
        shift
        COMP_WORDS=("$@")
        COMP_CWORD=$(($# - 1))
        _loongdump "$1"
        printf "%s\n" "${COMPREPLY[@]}"' bash "$SERVICE/programs.bash" "$@"
}

@test "kexec and vmcore: what is completed is what they take, all of it" {
    local command option count=0
    cd "$BATS_TEST_TMPDIR"
    same "$(completed "$KEXEC" - | grep ^-- | sed 's/=$//' | sort)" \
        "$(sed -n '/accepted\[\] = {/,/^}/s/.*{ "\([a-z-]*\)",.*/--\1/p' "$TOP/kexec/options.c" | grep -vx -e --ramdisk -e --append | sort)"
    same "$(completed "$KEXEC" -p --m)" "--mem-min=
--mem-max=
--map"
    same "$(completed "$KEXEC" --map = s)" svg
    same "$(completed "$KEXEC" --type '')" "zboot
pe
elf"
    touch vmlinuz-7.2
    same "$(completed "$KEXEC" -p vml)" vmlinuz-7.2
    same "$(completed "$KEXEC" -p --initrd = vml)" vmlinuz-7.2
    same "$(completed "$VMCORE" '' | grep -v ^- | sort)" \
        "$(sed -n 's/^  \([a-z]\+\) [A-Z].*/\1/p' <("$VMCORE" --help) | sort)"
    same "$(completed "$VMCORE" save vm)" vmlinuz-7.2
    same "$(completed "$VMCORE" save --format e)" elf
    for command in $(completed "$VMCORE" '' | grep -v ^-); do
        for option in $(completed "$VMCORE" "$command" -); do
            run "$VMCORE" "$command" "$option"
            refute_output --partial "$option: no such option"
            count=$((count + 1))
        done
    done
    assert [ "$count" -gt 40 ]
    run "$VMCORE" save --nothing
    assert_output --partial "nothing"
}

@test "man pages name every directive, variable and command" {
    local word
    for word in $(sed -n 's/^    \(path | core.*\)/\1/p' "$TOP/kdumpctl/lib/directives.sh" | tr -d '|\\'); do
        grep -q -- "$word" "$TOP/kdumpctl/kdump.conf.5" || fail "kdump.conf.5: $word"
    done
    for word in $(dash "$KDUMPCTL" --help | sed -n 's/^  \([a-z][a-z-]*\).*/\1/p'); do
        sed 's/\\-/-/g' "$TOP/kdumpctl/kdumpctl.8" | grep -q "^\.BR* $word" || fail "kdumpctl.8: $word"
    done
}

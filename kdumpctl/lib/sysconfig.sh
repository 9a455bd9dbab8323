# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck shell=sh disable=SC2034,SC2154
# The variables of /etc/sysconfig/kdump: NAME=VALUE with the shell's quotes, read as
# data. What a shell would expand or run there is a fault, not a value.
#
#   sysconfig_default     sets every sys_* to its default
#   sysconfig_line        takes $line (config.sh)
#   sysconfig_finish      defaults that depend on what was set
#
#   sys_NAME              the value of KDUMP_NAME
#   sys_append, sys_remove   KDUMP_COMMANDLINE_APPEND and _REMOVE

# What the capture kernel is told, besides what kexec adds itself:
#   maxcpus=1             it starts with the least memory, and does not wait 5 s for each CPU
#                         that the crash left stuck; capture_cpus brings up more when
#                         the log is saved (dracut/capture/cpus.sh). Not nr_cpus=1: with it the capture kernel (7.2) dies in
#                         device_shutdown and the machine never comes back
#   reset_devices         drivers reset devices that were at work when the first kernel died
#   nokaslr               a kernel that moves itself does not look what lies there
#   novmcoredd            no driver dumps: they take memory and are not saved
#   cma=0                 else 7.2 sets 128 MiB aside, more than half of a small reservation
#   cgroup.memory=nokmem  else each chunk of per-CPU memory is given a table of 32 MiB
#                         (16 KiB pages), though nothing is accounted
#   hugetlb_cma=0, kfence.sample_interval=0   the same, smaller
#   cgroup_disable=memory page accounting costs memory, and nothing here needs it
#   udev.children-max=2   each worker takes memory
#   rootfstype=ramfs      a tmpfs, in which the kernel unpacks the initramfs else, takes
#                         half of the memory at most ("Initramfs unpacking failed: write
#                         error"); the other half is not needed
#   swiotlb=noforce       added by cmdline.sh where the reservation lies below 4 GiB: there
#                         every device reaches all of it, and 64 MiB of bounce buffers
#                         are for nothing
#   panic=10              a capture kernel that panics brings the machine back
DEFAULT_APPEND="maxcpus=1 reset_devices nokaslr novmcoredd cma=0 cgroup.memory=nokmem hugetlb_cma=0 kfence.sample_interval=0 rootfstype=ramfs cgroup_disable=memory udev.children-max=2 panic=10"
# What of the running kernel's line would cost memory or mislead it.
DEFAULT_REMOVE="hugepages hugepagesz slub_debug quiet log_buf_len swiotlb cma hugetlb_cma rd_start rd_size initrd resume ignition.firstboot"

sysconfig_default() {
    sys_kernelver=
    sys_commandline=
    sys_append=
    sys_remove=
    sys_kexec_args=
    sys_file_load=no
    sys_bootdir=
    sys_img=
    sys_img_ext=
    sys_initrd=
    sys_notify=yes
    sys_notify_command=
    sys_stdloglvl=3
    sys_sysloglvl=0
    sys_kmsgloglvl=0
    sysconfig_set=" "
}

sysconfig_line() {
    if [ -z "$pending" ]; then
        config_line_is_sane || return 0
    else # a continued line is judged as a whole
        line=$pending$line
        pending=
        config_line_is_sane || return 0
    fi
    trim "$line"
    case $trimmed in
    '' | '#'*) return 0 ;;
    *\\\\) ;;
    *\\)
        pending=${line%\\}
        return 0
        ;;
    "export "*) trim "${trimmed#export }" ;;
    esac
    name=${trimmed%%=*}
    case $name in
    "$trimmed" | '' | [0-9]* | *[!a-zA-Z0-9_]*)
        config_bad "${trimmed%%[[:blank:]=]*}" "this line is not NAME=VALUE; no shell runs this file"
        return 0
        ;;
    esac
    shell_value "${trimmed#*=}" || return 0
    sysconfig_variable
}

# TEXT: sets value to what a shell would make of it; what would run something is a
# fault.
shell_value() {
    value=
    left=$1
    while :; do
        piece=${left%%[!a-zA-Z0-9_./,:=@%+~^*?\{\}\[\]!-]*}
        value=$value$piece
        left=${left#"$piece"}
        case $left in
        '') return 0 ;;
        \"*)
            left=${left#?}
            shell_double_quoted || return 1
            ;;
        \'*\'*)
            left=${left#?}
            piece=${left%%\'*}
            value=$value$piece
            left=${left#"$piece"}
            left=${left#?}
            ;;
        \'*)
            config_bad "$name" "a quote is not closed: $left"
            return 1
            ;;
        [[:blank:]]*)
            trim "$left"
            case $trimmed in
            '' | '#'*) return 0 ;;
            esac
            config_bad "$name" "more than one word: put the value in quotes"
            return 1
            ;;
        \\?*)
            left=${left#?}
            shell_take_one
            ;;
        [\$\`]*)
            shell_would_expand
            return 1
            ;;
        [\;\&\|\<\>\(\)]*)
            config_bad "$name" "'${left%"${left#?}"}' outside quotes; no shell runs this file"
            return 1
            ;;
        *) shell_take_one ;; # '#' within a word, bytes above 127
        esac
    done
}

shell_take_one() {
    value=$value${left%"${left#?}"}
    left=${left#?}
}

shell_would_expand() {
    config_bad "$name" "'$left': nothing is expanded or run here; write the value itself, or \\\$ for a dollar sign"
}

# From behind the opening quote to behind the closing one.
shell_double_quoted() {
    while :; do
        piece=${left%%[\"\\\$\`]*}
        value=$value$piece
        left=${left#"$piece"}
        case $left in
        \"*)
            left=${left#?}
            return 0
            ;;
        \\[\"\\\$\`]*)
            left=${left#?}
            shell_take_one
            ;;
        \\*) shell_take_one ;;
        \$[a-zA-Z0-9_\{\(@\*\#\?\$!-]* | \`*)
            shell_would_expand
            return 1
            ;;
        \$*) shell_take_one ;;
        *)
            config_bad "$name" "a quote is not closed: \"$value"
            return 1
            ;;
        esac
    done
}

sysconfig_variable() { # name and value are set
    case $name in
    KDUMP_KERNELVER) variable_matches "*[!a-zA-Z0-9_.+~-]*" "a kernel release" && sys_kernelver=$value ;;
    KDUMP_COMMANDLINE) sys_commandline=$value ;;
    KDUMP_COMMANDLINE_APPEND) sys_append=$value ;;
    KDUMP_COMMANDLINE_REMOVE) sys_remove=$value ;;
    KEXEC_ARGS) variable_kexec_args && sys_kexec_args=$value ;;
    KDUMP_BOOTDIR) variable_path && sys_bootdir=${value%/} ;;
    KDUMP_IMG) variable_image && sys_img=$value ;;
    KDUMP_IMG_EXT) variable_matches "*[!a-zA-Z0-9_.+-]*" "a file name's ending" && sys_img_ext=$value ;;
    KDUMP_INITRD) variable_path && sys_initrd=$value ;;
    VMCORE_CREATION_NOTIFICATION) variable_one_of yes no && sys_notify=$value ;;
    KDUMP_NOTIFY_COMMAND) variable_path && sys_notify_command=$value ;;
    KDUMP_STDLOGLVL) variable_one_of 0 1 2 3 4 && sys_stdloglvl=$value ;;
    KDUMP_SYSLOGLVL) variable_one_of 0 1 2 3 4 && sys_sysloglvl=$value ;;
    KDUMP_KMSGLOGLVL) variable_one_of 0 1 2 3 4 && sys_kmsgloglvl=$value ;;
    KDUMP_FILE_LOAD)
        variable_one_of on off || return 0
        [ "$value" = off ] || sys_file_load=yes
        ;;
    # Nothing here, or nothing on this architecture, ever read these.
    FADUMP_COMMANDLINE_APPEND | DEFAULT_KDUMP_KERNEL | DEFAULT_TARGET_INITRD | MKDUMPRD_ARGS) return 0 ;;
    *)
        config_odd "$name" "not a variable of this file; without effect"
        return 0
        ;;
    esac || return 0
    config_set "$name"
    sysconfig_set="$sysconfig_set$name "
}

variable_matches() { # PATTERN_NOT_ALLOWED WHAT
    # shellcheck disable=SC2254 # a pattern of ours
    case $value in
    -* | $1)
        config_bad "$name" "'$value' is not $2"
        return 1
        ;;
    esac
}

variable_one_of() {
    directive_one_of "$@"
}

variable_path() {
    [ -z "$value" ] || directive_file
}

# A file name such as vmlinuz, to which "-RELEASE" is added, or a path.
variable_image() {
    case $value in
    */*) directive_file ;;
    *) variable_matches "*[!a-zA-Z0-9_.+-]*" "a file name or an absolute path" ;;
    esac
}

# Only kexec's options that change how it loads: what it loads is decided here.
variable_kexec_args() {
    left=$value
    while next_word "$left"; do
        left=$rest
        case $word in
        -[acsdixy] | --kexec-file-syscall | --kexec-syscall | --kexec-syscall-auto | --debug | \
            --mem-min=[0-9]* | --mem-max=[0-9]* | --type=* | --no-checks | --no-ifdown | --no-sync) ;;
        *)
            config_bad "$name" "'$word' is not an option that can be given here"
            return 1
            ;;
        esac
    done
}

sysconfig_finish() {
    has_word "$sysconfig_set" KDUMP_COMMANDLINE_APPEND || sys_append=$DEFAULT_APPEND
    has_word "$sysconfig_set" KDUMP_COMMANDLINE_REMOVE || sys_remove=$DEFAULT_REMOVE
    [ "$sys_file_load" != yes ] || has_word "$sys_kexec_args" -s ||
        sys_kexec_args="-s${sys_kexec_args:+ $sys_kexec_args}"
}

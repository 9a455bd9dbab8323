# shellcheck shell=sh disable=SC2034,SC2154 # the files of one program share their variables
# A file system on a device of this machine.

fs_save() {
    attach_disks "target$target" || return 0
    target_fact lvm || :
    volume=$fact
    target_fact source
    find_device "$fact" || return 0
    target_fact fstype auto || :
    fs_type=$fact
    target_fact options || :
    fs_options=$fact
    fs_mount || return 0
    save_mounted
}

# Options from the running system may be what fails here (a quota file, a
# feature this kernel lacks), and so may the journal of a damaged disk.
fs_mount() {
    mount_at "$fs_type" "$device" "rw${fs_options:+,$fs_options}" && return 0
    [ -z "$fs_options" ] || {
        warn "trying without options"
        mount_at "$fs_type" "$device" rw && return 0
    }
    return 1
}

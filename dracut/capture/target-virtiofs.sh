# shellcheck shell=sh disable=SC2034,SC2154 # the files of one program share their variables
# A directory of the host of this virtual machine.

virtiofs_save() {
    target_fact options || :
    virtiofs_options=$fact
    target_fact source
    mount_at virtiofs "$fact" "$virtiofs_options" || return 0
    save_mounted
}

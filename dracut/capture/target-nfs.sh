# shellcheck shell=sh disable=SC2034,SC2154 # the files of one program share their variables
# An NFS server. The kernel needs its address as an option where no mount.nfs
# is there to look it up.

nfs_save() {
    network_up || return 0
    target_fact source
    nfs_source=$fact
    target_fact options || :
    nfs_options=$fact
    target_fact address || :
    if [ -n "$fact" ] && ! command -v mount.nfs >/dev/null; then
        # Nor would a mount that knows NFS by itself find the name.
        case $nfs_source in
        \[*) ;;
        *) nfs_source=$fact:${nfs_source#*:} ;;
        esac
        nfs_options="${nfs_options:+$nfs_options,}addr=$fact"
        case ,$nfs_options, in
        *,vers=* | *,nfsvers=*) ;;
        *) nfs_options=$nfs_options,vers=4.2 ;;
        esac
    fi
    mount_at nfs "$nfs_source" "$nfs_options" || return 0
    save_mounted
}

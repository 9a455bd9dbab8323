# shellcheck shell=sh disable=SC2034,SC2154 # the files of one program share their variables
# An NFS server, by its address: nobody looks up a name here. The kernel wants it as
# an option too where no mount.nfs is there to give it that.

nfs_save() {
    network_up || return 0
    target_fact source
    nfs_source=$fact
    target_fact options || :
    nfs_options=$fact
    target_fact address || :
    case $fact,$nfs_source in
    ,* | *,\[*) ;;
    *:*,*) nfs_source=[$fact]:${nfs_source#*:} ;;
    *) nfs_source=$fact:${nfs_source#*:} ;;
    esac
    if [ -n "$fact" ] && ! command -v mount.nfs >/dev/null; then
        nfs_options="${nfs_options:+$nfs_options,}addr=$fact"
        case ,$nfs_options, in
        *,vers=* | *,nfsvers=*) ;;
        *) nfs_options=$nfs_options,vers=4.2 ;;
        esac
    fi
    mount_at nfs "$nfs_source" "$nfs_options" || return 0
    save_mounted
}

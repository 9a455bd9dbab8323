# shellcheck shell=sh disable=SC2034,SC2154 # the files of one program share their variables
# The network as it was when the machine was well: the interface that leads to
# the target, by its hardware address, with the addresses and routes it had.
# The kernel is told directly, so that it does not matter what managed the
# network before.
#
#   network_up   0 when it is up, now or already; what failed has been said

network_state=

network_up() {
    case $network_state in
    up) return 0 ;;
    esac
    network_state=down
    limit small ip link set lo up 2>/dev/null || :
    facts_each net_link net_link || return 1
    facts_each net_bond net_bond || return 1
    facts_each net_vlan net_vlan || return 1
    facts_each net_bridge net_bridge || return 1
    facts_each net_link net_carrier || return 1
    facts_each net_address net_address || return 1
    facts_each net_dhcp net_dhcp || return 1
    facts_each net_route net_route || return 1
    network_state=up
}

net_do() { # WHAT COMMAND...
    net_what=$1
    shift
    limit small "$@" 2>"$run/net.err" && return 0
    why_file "$run/net.err"
    warn "network: $net_what: $why"
    return 1
}

# Names may come out differently; what says which interface it is, is its
# hardware address.
net_link() { # "NAME MAC [MTU]"
    # shellcheck disable=SC2086 # words
    set -- $1
    net_want=$1 net_mac=$2 net_mtu=${3-}
    limit_of network
    uptime_whole
    net_end=$((uptime + limit_seconds))
    until net_find; do
        uptime_whole
        [ "$uptime" -lt "$net_end" ] || {
            warn "network: no interface has the address $net_mac"
            return 1
        }
        sleep 0.2
    done
    [ "$net_have" = "$net_want" ] || {
        # The name may be taken by another.
        [ ! -e "$ROOT/sys/class/net/$net_want" ] ||
            net_do "renaming $net_want" ip link set "$net_want" name "$net_want.old" || return 1
        net_do "renaming $net_have" ip link set "$net_have" down || return 1
        net_do "renaming $net_have" ip link set "$net_have" name "$net_want" || return 1
    }
    [ -z "$net_mtu" ] || net_do "mtu of $net_want" ip link set "$net_want" mtu "$net_mtu" || :
    net_do "$net_want" ip link set "$net_want" up
}

net_find() { # $net_have
    for net_dir in "$ROOT"/sys/class/net/*; do
        # A bond or a bridge has the address of a member.
        [ -e "$net_dir/device" ] || continue
        read -r net_address <"$net_dir/address" || continue
        [ "$net_address" = "$net_mac" ] || continue
        net_have=${net_dir##*/}
        return 0
    done
    return 1
}

net_carrier() { # "NAME ..."
    net_name=${1%% *}
    limit_of network
    uptime_whole
    net_end=$((uptime + limit_seconds))
    while :; do
        net_on=0
        { read -r net_on <"$ROOT/sys/class/net/$net_name/carrier"; } 2>/dev/null
        [ "$net_on" != 1 ] || return 0
        uptime_whole
        [ "$uptime" -lt "$net_end" ] || break
        sleep 0.2
    done
    warn "network: $net_name has no carrier"
    # A bond can live with that.
}

net_bond() { # "NAME MODE MEMBER..."
    # shellcheck disable=SC2086 # words
    set -- $1
    net_name=$1
    net_do "$1" ip link add "$1" type bond mode "$2" miimon 100 || return 1
    shift 2
    net_members "$net_name" "$@"
}

net_bridge() { # "NAME MEMBER..."
    # shellcheck disable=SC2086 # words
    set -- $1
    net_name=$1
    net_do "$1" ip link add "$1" type bridge || return 1
    shift
    net_members "$net_name" "$@"
}

net_members() { # NAME MEMBER...
    net_master=$1
    shift
    for net_member in "$@"; do
        net_do "$net_member" ip link set "$net_member" down || :
        net_do "$net_member in $net_master" ip link set "$net_member" master "$net_master" || :
        net_do "$net_member" ip link set "$net_member" up || :
    done
    net_do "$net_master" ip link set "$net_master" up
}

net_vlan() { # "NAME PARENT ID"
    # shellcheck disable=SC2086 # words
    set -- $1
    net_do "$1" ip link add link "$2" name "$1" type vlan id "$3" &&
        net_do "$1" ip link set "$1" up
}

net_address() { # "NAME ADDRESS/PREFIX"
    # An IPv6 address that waits for others to object cannot be used yet.
    case ${1#* } in
    *:*) net_do "address $1" ip address replace "${1#* }" dev "${1%% *}" nodad ;;
    *) net_do "address $1" ip address replace "${1#* }" dev "${1%% *}" ;;
    esac
}

net_route() { # "NAME DESTINATION [GATEWAY]"
    # shellcheck disable=SC2086 # words
    set -- $1
    net_do "route to $2" ip route replace "$2" ${3:+via "$3"} dev "$1"
}

net_dhcp() { # "NAME"
    command -v udhcpc >/dev/null || return 0
    limit network udhcpc -i "$1" -n -q -t 5 >/dev/null 2>&1 ||
        warn "network: nobody gives $1 an address; its old one has to do"
}

# shellcheck shell=sh
# Programs that stay: QEMU with a monitor, or libvirtd with its guests. Each
# session lives in namespaces of its own, so that its end, however it comes
# about, ends all its processes and takes its mounts with it.
#
# A session is a directory. In it lie: pid (of the process that holds the
# namespaces), owner, and what the programs write.

# session_start DIR OWNER COMMAND...: run it in the chroot until it ends, the
# process OWNER is gone, or session_stop.
session_start() {
	! session_alive "$1" || die "$1: a session is running there"
	mkdir -p "$1"
	rm -f "$1/pid" "$1/ended"
	kill -0 "$2" 2>/dev/null || die "no process $2 to live as long as"
	echo "$2" >"$1/owner"
	dir=$1
	shift 2
	# Whoever started us may wait for the end of a pipe: none is kept open.
	setsid sh "$LAB/session" "$dir" "$@" </dev/null >"$dir/session.log" 2>&1 \
		3>&1 4>&- 5>&- 6>&- 7>&- 8>&- 9>&- &
	until [ -s "$dir/pid" ] || [ -e "$dir/ended" ]; do
		sleep 0.1
	done
}

# A zombie has a number still, but no namespaces.
session_alive() {
	[ -s "$1/pid" ] && [ ! -e "$1/ended" ] &&
		readlink "/proc/$(cat "$1/pid")/ns/mnt" >/dev/null 2>&1
}

session_need() {
	[ -d "$1" ] || die "no such session: $1"
	session_alive "$1" && return
	tail -n 5 "$1/session.log" >&3 2>/dev/null || :
	die "the session $1 has ended"
}

# session_run DIR COMMAND...: in the session's chroot, same working directory.
session_run() {
	session_need "$1"
	pid=$(cat "$1/pid")
	shift
	# shellcheck disable=SC2016 # expanded inside
	nsenter -t "$pid" -m chroot "$CACHE/chroot" /bin/sh -c \
		'cd "$1" 2>/dev/null || cd /; shift; exec "$@"' session "$(pwd)" "$@"
}

session_stop() {
	[ -s "$1/pid" ] || return 0
	touch "$1/stop"
	tries=0
	while session_alive "$1"; do
		tries=$((tries + 1))
		[ "$tries" -lt 100 ] || die "$1: the session does not end"
		sleep 0.1
	done
	rm -f "$1/stop" "$1/pid"
}

# wait_for LOG PATTERN SECONDS ALIVE...: until a line of LOG matches; ALIVE is
# the command that fails when there is nothing to wait for any more.
wait_for() {
	log=$1 pattern=$2 until=$(($(date +%s) + $3))
	shift 3
	until grep -a -q -e "$pattern" "$log" 2>/dev/null; do
		"$@" || {
			grep -a -q -e "$pattern" "$log" 2>/dev/null && return
			die "ended before \"$pattern\". Last: $(why "$log")"
		}
		[ "$(date +%s)" -lt "$until" ] ||
			die "no \"$pattern\" in time. Last: $(why "$log")"
		sleep 0.2
	done
}

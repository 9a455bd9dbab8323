# shellcheck shell=sh
# lab qemu: a guest that stays, with a monitor to ask (session.sh).

qemu_start() {
	owner=$PPID
	if [ "${1-}" = --for ]; then
		[ $# -ge 2 ] || die "qemu start: --for wants a process number"
		owner=$2
		shift 2
	fi
	[ $# -ge 1 ] || die "qemu start: [--for PID] DIR [OPTION...] [-- QEMU_ARG...]"
	mkdir -p "$1"
	session=$(absolute "$1")
	shift
	boot_options "$@"
	# shellcheck disable=SC2154 # boot_options set it
	shift "$used"
	[ -z "$reboots" ] || die "qemu start: no --reboots, a reset ends the session"
	log=${log:-$session/console.log}
	boot_defaults "$session"
	: >"$log"
	echo "$log" >"$session/log"
	LAB_BIND=$LAB_BIND:$session:$(dirname "$log")
	# The path of a unix socket is short: from the session's directory.
	cd "$session" || die "qemu: cannot enter $session"
	rm -f qmp
	with_qemu qemu_session "$@"
	until [ -S qmp ]; do
		session_need "$session"
		sleep 0.1
	done
}

qemu_session() {
	session_start "$session" "$owner" "$@" -serial "file:$log" \
		-qmp unix:qmp,server=on,wait=off
}

qemu_wait() {
	{ [ $# -ge 2 ] && [ $# -le 3 ]; } || die "qemu wait: DIR PATTERN [SECONDS]"
	[ -r "$1/log" ] || die "no such session: $1"
	wait_for "$(cat "$1/log")" "$2" "${3-120}" session_alive "$1"
}

lab_qemu() {
	verb=${1-}
	[ $# -eq 0 ] || shift
	case $verb in
	start) qemu_start "$@" ;;
	wait) qemu_wait "$@" ;;
	monitor)
		[ $# -ge 2 ] || die "qemu monitor: DIR COMMAND..."
		session_need "$1"
		monitor=$1/qmp
		shift
		/usr/bin/python3 "$LAB/qmp" "$monitor" "$@" ;;
	stop) [ $# -eq 1 ] || die "qemu stop: DIR"
		session_stop "$1" ;;
	*) die "qemu: start, wait, monitor or stop (lab --help)" ;;
	esac
}

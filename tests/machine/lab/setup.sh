# shellcheck shell=sh
# lab setup: what the host must have, then the steps in their order.

STEPS="chroot sysroot kernel vmlinux crash testkernel debian faults storage"
MORE_STEPS="peer initramfs-tools kernel4k kernel4k3 kernel16k2 kernel64k" # made when named

# Install on the host what is missing there, and nothing else.
host_packages() {
	missing=
	for pair in mmdebstrap:mmdebstrap cpio:cpio zstd:zstd xz:xz-utils \
		gzip:gzip mke2fs:e2fsprogs debugfs:e2fsprogs e2fsck:e2fsprogs \
		flock:util-linux unshare:util-linux setpriv:util-linux \
		fallocate:util-linux; do
		command -v "${pair%%:*}" >/dev/null 2>&1 ||
			missing="$missing ${pair#*:}"
	done
	[ -n "$missing" ] || return 0
	command -v apt-get >/dev/null 2>&1 ||
		die "missing on this host:$missing (and no apt-get to install them)"
	say "installing on this host:$missing"
	mkdir -p "$CACHE/log"
	# shellcheck disable=SC2086 # a list of words
	{ apt-get update && DEBIAN_FRONTEND=noninteractive \
		apt-get install -y --no-install-recommends $missing; } \
		>"$CACHE/log/host.log" 2>&1 </dev/null || {
		tail -n 20 "$CACHE/log/host.log" >&3
		die "could not install:$missing (log: $CACHE/log/host.log)"
	}
}

room_for() {
	free=$(df -Pk "$CACHE" | awk 'NR == 2 { print int($4 / 1048576) }')
	[ "$free" -ge "$1" ] ||
		say "only $free GB free at $CACHE; making the lab needs about $1"
}

step_make_all() {
	for step in $1; do
		step_make "$step"
	done
}

lab_setup() {
	[ "$(id -u)" -eq 0 ] || die "setup: chroot and mounts need root"
	todo=
	# shellcheck disable=SC2086 # a list of words
	[ $# -gt 0 ] || set -- $STEPS
	for step in "$@"; do
		[ -f "$LAB/step-$step" ] ||
			die "setup: no such step: $step (they are: $STEPS $MORE_STEPS)"
		step_done "$step" || todo="$todo $step"
	done
	if [ -z "$todo" ]; then
		say "everything is ready in $CACHE"
		return
	fi
	mkdir -p "$CACHE"
	host_packages
	room_for 10
	# One at a time; whoever waited finds the steps done.
	exec 9>"$CACHE/lock"
	flock -n 9 || {
		say "another setup is at work, waiting for it"
		flock 9
	}
	# What the others stand on, then long downloads and what keeps one
	# processor busy beside the compilers. Should those fail, the steps
	# beside them still end, and the lock with them.
	first='' beside='' then=''
	for step in "$@"; do
		case $step in
		chroot | sysroot | kernel) first="$first $step" ;;
		vmlinux | debian | faults | storage) beside="$beside $step" ;;
		*) then="$then $step" ;;
		esac
	done
	step_make_all "$first"
	step_make_all "$beside" &
	step_make_all "$then"
	wait $! || exit 1
	exec 9>&-
}

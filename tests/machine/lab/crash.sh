# shellcheck shell=sh
# lab crash: run the crash built in the chroot, straight from the host.

# No chroot for this: the program is started by the chroot's own loader with
# the chroot's libraries, so that every path the caller names means what it
# says.
lab_crash() {
	step_need crash
	program=$CACHE/crash/crash
	if [ "${1-}" = --stock ]; then
		program=$CACHE/crash/crash-stock
		shift
	fi
	step_need chroot
	exec "$CACHE/chroot/lib64/ld-linux-x86-64.so.2" --library-path \
		"$CACHE/chroot/usr/lib/x86_64-linux-gnu" "$program" "$@"
}

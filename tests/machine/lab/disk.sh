# shellcheck shell=sh
# lab disk, lab fetch and lab storage: file systems for the guest, made and read
# without ever mounting one on this machine.

lab_disk() {
	[ $# -eq 3 ] || die "disk: OUT SIZE DIR"
	[ -d "$3" ] || die "disk: no such directory: $3"
	rm -f "$1.tmp"
	truncate -s "$2" "$1.tmp"
	mke2fs -q -F -t ext4 -m 0 -L loongdump -E root_owner=0:0 -d "$3" "$1.tmp" ||
		die "disk: mke2fs could not make $1 of $3"
	mv "$1.tmp" "$1"
}

# disk_state FILE: a guest that died leaves its last writes in the journal,
# which debugfs does not look at: play it back first.
disk_state() {
	e2fsck -fn "$1" >/dev/null 2>&1 && {
		say "fsck of $1: clean"
		return
	}
	status=0
	e2fsck -fp "$1" >/dev/null 2>&1 || status=$?
	[ "$status" -lt 4 ] || die "fsck of $1: damaged (e2fsck -p says $status)"
	say "fsck of $1: was not unmounted, repaired (e2fsck -p says $status)"
}

# fetch_one DISK PATH DEST: a file, or a directory with all in it.
fetch_one() {
	case $(debugfs -R "stat \"$2\"" "$1" 2>/dev/null) in
	*"Type: directory"*)
		debugfs -R "rdump \"$2\" \"$3\"" "$1" >/dev/null 2>&1 ;;
	*"Type: regular"*)
		debugfs -R "dump -p \"$2\" \"$3/${2##*/}\"" "$1" >/dev/null 2>&1 ;;
	*) die "fetch: no $2 on $1" ;;
	esac
	# / arrives as its contents, anything else under its own name.
	[ "$2" = / ] || [ -e "$3/${2##*/}" ] || die "fetch: could not get $2 from $1"
}

lab_fetch() {
	[ $# -ge 2 ] || die "fetch: DISK DEST [PATH...]"
	disk=$1 dest=$2
	shift 2
	[ -f "$disk" ] || die "fetch: no such image: $disk"
	mkdir -p "$dest"
	disk_state "$disk"
	[ $# -gt 0 ] || set -- /
	for path in "$@"; do
		case $path in
		/*) ;;
		*) path=/$path ;;
		esac
		fetch_one "$disk" "$path" "$dest"
	done
	# Holes were written out as zeros; dig them again. Best effort: not
	# every file system can.
	find "$dest" -type f -size +1024k -exec fallocate -d {} \; 2>/dev/null || :
}

# With its own libraries, which are not those of this machine. Whoever kills this
# shell kills the program.
lab_storage() {
	[ $# -gt 0 ] || die "storage: which program? (lab --help)"
	step_need storage
	libraries=$CACHE/storage/host/usr/lib/x86_64-linux-gnu
	for dir in sbin bin libexec; do
		program=$CACHE/storage/host/usr/$dir/$1
		[ ! -x "$program" ] || break
	done
	[ -x "$program" ] || die "storage: no such program: $1"
	shift
	exec "$libraries/ld-linux-x86-64.so.2" --library-path "$libraries" "$program" "$@"
}

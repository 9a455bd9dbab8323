# shellcheck shell=sh
# lab debian, lab root: the whole Debian, run here or made a disk of.

# layer_begin BESIDE: an overlay's own directory, $work, must be on the file
# system of what lies on top.
layer_begin() {
	mkdir -p "$(dirname "$1")"
	work=$(mktemp -d "$1.XXXXXX")
	mkdir "$work/upper"
	chmod 755 "$work/upper"
	trap 'rm -rf --one-file-system "$work"' EXIT
	trap 'exit 1' HUP INT TERM
}

lab_debian() {
	changes=
	if [ "${1-}" = --changes ]; then
		[ $# -ge 2 ] || die "debian: --changes wants a directory"
		changes=$(absolute "$2")
		shift 2
	fi
	[ $# -gt 0 ] || die "debian: [--changes DIR] COMMAND..."
	layer_begin "${changes:-${TMPDIR:-/tmp}/lab-debian}"
	[ -z "$changes" ] || mkdir -p "$changes"
	sh "$LAB/foreign" sh "$LAB/layered" --in "${changes:-$work/upper}" "$work" "$@"
}

lab_root() {
	size=4G
	if [ "${1-}" = --size ]; then
		[ $# -ge 2 ] || die "root: --size wants a size"
		size=$2
		shift 2
	fi
	[ $# -ge 1 ] || die "root: [--size SIZE] OUT [EXTRA_DIR...]"
	out=$(absolute "$1")
	shift
	layer_begin "$out"
	for extra in "$@"; do
		cp -a "$extra/." "$work/upper/"
	done
	chown 0:0 "$work/upper"
	rm -f "$out.tmp"
	truncate -s "$size" "$out.tmp"
	sh "$LAB/layered" "$work/upper" "$work" mke2fs -q -F -t ext4 -m 0 -L debian \
		-E lazy_itable_init=1,nodiscard -d "$work/root" "$out.tmp" ||
		die "root: mke2fs could not make $out"
	mv "$out.tmp" "$out"
}

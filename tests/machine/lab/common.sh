# shellcheck shell=sh
# What every part of the lab shares: where things are, how it speaks, and how
# a step is made so that a half-made one can never be taken for a whole one.

# shellcheck disable=SC2034 # used by the files that source this one

LC_ALL=C
export LC_ALL
LAB=$(cd "$(dirname "$0")" && pwd)
CHECKOUT=$(cd "$LAB/../../.." && pwd)
CACHE=${LOONGDUMP_CACHE:-$HOME/.cache/loongdump}
case $CACHE in
/*) ;;
*) CACHE=$(pwd)/$CACHE LOONGDUMP_CACHE=$CACHE ;;
esac
# Two checkouts share the cache, never a build.
BUILD=$CACHE/build/$(printf '%s' "$CHECKOUT" | cksum | cut -d ' ' -f 1)
SUITE=forky			# the oldest Debian suite that has loong64
TRIPLET=loongarch64-linux-gnu

# Progress goes to descriptor 3, so that it is still seen where the output of
# noisy commands is sent to a log.
# An inherited descriptor 3 may be anything; only ours is taken over.
[ "${LAB_SPEAKS_ON_3-}" ] || exec 3>&2
LAB_SPEAKS_ON_3=1
export LAB_SPEAKS_ON_3

say() { printf 'lab: %s\n' "$*" >&3; }
die() { printf 'lab: %s\n' "$*" >&3; exit 1; }

# mib BYTES: a size for people.
mib() { echo "$((($1 + 524288) / 1048576)) MB"; }

recipe_id() { printf '%s\n' "$1" | cksum | tr ' ' -; }

# step_done NAME: is $CACHE/NAME there and of today's recipe?
step_done() {
	id=$(recipe_id "$(sh "$LAB/step-$1" recipe)")
	[ -r "$CACHE/$1/.recipe" ] || return 1
	read -r have <"$CACHE/$1/.recipe"
	[ "$have" = "$id" ]
}

# step_need NAME: stop unless that step was made.
step_need() {
	[ -r "$CACHE/$1/.recipe" ] ||
		die "$1 is not there yet: run \"$LAB/lab setup\" first"
}

# step_make NAME: build into NAME.tmp, rename at the very end. The recipe's
# identity lies inside, so that it and the contents appear together.
step_make() {
	if step_done "$1"; then
		say "$1: ready"
		return
	fi
	id=$(recipe_id "$(sh "$LAB/step-$1" recipe)")
	log=$CACHE/log/$1.log
	rm -rf --one-file-system "$CACHE/$1.tmp" "$CACHE/$1.old"
	mkdir -p "$CACHE/$1.tmp" "$CACHE/log"
	say "$1: making it, log in $log"
	began=$(date +%s)
	if ! sh "$LAB/step-$1" build "$CACHE/$1.tmp" >"$log" 2>&1 </dev/null; then
		tail -n 20 "$log" >&3
		die "$1: failed after $(($(date +%s) - began)) s; the log is $log"
	fi
	echo "$id" >"$CACHE/$1.tmp/.recipe"
	[ ! -e "$CACHE/$1" ] || mv "$CACHE/$1" "$CACHE/$1.old"
	mv "$CACHE/$1.tmp" "$CACHE/$1"
	rm -rf --one-file-system "$CACHE/$1.old"
	say "$1: made in $(($(date +%s) - began)) s"
}

# step_main recipe|build: the tail of every step-NAME file, which defines
# recipe() (what the result depends on, as text) and build() (fill directory
# $1). build must be called plainly: inside if, && or || the shell would
# ignore set -e.
step_main() {
	case $1 in
	recipe) recipe ;;
	build) build "$2" ;;
	*) die "step: recipe or build DIR" ;;
	esac
}

# bind_shared ROOT: /tmp, the directories of LAB_BIND (separated by colons), the
# checkout and the cache, at their own paths. Later ones may lie inside earlier
# ones.
bind_shared() {
	IFS=:
	for dir in /tmp ${LAB_BIND-} "$CHECKOUT" "$CACHE"; do
		[ -n "$dir" ] || continue
		mkdir -p "$1$dir"
		mount --bind "$dir" "$1$dir"
	done
	unset IFS
}

# chroot_run ROOT COMMAND...: the same working directory where it exists inside.
chroot_run() {
	# shellcheck disable=SC2016 # expanded inside
	exec chroot "$1" /bin/sh -c 'cd "$1" 2>/dev/null || cd /; shift 2; exec "$@"' \
		chroot_run "$(pwd)" "$@"
}

# in_chroot COMMAND...: run it in the chroot; see enter.
in_chroot() { sh "$LAB/enter" "$@"; }

# apt in the chroot. The suite's Release file may be past its date (a mirror's
# snapshot), and root may fetch into root's directories.
apt_chroot() {
	apt_command=$1
	shift
	in_chroot "$apt_command" -q -o Acquire::Check-Valid-Until=false \
		-o APT::Sandbox::User=root "$@"
}

# Steps may run side by side; apt does not wait for its own lock here.
apt_update() (
	flock 6
	apt_chroot apt-get update
) 6>"$CACHE/apt.lock"

# fetch_deb PACKAGE: say what and how big, then fetch the .deb to the current
# directory.
fetch_deb() {
	size=$(in_chroot apt-cache show "$1" | sed -n 's/^Size: //p' | head -n 1)
	[ -n "$size" ] || die "the package $1 is not known to apt"
	say "fetching ${1%:*}, $(mib "$size")"
	apt_chroot apt-get download "$1"
}

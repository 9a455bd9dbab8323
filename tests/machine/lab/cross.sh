# shellcheck shell=sh
# lab cross: build the checkout for loongarch64, in the cache.
#
# The build reads a mirror of the checkout: the two machines have different
# autotools, and a checkout that somebody configured in place refuses to be
# built elsewhere. So the checkout is never written to.

# The files that belong to the project: git's view where there is one (with
# what is new and not ignored), everything but the obvious otherwise.
project_files() {
	if git -C "$CHECKOUT" -c safe.directory='*' ls-files -co \
		--exclude-standard >"$1" 2>/dev/null; then
		return
	fi
	(cd "$CHECKOUT" && find . -type f ! -path './.git/*' \
		! -path './autom4te.cache/*' ! -name '*.o' | sed 's,^\./,,') >"$1"
}

# mirror TO: copy what differs in content, with the time of now; remove what
# the checkout no longer has. Anything else in TO was generated there.
mirror() {
	mkdir -p "$1"
	project_files "$1/.files.all"
	sort "$1/.files.all" | while read -r file; do
		[ -f "$CHECKOUT/$file" ] || continue
		echo "$file"
		cmp -s "$CHECKOUT/$file" "$1/$file" && continue
		mkdir -p "$1/$(dirname "$file")"
		cp "$CHECKOUT/$file" "$1/$file"
	done >"$1/.files.new"
	if [ -f "$1/.files" ]; then
		comm -23 "$1/.files" "$1/.files.new" | while read -r file; do
			rm -f "$1/$file"
		done
	fi
	mv "$1/.files.new" "$1/.files"
}

# noisy COMMAND...: into the log, and the end of that when it fails.
noisy() {
	"$@" >>"$log" 2>&1 </dev/null && return
	tail -n 30 "$log" >&3
	die "cross: failed; the log is $log"
}

# cross_run COMMAND...: in the build directory, with pkg-config looking at the
# sysroot only. make needs that as well: it runs configure again when that
# changed, and configure does not remember the sysroot by itself.
cross_run() {
	lib=$CACHE/sysroot/usr/lib/$TRIPLET/pkgconfig
	noisy in_chroot env -C "$build" \
		PKG_CONFIG="pkg-config --static" PKG_CONFIG_PATH= \
		PKG_CONFIG_LIBDIR="$lib:$CACHE/sysroot/usr/share/pkgconfig" \
		PKG_CONFIG_SYSROOT_DIR="$CACHE/sysroot" "$@"
}

# Static, because the guest has no libraries. --sysroot goes with the
# compiler's name: every test configure makes must use it. Debian's liblz4.a
# wants xxhash, which a test that names only -llz4 would not find.
cross_configure() {
	cross_run "$source/configure" --host="$TRIPLET" --prefix=/usr \
		--enable-static-programs \
		CC="$TRIPLET-gcc --sysroot=$CACHE/sysroot" \
		CFLAGS="-O2 -g -Werror" LDFLAGS=-static LIBS=-lxxhash
}

lab_cross() {
	step_need chroot
	step_need sysroot
	[ -f "$CHECKOUT/configure.ac" ] || die "cross: no configure.ac in $CHECKOUT"
	# shellcheck disable=SC2153 # BUILD is set in common.sh
	source=$BUILD/source build=$BUILD/loong64
	log=$BUILD/cross.log
	mkdir -p "$build" "$CACHE/log"
	touch "$BUILD"
	# Builds of checkouts that nobody came back to.
	find "$CACHE/build" -mindepth 1 -maxdepth 1 -type d -mtime +14 \
		-exec rm -rf {} +
	exec 8>"$BUILD/lock"
	flock 8
	began=$(date +%s)
	: >"$log"
	mirror "$source"
	if [ ! -f "$source/configure" ] || [ ! -f "$source/Makefile.in" ]; then
		say "cross: autoreconf"
		noisy in_chroot autoreconf -fi "$source"
	fi
	# A configure that failed half-way leaves no Makefile. Changes to
	# configure.ac and Makefile.am are make's own business.
	if [ ! -f "$build/Makefile" ]; then
		say "cross: configure"
		cross_configure
	fi
	cross_run make -j2 "$@"
	exec 8>&-
	say "cross: built in $(($(date +%s) - began)) s in $build"
}

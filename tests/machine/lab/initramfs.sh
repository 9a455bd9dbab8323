# shellcheck shell=sh
# lab initramfs: the smallest system that can reach a virtio disk and run our
# programs.

# Modules the disk needs, with everything they depend on, in loading order:
# modules.dep names a module's dependencies so that the last must go in first.
modules_order() {
	awk -F: -v want="${LAB_MODULES:-virtio_blk ext4}" '
		function visit(m, list, n, i) {
			n = split(deps[m], list, " ")
			for (i = n; i > 0; i--)
				add(list[i])
			add(m)
		}
		function add(m) { if (!seen[m]++) print m }
		{
			deps[$1] = $2
			name = $1
			sub(/.*\//, "", name)
			sub(/\.ko.*/, "", name)
			path[name] = $1
		}
		END {
			n = split(want, names, " ")
			for (i = 1; i <= n; i++)
				if (names[i] in path)
					visit(path[names[i]])
		}' "$1/modules.dep"
}

# copy_modules FROM TREE: decompressed, as insmod of busybox wants them, in
# the directory of their release. A kernel that has none there needs none.
copy_modules() {
	dir=/lib/modules/${1##*/}
	mkdir -p "$2$dir"
	modules_order "$1" | while read -r module; do
		name=${module##*/}
		name=$dir/${name%%.ko*}.ko
		case $module in
		*.xz) xz -dc "$1/$module" ;;
		*.zst) zstd -qdc "$1/$module" ;;
		*.gz) gzip -dc "$1/$module" ;;
		*) cat "$1/$module" ;;
		esac >"$2$name"
		echo "$name" >>"$2$dir/order"
	done
}

lab_initramfs() (
	{ [ $# -ge 1 ] && [ $# -le 2 ]; } ||
		die "initramfs: OUT [EXTRA_DIR]"
	step_need sysroot
	modules=$(lab_path modules)
	tree=$(mktemp -d)
	chmod 755 "$tree" # it becomes the root directory, for every user
	trap 'rm -rf "$tree"' EXIT
	trap 'exit 1' HUP INT TERM
	mkdir -p "$tree/bin" "$tree/sbin" "$tree/proc" "$tree/sys" "$tree/dev" \
		"$tree/tmp"
	cp -L "$CACHE/sysroot/usr/bin/busybox" "$tree/bin/busybox"
	cp "$LAB/../guest/init" "$tree/init"
	copy_modules "$modules" "$tree"
	# Ours where they are built; a test of something else needs neither.
	built=$BUILD/loong64
	[ ! -x "$built/kexec/kexec" ] ||
		cp "$built/kexec/kexec" "$tree/sbin/kexec"
	[ ! -x "$built/makedumpfile-glue/vmcore" ] ||
		cp "$built/makedumpfile-glue/vmcore" "$tree/sbin/vmcore"
	[ $# -lt 2 ] || cp -a "$2/." "$tree/"
	(cd "$tree" && find . | LC_ALL=C sort |
		cpio -o -H newc -R 0:0 --quiet) | gzip -1n >"$1.tmp"
	mv "$1.tmp" "$1"
)

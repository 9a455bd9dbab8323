# shellcheck shell=sh
# lab path and lab status: where things are.

lab_path() {
	[ $# -eq 1 ] || die "path: one name, please (lab --help lists them)"
	step=
	case $1 in
	cache) where=$CACHE ;;
	chroot | sysroot) step=$1 where=$CACHE/$1 ;;
	debian) step=debian where=$CACHE/debian/tree ;;
	faults) step=faults where=$CACHE/faults/faults.ko ;;
	storage) step=storage where=$CACHE/storage/guest ;;
	initramfs-tools) step=$1 where=$CACHE/$1/tree ;;
	vmlinuz | config) step=kernel where=$CACHE/kernel/$1 ;;
	release)
		step_need kernel
		cat "$CACHE/kernel/release"
		return ;;
	modules)
		step_need kernel
		where=$CACHE/kernel/lib/modules/$(cat "$CACHE/kernel/release") ;;
	vmlinux) step=vmlinux where=$CACHE/vmlinux/vmlinux ;;
	testkernel-release)
		step_need testkernel
		cat "$CACHE/testkernel/release"
		return ;;
	testkernel-*) step=testkernel where=$CACHE/testkernel/${1#*-} ;;
	kernel4k-* | kernel4k3-* | kernel16k2-* | kernel64k-*)
		step=${1%%-*} where=$CACHE/${1%%-*}/${1#*-} ;;
	crash | crash-stock) step=crash where=$CACHE/crash/$1 ;;
	makedumpfile | makedumpfile-loong64) step=peer where=$CACHE/peer/$1 ;;
	kexec) where=$BUILD/loong64/kexec/kexec ;;
	vmcore) where=$BUILD/loong64/makedumpfile-glue/vmcore ;;
	*) die "path: no such name: $1 (lab --help lists them)" ;;
	esac
	[ -z "$step" ] || step_need "$step"
	[ -e "$where" ] || die "path: $1 is not built yet ($where)"
	echo "$where"
}

lab_status() {
	for step in $STEPS $MORE_STEPS; do
		if step_done "$step"; then
			echo "$step: ready"
		elif [ -r "$CACHE/$step/.recipe" ]; then
			echo "$step: of an older recipe"
		else
			echo "$step: not made"
		fi
	done
}

# shellcheck shell=sh
# Our own kernels, from the distribution's kernel source: for the steps that
# make one.

# kernel_make ARG...: in $tree, the same names in the banner wherever it is built.
kernel_make() {
	in_chroot make -C "$tree" ARCH=loongarch CROSS_COMPILE="$TRIPLET-" \
		LOCALVERSION=-loongdump KBUILD_BUILD_USER=lab \
		KBUILD_BUILD_HOST=loongdump "$@"
}

# An option whose dependencies went away is dropped without a word.
config_check() {
	grep '^CONFIG_' "$2" | while read -r line; do
		grep -qx -e "$line" "$tree/.config" || {
			echo "not in the configuration: $line"
			say "$1: the source no longer takes $line"
			exit 1
		}
	done
}

# source_change: what a step makes otherwise in $tree, before it is configured.
source_change() { :; }

# own_kernel STEP CONFIG DIR: vmlinuz, vmlinux and the rest into DIR.
own_kernel() {
	apt_update
	# The name without a version leads to the one with.
	source=$(in_chroot apt-cache depends linux-source |
		sed -n 's/.*Depends: \(linux-source-[^:]*\).*/\1/p' | head -n 1)
	[ -n "$source" ] || die "$1: apt knows no linux-source"

	mkdir "$3/source"
	cd "$3/source" || exit 1
	fetch_deb "$source"
	in_chroot dpkg-deb -x "$3/source/$source"_*.deb "$3/source"
	in_chroot tar -x -C "$3/source" -f "$3/source/usr/src/$source.tar.xz"
	tree=$3/source/$source
	rm -r ./*.deb usr
	source_change

	say "$1: compiling, 6 to 10 minutes on two cores"
	kernel_make -s KCONFIG_ALLCONFIG="$2" allnoconfig
	config_check "$1" "$2"
	kernel_make -j"$(nproc)" vmlinuz.efi
	kernel_make -s kernelrelease >"$3/release"
	cp "$tree/.config" "$3/config"
	cp "$tree/arch/loongarch/boot/vmlinuz.efi" "$3/vmlinuz"
	cp "$tree/vmlinux" "$3/vmlinux"
	in_chroot "$TRIPLET-strip" -s -o "$3/stripped" "$3/vmlinux"
	rm -rf "$3/source"
}

# paged_recipe [-]OPTION...; paged_kernel STEP DIR [-]OPTION...: the test kernel
# with another size of pages (one of the OPTIONs, without CONFIG_), all kinds of
# pages in use, and its account of them; -OPTION is switched off.
paged_config() {
	without="-e CONFIG_16KB_3LEVEL=y -e CONFIG_NR_CPUS=256"
	for option; do
		case $option in
		-*)
			echo "# CONFIG_${option#-} is not set"
			without="$without -e CONFIG_${option#-}=y"
			;;
		*) echo "CONFIG_$option=y" ;;
		esac
	done
	# shellcheck disable=SC2086 # a list of words
	grep -h -v -x $without "$LAB/testkernel.config" "$LAB/paged.config"
}

paged_recipe() {
	echo "1 $SUITE"
	paged_config "$@"
}

paged_kernel() {
	step=$1 dir=$2
	shift 2
	paged_config "$@" >"$dir/wanted"
	own_kernel "$step" "$dir/wanted" "$dir"
}

# shellcheck shell=sh
# lab sample: the raw /proc/vmcore of a real machine, made once and kept.

# The stock kernel, 2 CPUs, 2 GiB: the first kernel loads itself and panics,
# the capture kernel copies what it finds.
sample_make() (
	step_need kernel
	[ -x "$BUILD/loong64/kexec/kexec" ] || die "sample: run \"$LAB/lab cross\" first"
	say "sample: a guest panics and its memory is copied, a minute or two"
	tree=$(mktemp -d)
	image=$1.img
	trap 'rm -rf "$tree" "$image"' EXIT
	trap 'exit 1' HUP INT TERM
	cp "$(lab_path vmlinuz)" "$tree/vmlinuz"
	lab_initramfs "$tree/initrd"
	cp "$LAB/../jobs/sample.job" "$tree/job"
	cp "$LAB/../jobs/sample.capture" "$tree/capture"
	lab_disk "$image" 3G "$tree"
	sh "$LAB/lab" boot --disk "$image" --log "$1.log" \
		--append "crashkernel=512M" --smp 2 --mem 2G --timeout 600
	rm -rf "$1.tmp"
	lab_fetch "$image" "$1.tmp" /vmcore
	mv "$1.tmp/vmcore" "$1"
	rmdir "$1.tmp"
)

lab_sample() {
	[ $# -eq 0 ] || die "sample: takes no arguments"
	sample=$CACHE/samples/stock-2g.vmcore
	mkdir -p "$CACHE/samples"
	exec 7>"$CACHE/samples/lock"
	flock 7
	[ -s "$sample" ] || sample_make "$sample" >&3
	exec 7>&-
	echo "$sample"
}

# shellcheck shell=sh
# lab sample: the raw /proc/vmcore of a real machine, made once and kept.

# sample_make JOB MEMORY DISK FILE: the stock kernel, 2 CPUs; the first kernel
# loads itself and panics, the capture kernel copies what it finds.
sample_make() (
	step_need kernel
	[ -x "$BUILD/loong64/kexec/kexec" ] || die "sample: run \"$LAB/lab cross\" first"
	say "sample: a guest of $2 panics and its memory is copied, a minute or more"
	tree=$(mktemp -d)
	image=$4.img
	trap 'rm -rf "$tree" "$image"' EXIT
	trap 'exit 1' HUP INT TERM
	cp "$(lab_path vmlinuz)" "$tree/vmlinuz"
	lab_initramfs "$tree/initrd"
	cp "$LAB/../jobs/$1.job" "$tree/job"
	cp "$LAB/../jobs/sample.capture" "$tree/capture"
	lab_disk "$image" "$3" "$tree"
	sh "$LAB/lab" boot --disk "$image" --log "$4.log" \
		--append "crashkernel=512M" --smp 2 --mem "$2" --timeout 900
	rm -rf "$4.tmp"
	lab_fetch "$image" "$4.tmp" /vmcore
	mv "$4.tmp/vmcore" "$4"
	rmdir "$4.tmp"
)

lab_sample() {
	[ $# -le 1 ] || die "sample: [2g|6g]"
	sample=$CACHE/samples/stock-${1-2g}.vmcore
	mkdir -p "$CACHE/samples"
	exec 7>"$CACHE/samples/lock"
	flock 7
	if [ ! -s "$sample" ]; then
		case ${1-2g} in
		2g) sample_make sample 2G 3G "$sample" ;;
		6g) sample_make sample-6g 6G 8G "$sample" ;;
		*) die "sample: 2g or 6g" ;;
		esac >&3
	fi
	exec 7>&-
	echo "$sample"
}

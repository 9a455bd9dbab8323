# shellcheck shell=sh
# lab boot: one guest, from power-on to power-off.

absolute() {
	case $1 in
	/*) echo "$1" ;;
	*) echo "$(pwd)/$1" ;;
	esac
}

boot_options() {
	disk='' log='' append='' initrd='' kernel='' live='' root='' snapshot=off
	reboots='' jumps=''
	smp=2 mem=2G timeout=300
	used=0
	while [ $# -gt 0 ]; do
		case $1 in
		--live) live=1 used=$((used + 1)); shift; continue ;;
		--snapshot) snapshot=on used=$((used + 1)); shift; continue ;;
		--reboots) reboots=1 used=$((used + 1)); shift; continue ;;
		--jumps) jumps=1 used=$((used + 1)); shift; continue ;;
		--) used=$((used + 1)); break ;;
		--disk | --log | --append | --smp | --mem | --initrd | --kernel | \
			--timeout | --root) ;;
		*) die "boot: what is $1? (lab --help)" ;;
		esac
		[ $# -ge 2 ] || die "boot: $1 wants a value"
		case $1 in
		--disk) disk=$(absolute "$2") ;;
		--root) root=$(absolute "$2") ;;
		--log) log=$(absolute "$2") ;;
		--append) append=$2 ;;
		--smp) smp=$2 ;;
		--mem) mem=$2 ;;
		--initrd) initrd=$(absolute "$2") ;;
		--kernel) kernel=$(absolute "$2") ;;
		--timeout) timeout=$2 ;;
		esac
		used=$((used + 2))
		shift 2
	done
	for file in "$disk" "$root"; do
		[ -z "$file" ] || [ -f "$file" ] || die "boot: no such disk: $file"
	done
}

# What boot_options left open, and the directories that must be seen in the
# chroot. $1: where an initramfs may be made.
boot_defaults() {
	kernel=${kernel:-$(lab_path vmlinuz)}
	if [ -z "$initrd" ]; then
		initrd=$1/initrd
		lab_initramfs "$initrd"
	fi
	for file in "$disk" "$root" "$initrd" "$kernel"; do
		[ -z "$file" ] || LAB_BIND=${LAB_BIND-}:$(dirname "$file")
	done
	export LAB_BIND
}

# with_qemu START QEMU_ARG...: START with QEMU's command line. panic=1: without
# a crash kernel a panic resets at once, and -no-reboot makes of that an end
# instead of a wait. A compressed EFI kernel boots only through the firmware.
#
# A reset never goes on in the same QEMU: the firmware takes what it finds in
# CSR.KS1 for the address of the UART, a CPU's reset does not clear that
# register, and Linux keeps scratch values in it, so that after most resets the
# firmware waits for ever for a UART that is not there (edk2 pull requests
# 12586, which began it, and 12988, which clears the register).
with_qemu() {
	start=$1
	shift
	# The first disk is /dev/vda.
	for file in "$disk" "$root"; do
		[ -n "$file" ] || continue
		set -- -drive "file=$file,format=raw,if=none,id=d$#,cache=unsafe,snapshot=$snapshot" \
			-device "virtio-blk-pci,drive=d$#" "$@"
	done
	line="console=ttyS0,115200 panic=1"
	[ -z "$root" ] || line="$line root=/dev/vda rw loongdump.root systemd.show_status=0"
	"$start" qemu-system-loongarch64 \
		-M virt -cpu max -m "$mem" -smp "$smp" -no-reboot \
		-accel tcg,thread=multi -display none -monitor none \
		-bios /usr/share/qemu-efi-loongarch64/QEMU_EFI.fd \
		-kernel "$kernel" -initrd "$initrd" \
		-append "$line${append:+ $append}" "$@"
}

boot_end() {
	if [ -n "$guest" ]; then
		# A QEMU that is stuck does not listen to less.
		kill -9 "$guest" 2>/dev/null || :
		wait "$guest" 2>/dev/null || :
	fi
	[ -z "$follower" ] || kill "$follower" 2>/dev/null || :
	rm -rf "$work"
}

# why LOG: the line of the log that tells most about a guest that did not
# power off.
why() {
	grep -a -m 1 -e 'Kernel panic' -e 'kernel BUG at' "$1" ||
		tail -n 1 "$1" | tr -d '\r'
}

# Should this shell be killed, the kernel kills QEMU. The path of a unix socket is
# short: from its directory.
boot_start() {
	(cd "$work" && exec ${jumps:+nice -n -10} setpriv --pdeathsig KILL sh "$LAB/enter" "$@" -serial stdio \
		-qmp unix:qmp,server=on,wait=off) \
		</dev/null >>"$log" 2>"$work/errors" &
	guest=$!
}

# Where the CPUs of a guest are that does not end: all the same all the time, and
# they spin or wait; no answer, and it is QEMU that hangs.
stuck() {
	for _ in 1 2 3; do
		timeout 10 /usr/bin/python3 "$LAB/qmp" "$work/qmp" hmp "info registers -a" 2>&1 |
			sed -n 's/^ *PC=\([0-9a-f]*\).*/\1/p' | tr '\n' ' ' | grep . || echo "no answer "
		sleep 1
	done | tr '\n' ';'
}

# The kernel that calls kexec -e does not wait until its other CPUs have left for the page
# that is kept, at 1 MiB: machine_shutdown() and machine_kexec() in
# arch/loongarch/kernel/machine_kexec.c. One whose thread the host lets wait goes on in what
# the next kernel was copied over, and both are lost. Such a CPU, of a text of info
# registers -a: its vectors are not those of CPU 0, and it is not in that page.
left_behind() {
	awk '/^CPU#/ { cpu = substr($1, 5) + 0 }
		sub(/^ *PC=/, "") { pc[cpu] = $1 }
		$2 == "EENTRY" { entry[cpu] = $3 }
		END {
			for (cpu in pc)
				if (entry[cpu] != entry[0] && pc[cpu] !~ /^9000000000100/)
					print "CPU " cpu " at " pc[cpu]
		}'
}

# Exit 4 where a guest that has said nothing for a minute is lost in that way.
jump_lost() {
	size=$(wc -c <"$log")
	if [ "$size" != "${heard_size-}" ]; then
		heard_size=$size heard=$(date +%s)
	elif [ $(($(date +%s) - heard)) -ge 60 ]; then
		heard=$(date +%s)
		lost=$(timeout 10 /usr/bin/python3 "$LAB/qmp" "$work/qmp" hmp "info registers -a" 2>/dev/null | left_behind)
		[ -z "$lost" ] || {
			say "boot: lost in kexec -e, whose kernel did not wait for another CPU: $lost. Last: $(why "$log")"
			exit 4
		}
	fi
}

# Until QEMU ends. Its console since then is behind the first $seen bytes of
# the log.
boot_wait() {
	while kill -0 "$guest" 2>/dev/null; do
		[ -z "$jumps" ] || jump_lost
		if [ $(($(date +%s) - began)) -ge "$timeout" ]; then
			die "boot: not off after $timeout s, stopped. CPUs at $(stuck) Last: $(why "$log")"
		fi
		sleep 0.2
	done
	status=0
	wait "$guest" || status=$?
	guest=
	[ "$status" -eq 0 ] ||
		die "boot: QEMU failed ($status): $(head -n 1 "$work/errors")"
}

# A reset ends QEMU just as a power-off does; the console tells which.
powered_off() {
	tail -c "+$((seen + 1))" "$log" |
		grep -a -q -e '^LOONGDUMP: power off' -e 'reboot: Power down'
}

# Not in a subshell: whoever kills lab kills this shell, and with it QEMU.
lab_boot() {
	boot_options "$@"
	shift "$used"
	[ -n "$log" ] || die "boot: --log FILE is needed"
	work=$(mktemp -d)
	guest='' follower=''
	trap boot_end EXIT
	trap 'exit 1' HUP INT TERM
	boot_defaults "$work"
	LAB_BIND=$LAB_BIND:$work
	[ -z "$reboots" ] || [ "$snapshot" = off ] ||
		die "boot: --reboots needs disks that keep what is written"
	: >"$log"
	seen=0
	began=$(date +%s)
	with_qemu boot_start "$@"
	if [ -n "$live" ]; then
		tail -n +1 -f --pid=$$ "$log" &
		follower=$!
	fi

	boot_wait
	while [ -n "$reboots" ] && ! powered_off; do
		seen=$(wc -c <"$log")
		with_qemu boot_start "$@"
		boot_wait
	done
	took=$(($(date +%s) - began))
	# Let the follower print the rest.
	[ -z "$follower" ] || sleep 1
	powered_off ||
		die "boot: reset after $took s without powering off. Last: $(why "$log")"
	say "boot: powered off after $took s"
}

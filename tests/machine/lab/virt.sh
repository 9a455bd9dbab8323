# shellcheck shell=sh
# lab virt: libvirt with QEMU guests, in a session of its own (session.sh).

virt_settings() {
	cat <<'S'
user = "root"
group = "root"
security_driver = "none"
cgroup_controllers = [ ]
namespaces = [ ]
remember_owner = 0
stdio_handler = "file"
S
}

# In the session, as its first process: reaps what libvirtd leaves.
virt_main() {
	cat <<'S'
cp "$1/qemu.conf" /etc/libvirt/qemu.conf
libvirtd >"$1/libvirtd.log" 2>&1 &
wait
S
}

virt_start() {
	owner=$PPID conf=
	while [ $# -gt 1 ]; do
		case $1 in
		--for) owner=$2 ;;
		--conf) conf=$2 ;;
		*) die "virt start: what is $1?" ;;
		esac
		shift 2
	done
	[ $# -eq 1 ] || die "virt start: [--for PID] [--conf LINES] DIR"
	mkdir -p "$1"
	virt=$(absolute "$1")
	step_need chroot
	{ virt_settings && printf '%s\n' "$conf"; } >"$virt/qemu.conf"
	LAB_SYSTEM=1 LAB_BIND=${LAB_BIND-}:$virt
	export LAB_SYSTEM LAB_BIND
	session_start "$virt" "$owner" sh -c "$(virt_main)" virt "$virt"
	tries=0
	until virt_virsh "$virt" uri >/dev/null 2>&1; do
		tries=$((tries + 1))
		if ! session_alive "$virt" || [ "$tries" -ge 100 ]; then
			tail -n 20 "$virt/libvirtd.log" >&3
			session_stop "$virt"
			die "virt: libvirtd does not answer"
		fi
		sleep 0.1
	done
}

virt_virsh() {
	dir=$1
	shift
	session_run "$dir" virsh -q -c qemu:///system "$@"
}

# xml TEXT: as it must stand in an attribute.
xml() {
	printf '%s' "$1" | sed "s/&/\&amp;/g; s/</\&lt;/g; s/\"/\&quot;/g; s/'/\&apos;/g"
}

virt_domain() {
	cat <<X
<domain type='qemu' xmlns:qemu='http://libvirt.org/schemas/domain/qemu/1.0'>
<name>$name</name>
<memory unit='MiB'>$mem</memory>
<vcpu>$smp</vcpu>
<os firmware='efi'>
  <type arch='loongarch64' machine='virt'>hvm</type>
  <kernel>$(xml "$kernel")</kernel>
  <initrd>$(xml "$initrd")</initrd>
  <cmdline>$(xml "console=ttyS0,115200 panic=1${append:+ $append}")</cmdline>
</os>
<features><acpi/>$features</features>
<cpu mode='maximum'>$cpu</cpu>
<on_reboot>destroy</on_reboot>
<on_crash>preserve</on_crash>
$extra
<devices>
  <emulator>/usr/bin/qemu-system-loongarch64</emulator>
  <serial type='file'><source path='$(xml "$log")'/></serial>
  <controller type='usb' model='none'/>
  <memballoon model='none'/>
  $devices
</devices>
<qemu:commandline>$qemu</qemu:commandline>
</domain>
X
}

virt_create() {
	[ $# -ge 2 ] || die "virt create: DIR NAME [OPTION VALUE]..."
	session_need "$1"
	virt=$(absolute "$1") name=$2
	shift 2
	disk='' append='' initrd='' kernel='' features='' extra='' devices='' qemu='' cpu=''
	smp=2 mem=1024 log=$virt/$name.log
	while [ $# -gt 0 ]; do
		[ $# -ge 2 ] || die "virt create: $1 wants a value"
		case $1 in
		--disk) disk=$(absolute "$2") ;;
		--log) log=$(absolute "$2") ;;
		--append) append=$2 ;;
		--smp) smp=$2 ;;
		--mem) mem=$(mebibytes "$2") ;;
		--initrd) initrd=$(absolute "$2") ;;
		--kernel) kernel=$(absolute "$2") ;;
		--features) features=$features$2 ;;
		--cpu) cpu=$cpu$2 ;;
		--devices) devices=$devices$2 ;;
		--xml) extra=$extra$2 ;;
		--qemu) qemu="$qemu<qemu:arg value='$(xml "$2")'/>" ;;
		*) die "virt create: what is $1? (lab --help)" ;;
		esac
		shift 2
	done
	kernel=${kernel:-$(lab_path vmlinuz)}
	if [ -z "$initrd" ]; then
		initrd=$virt/$name.initrd
		lab_initramfs "$initrd"
	fi
	[ -z "$disk" ] || devices="<disk type='file' device='disk'>
<driver name='qemu' type='raw' cache='unsafe'/><source file='$(xml "$disk")'/>
<target dev='vda' bus='virtio'/></disk>$devices"
	virt_domain >"$virt/$name.xml"
	virt_virsh "$virt" create "$virt/$name.xml" >&3
}

# mebibytes SIZE: 2G, 1024M or a plain number, which is MiB as QEMU takes it.
mebibytes() {
	case $1 in
	*G) echo $((${1%G} * 1024)) ;;
	*M) echo "${1%M}" ;;
	*) echo "$1" ;;
	esac
}

virt_running() { virt_virsh "$1" domstate "$2" 2>/dev/null | grep -q -v 'shut off'; }

virt_wait() {
	{ [ $# -ge 3 ] && [ $# -le 4 ]; } || die "virt wait: DIR NAME PATTERN [SECONDS]"
	session_need "$1"
	wait_for "$1/$2.log" "$3" "${4-120}" virt_running "$1" "$2"
}

lab_virt() {
	verb=${1-}
	[ $# -eq 0 ] || shift
	case $verb in
	start) virt_start "$@" ;;
	create) virt_create "$@" ;;
	wait) virt_wait "$@" ;;
	virsh) virt_virsh "$@" ;;
	stop) [ $# -eq 1 ] || die "virt stop: DIR"
		session_stop "$1" ;;
	*) die "virt: start, create, wait, virsh or stop (lab --help)" ;;
	esac
}

/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "kexec/start.h"

#include <errno.h>
#include <linux/reboot.h>
#include <net/if.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "kexec/arch.h"
#include "lib/file.h"

/* A card that goes on receiving writes into the next kernel's memory. Best
 * effort: a kernel without networking has nothing to take down. */
static void take_interfaces_down(void)
{
	int fd cleanup_close = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	struct if_nameindex *all = fd < 0 ? NULL : if_nameindex();
	struct if_nameindex *item;

	for (item = all; item && item->if_index; item++) {
		struct ifreq request = { 0 };

		memcpy(request.ifr_name, item->if_name, strnlen(item->if_name, IFNAMSIZ - 1));
		if (ioctl(fd, SIOCGIFFLAGS, &request) != 0 ||
		    request.ifr_flags & IFF_LOOPBACK || !(request.ifr_flags & IFF_UP))
			continue;
		request.ifr_flags &= ~IFF_UP;
		if (ioctl(fd, SIOCSIFFLAGS, &request) != 0)
			continue;
	}
	if (all)
		if_freenameindex(all);
}

struct error *start_now(bool sync_first, bool interfaces_down)
{
	/* Nothing but a loongarch64 build may get this far. */
	if (strcmp(arch_native(), "loongarch64") != 0)
		return error_new(ERROR_UNSUPPORTED, "this build of kexec runs on %s",
				 arch_native());
	if (interfaces_down)
		take_interfaces_down();
	if (sync_first)
		sync();
	syscall(SYS_reboot, LINUX_REBOOT_MAGIC1, LINUX_REBOOT_MAGIC2, LINUX_REBOOT_CMD_KEXEC,
		NULL);
	if (errno == EINVAL)
		return error_remedy(error_new(ERROR_RULE, "no kernel is loaded to start"),
				    "Load one first: kexec -l KERNEL.");
	return error_errno(errno, "starting the loaded kernel");
}

struct error *start_shutdown(void)
{
	execlp("shutdown", "shutdown", "-r", "now", (char *)NULL);
	return error_remedy(error_errno(errno, "running shutdown -r now"),
			    "The kernel stays loaded: kexec -e starts it without a shutdown.");
}

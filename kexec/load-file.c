/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "kexec/load-file.h"

#include <errno.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "kexec/arch.h"
#include "kexec/kernel-log.h"
#include "kexec/load.h"
#include "lib/file.h"

/* include/uapi/linux/kexec.h */
#define FILE_UNLOAD       1UL
#define FILE_ON_CRASH     2UL
#define FILE_NO_INITRAMFS 4UL
#define FILE_DEBUG        8UL
#define FILE_NO_CMA       0x10UL

#ifndef MFD_NOEXEC_SEAL
#define MFD_NOEXEC_SEAL 8U
#endif

static long kexec_file_load(int kernel_fd, int initrd_fd, const char *command_line,
			    unsigned long flags)
{
	/* Nothing but a loongarch64 build may get this far. */
	if (strcmp(arch_native(), "loongarch64") != 0) {
		errno = ENOSYS;
		return -1;
	}
	/* The length counts the final NUL. */
	return syscall(SYS_kexec_file_load, kernel_fd, initrd_fd,
		       command_line ? (unsigned long)strlen(command_line) + 1 : 0UL,
		       command_line, flags);
}

struct meaning {
	int errnum;
	const char *message, *remedy;
};

/* What kernel/kexec_file.c and arch/loongarch/kernel/kexec_*.c mean by it. */
static const struct meaning meanings[] = {
	{ ENOSYS, "the running kernel has no kexec_file_load (CONFIG_KEXEC_FILE is not set)",
	  "Leave -s out: kexec_load does not need it." },
	{ ENOEXEC, "the running kernel does not know this kind of image",
	  "Leave -s out: kexec_load does not need the kernel to know it." },
	{ EINVAL, "the running kernel refuses the image or the command line",
	  "The kernel log (dmesg) may say more; or leave -s out." },
	{ ENOTSUP, "the running kernel does not support this load",
	  "Leave -s out: kexec_load may do it." },
	{ EADDRNOTAVAIL, "the running kernel found no room for the kernel, its initrd and its "
	  "headers", "Use a smaller initrd, or for a crash kernel a larger crashkernel=; or "
	  "leave -s out." },
	{ EPERM, "the running kernel does not permit it",
	  "A security policy or lockdown may want a signed image; the kernel log (dmesg) may say "
	  "more." },
	{ EACCES, "a security policy of the running kernel (IMA, SELinux) refuses the files",
	  "The audit log says which; the policy has to allow them." },
	{ EKEYREJECTED, "the running kernel wants a signature and does not accept this image's",
	  "Use a kernel signed with a key the running kernel trusts." },
	{ ENODATA, "the running kernel wants a signature and the image has none",
	  "Use a kernel signed with a key the running kernel trusts." },
	{ ENOKEY, "the running kernel does not have the key the image is signed with",
	  "Enrol the key, or use a kernel signed with one the running kernel trusts." },
	{ EBADMSG, "the image's signature is damaged", "Copy or install the kernel again." },
	{ EBUSY, "another load is under way",
	  "Wait until the other kexec has ended, then try again." },
	{ ETXTBSY, "the kernel or the initrd is open for writing",
	  "Wait until it has been written." },
	{ EFBIG, "the kernel or the initrd is too large for the running kernel",
	  "Use smaller files." },
	{ ENOMEM, "the running kernel is out of memory", "Free some memory and try again." },
};

static struct error *explain(int errnum, bool crash)
{
	struct error *err = errnum == EPERM ? load_allowed(crash, true) : NULL;
	size_t i;

	if (err)
		return error_add(err, "kexec_file_load failed: %s", strerror(errnum));
	for (i = 0; i < sizeof(meanings) / sizeof(*meanings); i++)
		if (meanings[i].errnum == errnum)
			return error_remedy(error_errno(errnum, "%s", meanings[i].message), "%s",
					    meanings[i].remedy);
	return error_errno(errnum, "kexec_file_load failed");
}

bool load_file_may_fall_back(const struct error *err)
{
	return err->code == ERROR_SYSTEM &&
	       (err->sys_errno == ENOSYS || err->sys_errno == EINVAL ||
		err->sys_errno == ENOEXEC || err->sys_errno == ENOTSUP);
}

/* No temporary file: the bytes stay in memory and go with the descriptor. */
static struct error *make_memfd(const uint8_t *data, size_t size, int *ret)
{
	int fd cleanup_close = memfd_create("kernel", MFD_CLOEXEC | MFD_NOEXEC_SEAL);
	struct error *err;

	/* Before 6.3 there is no such flag. */
	if (fd < 0 && errno == EINVAL)
		fd = memfd_create("kernel", MFD_CLOEXEC);
	/* Not a failure of kexec_file_load: its errno means nothing to callers. */
	if (fd < 0)
		return error_new(ERROR_LIMIT, "making a file in memory for the unpacked kernel: %s",
				 strerror(errno));
	err = fd_write(fd, "the unpacked kernel in memory", data, size);
	if (err)
		return err;
	*ret = fd;
	fd = -1;
	return NULL;
}

struct error *load_file(const struct file_request *request, int kernel_fd, int initrd_fd)
{
	int memory cleanup_close = -1, log cleanup_close = -1;
	struct error *err = load_allowed(request->crash, true);
	unsigned long flags = (request->crash ? FILE_ON_CRASH : 0) |
			      (request->has_initrd ? 0 : FILE_NO_INITRAMFS) |
			      (request->debug ? FILE_DEBUG : 0) |
			      (request->no_cma ? FILE_NO_CMA : 0);

	if (!err && request->unpacked)
		err = make_memfd(request->kernel, request->kernel_size, &memory);
	if (err)
		return err;
	log = kernel_log_open();
	if (kexec_file_load(request->unpacked ? memory : kernel_fd, initrd_fd,
			    request->command_line, flags) != 0)
		return kernel_log_add(explain(errno, request->crash), log);
	return NULL;
}

struct error *load_file_unload(bool crash)
{
	if (kexec_file_load(-1, -1, NULL, FILE_UNLOAD | (crash ? FILE_ON_CRASH : 0)) != 0)
		return explain(errno, crash);
	return NULL;
}

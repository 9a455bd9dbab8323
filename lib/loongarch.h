/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The architecture's facts. Sources are named beside each; file names are of
 * the Linux kernel unless something else is said.
 */
#ifndef LIB_LOONGARCH_H
#define LIB_LOONGARCH_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* ELF e_machine (include/uapi/linux/elf-em.h). */
#define LOONGARCH_EM 258

/* PE/COFF machine (include/linux/pe.h, IMAGE_FILE_MACHINE_LOONGARCH64). */
#define LOONGARCH_PE_MACHINE 0x6264

/*
 * Direct-mapped windows (arch/loongarch/include/asm/addrspace.h): uncached at
 * 0x8000..., cached at 0x9000...; the low 48 bits are the physical address.
 * The kernel image itself runs in the cached window.
 */
#define LOONGARCH_WINDOW_UNCACHED 0x8000000000000000ULL
#define LOONGARCH_WINDOW_CACHED   0x9000000000000000ULL
#define LOONGARCH_PHYS_MASK       0x0000ffffffffffffULL

/* Link address of vmlinux (arch/loongarch/Makefile, load-y), as physical. */
#define LOONGARCH_LINK_PHYS 0x200000ULL

/*
 * Smallest alignment of a kernel's load address: SZ_2M in
 * arch/loongarch/include/asm/efi.h (efi_get_kimg_min_align) and CRASH_ALIGN
 * in arch/loongarch/include/asm/crash_reserve.h.
 */
#define LOONGARCH_LOAD_ALIGN 0x200000ULL

/* Memory below this belongs to firmware and to machine_kexec's own buffers
 * (arch/loongarch/kernel/mem.c memblock_init; machine_kexec.c). */
#define LOONGARCH_LOW_RESERVED_END 0x200000ULL

/* Largest page size of any configuration; segments and swapper_pg_dir are
 * aligned to it (arch/loongarch/kernel/vmlinux.lds.S). */
#define LOONGARCH_PAGE_SIZE_MAX 0x10000ULL

/* NT_PRSTATUS descriptor (arch/loongarch/include/asm/elf.h, ELF_NGREG 45;
 * include/linux/elfcore.h). Offsets and sizes in bytes. */
#define LOONGARCH_PRSTATUS_SIZE       480
#define LOONGARCH_PRSTATUS_PID_OFFSET 32
#define LOONGARCH_PRSTATUS_REG_OFFSET 112
#define LOONGARCH_REG_COUNT           45
#define LOONGARCH_REG_RA              1
#define LOONGARCH_REG_SP              3
#define LOONGARCH_REG_ORIG_A0         32
#define LOONGARCH_REG_ERA             33
#define LOONGARCH_REG_BADV            34
#define LOONGARCH_REG_CRMD            35
#define LOONGARCH_REG_PRMD            36
#define LOONGARCH_REG_EUEN            37
#define LOONGARCH_REG_ECFG            38
#define LOONGARCH_REG_ESTAT           39

/* 4, 16 or 64 KiB (arch/loongarch/Kconfig, PAGE_SIZE_*). */
bool loongarch_page_size_valid(uint64_t page_size);

/* Is this a direct-mapped virtual address? If so, its physical address. */
bool loongarch_window_to_phys(uint64_t virt, uint64_t *ret);

static inline uint64_t loongarch_phys_to_virt(uint64_t phys)
{
	return LOONGARCH_WINDOW_CACHED + phys;
}

#endif

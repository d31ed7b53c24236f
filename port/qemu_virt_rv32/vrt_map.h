/* vrt_map.h - what lies where on QEMU's riscv32 `virt` machine, and how this
 * board divides it.
 *
 *   0x20000000  flash bank 0, 32 MiB: the bootloader, read-only
 *   0x22000000  flash bank 1, 32 MiB: the device's flash
 *   0x42000000  the window: the slot that runs (Sv32, read and execute)
 *   0x80000000  RAM: the page that survives resets, 4 KiB
 *   0x80001000  ... the bootloader's, read-only for the application
 *   0x80010000  ... the application's, up to 1 MiB in all
 *   0x80200000  the emulator puts a description of the machine into the last
 *               2 MiB; nobody looks at it */
#ifndef VRT_MAP_H
#define VRT_MAP_H

#include <stdint.h>

#define VRT_FINISHER 0x00100000u
#define VRT_RTC 0x00101000u
#define VRT_CLINT 0x02000000u
#define VRT_MTIMECMP (VRT_CLINT + 0x4000u)
#define VRT_MTIME (VRT_CLINT + 0xbff8u)
#define VRT_UART 0x10000000u
#define VRT_VIRTIO 0x10001000u
#define VRT_VIRTIO_STEP 0x1000u
#define VRT_VIRTIO_CNT 8u
#define VRT_BANK_LEN 0x02000000u
#define VRT_BANK0 0x20000000u
#define VRT_BANK1 0x22000000u
#define VRT_WINDOW 0x42000000u
#define VRT_WINDOW_LEN 0x00400000u
#define VRT_RAM 0x80000000u
#define VRT_RAM_BOOT 0x80001000u
#define VRT_RAM_APP 0x80010000u
#define VRT_RAM_LEN 0x00100000u
#define VRT_RAM_FILE_LEN 0x00400000u /* what the machine is given */

#define VRT_TICKS_PER_MS 10000u /* of mtime */

/* Register r of a device at addr. */
static inline volatile uint32_t *vrt_reg(uint32_t addr)
{
    return (volatile uint32_t *)(uintptr_t)addr;
}

/* The upper half is read again: it may have changed in between. */
static inline uint64_t vrt_mtime(void)
{
    uint32_t hi, lo;
    do {
        hi = *vrt_reg(VRT_MTIME + 4);
        lo = *vrt_reg(VRT_MTIME);
    } while (hi != *vrt_reg(VRT_MTIME + 4));
    return (uint64_t)hi << 32 | lo;
}

#endif

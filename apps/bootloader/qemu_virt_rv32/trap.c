/* Traps while the application runs, and in the bootloader itself: a service,
 * the watchdog's alarm, or the end of this boot. */
#include <stdarg.h>
#include <stdio.h>

#include "console.h"
#include "port/sys.h"
#include "vrt_map.h"
#include "vrt_page.h"
#include "vrt_sys.h"

#define CAUSE_TIMER 0x80000007u
#define CAUSE_ECALL_S 9u
#define MIP_TIMER 0x80u

struct trap_regs { /* as start.S saves them */
    uint32_t ra, t[7], a[8];
};

void boot_trap(struct trap_regs *regs);

#define CSR_READ(name, out) __asm__ volatile("csrr %0, " name : "=r"(out))

/* The alarm wakes the CPU and is not taken: interrupts are off in here. */
static void sleep_until_alarm(uint32_t ticks)
{
    uint64_t at = vrt_mtime() + ticks;
    uint32_t pending = 0;
    *vrt_reg(VRT_MTIMECMP + 4) = UINT32_MAX;
    *vrt_reg(VRT_MTIMECMP) = (uint32_t)at;
    *vrt_reg(VRT_MTIMECMP + 4) = (uint32_t)(at >> 32);
    while (!(pending & MIP_TIMER)) {
        __asm__ volatile("wfi" ::: "memory");
        CSR_READ("mip", pending);
    }
    vrt_watchdog_feed();
}

static void service(struct trap_regs *regs)
{
    uint32_t pc;
    CSR_READ("mepc", pc);
    if (regs->a[7] == VRT_CALL_SLEEP)
        sleep_until_alarm(regs->a[0] < VRT_SLEEP_MAX_TICKS
                              ? regs->a[0]
                              : VRT_SLEEP_MAX_TICKS);
    __asm__ volatile("csrw mepc, %0" : : "r"(pc + 4));
}

static _Noreturn void give_up(uint32_t cause, const struct trap_regs *regs)
{
    struct vrt_page *page = (struct vrt_page *)(uintptr_t)VRT_RAM;
    uint32_t pc, value;
    CSR_READ("mepc", pc);
    CSR_READ("mtval", value);
    if (cause == CAUSE_TIMER) {
        page->next_reason = PORT_RESET_WDT;
        console_line(
            'E', "boot", "watchdog: not fed for %u ms, pc 0x%08x, ra 0x%08x",
            (unsigned)VRT_WATCHDOG_MS, (unsigned)pc, (unsigned)regs->ra);
    } else {
        page->next_reason = PORT_RESET_PANIC;
        console_line(
            'E', "boot", "panic: trap %u at 0x%08x (address 0x%08x, ra 0x%08x)",
            (unsigned)cause, (unsigned)pc, (unsigned)value, (unsigned)regs->ra);
    }
    vrt_reset();
}

void boot_trap(struct trap_regs *regs)
{
    uint32_t cause;
    CSR_READ("mcause", cause);
    if (cause != CAUSE_ECALL_S)
        give_up(cause, regs);
    service(regs);
}

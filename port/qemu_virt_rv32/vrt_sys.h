/* vrt_sys.h - time, sleep, reset, and the services of machine mode.
 *
 * The application runs in supervisor mode. What it needs from the bootloader's
 * trap handler it asks with an ecall: a sleep in which the host's CPU sleeps
 * too. Every sleep and every yield feeds the watchdog; the handler resets a
 * program that has not fed it for VRT_WATCHDOG_MS. */
#ifndef VRT_SYS_H
#define VRT_SYS_H

#include "port/lock.h"
#include "port/sys.h"
#include "port/task.h"
#include "vrt_page.h"

#define VRT_WATCHDOG_MS 10000u

/* a7 of an ecall; a0 is its argument. */
#define VRT_CALL_SLEEP 1u /* ticks of mtime, at most VRT_SLEEP_MAX_TICKS */
#define VRT_SLEEP_MAX_TICKS 10000000u

struct vrt_sys {
    struct port_sys port;
    struct vrt_page *page;
};

void vrt_sys_init(struct vrt_sys *sys, struct vrt_page *page);

uint64_t vrt_mono_ms(void);
/* Sets the watchdog's alarm anew. */
void vrt_watchdog_feed(void);
void vrt_sleep_ticks(uint32_t ticks);

/* Ends the machine so that the runner starts it again, or with a code of
 * VRT_EXIT_...; neither returns. */
_Noreturn void vrt_reset(void);
_Noreturn void vrt_exit(uint32_t code);

/* For a program with one thread. */
extern const struct port_lock vrt_lock;
extern const struct port_task vrt_task;

#endif

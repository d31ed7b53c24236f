/* compat.h - what the files of compat/ know of each other. */
#ifndef COMPAT_H
#define COMPAT_H

#include <pthread.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "esp_err.h"
#include "port/heap.h"
#include "port/sys.h"

/* Runs an application as main() does, on a task of its own: the status to end
 * with, when the device does not start. */
int compat_run(void (*app)(void));

/* The last task has ended, or there is one again; the same of alarms. When
 * neither is left, the board knows that nothing will happen any more. */
void compat_set_tasks(bool any);
void compat_set_alarms(bool any);

/* Monotonic milliseconds at which tick 0 was, and how long a tick is. */
uint64_t compat_start_ms(void);
uint32_t compat_tick_ms(void);

/* The name of the flash file, as the board was given it. */
const char *compat_flash_path(void);

/* A key in the fuses of the board. ESP_ERR_NOT_FOUND: there is none. */
esp_err_t compat_hmac_key(int id, uint8_t key[32]);

/* Keeps what RTC memory keeps and resets the device. */
void compat_reset(enum port_reset_reason reason) __attribute__((noreturn));

/* The same, and the next boot is so much later; UINT64_MAX: never. Nothing of
 * this one goes on meanwhile. */
void compat_deep_sleep(uint64_t us) __attribute__((noreturn));

/* Variables of RTC memory: taken from what the board keeps, given to it. */
void compat_retain_load(uint8_t *kept, size_t cap,
                        enum port_reset_reason reason);
void compat_retain_save(uint8_t *kept, size_t cap);

/* The library's heap, which notes when less is free than ever. */
extern const struct port_heap compat_heap;

/* Sets the watchdog of tasks going, as the options say. */
void compat_wdt_start(void);

/* Hundredths of the board's revision. */
uint16_t compat_chip_rev(void);

enum compat_netif_idx { COMPAT_NETIF_STA, COMPAT_NETIF_ETH };

/* The interface has the host's address from now on, and event (of IP_EVENT)
 * says so; or it has none any more. */
void compat_netif_up(enum compat_netif_idx idx, int32_t event);
void compat_netif_down(enum compat_netif_idx idx);

/* A mutex with a condition on the monotonic clock: what queues, semaphores and
 * event groups are made of. A task that is deleted while it waits gives the
 * mutex back. */
struct compat_gate {
    pthread_mutex_t mutex;
    pthread_cond_t changed;
};

void compat_gate_init(struct compat_gate *g);
void compat_gate_deinit(struct compat_gate *g);
void compat_gate_enter(struct compat_gate *g);
void compat_gate_leave(struct compat_gate *g);
/* Inside, after a change. */
void compat_gate_wake(struct compat_gate *g);

/* Inside: waits until ready(arg), for at most so many ticks. Returns
 * ready(arg). */
bool compat_gate_wait(struct compat_gate *g, bool (*ready)(const void *arg),
                      const void *arg, uint32_t ticks);

#endif

/* ports.h - contracts in front of others, whose n-th call fails.
 *
 * One count over all of them: `at` is the call that fails, in one of three
 * sweeps: allocations, reads of the flash, everything else. Between
 * ports_pause() and ports_resume() calls belong to somebody else (the server of
 * a test) and are neither counted nor failed. */
#ifndef TEST_FAIL_PORTS_H
#define TEST_FAIL_PORTS_H

#include "port/clock.h"
#include "port/net.h"
#include "port/rng.h"
#include "sim_flash.h"
#include "sim_heap.h"
#include "update/update.h"

enum fail_sweep { FAIL_ALLOCS, FAIL_READS, FAIL_CALLS };
/* How a call of the network fails. */
enum fail_net { FAIL_NET_BROKEN, FAIL_NET_TIMEOUT };

struct ports {
    enum fail_sweep sweep;
    enum fail_net how;
    uint32_t at;  /* 1: the first; 0: none */
    uint32_t cnt; /* calls of the sweep so far */
    bool fired;
    const char *what; /* the function that failed */
    unsigned paused;
    struct port_flash flash;
    struct port_net net;
    struct port_rng rng;
    struct port_clock clock;
    struct port_heap heap;
    struct upd_store store;
    /* what they stand in front of */
    struct sim_flash *to_flash;
    const struct port_net *to_net;
    const struct port_rng *to_rng;
    const struct port_clock *to_clock;
    const struct port_heap *to_heap;
    const struct upd_store *to_store;
    struct sim_sys *sys; /* time passes when a call times out */
};

/* There is one: connections and the library of TLS know no other. */
extern struct ports ports;

/* Fills in the contracts; the caller sets the to_... first. */
void ports_init(void);
/* From now on; nothing has failed yet. */
void ports_arm(enum fail_sweep sweep, enum fail_net how, uint32_t at);
void ports_pause(void);
void ports_resume(void);

#endif

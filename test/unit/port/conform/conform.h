/* conform.h - does a port keep the contracts of port/include/port?
 *
 * For whoever writes a port: hand over what there is, and every claim is said
 * with its verdict. It needs no C library beyond memcmp and memset, no thread
 * and no test runner, so that it runs on a chip. What a port must not be is in
 * test_conform.c: every claim there is broken once on purpose.
 *
 * Flash: two sectors at scratch_off are erased and programmed. Fuses: bits are
 * burnt for good; hand over emulated ones. Network: a peer that sends back what
 * it gets and closes when it gets a byte 0xff. */
#ifndef CONFORM_H
#define CONFORM_H

#include <stdint.h>

#include "port/clock.h"
#include "port/flash.h"
#include "port/fuse.h"
#include "port/heap.h"
#include "port/net.h"
#include "port/rng.h"
#include "port/sys.h"

struct conform {
    /* NULL: not asked about. sys is needed for net. */
    const struct port_flash *flash;
    uint32_t scratch_off;
    const struct port_fuse *fuse;
    const struct port_sys *sys;
    const struct port_clock *clock;
    const struct port_rng *rng;
    const struct port_heap *heap;
    const struct port_net *net;
    const char *echo_host;
    uint16_t echo_port;
    uint16_t closed_port; /* of the same host, where nobody listens */

    /* Told of each claim; ok: it holds. */
    void (*say)(void *ctx, const char *claim, int ok);
    void *ctx;
    unsigned passed, failed; /* zero at the start */
};

void conform_flash(struct conform *c);
void conform_fuse(struct conform *c);
void conform_sys(struct conform *c);
void conform_clock(struct conform *c);
void conform_rng(struct conform *c);
void conform_heap(struct conform *c);
void conform_net(struct conform *c);

/* All of them. Returns the number of claims that do not hold. */
unsigned conform_run(struct conform *c);

#endif

/* sim_net.h - connections that follow a script.
 *
 * Connection i of a test follows scripts[i]: each step is what the next
 * recv() meets. Bytes arrive in the pieces that the script cuts, or smaller
 * where the caller's buffer or max_recv is; whatever was sent is kept. After
 * the last step the peer has closed. Time passes on the sim_sys clock only. */
#ifndef SIM_NET_H
#define SIM_NET_H

#include "base/err.h"
#include "port/net.h"
#include "sim_sys.h"

enum sim_net_kind {
    SIM_NET_DATA,    /* `len` bytes at `data`; len 0: the string `data` */
    SIM_NET_DELAY,   /* the next step comes `ms` later */
    SIM_NET_SILENCE, /* nothing comes until this recv's deadline, once */
    SIM_NET_CLOSE,   /* end of stream, for ever */
    SIM_NET_RESET    /* broken, for ever, both ways */
};

struct sim_net_step {
    enum sim_net_kind kind;
    const void *data;
    size_t len;
    uint32_t ms;
};

/* A link that bytes need time for. They come in while nobody reads, too, until
 * the window is full. */
struct sim_net_link {
    uint32_t rate;       /* bytes in a second; 0: no limit */
    uint32_t window_len; /* that wait to be read, at the most */
    /* Bytes are handed out when all of such a block were read, as those of a
     * TLS record are; 0: as they come. */
    uint32_t block_len;
};

struct sim_net_script {
    const struct sim_net_step *steps;
    size_t step_cnt;
    esp_err_t open_err; /* open() fails so, with open_errno */
    int open_errno;
    size_t max_recv;          /* at most so many bytes per recv; 0: any */
    size_t max_send;          /* at most so many bytes per send; 0: any */
    size_t send_fail_at;      /* broken once so many bytes went out; 0: never */
    struct sim_net_link link; /* zero: bytes are there at once */
};

struct sim_net {
    struct port_net port;
    struct sim_sys *sys; /* borrowed */
    const struct sim_net_script *scripts;
    size_t script_cnt;
    uint32_t open_cnt;  /* calls of open(), failed ones included */
    uint32_t alive_cnt; /* connections not yet closed */
    char host[256];     /* of the last open() */
    uint16_t tcp_port;
    uint8_t *sent; /* all connections, one after the other */
    size_t sent_len;
};

/* scripts are borrowed. An open() past the last script is refused with
 * ECONNREFUSED. */
void sim_net_init(struct sim_net *net, struct sim_sys *sys,
                  const struct sim_net_script *scripts, size_t script_cnt);
void sim_net_deinit(struct sim_net *net);

#endif

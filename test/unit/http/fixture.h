/* A client on a network that follows a script. */
#ifndef TEST_HTTP_FIXTURE_H
#define TEST_HTTP_FIXTURE_H

#include "base/policy.h"
#include "http/client.h"
#include "sim_heap.h"
#include "sim_net.h"
#include "sim_rng.h"
#include "sim_sys.h"

#define CNT(rows) (sizeof(rows) / sizeof((rows)[0]))
#define DATA(text)                           \
    {                                        \
        .kind = SIM_NET_DATA, .data = (text) \
    }
#define SILENCE                 \
    {                           \
        .kind = SIM_NET_SILENCE \
    }
#define RESET                 \
    {                         \
        .kind = SIM_NET_RESET \
    }
#define DELAY(t)                         \
    {                                    \
        .kind = SIM_NET_DELAY, .ms = (t) \
    }

#define STEPS(...) ((const struct sim_net_step[]){ __VA_ARGS__ })
/* One connection; after its steps the peer closes. */
#define CONN(...)                                                            \
    {                                                                        \
        .steps = STEPS(__VA_ARGS__),                                         \
        .step_cnt = sizeof(STEPS(__VA_ARGS__)) / sizeof(struct sim_net_step) \
    }

#define CONNS_MAX 5

struct bench {
    struct sim_sys sys;
    struct sim_net net;
    struct sim_heap heap;
    struct sim_rng rng;
    struct policy policy;
    struct http_env env;
};

void bench_init(struct bench *b, const struct sim_net_script *scripts,
                size_t cnt);
/* Everything was given back. */
void bench_check_clean(struct bench *b);
const char *bench_sent(const struct bench *b);
/* How often `text` went out. */
unsigned bench_sent_cnt(const struct bench *b, const char *text);

/* Reads to the end or the first error, in pieces of `piece` bytes. */
esp_err_t read_all(struct http_client *c, size_t piece, char *out,
                   struct diag *d);

#endif

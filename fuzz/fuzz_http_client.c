/* The whole client against a server that says anything: it comes to an end,
 * asks no more than it may, tells no secret to another host, and gives
 * everything back. The first byte cuts the answers into pieces; each of the
 * four connections answers with the same bytes. */
#include <stdint.h>
#include <stdlib.h>

#include "http/client.h"
#include "sim_heap.h"
#include "sim_net.h"
#include "sim_rng.h"
#include "sim_sys.h"

static void must(int ok)
{
    if (!ok)
        abort();
}

struct world {
    struct sim_sys sys;
    struct sim_net net;
    struct sim_heap heap;
    struct sim_rng rng;
    struct policy policy;
    struct http_env env;
};

static void world_init(struct world *w, const struct sim_net_script *scripts,
                       size_t cnt)
{
    sim_sys_init(&w->sys);
    sim_heap_init(&w->heap);
    sim_rng_init(&w->rng, 1);
    sim_net_init(&w->net, &w->sys, scripts, cnt);
    w->policy = (struct policy){ .rollback = false };
    w->env = (struct http_env){ &w->net.port, &w->sys.port, &w->heap.port,
                                &w->policy, &w->rng.port };
}

static void run(struct world *w)
{
    struct http_opts opts = {
        .follow = true, .max_redirects = 3, .max_auth_retries = 2, .rx_len = 256
    };
    struct http_client *c = NULL;
    struct http_url home;
    uint8_t buf[64];
    size_t got = 1;
    size_t total = 0;

    must(http_open(&c, &w->env, &opts, "http://user:pass@h/f", NULL) == ESP_OK);
    must(http_set_header(c, "Cookie", "c00kie") == ESP_OK);
    for (int i = 0; i < 2; i++) {
        esp_err_t err = http_request(c, NULL);
        while (!err && got > 0) {
            err = http_read(c, buf, sizeof(buf), &got, NULL);
            total += got;
        }
        must(err || http_body_done(c));
        got = 1;
    }
    must(http_stats(c)->redirects <= 6 && http_stats(c)->requests <= 16);
    must(http_stats(c)->body_len >= total);
    /* Whoever is not h, port 80, has seen neither. */
    must(http_url_parse(span_str("http://h"), &home) == ESP_OK);
    if (!http_url_same_origin(http_url_now(c), &home))
        must(http_get_header(c, "Cookie") == NULL);
    http_close(c);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct world w;

    if (size < 2)
        return 0;
    const struct sim_net_step step = { .kind = SIM_NET_DATA,
                                       .data = data + 1,
                                       .len = size - 1 };
    struct sim_net_script scripts[4];
    for (size_t i = 0; i < 4; i++)
        scripts[i] = (struct sim_net_script){ .steps = &step,
                                              .step_cnt = 1,
                                              .max_recv = data[0] };
    world_init(&w, scripts, 4);
    run(&w);
    must(w.heap.cur_cnt == 0 && w.net.alive_cnt == 0);
    sim_net_deinit(&w.net);
    return 0;
}

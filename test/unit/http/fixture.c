#include "fixture.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

void bench_init(struct bench *b, const struct sim_net_script *scripts,
                size_t cnt)
{
    sim_sys_init(&b->sys);
    sim_heap_init(&b->heap);
    sim_rng_init(&b->rng, 1);
    sim_net_init(&b->net, &b->sys, scripts, cnt);
    b->policy = (struct policy){ .rollback = false };
    b->env = (struct http_env){ &b->net.port, &b->sys.port, &b->heap.port,
                                &b->policy, &b->rng.port };
}

void bench_check_clean(struct bench *b)
{
    assert_int_equal(b->heap.cur_cnt, 0);
    assert_int_equal(b->net.alive_cnt, 0);
    sim_net_deinit(&b->net);
}

const char *bench_sent(const struct bench *b)
{
    return b->net.sent ? (const char *)b->net.sent : "";
}

unsigned bench_sent_cnt(const struct bench *b, const char *text)
{
    const char *at = bench_sent(b);
    unsigned cnt = 0;

    for (at = strstr(at, text); at; at = strstr(at + 1, text))
        cnt++;
    return cnt;
}

esp_err_t read_all(struct http_client *c, size_t piece, char *out,
                   struct diag *d)
{
    size_t len = strlen(out);
    size_t got = 0;
    esp_err_t err;

    do {
        err = http_read(c, out + len, piece, &got, d);
        len += got;
        out[len] = '\0';
    } while (!err && got > 0);
    return err;
}

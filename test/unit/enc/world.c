#include "unit/enc/world.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#include "sim_clock.h"
#include "tls/tls.h"

static struct sim_clock clk;

void world_open(struct world *w)
{
    struct tls_env tls;

    sim_heap_init(&w->heap);
    sim_rng_init(&w->rng, 1);
    sim_clock_init(&clk, 0);
    tls = (struct tls_env){ &w->heap.port, &w->rng.port, &clk.port };
    assert_int_equal(tls_init(&tls), ESP_OK);
    w->env = (struct enc_env){ &w->heap.port, &w->rng.port };
}

void world_close(struct world *w)
{
    tls_deinit();
    assert_int_equal(w->heap.cur_len, 0);
}

uint8_t *world_file(const char *name, size_t *len)
{
    const char *source = getenv("PORTA_SOURCE");
    char path[1024];
    uint8_t *bytes = malloc(65536);
    FILE *f;

    assert_non_null(source);
    snprintf(path, sizeof(path), "%s/test/vectors/encrypted/%s", source, name);
    f = fopen(path, "rb");
    assert_non_null(f);
    *len = fread(bytes, 1, 65536, f);
    fclose(f);
    assert_true(*len > 0);
    return bytes;
}

struct enc_key *world_key(struct world *w, const char *file)
{
    size_t len;
    uint8_t *bytes = world_file(file, &len);
    struct enc_key *k;

    assert_int_equal(enc_key_open(&k, &w->env, span_of(bytes, len), file, NULL),
                     ESP_OK);
    free(bytes);
    return k;
}

uint8_t *world_seal(struct enc_key *k, const uint8_t *plain, size_t *len)
{
    uint8_t *out = malloc(*len + ENC_HEAD_LEN);

    assert_int_equal(enc_seal(k, span_of(plain, *len), out), ESP_OK);
    *len += ENC_HEAD_LEN;
    return out;
}

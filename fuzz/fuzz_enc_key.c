/* Keys for encrypted images, on any bytes. Asserted: a failure has a sentence,
 * a key has a public half which is a key, and nothing of the heap is left. */
#include <stdlib.h>
#include <string.h>

#include "enc/key.h"
#include "sim_heap.h"
#include "sim_rng.h"

static void must(bool ok)
{
    if (!ok)
        abort();
}

static void check(const struct enc_key *k, const struct enc_env *env)
{
    char pem[ENC_PUBLIC_PEM_LEN];
    struct enc_key *again;

    must(enc_key_scheme(k) != ENC_SCHEME_NONE);
    must(enc_key_public_pem(k, pem) == ESP_OK);
    must(enc_key_open(&again, env, span_str(pem), "again", NULL) == ESP_OK);
    must(!enc_key_is_private(again));
    must(enc_key_scheme(again) == enc_key_scheme(k));
    enc_key_close(again);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct sim_heap heap;
    struct sim_rng rng;
    const struct enc_env env = { &heap.port, &rng.port };
    struct diag d = DIAG_NONE;
    struct enc_key *k;

    sim_heap_init(&heap);
    sim_rng_init(&rng, 1);
    if (enc_key_open(&k, &env, span_of(data, size), "input", &d) == ESP_OK)
        check(k, &env);
    else
        must(k == NULL && d.text[0] != '\0');
    enc_key_close(k);
    must(heap.cur_len == 0);
    return 0;
}

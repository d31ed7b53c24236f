/* Certificate bundles: what parses can be searched and shown; and whatever
 * certificates are in a text, what is built of them parses. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "linux_clock.h"
#include "linux_heap.h"
#include "linux_rng.h"
#include "tls/bundle_build.h"
#include "tls/tls.h"

static void must(int ok)
{
    if (!ok)
        abort();
}

static void *writable(const void *ptr)
{
    void *out = NULL;

    memcpy(&out, &ptr, sizeof(out));
    return out;
}

static void check(const struct tls_bundle *b)
{
    char text[96];

    must(b->cnt > 0 && b->cnt <= b->bytes.len / 4);
    for (uint32_t i = 0; i < b->cnt; i++) {
        struct tls_anchor a = tls_bundle_at(b, i);
        uint32_t first = tls_bundle_find(b, a.name);

        must(a.name.ptr >= b->bytes.ptr && a.key.len > 0);
        must(a.key.ptr + a.key.len <= b->bytes.ptr + b->bytes.len);
        must(first <= i);
        must(tls_bundle_order(tls_bundle_at(b, first).name, a.name) == 0);
        tls_anchor_name(&a, text, sizeof(text));
        must(memchr(text, 0, sizeof(text)) != NULL);
        tls_anchor_key(&a, text, sizeof(text));
        must(memchr(text, 0, sizeof(text)) != NULL);
    }
}

static void build(struct span text)
{
    struct tls_bundle_build b = { .heap = &linux_heap };
    struct tls_bundle bundle;
    struct span out = { NULL, 0 };
    esp_err_t err = tls_bundle_add(&b, text, NULL);

    must(err == ESP_OK || b.taken_cnt == 0);
    err = tls_bundle_finish(&b, &out, NULL);
    must(err == (b.taken_cnt > 0 ? ESP_OK : ESP_ERR_NOT_FOUND));
    if (!err) {
        must(tls_bundle_parse(out, &bundle) == ESP_OK);
        must(bundle.cnt == b.taken_cnt);
        check(&bundle);
    }
    tls_bundle_build_free(&b);
    free(writable(out.ptr));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const struct tls_env env = { &linux_heap, &linux_rng, &linux_clock };
    static int ready;
    struct tls_bundle b;

    if (!ready)
        must(tls_init(&env) == ESP_OK);
    ready = 1;
    if (tls_bundle_parse(span_of(data, size), &b) == ESP_OK)
        check(&b);
    else
        must(b.cnt == 0);
    build(span_of(data, size));
    return 0;
}

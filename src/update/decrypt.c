#include "update/decrypt.h"

#include "crypto/ct.h"

_Static_assert(ENC_MARK_LEN == UPD_MARK_LEN, "a head is named by one mark");

static esp_err_t begin(void *ctx)
{
    struct upd_decrypt *d = ctx;

    enc_stream_open(&d->stream, d->key);
    return ESP_OK;
}

static esp_err_t feed(void *ctx, const void *data, size_t len,
                      const struct upd_stage_out *out)
{
    struct upd_decrypt *d = ctx;
    struct enc_out plain = { d->out, sizeof(d->out), 0 };
    struct span in = span_of(data, len);
    esp_err_t err = ESP_OK;

    while (!err && in.len > 0) {
        err = enc_stream_feed(&d->stream, &in, &plain);
        if (!err && plain.len > 0)
            err = out->feed(out->ctx, d->out, plain.len);
    }
    return err;
}

static void stop(void *ctx)
{
    struct upd_decrypt *d = ctx;

    enc_stream_close(&d->stream);
    ct_wipe(d->out, sizeof(d->out));
}

static esp_err_t finish(void *ctx, const struct upd_stage_out *out)
{
    struct upd_decrypt *d = ctx;
    esp_err_t err = enc_stream_finish(&d->stream);

    (void)out;
    if (!err)
        stop(d);
    return err;
}

static const char *why(void *ctx)
{
    const struct upd_decrypt *d = ctx;

    return d->stream.err ? d->stream.diag.text : NULL;
}

static bool body_len(void *ctx, uint64_t *len)
{
    const struct upd_decrypt *d = ctx;

    *len = d->stream.head.body_len;
    return d->stream.step != ENC_STEP_HEAD;
}

static void mark(void *ctx, uint8_t out[UPD_MARK_LEN])
{
    const struct upd_decrypt *d = ctx;

    memcpy(out, d->stream.mark, sizeof(d->stream.mark));
}

static esp_err_t replay(void *ctx, const void *data, size_t len)
{
    struct upd_decrypt *d = ctx;

    return enc_stream_replay(&d->stream, data, len);
}

void upd_decrypt_stage(struct upd_decrypt *d, const struct enc_key *key,
                       struct upd_stage *stage)
{
    static const struct upd_even even = { ENC_HEAD_LEN, body_len, mark,
                                          replay };

    *d = (struct upd_decrypt){ .key = key };
    *stage = (struct upd_stage){ .ctx = d,
                                 .begin = begin,
                                 .feed = feed,
                                 .finish = finish,
                                 .abort = stop,
                                 .why = why,
                                 .even = &even };
}

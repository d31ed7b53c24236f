/* Heads of encrypted files, on any bytes; fuzz_enc_stream has the rest, which
 * is slow. Asserted: what is taken for a head is written back as it was read,
 * but for the bytes that say nothing, and no shorter input is a head. */
#include <stdlib.h>
#include <string.h>

#include "enc/head.h"

static void must(bool ok)
{
    if (!ok)
        abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    uint8_t raw[ENC_HEAD_LEN];
    struct enc_head h, again;

    if (enc_head_parse(span_of(data, size), &h) != ESP_OK)
        return 0;
    must(size >= ENC_HEAD_LEN && h.body_len > 0);
    must(enc_is_encrypted(span_of(data, size)));
    must(enc_head_parse(span_of(data, ENC_HEAD_LEN), &again) == ESP_OK);
    must(memcmp(&h, &again, sizeof(h)) == 0);
    must(enc_head_parse(span_of(data, ENC_HEAD_LEN - 1), &again) != ESP_OK);
    enc_head_pack(&h, raw);
    must(enc_head_parse(span_of(raw, sizeof(raw)), &again) == ESP_OK);
    must(memcmp(&h, &again, sizeof(h)) == 0);
    must(enc_head_scheme(&h) == enc_head_scheme(&again));
    must(memcmp(raw, data, 424) == 0);
    return 0;
}

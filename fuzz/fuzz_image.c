/* The image verifier, on any bytes.
 *
 * The last two bytes of the input choose the rules and the split; the rest is
 * the file. Asserted: whole and in pieces give the same verdict and fault;
 * what is accepted, the naive verifier accepts; a receipt accepts only
 * together with ESP_OK. */
#include <stdlib.h>

#include "image/image.h"
#include "image/sig_list.h"
#include "image/text.h"
#include "unit/image/naive.h"

static void must(bool ok)
{
    if (!ok)
        abort();
}

static esp_err_t run(const struct img_rules *rules, const uint8_t *p,
                     size_t len, size_t step, struct img_check *c,
                     struct img_receipt *r)
{
    esp_err_t err = ESP_OK;

    img_check_open(c, rules);
    for (size_t at = 0; at < len; at += step) {
        uint32_t need = img_check_need(c);

        if (step > len - at)
            step = len - at;
        err = img_check_feed(c, p + at, step);
        if (!err && need > step)
            must(img_check_need(c) > 0);
    }
    esp_err_t end = img_check_finish(c, r);
    must(!err || err == end);
    must((end == ESP_OK) == (r->verdict == VERDICT_ACCEPT));
    must((end == ESP_OK) == (c->fault.kind == IMG_FAULT_NONE));
    return end;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct img_rules rules = { .any_chip = true };
    struct img_check whole, split;
    struct img_receipt whole_r, split_r;
    struct img_sig sigs[IMG_SIG_MAX];
    char text[320];

    if (size < 2)
        return 0;
    size -= 2;
    rules.kind = data[size] & 1 ? IMG_KIND_BOOTLOADER : IMG_KIND_APP;
    rules.place = (enum img_place)((data[size] >> 1) % 3);
    rules.require_hash = data[size] & 8;
    esp_err_t err = run(&rules, data, size, size ? size : 1, &whole, &whole_r);
    must(run(&rules, data, size, data[size + 1] % 64 + 1u, &split, &split_r) ==
         err);
    must(memcmp(&whole.fault, &split.fault, sizeof(whole.fault)) == 0);
    must(memcmp(whole_r.digest, split_r.digest, SHA256_LEN) == 0);
    must(whole_r.len == split_r.len);
    if (!err)
        must(naive_accepts(data, size, rules.kind, rules.place));
    (void)img_fault_text(&whole.fault, text, sizeof(text));
    (void)img_sig_list(span_of(data, size), whole.info.image_len, sigs);
    return 0;
}

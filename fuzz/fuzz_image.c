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

struct judged {
    struct img_check check;
    struct img_receipt receipt;
    esp_err_t err;
};

static void run(const struct img_rules *rules, struct span in, size_t step,
                struct judged *j)
{
    struct img_check *c = &j->check;
    esp_err_t err = ESP_OK;

    img_check_open(c, rules);
    for (size_t at = 0; at < in.len; at += step) {
        uint32_t need = img_check_need(c);

        if (step > in.len - at)
            step = in.len - at;
        err = img_check_feed(c, in.ptr + at, step);
        if (!err && need > step)
            must(img_check_need(c) > 0);
    }
    j->err = img_check_finish(c, &j->receipt);
    must(!err || err == j->err);
    must((j->err == ESP_OK) == (j->receipt.verdict == VERDICT_ACCEPT));
    must((j->err == ESP_OK) == (c->fault.kind == IMG_FAULT_NONE));
}

static void must_be_same(const struct judged *a, const struct judged *b)
{
    must(a->err == b->err);
    must(memcmp(&a->check.fault, &b->check.fault, sizeof(a->check.fault)) == 0);
    must(memcmp(a->receipt.digest, b->receipt.digest, SHA256_LEN) == 0);
    must(a->receipt.len == b->receipt.len);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct img_rules rules = { .any_chip = true };
    struct judged whole, split;
    struct img_sig_found sigs[IMG_SIG_MAX];
    char text[320];

    if (size < 2)
        return 0;
    struct span in = span_of(data, size - 2);
    data += in.len;
    rules.kind = data[0] & 1 ? IMG_KIND_BOOTLOADER : IMG_KIND_APP;
    rules.place = (enum img_place)((data[0] >> 1) % 3);
    rules.require_hash = data[0] & 8;
    run(&rules, in, in.len ? in.len : 1, &whole);
    run(&rules, in, data[1] % 64 + 1u, &split);
    must_be_same(&whole, &split);
    if (!whole.err)
        must(naive_accepts(in.ptr, in.len, rules.kind, rules.place));
    (void)img_fault_text(&whole.check.fault, text, sizeof(text));
    (void)img_sig_list(in, whole.check.info.image_len, sigs);
    return 0;
}

#include "sig_bench.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#include "fixture.h"
#include "image/text.h"
#include "signer.h"

uint8_t *bench_block(struct bench *b, unsigned idx)
{
    return b->file + b->sig_off + idx * IMG_SIG_V2_LEN;
}

void bench_sign(struct bench *b, unsigned idx, char key)
{
    if (key == '-')
        memset(bench_block(b, idx), 0xFF, IMG_SIG_V2_LEN);
    else
        signer_block(b->scheme, (unsigned)(key - '0'), b->file, b->sig_off,
                     bench_block(b, idx));
}

void bench_make(struct bench *b, enum img_scheme scheme, const struct row *row)
{
    b->scheme = scheme;
    b->image_len = (uint32_t)fix_pack(&fix_app, b->file);
    memset(b->file + b->image_len, 0xFF, FILE_LEN - b->image_len);
    signer_trust(scheme,
                 row->signers[3] ? (uint32_t)(row->signers[4] - '0') : 1,
                 &b->keys);
    b->sig_off = img_sig_off(scheme, b->image_len);
    b->len = b->sig_off + img_sig_len(scheme);
    if (scheme == IMG_SCHEME_V1) {
        signer_v1((unsigned)(row->signers[0] - '0'), b->file, b->image_len,
                  b->file + b->sig_off);
    } else {
        for (unsigned i = 0; i < 3; i++)
            bench_sign(b, i, row->signers[i]);
    }
    if (row->spoil)
        row->spoil(b);
}

static void judge(const struct bench *b, const struct row *row,
                  enum img_place place, size_t step)
{
    const struct img_rules rules = { .place = place,
                                     .keys = &b->keys,
                                     .cap_len = FILE_LEN };
    struct img_receipt r;
    struct img_check c;
    esp_err_t err = fix_check(&rules, b->file, b->len, step, &c, &r);
    int got = c.fault.kind == IMG_FAULT_NONE       ? GOOD
              : c.fault.kind == IMG_FAULT_SIG_GAP  ? GAP
              : c.fault.kind == IMG_FAULT_TRAILING ? TRAILING
                                                   : (int)c.fault.seg;
    bool good =
        row->want == GOOD || (row->want == TRAILING && place == IMG_PLACE_SLOT);
    char text[256];

    (void)img_fault_text(&c.fault, text, sizeof(text));
    if (got != (good ? GOOD : row->want) ||
        (got > 0 && c.fault.kind != IMG_FAULT_SIG))
        fail_msg("%s, %s, place %d: %s", row->claim, img_scheme_name(b->scheme),
                 (int)place, text);
    assert_true(strlen(text) > 10);
    assert_int_equal(err, good ? ESP_OK : ESP_ERR_IMAGE_INVALID);
    assert_int_equal(r.verdict, good ? VERDICT_ACCEPT : VERDICT_REJECT);
    if (good) {
        assert_int_equal(r.is_signed, VERDICT_ACCEPT);
        assert_int_equal(r.len, b->sig_off + img_sig_len(b->scheme));
        assert_int_equal(img_check_need(&c), 0);
    }
}

void bench_run(const struct row *row, enum img_scheme scheme)
{
    static const size_t steps[] = { 0, 1, 1216, 1000 };
    struct bench *b = malloc(sizeof(*b));

    assert_non_null(b);
    bench_make(b, scheme, row);
    for (size_t i = 0; i < sizeof(steps) / sizeof(steps[0]); i++) {
        judge(b, row, IMG_PLACE_SLOT, steps[i]);
        judge(b, row, IMG_PLACE_WIRE, steps[i]);
        judge(b, row, IMG_PLACE_FILE, steps[i]);
    }
    free(b);
}

/* --- ways to spoil it ----------------------------------------------------- */

void bench_padding_after_sector(struct bench *b)
{
    b->len += 100;
}

void bench_no_sector(struct bench *b)
{
    b->len = b->image_len;
}

void bench_byte_after_sector(struct bench *b)
{
    b->len++;
    b->file[b->len - 1] = 0;
}

void bench_image_changed(struct bench *b)
{
    b->file[100] ^= 1;
    fix_seal(b->file);
}

void bench_revoke_first(struct bench *b)
{
    b->keys.key[0].trust = VERDICT_REJECT;
}

void bench_need_two(struct bench *b)
{
    b->keys.need = 2;
}

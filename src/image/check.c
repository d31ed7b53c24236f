/* The verifier. It is a row of steps; each takes a known number of bytes and
 * then decides what comes next. The table says what happens to the bytes of a
 * step: kept until complete, hashed, folded into the checksum. So a chunk
 * boundary may fall anywhere, and the bulk, segment data, is touched by the
 * hash and by one XOR loop and copied by nobody.
 *
 * The checksum is the XOR of single bytes, so it does not matter where a word
 * starts: the loop XORs whatever words a chunk yields and folds at the end.
 *
 * Only img_check_finish() writes ACCEPT, and only in the one state that is
 * reached when everything was seen and nothing was found. */
#include "image/image.h"

#include <stddef.h>

#include "base/le.h"
#include "image/chip.h"
#include "image/check_parts.h"

#define CHECKSUM_SEED 0xEFu
#define REV_NO_LIMIT 0xFFFFu

/* The codes are the reference's (1.9): the chip checks have none of their
 * own. */
static esp_err_t fault_err(enum img_fault_kind kind)
{
    switch (kind) {
    case IMG_FAULT_NONE:
        return ESP_OK;
    case IMG_FAULT_FLASH:
        return ESP_ERR_IMAGE_FLASH_FAIL;
    case IMG_FAULT_CHIP:
    case IMG_FAULT_REV_LOW:
    case IMG_FAULT_REV_HIGH:
    case IMG_FAULT_DESC_MAGIC:
        return ESP_FAIL;
    default:
        return ESP_ERR_IMAGE_INVALID;
    }
}

void img_fail(struct img_check *c, enum img_fault_kind kind, uint32_t got,
              uint32_t want)
{
    if (c->fault.kind != IMG_FAULT_NONE)
        return;
    c->fault = (struct img_fault){ kind, c->seg_idx, got, want };
    c->step = IMG_STEP_BAD;
}

/* NULL: signatures are not asked for. */
static const struct img_keys *keys_of(const struct img_check *c)
{
    return CFG_REQUIRE_SIGNED ? c->rules.keys : NULL;
}

static void go(struct img_check *c, enum img_step step, uint32_t len)
{
    c->step = step;
    c->step_left = len;
    c->buf_len = 0;
}

/* What was found wrong about the signature. */
static void fail_sig(struct img_check *c)
{
    if (c->fault.kind != IMG_FAULT_NONE)
        return;
    img_fail(c, IMG_FAULT_SIG, c->sig.got, c->sig.want);
    c->fault.seg = (uint32_t)c->sig.why;
}

/* Bytes up to and with the checksum, for data that ends at end_off (1.5). */
static uint32_t padded_len(uint32_t end_off)
{
    return (end_off + 16u) & ~15u;
}

static uint32_t desc_len(const struct img_check *c)
{
    return c->rules.kind == IMG_KIND_APP ? IMG_APP_DESC_LEN : IMG_BOOT_DESC_LEN;
}

/* The rest of the segment headers and this much data are still to come; then
 * the signature, if one is asked for. */
static void learn_len(struct img_check *c, uint32_t off, uint32_t seg_left,
                      uint32_t data_len)
{
    uint32_t max = c->rules.cap_len;
    uint32_t len = padded_len(off + seg_left * IMG_SEG_HEADER_LEN + data_len);

    if (c->info.header.hash_appended)
        len += SHA256_LEN;
    c->least_len = len;
    if (keys_of(c))
        c->least_len = img_sig_off(keys_of(c)->scheme, len) +
                       img_sig_len(keys_of(c)->scheme);
    if (max == 0 || max > IMG_MAX_LEN)
        max = IMG_MAX_LEN;
    if (c->least_len > max)
        img_fail(c, IMG_FAULT_TOO_LARGE, c->least_len, max);
    else if (seg_left == 0)
        c->info.image_len = len;
}

void img_check_open(struct img_check *c, const struct img_rules *rules)
{
    memset(c, 0, sizeof(*c));
    c->rules = *rules;
    c->xor_word = CHECKSUM_SEED;
    sha256_init(&c->sha);
    if (keys_of(c))
        img_sig_open(&c->sig, rules->keys);
    go(c, IMG_STEP_HEADER, IMG_HEADER_LEN);
    if (!CFG_REQUIRE_SIGNED && rules->keys)
        img_fail(c, IMG_FAULT_SIG, 0, 0);
    c->least_len =
        padded_len(IMG_HEADER_LEN + IMG_SEG_HEADER_LEN +
                   (rules->kind == IMG_KIND_APP ? IMG_APP_DESC_LEN : 0));
}

size_t img_check_used(const struct img_check *c)
{
    if (!keys_of(c))
        return offsetof(struct img_check, buf) + c->buf_len;
    return offsetof(struct img_check, sig) +
           (c->step == IMG_STEP_SIG ? sizeof(c->sig)
                                    : offsetof(struct img_sig, block));
}

/* --- what each step decides when its bytes are complete ------------------- */

static void check_chip(struct img_check *c)
{
    const struct img_header *h = &c->info.header;
    const struct img_rules *r = &c->rules;
    bool has_max = h->max_rev != 0 && h->max_rev != REV_NO_LIMIT;

    if (!r->any_chip && h->chip_id != r->chip_id)
        img_fail(c, IMG_FAULT_CHIP, h->chip_id, r->chip_id);
    else if (r->check_rev && r->chip_rev < h->min_rev)
        img_fail(c, IMG_FAULT_REV_LOW, r->chip_rev, h->min_rev);
    else if (r->check_rev && r->kind == IMG_KIND_APP && has_max &&
             r->chip_rev > h->max_rev)
        img_fail(c, IMG_FAULT_REV_HIGH, r->chip_rev, h->max_rev);
}

static void header_done(struct img_check *c)
{
    struct img_header *h = &c->info.header;

    if (img_header_parse(span_of(c->buf, c->buf_len), h) != ESP_OK)
        img_fail(c, IMG_FAULT_MAGIC, h->magic, IMG_MAGIC);
    else
        check_chip(c);
    if (h->seg_cnt == 0 || h->seg_cnt > IMG_MAX_SEGMENTS)
        img_fail(c, IMG_FAULT_SEG_CNT, h->seg_cnt, IMG_MAX_SEGMENTS);
    if (h->hash_appended > 1)
        img_fail(c, IMG_FAULT_HASH_FLAG, h->hash_appended, 1);
    if (c->rules.require_hash && h->hash_appended == 0)
        img_fail(c, IMG_FAULT_HASH_ABSENT, 0, 1);
    if (keys_of(c) && c->sig.why != IMG_SIG_OK)
        fail_sig(c);
    if (c->step == IMG_STEP_BAD)
        return;
    learn_len(c, IMG_HEADER_LEN, h->seg_cnt,
              c->rules.kind == IMG_KIND_APP ? IMG_APP_DESC_LEN : 0);
    if (c->step != IMG_STEP_BAD)
        go(c, IMG_STEP_SEG_HEADER, IMG_SEG_HEADER_LEN);
}

/* Reference 1.4, with the offset in the file: partitions of applications are
 * aligned to 64 KiB. Bootloaders are not, and have no mapped segments. */
static void check_align(struct img_check *c)
{
    const struct img_segment *seg = &c->info.segs[c->seg_idx];
    const struct img_chip *chip = img_chip_find(c->info.header.chip_id);
    uint32_t page = img_chip_page_len(chip, c->info.desc.mmu_page_log2);

    if (c->rules.kind != IMG_KIND_APP ||
        !img_chip_is_mapped(chip, seg->load_addr))
        return;
    if (seg->off % page != seg->load_addr % page)
        img_fail(c, IMG_FAULT_SEG_ALIGN, seg->off % page,
                 seg->load_addr % page);
}

static void seg_header_done(struct img_check *c)
{
    struct img_segment *seg = &c->info.segs[c->seg_idx];
    uint32_t seg_left = c->info.header.seg_cnt - 1u - c->seg_idx;
    bool first = c->seg_idx == 0;

    seg->load_addr = le32_get(c->buf);
    seg->len = le32_get(c->buf + 4);
    seg->off = c->fed_len;
    if (seg->len % 4 != 0 || seg->len >= IMG_MAX_LEN)
        img_fail(c, IMG_FAULT_SEG_LEN, seg->len, IMG_MAX_LEN);
    else if (first && c->rules.kind == IMG_KIND_APP &&
             seg->len < IMG_APP_DESC_LEN)
        img_fail(c, IMG_FAULT_SEG_SHORT, seg->len, IMG_APP_DESC_LEN);
    else if (!first)
        check_align(c);
    if (c->step == IMG_STEP_BAD)
        return;
    learn_len(c, seg->off, seg_left, seg->len);
    if (c->step == IMG_STEP_BAD)
        return;
    if (first)
        go(c, IMG_STEP_DESC, seg->len < desc_len(c) ? seg->len : desc_len(c));
    else
        go(c, IMG_STEP_SEG_DATA, seg->len);
}

static void desc_done(struct img_check *c)
{
    const struct img_chip *chip = img_chip_find(c->info.header.chip_id);
    struct span bytes = span_of(c->buf, c->buf_len);
    uint32_t seen_len = c->buf_len;

    if (c->rules.kind == IMG_KIND_BOOTLOADER)
        img_boot_desc_parse(bytes, &c->info.boot_desc);
    else
        img_desc_parse(bytes, &c->info.desc);
    if (c->rules.kind == IMG_KIND_APP && !c->info.desc.present && chip &&
        chip->desc_required)
        img_fail(c, IMG_FAULT_DESC_MAGIC, le32_get(c->buf), IMG_APP_DESC_MAGIC);
    else
        check_align(c);
    if (c->step == IMG_STEP_BAD)
        return;
    c->head_ok = true;
    go(c, IMG_STEP_SEG_DATA, c->info.segs[0].len - seen_len);
}

static void seg_data_done(struct img_check *c)
{
    c->seg_idx++;
    if (c->seg_idx < c->info.header.seg_cnt)
        go(c, IMG_STEP_SEG_HEADER, IMG_SEG_HEADER_LEN);
    else
        go(c, IMG_STEP_PAD, padded_len(c->fed_len) - c->fed_len);
}

static uint8_t fold(uint32_t w)
{
    return (uint8_t)(w ^ w >> 8 ^ w >> 16 ^ w >> 24);
}

/* The image is over; where a signature is asked for, it follows. */
static void image_done(struct img_check *c)
{
    if (!keys_of(c))
        go(c, IMG_STEP_TAIL, 0);
    else
        go(c, IMG_STEP_GAP,
           img_sig_off(keys_of(c)->scheme, c->fed_len) - c->fed_len);
}

/* With a digest to come, a wrong checksum is told after it, so that whoever
 * describes the image knows about both. The hash goes on in the signature's
 * check: a signature covers the appended digest. */
static void pad_done(struct img_check *c)
{
    c->info.checksum = c->buf[c->buf_len - 1];
    c->info.checksum_ok = c->info.checksum == fold(c->xor_word);
    if (keys_of(c) && img_sig_is_sha256(keys_of(c)))
        img_sig_adopt(&c->sig, &c->sha);
    sha256_final(&c->sha, c->info.digest);
    if (c->info.header.hash_appended)
        go(c, IMG_STEP_HASH, SHA256_LEN);
    else if (!c->info.checksum_ok)
        img_fail(c, IMG_FAULT_CHECKSUM, fold(c->xor_word), c->info.checksum);
    else
        image_done(c);
}

static void hash_done(struct img_check *c)
{
    c->info.hash_ok = memcmp(c->buf, c->info.digest, SHA256_LEN) == 0;
    if (!c->info.checksum_ok)
        img_fail(c, IMG_FAULT_CHECKSUM, fold(c->xor_word), c->info.checksum);
    else if (!c->info.hash_ok)
        img_fail(c, IMG_FAULT_HASH, le32_get(c->info.digest), le32_get(c->buf));
    else
        image_done(c);
}

#if CFG_REQUIRE_SIGNED
static void gap_done(struct img_check *c)
{
    go(c, IMG_STEP_SIG, img_sig_len(keys_of(c)->scheme));
}

static void sig_done(struct img_check *c)
{
    if (img_sig_finish(&c->sig) == VERDICT_ACCEPT)
        go(c, IMG_STEP_TAIL, 0);
    else
        fail_sig(c);
}
#endif

/* --- the bytes ------------------------------------------------------------ */

static const struct {
    bool keep, hash, sum;
    void (*done)(struct img_check *c);
} steps[] = {
    [IMG_STEP_HEADER] = { true, true, false, header_done },
    [IMG_STEP_SEG_HEADER] = { true, true, false, seg_header_done },
    [IMG_STEP_DESC] = { true, true, true, desc_done },
    [IMG_STEP_SEG_DATA] = { false, true, true, seg_data_done },
    [IMG_STEP_PAD] = { true, true, false, pad_done },
    [IMG_STEP_HASH] = { true, false, false, hash_done },
#if CFG_REQUIRE_SIGNED
    [IMG_STEP_GAP] = { false, false, false, gap_done },
    [IMG_STEP_SIG] = { false, false, false, sig_done },
#endif
};

/* The signature's share: it covers all up to itself. SHA-256 is shared with
 * the image's own digest as long as both cover the same. */
static void eat_signed(struct img_check *c, const uint8_t *p, size_t len)
{
    bool shared = c->step <= IMG_STEP_PAD && img_sig_is_sha256(keys_of(c));

    for (size_t i = 0; c->step == IMG_STEP_GAP && i < len; i++)
        if (p[i] != 0xFF)
            img_fail(c, IMG_FAULT_SIG_GAP, c->fed_len + (uint32_t)i, p[i]);
    if (c->step == IMG_STEP_SIG && img_sig_feed(&c->sig, p, len))
        fail_sig(c);
    else if (c->step <= IMG_STEP_GAP && !shared)
        img_sig_hash(&c->sig, p, len);
}

/* How many of the bytes belonged to the step. */
static size_t eat(struct img_check *c, const uint8_t *p, size_t len)
{
    uint32_t n = len < c->step_left ? (uint32_t)len : c->step_left;

    if (steps[c->step].keep) {
        memcpy(c->buf + c->buf_len, p, n);
        c->buf_len += n;
    }
    if (steps[c->step].hash)
        sha256_update(&c->sha, p, n);
    if (steps[c->step].sum)
        c->xor_word ^= img_sum(p, n);
    if (keys_of(c))
        eat_signed(c, p, n);
    c->fed_len += n;
    c->step_left -= n;
    return n;
}

esp_err_t img_check_feed(struct img_check *c, const void *data, size_t len)
{
    const uint8_t *p = data;

    while (len > 0 && c->step < IMG_STEP_TAIL) {
        size_t n = eat(c, p, len);

        p += n;
        len -= n;
        while (c->step < IMG_STEP_TAIL && c->step_left == 0)
            steps[c->step].done(c);
    }
    if (len > 0 && c->step == IMG_STEP_TAIL)
        img_tail_feed(c, p, len);
    return fault_err(c->fault.kind);
}

uint32_t img_check_need(const struct img_check *c)
{
    return c->step == IMG_STEP_TAIL ? 0 : c->least_len - c->fed_len;
}

bool img_check_head_done(const struct img_check *c)
{
    return c->head_ok;
}

void img_receipt_none(struct img_receipt *out)
{
    memset(out, 0, sizeof(*out));
    out->verdict = VERDICT_REJECT;
    out->is_signed = VERDICT_REJECT;
}

esp_err_t img_check_finish(struct img_check *c, struct img_receipt *out)
{
    img_receipt_none(out);
#if CFG_REQUIRE_SIGNED
    if (c->step == IMG_STEP_GAP || c->step == IMG_STEP_SIG)
        sig_done(c);
#endif
    if (c->step < IMG_STEP_TAIL)
        img_fail(c, IMG_FAULT_TRUNCATED, c->fed_len,
                 c->step == IMG_STEP_HEADER ? 0 : c->least_len);
    else if (c->step == IMG_STEP_TAIL)
        img_tail_finish(c);
    if (keys_of(c))
        out->is_signed = img_sig_holds(&c->sig);
    if (keys_of(c) && out->is_signed != VERDICT_ACCEPT)
        fail_sig(c);
    if (c->step != IMG_STEP_TAIL || c->fault.kind != IMG_FAULT_NONE)
        return fault_err(c->fault.kind);
    out->len = c->least_len;
    memcpy(out->digest, c->info.digest, SHA256_LEN);
    out->secure_version = c->rules.kind == IMG_KIND_APP
                              ? c->info.desc.secure_version
                              : c->info.boot_desc.secure_version;
    out->verdict = VERDICT_ACCEPT;
    return ESP_OK;
}

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

#include "base/le.h"
#include "image/chip.h"

#define CHECKSUM_SEED 0xEFu
#define SIG_V2_MAGIC 0xE7u
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

static void fail(struct img_check *c, enum img_fault_kind kind, uint32_t got,
                 uint32_t want)
{
    if (c->fault.kind != IMG_FAULT_NONE)
        return;
    c->fault = (struct img_fault){ kind, c->seg_idx, got, want };
    c->step = IMG_STEP_BAD;
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
    fail(c, IMG_FAULT_SIG, c->sig.got, c->sig.want);
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
    if (c->rules.keys)
        c->least_len = img_sig_off(c->rules.keys->scheme, len) +
                       img_sig_len(c->rules.keys->scheme);
    if (max == 0 || max > IMG_MAX_LEN)
        max = IMG_MAX_LEN;
    if (c->least_len > max)
        fail(c, IMG_FAULT_TOO_LARGE, c->least_len, max);
    else if (seg_left == 0)
        c->info.image_len = len;
}

void img_check_open(struct img_check *c, const struct img_rules *rules)
{
    *c = (struct img_check){ .rules = *rules, .xor_word = CHECKSUM_SEED };
    sha256_init(&c->sha);
    if (rules->keys)
        img_sig_open(&c->sig, rules->keys);
    go(c, IMG_STEP_HEADER, IMG_HEADER_LEN);
    c->least_len =
        padded_len(IMG_HEADER_LEN + IMG_SEG_HEADER_LEN +
                   (rules->kind == IMG_KIND_APP ? IMG_APP_DESC_LEN : 0));
}

/* --- what each step decides when its bytes are complete ----------------- */

static void check_chip(struct img_check *c)
{
    const struct img_header *h = &c->info.header;
    const struct img_rules *r = &c->rules;
    bool has_max = h->max_rev != 0 && h->max_rev != REV_NO_LIMIT;

    if (!r->any_chip && h->chip_id != r->chip_id)
        fail(c, IMG_FAULT_CHIP, h->chip_id, r->chip_id);
    else if (r->check_rev && r->chip_rev < h->min_rev)
        fail(c, IMG_FAULT_REV_LOW, r->chip_rev, h->min_rev);
    else if (r->check_rev && r->kind == IMG_KIND_APP && has_max &&
             r->chip_rev > h->max_rev)
        fail(c, IMG_FAULT_REV_HIGH, r->chip_rev, h->max_rev);
}

static void header_done(struct img_check *c)
{
    struct img_header *h = &c->info.header;

    if (img_header_parse(span_of(c->buf, c->buf_len), h) != ESP_OK)
        fail(c, IMG_FAULT_MAGIC, h->magic, IMG_MAGIC);
    else
        check_chip(c);
    if (h->seg_cnt == 0 || h->seg_cnt > IMG_MAX_SEGMENTS)
        fail(c, IMG_FAULT_SEG_CNT, h->seg_cnt, IMG_MAX_SEGMENTS);
    if (h->hash_appended > 1)
        fail(c, IMG_FAULT_HASH_FLAG, h->hash_appended, 1);
    if (c->rules.require_hash && h->hash_appended == 0)
        fail(c, IMG_FAULT_HASH_ABSENT, 0, 1);
    if (c->rules.keys && c->sig.why != IMG_SIG_OK)
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
        fail(c, IMG_FAULT_SEG_ALIGN, seg->off % page, seg->load_addr % page);
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
        fail(c, IMG_FAULT_SEG_LEN, seg->len, IMG_MAX_LEN);
    else if (first && c->rules.kind == IMG_KIND_APP &&
             seg->len < IMG_APP_DESC_LEN)
        fail(c, IMG_FAULT_SEG_SHORT, seg->len, IMG_APP_DESC_LEN);
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
        fail(c, IMG_FAULT_DESC_MAGIC, le32_get(c->buf), IMG_APP_DESC_MAGIC);
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
    if (!c->rules.keys)
        go(c, IMG_STEP_TAIL, 0);
    else
        go(c, IMG_STEP_GAP,
           img_sig_off(c->rules.keys->scheme, c->fed_len) - c->fed_len);
}

/* With a digest to come, a wrong checksum is told after it, so that whoever
 * describes the image knows about both. The hash goes on in the signature's
 * check: a signature covers the appended digest. */
static void pad_done(struct img_check *c)
{
    c->info.checksum = c->buf[c->buf_len - 1];
    c->info.checksum_ok = c->info.checksum == fold(c->xor_word);
    if (c->rules.keys && img_sig_is_sha256(c->rules.keys))
        img_sig_adopt(&c->sig, &c->sha);
    sha256_final(&c->sha, c->info.digest);
    if (c->info.header.hash_appended)
        go(c, IMG_STEP_HASH, SHA256_LEN);
    else if (!c->info.checksum_ok)
        fail(c, IMG_FAULT_CHECKSUM, fold(c->xor_word), c->info.checksum);
    else
        image_done(c);
}

static void hash_done(struct img_check *c)
{
    c->info.hash_ok = memcmp(c->buf, c->info.digest, SHA256_LEN) == 0;
    if (!c->info.checksum_ok)
        fail(c, IMG_FAULT_CHECKSUM, fold(c->xor_word), c->info.checksum);
    else if (!c->info.hash_ok)
        fail(c, IMG_FAULT_HASH, le32_get(c->info.digest), le32_get(c->buf));
    else
        image_done(c);
}

static void gap_done(struct img_check *c)
{
    go(c, IMG_STEP_SIG, img_sig_len(c->rules.keys->scheme));
}

static void sig_done(struct img_check *c)
{
    if (img_sig_finish(&c->sig) == VERDICT_ACCEPT)
        go(c, IMG_STEP_TAIL, 0);
    else
        fail_sig(c);
}

/* --- the bytes ----------------------------------------------------------- */

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
    [IMG_STEP_GAP] = { false, false, false, gap_done },
    [IMG_STEP_SIG] = { false, false, false, sig_done },
};

static uint64_t word_at(const uint8_t *p)
{
    uint64_t w;

    memcpy(&w, p, sizeof(w));
    return w;
}

static uint32_t xor_bytes(const uint8_t *p, size_t len)
{
    uint64_t a = 0, b = 0;

    for (; len >= 64; p += 64, len -= 64) {
        a ^= word_at(p) ^ word_at(p + 8) ^ word_at(p + 16) ^ word_at(p + 24);
        b ^= word_at(p + 32) ^ word_at(p + 40) ^ word_at(p + 48) ^
             word_at(p + 56);
    }
    a ^= b;
    for (; len > 0; p++, len--)
        a ^= *p;
    return (uint32_t)(a ^ a >> 32);
}

/* The signature's share: it covers all up to itself. SHA-256 is shared with
 * the image's own digest as long as both cover the same. */
static void eat_signed(struct img_check *c, const uint8_t *p, size_t len)
{
    bool shared = c->step <= IMG_STEP_PAD && img_sig_is_sha256(c->rules.keys);

    for (size_t i = 0; c->step == IMG_STEP_GAP && i < len; i++)
        if (p[i] != 0xFF)
            fail(c, IMG_FAULT_SIG_GAP, c->fed_len + (uint32_t)i, p[i]);
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
        c->xor_word ^= xor_bytes(p, n);
    if (c->rules.keys)
        eat_signed(c, p, n);
    c->fed_len += n;
    c->step_left -= n;
    return n;
}

/* Signature blocks are recognised by their first bytes (reference 5.2, 5.3). A
 * V1 block directly follows the image and starts with a zero word; a V2 sector
 * starts at the next multiple of 4096 with 0xE7 and its version. */
static enum img_tail tail_start(const struct img_check *c, uint8_t byte)
{
    uint32_t sector_off = (0u - c->info.image_len) % IMG_SIG_SECTOR_LEN;

    if (byte == 0xFF)
        return IMG_TAIL_PADDING;
    if (c->rules.keys)
        return IMG_TAIL_UNKNOWN;
    if (c->tail_len == sector_off && byte == SIG_V2_MAGIC)
        return IMG_TAIL_SIG_V2;
    if (c->tail_len == 0 && byte == 0)
        return IMG_TAIL_SIG_V1;
    return IMG_TAIL_UNKNOWN;
}

static bool tail_goes_on(const struct img_check *c, uint8_t byte)
{
    switch (c->tail) {
    case IMG_TAIL_SIG_V1:
        if (c->sig_len < 4)
            return byte == 0;
        return c->sig_len < IMG_SIG_V1_LEN || byte == 0xFF;
    case IMG_TAIL_SIG_V2:
        if (c->sig_len == 1)
            return byte == 2 || byte == 3;
        return c->sig_len < IMG_SIG_SECTOR_LEN || byte == 0xFF;
    default:
        return false;
    }
}

static void tail_byte(struct img_check *c, uint8_t byte)
{
    if (c->tail == IMG_TAIL_PADDING)
        c->tail = tail_start(c, byte);
    else if (!tail_goes_on(c, byte))
        c->tail = IMG_TAIL_UNKNOWN;
    if (c->tail == IMG_TAIL_SIG_V1 || c->tail == IMG_TAIL_SIG_V2)
        c->sig_len++;
    c->tail_len++;
}

/* Whether it is all explained is said at the end, with the full number. */
static void feed_tail(struct img_check *c, const uint8_t *p, size_t len)
{
    uint32_t room = UINT32_MAX - c->fed_len;
    uint32_t cap = c->rules.cap_len;

    if (c->rules.place == IMG_PLACE_SLOT)
        return;
    if (cap > 0 && cap - c->fed_len < room)
        room = cap - c->fed_len;
    if (len > room) {
        fail(c, IMG_FAULT_TOO_LARGE, c->fed_len + room + (cap > 0), cap);
        return;
    }
    for (size_t i = 0; i < len; i++)
        tail_byte(c, p[i]);
    c->fed_len += (uint32_t)len;
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
        feed_tail(c, p, len);
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

static void check_tail(struct img_check *c)
{
    if (c->tail == IMG_TAIL_SIG_V2 && c->sig_len < IMG_SIG_SECTOR_LEN)
        fail(c, IMG_FAULT_TRUNCATED, c->fed_len,
             c->fed_len - c->sig_len + IMG_SIG_SECTOR_LEN);
    else if (c->tail == IMG_TAIL_UNKNOWN ||
             (c->tail == IMG_TAIL_SIG_V1 && c->sig_len < IMG_SIG_V1_LEN))
        fail(c, IMG_FAULT_TRAILING, c->tail_len, 0);
}

esp_err_t img_check_finish(struct img_check *c, struct img_receipt *out)
{
    static const struct img_receipt none = IMG_RECEIPT_NONE;

    *out = none;
    if (c->step == IMG_STEP_GAP || c->step == IMG_STEP_SIG)
        sig_done(c);
    else if (c->step < IMG_STEP_TAIL)
        fail(c, IMG_FAULT_TRUNCATED, c->fed_len,
             c->step == IMG_STEP_HEADER ? 0 : c->least_len);
    else if (c->step == IMG_STEP_TAIL)
        check_tail(c);
    if (c->rules.keys)
        out->is_signed = img_sig_holds(&c->sig);
    if (c->rules.keys && out->is_signed != VERDICT_ACCEPT)
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

/* emul.c - fuses in flash.
 *
 * Each of the two sectors holds the raw dump that the reference reads at
 * offset 0, and a commit: magic, CRC-32, its complement. A commit is programmed
 * after the dump was read back. Bits that a half-done erase raised never make
 * one valid, because CRC and complement would have to change both ways.
 *
 * Invariant: no sector is erased unless the other one holds a sound copy of
 * all that is burnt, or both are as the factory, or the reference, left them.
 * So without a sound copy the first sector was not touched since.
 *
 * Order of a change: sector 0, then sector 1; the other way round when sector
 * 0 is the only good one. Which one is believed follows from that:
 *
 *   sector 0   sector 1     believed
 *   sound      sound        the one with more bits burnt, sector 1 if equal;
 *                           the bits of both count
 *   sound      anything     sector 0
 *   anything   sound        sector 1
 *   raw        not sound    sector 0: written by the reference
 *   blank      not sound    nothing is burnt: a new device
 *   damaged    not sound    neither; whoever asks is to refuse */
#include "fuse/fuse.h"

#include <string.h>

#include "base/bytes.h"
#include "base/crc32.h"
#include "base/le.h"
#include "crypto/ct.h"

#define MAGIC 0x31554650u /* "PFU1" */
#define UNIT_LEN 16u      /* the largest program unit that flash may have */

/* --- bytes ---------------------------------------------------------------- */

uint32_t fuse_dump_len(const struct fuse_field *field)
{
    return 4u * field->blk_cnt * field->blk_words;
}

static uint32_t word_off(const struct fuse_field *field)
{
    return 4u * ((uint32_t)field->block * field->blk_words + field->bit / 32u);
}

uint32_t fuse_dump_get(const struct fuse_field *field, const uint8_t *dump)
{
    return le32_get(dump + word_off(field)) >> field->bit % 32u;
}

void fuse_dump_burn(const struct fuse_field *field, uint8_t *dump,
                    uint32_t mask)
{
    uint8_t *word = dump + word_off(field);

    le32_put(word, le32_get(word) | mask << field->bit % 32u);
}

void fuse_commit_pack(struct span dump, uint8_t out[FUSE_COMMIT_LEN])
{
    uint32_t crc = crc32_le(0, dump.ptr, dump.len);

    le32_put(out, MAGIC);
    le32_put(out + 4, crc);
    le32_put(out + 8, ~crc);
    le32_put(out + 12, 0);
}

enum fuse_copy fuse_copy_judge(struct span dump,
                               const uint8_t commit[FUSE_COMMIT_LEN])
{
    uint8_t want[FUSE_COMMIT_LEN];

    fuse_commit_pack(dump, want);
    if (memcmp(commit, want, sizeof(want)) == 0)
        return FUSE_COPY_SOUND;
    if (!bytes_are(commit, FUSE_COMMIT_LEN, 0xFF))
        return FUSE_COPY_DAMAGED;
    return bytes_are(dump.ptr, dump.len, 0xFF) ? FUSE_COPY_BLANK
                                               : FUSE_COPY_RAW;
}

/* --- the decision --------------------------------------------------------- */

esp_err_t fuse_state_decide(const struct fuse_state *s, uint32_t *src,
                            uint32_t *bits)
{
    bool sound[2] = { s->kind[0] == FUSE_COPY_SOUND,
                      s->kind[1] == FUSE_COPY_SOUND };

    *src = sound[1] && (!sound[0] || fuse_version(s->bits[0], 32) <=
                                         fuse_version(s->bits[1], 32));
    *bits = s->bits[*src];
    if (sound[0] && sound[1])
        *bits = s->bits[0] | s->bits[1];
    return !sound[1] && s->kind[0] == FUSE_COPY_DAMAGED ? ESP_ERR_INVALID_CRC
                                                        : ESP_OK;
}

/* --- flash ---------------------------------------------------------------- */

struct copy {
    uint8_t dump[FUSE_DUMP_MAX];
    uint8_t commit[FUSE_COMMIT_LEN];
};

static struct span dump_span(const struct fuse_emul *e, const struct copy *c)
{
    return span_of(c->dump, fuse_dump_len(e->field));
}

static esp_err_t load(const struct fuse_emul *e, uint32_t sector,
                      struct copy *c)
{
    const struct port_flash *flash = e->flash;
    uint32_t off = e->off + sector * FUSE_SECTOR_LEN;
    esp_err_t err = flash->read(flash->ctx, off, c->dump, sizeof(c->dump));

    if (!err)
        err = flash->read(flash->ctx, off + FUSE_COMMIT_OFF, c->commit,
                          sizeof(c->commit));
    return err;
}

static bool has_two(const struct fuse_emul *e)
{
    return e->len >= FUSE_EMUL_LEN;
}

static esp_err_t look(const struct fuse_emul *e, struct fuse_state *s)
{
    memset(s, 0, sizeof(*s)); /* blank */
    for (uint32_t i = 0; i < 1u + has_two(e); i++) {
        struct copy c;
        esp_err_t err = load(e, i, &c);

        if (err)
            return err;
        s->kind[i] = fuse_copy_judge(dump_span(e, &c), c.commit);
        s->crc[i] = le32_get(c.commit + 4);
        if (s->kind[i] != FUSE_COPY_BLANK)
            s->bits[i] = fuse_dump_get(e->field, c.dump);
    }
    return ESP_OK;
}

static esp_err_t put(const struct fuse_emul *e, uint32_t off, const uint8_t *p,
                     size_t len)
{
    const struct port_flash *flash = e->flash;
    uint8_t got[UNIT_LEN];
    esp_err_t err = flash->prog(flash->ctx, off, p, len);

    for (size_t i = 0; !err && i < len; i += UNIT_LEN) {
        err = flash->read(flash->ctx, off + (uint32_t)i, got, UNIT_LEN);
        if (!err && memcmp(got, p + i, UNIT_LEN) != 0)
            err = ESP_ERR_FLASH_OP_FAIL;
    }
    return err;
}

static esp_err_t store(const struct fuse_emul *e, uint32_t sector,
                       const struct copy *c)
{
    uint32_t off = e->off + sector * FUSE_SECTOR_LEN;
    esp_err_t err = e->flash->erase(e->flash->ctx, off);

    if (!err)
        err = put(e, off, c->dump, sizeof(c->dump));
    return err ? err
               : put(e, off + FUSE_COMMIT_OFF, c->commit, FUSE_COMMIT_LEN);
}

/* The believed copy with more bits burnt, into the other sector first. */
static esp_err_t rewrite(const struct fuse_emul *e, const struct fuse_state *s,
                         uint32_t src, uint32_t bits)
{
    uint32_t len = fuse_dump_len(e->field);
    struct copy c;
    esp_err_t err = load(e, src, &c);

    if (err)
        return err;
    if (s->kind[src] == FUSE_COPY_BLANK)
        memset(c.dump, 0, len);
    memset(c.dump + len, 0xFF, sizeof(c.dump) - len);
    fuse_dump_burn(e->field, c.dump, bits);
    fuse_commit_pack(dump_span(e, &c), c.commit);
    err = store(e, 1 - src, &c);
    return err ? err : store(e, src, &c);
}

/* --- the port ------------------------------------------------------------- */

/* cnt: 1 to 32. */
static uint32_t ones(uint32_t cnt)
{
    return UINT32_MAX >> ((32 - cnt) & 31);
}

static esp_err_t see(const struct fuse_emul *e, struct fuse_state *s,
                     uint32_t *src, uint32_t *bits)
{
    esp_err_t err = look(e, s);

    if (!err)
        err = fuse_state_decide(s, src, bits);
    if (!err)
        *bits &= ones(e->field->bit_cnt);
    return err;
}

/* All ones if the two are the same, else 0. */
static uint32_t same(const uint8_t *a, const uint8_t *b, size_t len)
{
    return ct_flag(ct_diff(a, b, len)) - 1;
}

static uint32_t burnt(const struct fuse_field *field, const struct copy *c)
{
    uint32_t first = 32u * field->block * field->blk_words + field->bit;
    uint32_t drop = (32u - field->bit_cnt) & 31;

    return le32_get(c->dump + first / 32 * 4) >> first % 32 << drop >> drop;
}

/* What see() says, found in another way, by numbers alone: one wrong branch or
 * instruction does not make both of them say too little. Sector 1 comes first,
 * because only without it sector 0 may be raw. Where see() fails this one may
 * say anything. */
static esp_err_t see_again(const struct fuse_emul *e, uint32_t *bits)
{
    uint8_t want[FUSE_COMMIT_LEN];
    struct copy c;
    uint32_t sound = 0;

    *bits = 0;
    for (uint32_t i = has_two(e) + 1u; i-- > 0;) {
        uint32_t is_sound, is_raw;
        esp_err_t err = load(e, i, &c);

        if (err)
            return err;
        fuse_commit_pack(dump_span(e, &c), want);
        is_sound = same(c.commit, want, sizeof(want));
        memset(want, 0xFF, sizeof(want));
        is_raw = same(c.commit, want, sizeof(want)) & ~sound & (i - 1) &
                 ~same(c.dump, c.dump + 1, dump_span(e, &c).len - 1);
        sound |= is_sound;
        *bits |= burnt(e->field, &c) & (is_sound | is_raw);
    }
    return ESP_OK;
}

static esp_err_t emul_read(void *ctx, uint32_t *bits)
{
    struct fuse_state s;
    uint32_t src, again;
    esp_err_t err;

    *bits = UINT32_MAX;
    err = see(ctx, &s, &src, bits);
    if (!err)
        err = see_again(ctx, &again);
    if (!err)
        *bits |= again;
    return err;
}

/* Is there nothing to repair? */
static bool is_settled(const struct fuse_state *s)
{
    return s->kind[0] == s->kind[1] &&
           (s->kind[0] == FUSE_COPY_BLANK ||
            (s->kind[0] == FUSE_COPY_SOUND && s->crc[0] == s->crc[1]));
}

static esp_err_t emul_burn(void *ctx, uint32_t mask)
{
    const struct fuse_emul *e = ctx;
    struct fuse_state s;
    uint32_t src, bits, want;
    esp_err_t err = see(e, &s, &src, &bits);

    if (err)
        return err;
    want = bits | (mask & ones(e->port.bit_cnt));
    if (want == bits && (is_settled(&s) || !has_two(e)))
        return ESP_OK;
    return has_two(e) ? rewrite(e, &s, src, want) : ESP_ERR_INVALID_SIZE;
}

esp_err_t fuse_emul_open(struct fuse_emul *e, const struct fuse_place *place,
                         const struct fuse_field *field)
{
    const struct port_flash *flash = place->flash;

    *e = (struct fuse_emul){ .port = { e, 0, emul_read, emul_burn } };
    if (!field || flash->erase_len != FUSE_SECTOR_LEN || flash->prog_len == 0 ||
        UNIT_LEN % flash->prog_len != 0)
        return ESP_ERR_NOT_SUPPORTED;
    if (place->len < FUSE_SECTOR_LEN)
        return ESP_ERR_INVALID_SIZE;
    if (place->bit_cnt > field->bit_cnt)
        return ESP_ERR_INVALID_ARG;
    e->flash = flash;
    e->off = place->off;
    e->len = place->len;
    e->field = field;
    e->port.bit_cnt = place->bit_cnt ? place->bit_cnt : field->bit_cnt;
    return ESP_OK;
}

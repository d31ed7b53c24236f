/* Packing, first half: which segments the image will have.
 *
 * A mapped segment must lie in the file where its address lies in its MMU
 * page. The gap before it is filled with a piece of a segment that is copied
 * to RAM anyway (it may be split at will), else with zeros at address 0. */
#include "image/build.h"

#include <assert.h>

#include "base/le.h"
#include "image/chip.h"

/* The ESP32 boot ROM reads this far past the end of a mapped segment's last
 * page (reference 1.4). */
#define ESP32_PAGE_TAIL 0x24u

struct planner {
    const struct img_build *in;
    const struct img_chip *chip;
    struct img_layout *out;
    struct diag *d;
    uint32_t page_len;
    uint32_t off;                       /* where the next segment header goes */
    const struct img_build_seg *bearer; /* begins with a description */
    uint32_t ram_idx;
    size_t ram_off; /* bytes of segs[ram_idx] already placed */
};

static uint32_t padded4(size_t len)
{
    return (uint32_t)((len + 3) & ~(size_t)3);
}

static bool is_mapped(const struct planner *p, const struct img_build_seg *s)
{
    return p->in->kind == IMG_KIND_APP &&
           img_chip_is_mapped(p->chip, s->load_addr);
}

static esp_err_t piece_add(struct planner *p, uint32_t load_addr, uint32_t len,
                           struct span data)
{
    struct img_piece *piece;

    if (p->out->cnt == IMG_MAX_SEGMENTS)
        return diag_fail(p->d, DIAG_STAGE_IMAGE, ESP_ERR_INVALID_SIZE,
                         "the image needs more than %u segments, padding "
                         "included; merge some of them",
                         IMG_MAX_SEGMENTS);
    if (len >= IMG_MAX_LEN || p->off > IMG_MAX_LEN - len)
        return diag_fail(p->d, DIAG_STAGE_IMAGE, ESP_ERR_INVALID_SIZE,
                         "the image would be larger than %u bytes; leave "
                         "something out",
                         IMG_MAX_LEN);
    piece = &p->out->pieces[p->out->cnt++];
    *piece = (struct img_piece){ load_addr, len, { NULL, 0 }, data };
    p->off += IMG_SEG_HEADER_LEN + len;
    return ESP_OK;
}

/* --- segments that are copied to RAM, or to nowhere ----------------------- */

/* The next one with bytes left, NULL: none. */
static const struct img_build_seg *ram_next(struct planner *p)
{
    for (; p->ram_idx < p->in->seg_cnt; p->ram_idx++, p->ram_off = 0) {
        const struct img_build_seg *s = &p->in->segs[p->ram_idx];

        if (s != p->bearer && !is_mapped(p, s) && p->ram_off < s->data.len)
            return s;
    }
    return NULL;
}

static esp_err_t ram_add(struct planner *p, const struct img_build_seg *s,
                         uint32_t max_len)
{
    struct span rest = span_from(s->data, p->ram_off);
    uint32_t load_addr = s->load_addr + (uint32_t)p->ram_off;
    uint32_t len = padded4(rest.len);

    if (len > max_len) {
        len = max_len;
        rest.len = max_len;
    }
    p->ram_off += rest.len;
    return piece_add(p, load_addr, len, rest);
}

/* --- segments that are mapped --------------------------------------------- */

/* Data of a padding segment placed now, so that the next segment's data lies
 * right for addr; false: it already would. */
static bool gap_len(const struct planner *p, uint32_t addr, uint32_t *out)
{
    uint32_t data_off = p->off + IMG_SEG_HEADER_LEN;

    *out = (addr - data_off - IMG_SEG_HEADER_LEN) % p->page_len;
    return (addr - data_off) % p->page_len != 0;
}

/* Fills the gap, or as much of it as the next RAM segment does. Unless the
 * piece reaches the end of the gap exactly, room for one more header stays. */
static esp_err_t gap_fill(struct planner *p, uint32_t gap)
{
    const struct img_build_seg *ram = ram_next(p);
    uint32_t left;

    if (!ram || gap <= IMG_SEG_HEADER_LEN)
        return piece_add(p, 0, gap, span_of(NULL, 0));
    left = padded4(ram->data.len - p->ram_off);
    if (left < gap && gap - left < IMG_SEG_HEADER_LEN)
        return ram_add(p, ram, gap - IMG_SEG_HEADER_LEN);
    return ram_add(p, ram, gap);
}

static esp_err_t mapped_add(struct planner *p, const struct img_build_seg *s)
{
    uint32_t gap, len = padded4(s->data.len), end;

    while (gap_len(p, s->load_addr, &gap)) {
        esp_err_t err = gap_fill(p, gap);

        if (err)
            return err;
    }
    end = (p->off + IMG_SEG_HEADER_LEN + len) % p->page_len;
    if (p->chip->id == IMG_CHIP_ESP32 && end < ESP32_PAGE_TAIL)
        len += ESP32_PAGE_TAIL - end;
    return piece_add(p, s->load_addr, len, s->data);
}

/* The mapped segment with the lowest address above (after, which may be NULL).
 * Equal addresses never come here: they were refused. */
static const struct img_build_seg *mapped_next(
    const struct planner *p, const struct img_build_seg *after)
{
    const struct img_build_seg *best = NULL;

    for (uint32_t i = 0; i < p->in->seg_cnt; i++) {
        const struct img_build_seg *s = &p->in->segs[i];

        if (!is_mapped(p, s) || s->data.len == 0 ||
            (after && s->load_addr <= after->load_addr))
            continue;
        if (!best || s->load_addr < best->load_addr)
            best = s;
    }
    return best;
}

static esp_err_t check_pages(const struct planner *p,
                             const struct img_build_seg *a,
                             const struct img_build_seg *b)
{
    uint32_t a_first = a->load_addr / p->page_len;
    uint32_t b_first = b->load_addr / p->page_len;
    uint32_t a_last = (a->load_addr + (uint32_t)a->data.len - 1) / p->page_len;
    uint32_t b_last = (b->load_addr + (uint32_t)b->data.len - 1) / p->page_len;

    if (a == b || a->data.len == 0 || b->data.len == 0 || a_last < b_first ||
        b_last < a_first)
        return ESP_OK;
    return diag_fail(p->d, DIAG_STAGE_IMAGE, ESP_ERR_INVALID_ARG,
                     "the segments at 0x%x and 0x%x share a flash page of %u "
                     "bytes; move one of them to a page of its own",
                     (unsigned)a->load_addr, (unsigned)b->load_addr,
                     (unsigned)p->page_len);
}

/* --- all of it ------------------------------------------------------------ */

static esp_err_t check_input(const struct planner *p)
{
    const struct img_build *in = p->in;

    for (uint32_t i = 0; i < in->seg_cnt; i++) {
        const struct img_build_seg *s = &in->segs[i];

        if (s->load_addr % 4 != 0)
            return diag_fail(p->d, DIAG_STAGE_IMAGE, ESP_ERR_INVALID_ARG,
                             "segment address 0x%x is not a multiple of 4",
                             (unsigned)s->load_addr);
        if (s->data.len >= IMG_MAX_LEN)
            return diag_fail(p->d, DIAG_STAGE_IMAGE, ESP_ERR_INVALID_SIZE,
                             "the segment at 0x%x has %zu bytes and must have "
                             "fewer than %u",
                             (unsigned)s->load_addr, s->data.len, IMG_MAX_LEN);
        for (uint32_t k = 0; k < i && is_mapped(p, s); k++)
            if (is_mapped(p, &in->segs[k]) &&
                check_pages(p, s, &in->segs[k]) != ESP_OK)
                return ESP_ERR_INVALID_ARG;
    }
    return ESP_OK;
}

static bool has_desc(const struct planner *p, const struct img_build_seg *s)
{
    /* One byte is a weak mark: 80 is also a 'P'. Two reserved ones follow. */
    if (p->in->kind == IMG_KIND_BOOTLOADER)
        return s->data.len >= IMG_BOOT_DESC_LEN &&
               s->data.ptr[0] == IMG_BOOT_DESC_MAGIC && s->data.ptr[1] == 0 &&
               s->data.ptr[2] == 0;
    return s->data.len >= IMG_APP_DESC_LEN &&
           le32_get(s->data.ptr) == IMG_APP_DESC_MAGIC;
}

static void find_bearer(struct planner *p)
{
    for (uint32_t i = 0; i < p->in->seg_cnt && !p->bearer; i++)
        if (has_desc(p, &p->in->segs[i]))
            p->bearer = &p->in->segs[i];
}

/* The record goes behind the description; *len is of both. */
static esp_err_t cap_add(struct planner *p, uint32_t *len)
{
    uint32_t cap_len;

    if (p->in->kind != IMG_KIND_APP || p->in->cap.state != IMG_CAP_GOOD)
        return ESP_OK;
    cap_len = img_cap_pack(&p->in->cap, p->out->desc + *len);
    assert(cap_len > IMG_CAP_FIXED_LEN);
    if (p->bearer) {
        struct span s = span_from(p->bearer->data, *len);

        if (s.len < cap_len || le32_get(s.ptr) != IMG_CAP_MAGIC ||
            le16_get(s.ptr + 6) != cap_len)
            return diag_fail(p->d, DIAG_STAGE_IMAGE, ESP_ERR_INVALID_ARG,
                             "the program's description is followed by other "
                             "data, so there is no place for a capability "
                             "record; leave %u bytes there, that begin with "
                             "\"PCAP\" and their length at byte 6",
                             (unsigned)cap_len);
    }
    *len += cap_len;
    return ESP_OK;
}

/* Segment 0: the bearer with new fields, or the description alone. */
static esp_err_t first_add(struct planner *p)
{
    bool app = p->in->kind == IMG_KIND_APP;
    uint32_t desc_len = app ? IMG_APP_DESC_LEN : IMG_BOOT_DESC_LEN;
    struct img_piece *first = &p->out->pieces[0];
    uint32_t len = desc_len;
    esp_err_t err = cap_add(p, &len);

    if (err)
        return err;
    if (!p->bearer)
        err = piece_add(p, 0, len, span_of(NULL, 0));
    else if (is_mapped(p, p->bearer))
        err = mapped_add(p, p->bearer);
    else
        err = piece_add(p, p->bearer->load_addr, padded4(p->bearer->data.len),
                        p->bearer->data);
    if (err)
        return err;
    if (p->bearer && p->out->cnt != 1)
        return diag_fail(p->d, DIAG_STAGE_IMAGE, ESP_ERR_INVALID_ARG,
                         "the segment with the description has address 0x%x "
                         "and must start 32 bytes into a flash page of %u",
                         (unsigned)p->bearer->load_addr, (unsigned)p->page_len);
    if (p->bearer)
        memcpy(p->out->desc, p->bearer->data.ptr, desc_len);
    if (app)
        img_desc_pack(&p->in->desc, p->out->desc);
    else
        img_boot_desc_pack(&p->in->boot_desc, p->out->desc);
    first->head = span_of(p->out->desc, len);
    first->data = span_from(first->data, len);
    return ESP_OK;
}

esp_err_t img_build_plan(const struct img_build *in, struct img_layout *out,
                         struct diag *d)
{
    struct planner p = { .in = in, .out = out, .d = d };
    const struct img_build_seg *s = NULL;
    esp_err_t err;

    *out = (struct img_layout){ .cnt = 0 };
    p.chip = img_chip_find(in->header.chip_id);
    p.page_len = img_chip_page_len(p.chip, in->desc.mmu_page_log2);
    p.off = IMG_HEADER_LEN;
    err = check_input(&p);
    if (err)
        return err;
    find_bearer(&p);
    err = first_add(&p);
    while (!err && (s = mapped_next(&p, s)) != NULL)
        if (s != p.bearer)
            err = mapped_add(&p, s);
    while (!err && (s = ram_next(&p)) != NULL)
        err = ram_add(&p, s, UINT32_MAX);
    if (err)
        return err;
    out->image_len =
        ((p.off + 16u) & ~15u) + (in->header.hash_appended ? SHA256_LEN : 0);
    if (out->image_len > IMG_MAX_LEN)
        return diag_fail(d, DIAG_STAGE_IMAGE, ESP_ERR_INVALID_SIZE,
                         "the image would have %u bytes and may have %u; "
                         "leave something out",
                         (unsigned)out->image_len, IMG_MAX_LEN);
    return ESP_OK;
}

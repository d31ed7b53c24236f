#include "elf_segments.h"

#include "base/le.h"

/* Offsets of the System V ABI, 32-bit. */
#define HEADER_LEN 52u
#define ROW_LEN 32u
#define CLASS_32 1u
#define DATA_LE 1u
#define PT_LOAD 1u
/* Sections that the linker only aligned; a larger gap is worth a segment. */
#define MERGE_GAP 64u

struct row {
    uint32_t off, addr, len;
};

static esp_err_t damaged(struct diag *d, const char *what)
{
    return diag_fail(d, DIAG_STAGE_IMAGE, ESP_ERR_INVALID_ARG,
                     "the ELF file %s; build it again", what);
}

bool elf_is(struct span bytes)
{
    return bytes.len >= 20 && memcmp(bytes.ptr, "\177ELF", 4) == 0;
}

static esp_err_t check_header(struct span elf, const struct img_chip *chip,
                              struct diag *d)
{
    uint16_t machine;

    if (!elf_is(elf))
        return damaged(d, "does not start with 0x7f 'ELF'");
    if (elf.len < HEADER_LEN || elf.ptr[4] != CLASS_32 || elf.ptr[5] != DATA_LE)
        return diag_fail(d, DIAG_STAGE_IMAGE, ESP_ERR_INVALID_ARG,
                         "the ELF file is not a 32-bit little-endian one, "
                         "which %s needs; give the one that was linked for it",
                         chip->name);
    machine = le16_get(elf.ptr + 18);
    if (chip->elf_machine && machine != chip->elf_machine)
        return diag_fail(d, DIAG_STAGE_IMAGE, ESP_ERR_INVALID_ARG,
                         "the ELF file is for machine %u and %s is machine "
                         "%u; give the one that was linked for it",
                         machine, chip->name, chip->elf_machine);
    if (le16_get(elf.ptr + 42) != ROW_LEN)
        return damaged(d, "has program headers of an unknown size");
    return ESP_OK;
}

/* Bytes between two rows of the file, that lie between them in memory too. */
static bool can_merge(struct span elf, const struct img_build_seg *a,
                      const struct row *b)
{
    uint32_t a_off = (uint32_t)(a->data.ptr - elf.ptr);
    uint32_t end = a_off + (uint32_t)a->data.len;

    return b->off >= end && b->off - end < MERGE_GAP &&
           b->addr >= a->load_addr && b->off - a_off == b->addr - a->load_addr;
}

static esp_err_t add_row(struct span elf, const struct row *row,
                         struct elf_segments *out, struct diag *d)
{
    struct img_build_seg *last = &out->segs[out->cnt ? out->cnt - 1 : 0];

    if (out->cnt > 0 && can_merge(elf, last, row)) {
        last->data.len = row->addr - last->load_addr + row->len;
        return ESP_OK;
    }
    if (out->cnt == IMG_MAX_SEGMENTS)
        return diag_fail(d, DIAG_STAGE_IMAGE, ESP_ERR_INVALID_SIZE,
                         "the ELF file loads more than %u segments; merge "
                         "some in its linker script",
                         IMG_MAX_SEGMENTS);
    out->segs[out->cnt++] =
        (struct img_build_seg){ row->addr,
                                span_of(elf.ptr + row->off, row->len) };
    return ESP_OK;
}

esp_err_t elf_segments_read(struct span elf, const struct img_chip *chip,
                            struct elf_segments *out, struct diag *d)
{
    esp_err_t err = check_header(elf, chip, d);
    uint32_t table_off, cnt;

    *out = (struct elf_segments){ .cnt = 0 };
    if (err)
        return err;
    out->entry_addr = le32_get(elf.ptr + 24);
    table_off = le32_get(elf.ptr + 28);
    cnt = le16_get(elf.ptr + 44);
    if (span_from(elf, table_off).len / ROW_LEN < cnt)
        return damaged(d, "ends inside its program headers");
    for (uint32_t i = 0; i < cnt && !err; i++) {
        const uint8_t *p = elf.ptr + table_off + i * ROW_LEN;
        struct row row = { le32_get(p + 4), le32_get(p + 8), le32_get(p + 16) };

        if (le32_get(p) != PT_LOAD || row.len == 0)
            continue;
        if (span_from(elf, row.off).len < row.len)
            return damaged(d, "ends inside a segment");
        err = add_row(elf, &row, out, d);
    }
    if (!err && out->cnt == 0)
        return damaged(d, "loads nothing");
    return err;
}

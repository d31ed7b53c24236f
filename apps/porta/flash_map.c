/* One column stands for the flash, each part as high as it is long. What is
 * said of a part stands beside it, with a line to it, far enough from the
 * neighbours to be read: a sector of 4096 bytes is a hair's breadth. */
#include "flash_map.h"

#include <stdlib.h>
#include <string.h>

#include "base/text.h"
#include "image/text.h"
#include "part/words.h"

#define ROWS_MAX (PART_MAX_ENTRIES + PART_EXTRA_ENTRIES + 2u)
#define PAPER_W 960.0
#define TOP 80.0
#define BAR_X 230.0
#define BAR_W 140.0
#define TEXT_X 420.0
#define ROW_H 42.0
#define BAR_MIN_H 480.0
#define NAME_MIN_H 18.0 /* of a part that has room for its name */

static const char style[] =
    "text{font:13px sans-serif;fill:#222}.head{font-size:18px}"
    ".name{font-weight:bold}.more{font-size:12px;fill:#555}"
    ".side{text-anchor:middle;font-weight:bold}"
    ".paper{fill:#fff}.free{fill:#f4f4f4;stroke:#888}"
    ".boot{fill:#b9a7d3;stroke:#555}.app{fill:#9cc3e6;stroke:#456}"
    ".next{fill:#8fd19e;stroke:#364}.data{fill:#f3d98b;stroke:#865}"
    ".lead{fill:none;stroke:#aaa}"
    ".in{text-anchor:middle}#head path{fill:#176f2c}"
    ".arrow{fill:none;stroke:#176f2c;stroke-width:3}";

/* Something that lies in the flash. */
struct row {
    uint32_t off, len;
    const char *cls;
    char label[24], name[96], more[256];
    double mid, at; /* where it is in the column, and where its text is */
    bool is_next;
};

struct map {
    struct device *dev;
    struct boot_result *next;
    struct row row[ROWS_MAX];
    size_t cnt;
    double bar_h;
};

static const char *size_text(uint32_t len, char out[40])
{
    char digits[32];

    if (len % 1024 == 0)
        snprintf(out, 40, "%s KB",
                 cli_thousands(len / 1024, digits, sizeof(digits)));
    else
        snprintf(out, 40, "%s bytes",
                 cli_thousands(len, digits, sizeof(digits)));
    return out;
}

static struct row *row_add(struct map *m, uint32_t off, uint32_t len,
                           const char *cls)
{
    struct row *r = &m->row[m->cnt++];
    char size[40];

    *r = (struct row){ .off = off, .len = len, .cls = cls };
    snprintf(r->more, sizeof(r->more), "0x%06x, %s", (unsigned)off,
             size_text(len, size));
    return r;
}

static void row_say(struct row *r, const char *what)
{
    size_t len = strlen(r->more);

    snprintf(r->more + len, sizeof(r->more) - len, ", %s", what);
}

/* The record that names this slot, if there is one. */
static void say_state(struct map *m, struct row *r, uint32_t slot)
{
    uint32_t slots = part_ota_cnt(&m->dev->parts.table);
    char text[80];

    if (slots == 0) /* a gap: ota_0 is missing, and no record names any */
        return;
    for (int i = 0; m->next->has_otadata && i < 2; i++) {
        const struct ota_rec *rec = &m->next->otadata.rec[i];

        if (rec->seq == OTADATA_SEQ_NONE || !ota_rec_crc_ok(rec) ||
            ota_seq_slot(rec->seq, slots) != slot)
            continue;
        snprintf(text, sizeof(text), "%s (record %d, sequence %u)",
                 ota_state_name(rec->state), i, (unsigned)rec->seq);
        row_say(r, text);
    }
}

static void say_app(struct map *m, struct row *r, const struct part_entry *part)
{
    struct img_header header;
    struct img_desc desc;
    char project[40], version[40], text[100];

    if (device_image_head(m->dev, part, &header, &desc)) {
        snprintf(text, sizeof(text), "%s %s",
                 text_clean(span_str(desc.project), project, sizeof(project)),
                 text_clean(span_str(desc.version), version, sizeof(version)));
        row_say(r, text);
    } else {
        row_say(r, "no image");
    }
    for (uint32_t i = 0; i < BOOT_CHOICES; i++) {
        if (boot_part(&m->dev->parts.table, i) != part)
            continue;
        r->is_next =
            m->next->plan.action == BOOT_ACT_BOOT && m->next->plan.choice == i;
        if (m->next->err[i])
            row_say(r, "does not verify");
        if (i < BOOT_MAX_SLOTS)
            say_state(m, r, i);
    }
}

static void say_otadata(struct map *m, struct row *r)
{
    char text[80];

    if (!m->next->has_otadata)
        row_say(r, "cannot be read");
    for (int i = 0; m->next->has_otadata && i < 2; i++) {
        const struct ota_rec *rec = &m->next->otadata.rec[i];

        if (rec->seq == OTADATA_SEQ_NONE)
            snprintf(text, sizeof(text), "record %d blank", i);
        else if (!ota_rec_crc_ok(rec))
            snprintf(text, sizeof(text), "record %d damaged", i);
        else
            snprintf(text, sizeof(text), "record %d: %u %s", i,
                     (unsigned)rec->seq, ota_state_name(rec->state));
        row_say(r, text);
    }
}

static void add_part(struct map *m, const struct part_entry *part)
{
    const char *type = part_type_word(part->type);
    const char *subtype = part_subtype_word(part->type, part->subtype);
    bool app = part->type == PART_TYPE_APP;
    struct row *r = row_add(m, part->off, part->len, app ? "app" : "data");
    char numbers[24];

    snprintf(numbers, sizeof(numbers), "0x%02x 0x%02x", part->type,
             part->subtype);
    snprintf(r->name, sizeof(r->name), "%s (%s%s%s)",
             text_clean(span_str(part->label), r->label, sizeof(r->label)),
             type && subtype ? type : numbers, type && subtype ? " " : "",
             type && subtype ? subtype : "");
    if (app)
        say_app(m, r, part);
    else if (part == boot_otadata_part(&m->dev->parts.table))
        say_otadata(m, r);
    if (r->is_next)
        r->cls = "next";
}

static int by_offset(const void *a, const void *b)
{
    const struct row *x = a, *y = b;

    return x->off < y->off ? -1 : x->off > y->off;
}

static void collect(struct map *m)
{
    const struct part_table *table = &m->dev->parts.table;
    uint32_t table_off = m->dev->parts.table_off;
    uint32_t boot_off = img_chip_bootloader_off(m->dev->chip_id);
    struct row *r;

    if (boot_off < table_off) {
        r = row_add(m, boot_off, table_off - boot_off, "boot");
        snprintf(r->name, sizeof(r->name), "bootloader");
        row_say(r, m->dev->has_opts ? "with options" : "without options");
    }
    r = row_add(m, table_off, PART_TABLE_SECTOR, "boot");
    snprintf(r->name, sizeof(r->name), "partition table");
    for (uint32_t i = 0; i < table->cnt; i++)
        add_part(m, &table->entries[i]);
    qsort(m->row, m->cnt, sizeof(m->row[0]), by_offset);
}

/* Texts beside their parts, and none over another. */
static void place(struct map *m)
{
    double size = m->dev->flash.port.size_len, low;

    m->bar_h = ROW_H * (double)m->cnt;
    if (m->bar_h < BAR_MIN_H)
        m->bar_h = BAR_MIN_H;
    low = TOP;
    for (size_t i = 0; i < m->cnt; i++) {
        struct row *r = &m->row[i];

        r->mid = TOP + (r->off + r->len / 2.0) / size * m->bar_h;
        r->at = r->mid > low + ROW_H / 2 ? r->mid : low + ROW_H / 2;
        low = r->at + ROW_H / 2;
    }
    low = TOP + m->bar_h;
    for (size_t i = m->cnt; i-- > 0;) {
        struct row *r = &m->row[i];

        if (r->at > low - ROW_H / 2)
            r->at = low - ROW_H / 2;
        low = r->at - ROW_H / 2;
    }
}

static void draw_row(const struct map *m, const struct row *r, struct svg *svg)
{
    double size = m->dev->flash.port.size_len;
    struct svg_box box = { BAR_X, TOP + r->off / size * m->bar_h, BAR_W,
                           r->len / size * m->bar_h };
    struct svg_at lead[] = { { BAR_X + BAR_W, r->mid },
                             { TEXT_X - 30, r->at },
                             { TEXT_X - 8, r->at } };

    svg_group(svg, r->name);
    svg_rect(svg, &box, r->cls);
    svg_line(svg, lead, 3, "lead");
    svg_text(svg, (struct svg_at){ TEXT_X, r->at - 2 }, "name", r->name);
    svg_text(svg, (struct svg_at){ TEXT_X, r->at + 14 }, "more", r->more);
    svg_group_end(svg);
}

/* In the column itself, where there is room; also what nobody uses. */
static void draw_inside(const struct map *m, struct svg *svg)
{
    double scale = m->bar_h / m->dev->flash.port.size_len;
    uint32_t end = 0;

    for (size_t i = 0; i <= m->cnt; i++) {
        uint32_t off = i < m->cnt ? m->row[i].off : m->dev->flash.port.size_len;
        struct svg_at at = { BAR_X + BAR_W / 2,
                             TOP + (end + (off - end) / 2.0) * scale + 5 };

        if (off > end && (off - end) * scale >= NAME_MIN_H)
            svg_text(svg, at, "more in", "free");
        if (i == m->cnt)
            break;
        end = off + m->row[i].len;
        at.y = m->row[i].mid + 5;
        if (m->row[i].len * scale >= NAME_MIN_H)
            svg_text(svg, at, "in", m->row[i].label);
    }
}

/* From the left, into what boots. */
static void draw_next(const struct map *m, struct svg *svg)
{
    double x = BAR_X / 2, y = TOP + m->bar_h / 2;

    for (size_t i = 0; i < m->cnt; i++) {
        struct svg_at arrow[] = { { 40, m->row[i].mid },
                                  { BAR_X - 4, m->row[i].mid } };

        if (!m->row[i].is_next)
            continue;
        y = m->row[i].mid;
        svg_line(svg, arrow, 2, "arrow");
        svg_text(svg, (struct svg_at){ x, y - 10 }, "side", "next boot");
        return;
    }
    svg_text(svg, (struct svg_at){ x, y }, "side", "nothing boots next");
}

static void draw(const struct map *m, const char *heading, struct svg *svg)
{
    struct svg_at size = { PAPER_W, TOP + m->bar_h + 40 };
    struct svg_box bar = { BAR_X, TOP, BAR_W, m->bar_h };
    char why[200];

    svg_open(svg, size, heading, style);
    svg_text(svg, (struct svg_at){ 20, 30 }, "head", heading);
    snprintf(why, sizeof(why), "at the next reset: %s",
             boot_reason_text(m->next->plan.reason));
    svg_text(svg, (struct svg_at){ 20, 54 }, "more", why);
    svg_rect(svg, &bar, "free");
    for (size_t i = 0; i < m->cnt; i++)
        draw_row(m, &m->row[i], svg);
    draw_inside(m, svg);
    draw_next(m, svg);
}

esp_err_t flash_map_svg(struct device *dev, const char *name, struct svg *svg,
                        struct span *out)
{
    static struct boot_result next;
    static struct map map;
    char heading[240], bytes[32], chip[16];

    boot_decide(&dev->boot, &next);
    map = (struct map){ .dev = dev, .next = &next };
    snprintf(heading, sizeof(heading), "%s: %s bytes of flash, chip %s",
             text_name(name).text,
             cli_thousands(dev->flash.port.size_len, bytes, sizeof(bytes)),
             img_chip_name(dev->chip_id, chip));
    collect(&map);
    place(&map);
    draw(&map, heading, svg);
    return svg_close(svg, out);
}

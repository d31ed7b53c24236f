/* What was asked in which order is found by asking boot_plan() again, with the
 * verdicts that are known by now: it is pure, so it takes the same way. */
#include "boot_picture.h"

#include <stdarg.h>
#include <string.h>

#include "base/text.h"
#include "boot_report.h"

struct build {
    struct device *dev;
    const struct boot_result *r;
    struct picture *p;
    uint32_t order[BOOT_CHOICES], order_cnt;
};

static uint32_t node_add(struct picture *p, enum picture_kind kind,
                         uint32_t rank, const char *title)
{
    struct picture_node *n = &p->node[p->node_cnt];

    *n = (struct picture_node){ .kind = kind, .rank = rank };
    snprintf(n->title, sizeof(n->title), "%s", title);
    return p->node_cnt++;
}

static void say(struct picture *p, uint32_t node, const char *fmt, ...)
    PRINTF_LIKE(3, 4);

/* One more line. */
static void say(struct picture *p, uint32_t node, const char *fmt, ...)
{
    struct picture_node *n = &p->node[node];
    size_t len = strlen(n->text);
    va_list args;

    if (len > 0 && len + 1 < sizeof(n->text))
        n->text[len++] = '\n';
    va_start(args, fmt);
    vsnprintf(n->text + len, sizeof(n->text) - len, fmt, args);
    va_end(args);
}

static struct picture_edge *edge_add(struct picture *p, uint32_t from,
                                     uint32_t to, bool taken)
{
    struct picture_edge *e = &p->edge[p->edge_cnt++];

    *e = (struct picture_edge){ .from = from, .to = to, .taken = taken };
    return e;
}

static bool was_judged(const struct boot_in *in, uint32_t choice)
{
    return in->image[choice] == BOOT_IMAGE_GOOD ||
           in->image[choice] == BOOT_IMAGE_BAD;
}

static void find_order(struct build *b)
{
    static struct boot_in in;
    struct boot_plan plan;

    in = b->r->in;
    for (uint32_t i = 0; i < BOOT_CHOICES; i++)
        if (was_judged(&in, i))
            in.image[i] = BOOT_IMAGE_UNKNOWN;
    boot_plan(&in, &plan);
    while (plan.action == BOOT_ACT_VERIFY && b->order_cnt < BOOT_CHOICES &&
           was_judged(&b->r->in, plan.choice)) {
        b->order[b->order_cnt++] = plan.choice;
        in.image[plan.choice] = b->r->in.image[plan.choice];
        boot_plan(&in, &plan);
    }
}

static void say_image(struct build *b, uint32_t node, uint32_t choice)
{
    const struct part_entry *part = boot_part(&b->dev->parts.table, choice);
    struct img_header header;
    struct img_desc desc;
    char project[64], version[64];

    if (part && device_image_head(b->dev, part, &header, &desc))
        say(b->p, node, "%s %s",
            text_clean(span_str(desc.project), project, sizeof(project)),
            text_clean(span_str(desc.version), version, sizeof(version)));
}

/* Which candidate a record names, BOOT_NONE: none. */
static uint32_t record_slot(const struct build *b, int i)
{
    const struct ota_rec *rec = &b->r->otadata.rec[i];

    if (!b->r->has_otadata || rec->seq == OTADATA_SEQ_NONE ||
        !ota_rec_crc_ok(rec) || b->r->in.slot_cnt == 0)
        return BOOT_NONE;
    return ota_seq_slot(rec->seq, b->r->in.slot_cnt);
}

static uint32_t add_record(struct build *b, int i)
{
    const struct ota_rec *rec = &b->r->otadata.rec[i];
    char title[32];
    uint32_t node;

    snprintf(title, sizeof(title), "record %d", i);
    node = node_add(b->p, PICTURE_PLAIN, 1, title);
    if (rec->seq == OTADATA_SEQ_NONE)
        say(b->p, node, "blank");
    else if (!ota_rec_crc_ok(rec))
        say(b->p, node, "sequence %u, damaged", (unsigned)rec->seq);
    else
        say(b->p, node, "sequence %u\n%s", (unsigned)rec->seq,
            ota_state_name(rec->state));
    for (uint32_t k = 0; k < b->r->plan.mark_cnt; k++)
        if (b->r->plan.marks[k].rec_idx == (uint32_t)i)
            say(b->p, node, "becomes %s",
                ota_state_name(b->r->plan.marks[k].rec.state));
    return node;
}

static uint32_t add_candidate(struct build *b, uint32_t choice, uint32_t rank)
{
    bool boots =
        b->r->plan.action == BOOT_ACT_BOOT && b->r->plan.choice == choice;
    bool bad = b->r->err[choice] != ESP_OK;
    uint32_t node = node_add(b->p,
                             boots ? PICTURE_GOOD
                             : bad ? PICTURE_BAD
                                   : PICTURE_LATER,
                             rank, boot_choice_name(choice));
    char why[256];

    say_image(b, node, choice);
    if (bad)
        say(b->p, node, "refused: %s",
            boot_report_why(b->dev, b->r, choice, why));
    else if (boots)
        say(b->p, node, "verified");
    return node;
}

static uint32_t add_reset(struct build *b)
{
    uint32_t node = node_add(b->p, PICTURE_PLAIN, 0, "reset");

    say(b->p, node, "%s", boot_reason_text(b->r->plan.reason));
    if (b->dev->table_diag.err)
        say(b->p, node, "%s", b->dev->table_diag.text);
    return node;
}

static uint32_t add_end(struct build *b, uint32_t rank)
{
    const struct boot_plan *plan = &b->r->plan;
    bool boots = plan->action == BOOT_ACT_BOOT;
    char title[48];
    uint32_t node;

    snprintf(title, sizeof(title), "%s%s", boots ? "starts " : "nothing boots",
             boots ? boot_choice_name(plan->choice) : "");
    node = node_add(b->p, boots ? PICTURE_GOOD : PICTURE_BAD, rank, title);
    if (plan->mark_cnt == 0)
        say(b->p, node, "no record is written");
    for (uint32_t i = 0; i < plan->mark_cnt; i++)
        say(b->p, node, "writes record %u: sequence %u, %s",
            (unsigned)plan->marks[i].rec_idx, (unsigned)plan->marks[i].rec.seq,
            ota_state_name(plan->marks[i].rec.state));
    return node;
}

/* The records, and the way from the reset to the first that was asked. */
static void link_records(struct build *b, uint32_t reset, uint32_t first)
{
    uint32_t choice = b->order_cnt ? b->order[0] : BOOT_NONE;
    uint32_t node[2], by = 2;

    for (uint32_t i = 0; b->r->has_otadata && i < 2; i++) {
        node[i] = add_record(b, (int)i);
        if (choice != BOOT_NONE && record_slot(b, (int)i) == choice)
            by = i;
    }
    for (uint32_t i = 0; b->r->has_otadata && i < 2; i++)
        (void)edge_add(b->p, reset, node[i], by == i);
    if (by < 2)
        snprintf(edge_add(b->p, node[by], first, true)->label, 64, "names %s",
                 boot_choice_name(choice));
    else
        (void)edge_add(b->p, reset, first, true);
}

/* Passed over without a look, because of its age. */
static void add_too_old(struct build *b, uint32_t reset)
{
    for (uint32_t i = 0; i < BOOT_CHOICES; i++) {
        bool asked = false;

        for (uint32_t k = 0; k < b->order_cnt; k++)
            asked |= b->order[k] == i;
        if (b->r->err[i] && !asked)
            snprintf(
                edge_add(b->p, reset, add_candidate(b, i, 2), false)->label, 64,
                "passed over");
    }
}

static void add_fallbacks(struct build *b, uint32_t from, uint32_t rank)
{
    const struct boot_plan *plan = &b->r->plan;

    for (uint32_t i = 0;
         plan->action == BOOT_ACT_BOOT && i < plan->fallback_cnt; i++) {
        uint32_t node = add_candidate(b, plan->fallbacks[i], rank + i);

        snprintf(edge_add(b->p, from, node, false)->label, 64, "else");
        from = node;
    }
}

void boot_picture(struct device *dev, const struct boot_result *r,
                  struct picture *out)
{
    struct build b = { .dev = dev, .r = r, .p = out };
    uint32_t reset, last = 0, rank = 2, end;

    out->node_cnt = out->edge_cnt = 0;
    find_order(&b);
    reset = add_reset(&b);
    for (uint32_t i = 0; i < b.order_cnt; i++, rank++) {
        uint32_t node = add_candidate(&b, b.order[i], rank);

        if (i == 0)
            link_records(&b, reset, node);
        else
            snprintf(edge_add(out, last, node, true)->label, 64, "refused");
        last = node;
    }
    end = add_end(&b, rank);
    if (b.order_cnt > 0)
        (void)edge_add(out, last, end, true);
    else
        link_records(&b, reset, end);
    add_fallbacks(&b, b.order_cnt ? last : reset, rank);
    add_too_old(&b, reset);
}

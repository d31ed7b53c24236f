/* The two forms of the picture: text for graphviz, and our own SVG. */
#include "boot_picture.h"

#include <string.h>

#define WRAP 34u
#define NODE_W 250.0
#define GAP_X 40.0
#define GAP_Y 56.0
#define LINE_H 16.0
#define MARGIN 30.0
#define LINES_MAX 16u

/* --- lines ---------------------------------------------------------------- */

struct lines {
    char text[LINES_MAX][WRAP * 4 + 1];
    uint32_t cnt;
};

/* How many bytes of text fit into a line: up to a line end, or up to the last
 * blank before WRAP characters. */
static size_t line_len(const char *text)
{
    size_t chars = 0, i = 0, blank = 0;

    for (; text[i] && text[i] != '\n' && chars < WRAP; i++) {
        if (((unsigned char)text[i] & 0xC0) != 0x80)
            chars++;
        if (text[i] == ' ')
            blank = i;
    }
    while (((unsigned char)text[i] & 0xC0) == 0x80)
        i++; /* the rest of a character */
    if (text[i] == '\0' || text[i] == '\n' || blank == 0)
        return i;
    return blank;
}

static void wrap(const char *text, struct lines *out)
{
    out->cnt = 0;
    while (*text && out->cnt < LINES_MAX) {
        size_t len = line_len(text);

        snprintf(out->text[out->cnt++], sizeof(out->text[0]), "%.*s", (int)len,
                 text);
        text += len;
        if (*text == '\n' || *text == ' ')
            text++;
    }
}

/* --- DOT ------------------------------------------------------------------ */

/* A double-quoted string: graphviz reads escapes in it, and entities. */
static void dot_text(const char *text, FILE *to)
{
    for (; *text; text++) {
        if (*text == '"' || *text == '\\')
            fprintf(to, "\\%c", *text);
        else if (*text == '&')
            fputs("&amp;", to);
        else
            fputc(*text, to);
    }
}

static const char *dot_look(enum picture_kind kind)
{
    static const char *const look[] = {
        [PICTURE_PLAIN] = "fillcolor=\"#f4f4f4\"",
        [PICTURE_GOOD] = "fillcolor=\"#8fd19e\"",
        [PICTURE_BAD] = "fillcolor=\"#f2b8b5\"",
        [PICTURE_LATER] = "fillcolor=\"#ffffff\", style=\"filled,dashed\"",
    };

    return look[kind];
}

static void dot_node(const struct picture_node *n, uint32_t i, FILE *to)
{
    struct lines lines;

    fprintf(to, "  n%u [%s, label=\"", (unsigned)i, dot_look(n->kind));
    dot_text(n->title, to);
    fputs("\\n", to);
    wrap(n->text, &lines);
    for (uint32_t k = 0; k < lines.cnt; k++) {
        dot_text(lines.text[k], to);
        fputs("\\l", to);
    }
    fputs("\"];\n", to);
}

void boot_picture_dot(const struct picture *p, FILE *to)
{
    fputs("digraph boot {\n"
          "  node [shape=box, style=filled, fontname=\"sans-serif\"];\n"
          "  edge [fontname=\"sans-serif\"];\n",
          to);
    for (uint32_t i = 0; i < p->node_cnt; i++)
        dot_node(&p->node[i], i, to);
    for (uint32_t i = 0; i < p->edge_cnt; i++) {
        const struct picture_edge *e = &p->edge[i];

        fprintf(to, "  n%u -> n%u [%s, label=\"", (unsigned)e->from,
                (unsigned)e->to, e->taken ? "penwidth=2" : "style=dashed");
        dot_text(e->label, to);
        fputs("\"];\n", to);
    }
    fputs("}\n", to);
}

/* --- SVG ------------------------------------------------------------------ */

static const char style[] =
    "text{font:13px sans-serif;fill:#222;text-anchor:middle}"
    ".name{font-weight:bold}.more{font-size:12px}.paper{fill:#fff}"
    ".edge{font-size:12px;paint-order:stroke;stroke:#fff;stroke-width:6px}"
    ".plain{fill:#f4f4f4;stroke:#555}.good{fill:#8fd19e;stroke:#364}"
    ".bad{fill:#f2b8b5;stroke:#833}"
    ".later{fill:#fff;stroke:#777;stroke-dasharray:5 4}"
    ".arrow-taken{fill:none;stroke:#222;stroke-width:2}"
    ".arrow-else{fill:none;stroke:#888;stroke-dasharray:5 4}";

/* Where the nodes are. */
struct layout {
    const struct picture *p;
    struct svg_box box[PICTURE_NODES];
    struct svg_at size;
};

static double node_h(const struct picture_node *n)
{
    struct lines lines;

    wrap(n->text, &lines);
    return LINE_H * (lines.cnt + 1) + 14;
}

/* One row of nodes, centred on x; returns its height. */
static double place_row(struct layout *l, uint32_t rank, double y)
{
    uint32_t cnt = 0;
    double high = 0, x;

    for (uint32_t i = 0; i < l->p->node_cnt; i++)
        cnt += l->p->node[i].rank == rank;
    x = (l->size.x - cnt * (NODE_W + GAP_X) + GAP_X) / 2;
    for (uint32_t i = 0; i < l->p->node_cnt; i++) {
        double h = node_h(&l->p->node[i]);

        if (l->p->node[i].rank != rank)
            continue;
        l->box[i] = (struct svg_box){ x, y, NODE_W, h };
        x += NODE_W + GAP_X;
        high = h > high ? h : high;
    }
    return high;
}

static void place(struct layout *l)
{
    uint32_t wide = 1, ranks = 0;
    double y = MARGIN;

    for (uint32_t i = 0; i < l->p->node_cnt; i++) {
        uint32_t same = 0;

        for (uint32_t k = 0; k < l->p->node_cnt; k++)
            same += l->p->node[k].rank == l->p->node[i].rank;
        wide = same > wide ? same : wide;
        if (l->p->node[i].rank >= ranks)
            ranks = l->p->node[i].rank + 1;
    }
    l->size.x = wide * (NODE_W + GAP_X) - GAP_X + 2 * MARGIN;
    for (uint32_t rank = 0; rank < ranks; rank++) {
        double high = place_row(l, rank, y);

        y += high > 0 ? high + GAP_Y : 0;
    }
    l->size.y = y - GAP_Y + MARGIN;
}

static void draw_node(const struct layout *l, uint32_t i, struct svg *svg)
{
    static const char *const look[] = { "plain", "good", "bad", "later" };
    const struct picture_node *n = &l->p->node[i];
    const struct svg_box *b = &l->box[i];
    struct svg_at at = { b->x + b->w / 2, b->y + LINE_H + 2 };
    struct lines lines;

    svg_rect(svg, b, look[n->kind]);
    svg_text(svg, at, "name", n->title);
    wrap(n->text, &lines);
    for (uint32_t k = 0; k < lines.cnt; k++) {
        at.y += LINE_H;
        svg_text(svg, at, "more", lines.text[k]);
    }
}

/* From under one node to the top of another; between nodes of one row from
 * side to side. */
static void draw_edge(const struct layout *l, const struct picture_edge *e,
                      struct svg *svg)
{
    const struct svg_box *a = &l->box[e->from], *b = &l->box[e->to];
    bool level = l->p->node[e->from].rank == l->p->node[e->to].rank;
    double side = a->x < b->x ? a->w : 0;
    struct svg_at way[2] = { { a->x + a->w / 2, a->y + a->h },
                             { b->x + b->w / 2, b->y } };

    if (level) {
        way[0] = (struct svg_at){ a->x + side, a->y + a->h / 2 };
        way[1] = (struct svg_at){ b->x + b->w - side, b->y + b->h / 2 };
    }
    svg_line(svg, way, 2, e->taken ? "arrow-taken" : "arrow-else");
    if (e->label[0])
        svg_text(svg,
                 (struct svg_at){ (way[0].x + way[1].x) / 2,
                                  (way[0].y + way[1].y) / 2 + 2 },
                 "edge", e->label);
}

esp_err_t boot_picture_svg(const struct picture *p, struct svg *svg,
                           struct span *out)
{
    static struct layout layout;

    layout = (struct layout){ .p = p };
    place(&layout);
    svg_open(svg, layout.size, "what boots at the next reset", style);
    for (uint32_t i = 0; i < p->edge_cnt; i++)
        draw_edge(&layout, &p->edge[i], svg);
    for (uint32_t i = 0; i < p->node_cnt; i++)
        draw_node(&layout, i, svg);
    return svg_close(svg, out);
}

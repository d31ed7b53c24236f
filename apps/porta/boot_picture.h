/* boot_picture.h - the decision taken at a reset, as nodes and arrows: for
 * graphviz, or drawn as SVG. */
#ifndef BOOT_PICTURE_H
#define BOOT_PICTURE_H

#include "device_ctx.h"
#include "svg.h"

#define PICTURE_NODES 40u
#define PICTURE_EDGES 80u

enum picture_kind {
    PICTURE_PLAIN,
    PICTURE_GOOD, /* what boots */
    PICTURE_BAD,  /* what was refused */
    PICTURE_LATER /* what would be asked next */
};

struct picture_node {
    enum picture_kind kind;
    uint32_t rank; /* row from the top */
    char title[48];
    char text[400]; /* lines */
};

struct picture_edge {
    uint32_t from, to;
    bool taken; /* the way that was gone; else what it may have been */
    char label[64];
};

struct picture {
    struct picture_node node[PICTURE_NODES];
    struct picture_edge edge[PICTURE_EDGES];
    uint32_t node_cnt, edge_cnt;
};

/* r: from boot_decide(). */
void boot_picture(struct device *dev, const struct boot_result *r,
                  struct picture *out);
/* A digraph in the DOT language. */
void boot_picture_dot(const struct picture *p, FILE *to);
/* *out stays good until svg_free(). */
MUST_CHECK esp_err_t boot_picture_svg(const struct picture *p, struct svg *svg,
                                      struct span *out);

#endif

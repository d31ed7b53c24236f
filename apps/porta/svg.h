/* svg.h - a drawing in SVG 1.1, built in memory.
 *
 * Every text is foreign until it has passed through here: what is not a
 * character of XML 1.0 becomes '?', and what means something to XML is
 * escaped. Classes are ours and are written as they are.
 * The first failure sticks (memory); svg_close() tells it. */
#ifndef SVG_H
#define SVG_H

#include <stdio.h>

#include "base/err.h"
#include "base/span.h"

struct svg {
    FILE *to; /* NULL: closed, or out of memory */
    char *text;
    size_t len;
};
#define SVG_CLOSED    \
    {                 \
        NULL, NULL, 0 \
    }

/* Pixels, from the left and from the top. */
struct svg_at {
    double x, y;
};

struct svg_box {
    double x, y, w, h;
};

/* style: the text of the <style> element. */
void svg_open(struct svg *s, struct svg_at size, const char *title,
              const char *style);
void svg_rect(struct svg *s, const struct svg_box *box, const char *cls);
/* at: the left end of its base line; cls may set text-anchor. */
void svg_text(struct svg *s, struct svg_at at, const char *cls,
              const char *text);
/* A line through cnt points; cls "arrow..." ends with a head. */
void svg_line(struct svg *s, const struct svg_at *points, size_t cnt,
              const char *cls);
/* What the mouse shows over everything until svg_group_end(). */
void svg_group(struct svg *s, const char *title);
void svg_group_end(struct svg *s);
/* *out stays good until svg_free(). ESP_ERR_NO_MEM. */
MUST_CHECK esp_err_t svg_close(struct svg *s, struct span *out);
void svg_free(struct svg *s); /* idempotent */

/* Text as content or attribute value of XML, to a stream; also JUnit's. */
void xml_put(FILE *to, const char *text);

#endif

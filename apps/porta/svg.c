#include "svg.h"

#include <stdlib.h>
#include <string.h>

#include "base/text.h"

/* The length of the character of XML 1.0 (production 2) that text starts
 * with; 0: there is none, and one byte is to be replaced. */
static size_t xml_char_len(const char *text)
{
    unsigned char c = (unsigned char)text[0];
    size_t len;

    if (c < 0x20)
        return c == '\t' || c == '\n' || c == '\r';
    if (c == 0x7f)
        return 0;
    len = text_utf8_len(span_str(text));
    /* U+FFFE and U+FFFF are no characters of XML. */
    if (len == 3 && (memcmp(text, "\xEF\xBF\xBE", 3) == 0 ||
                     memcmp(text, "\xEF\xBF\xBF", 3) == 0))
        return 0;
    return len;
}

static const char *xml_escape(char c)
{
    switch (c) {
    case '&':
        return "&amp;";
    case '<':
        return "&lt;";
    case '>':
        return "&gt;";
    case '"':
        return "&quot;";
    case '\'':
        return "&#39;";
    case '\n':
        return "&#10;";
    default:
        return NULL;
    }
}

void xml_put(FILE *to, const char *text)
{
    while (*text) {
        size_t len = xml_char_len(text);
        const char *escape = xml_escape(*text);

        if (len == 0)
            fputc('?', to);
        else if (escape)
            fputs(escape, to);
        else
            fwrite(text, 1, len, to);
        text += len ? len : 1;
    }
}

void svg_open(struct svg *s, struct svg_at size, const char *title,
              const char *style)
{
    *s = (struct svg)SVG_CLOSED;
    s->to = open_memstream(&s->text, &s->len);
    if (!s->to)
        return;
    fprintf(s->to,
            "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n"
            "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"%.0f\" "
            "height=\"%.0f\" viewBox=\"0 0 %.0f %.0f\">\n<title>",
            size.x, size.y, size.x, size.y);
    xml_put(s->to, title);
    fprintf(s->to,
            "</title>\n<style>%s</style>\n"
            "<defs><marker id=\"head\" viewBox=\"0 0 10 10\" refX=\"9\" "
            "refY=\"5\" markerWidth=\"7\" markerHeight=\"7\" orient=\"auto\">"
            "<path d=\"M0 0 L10 5 L0 10 z\"/></marker></defs>\n"
            "<rect class=\"paper\" width=\"100%%\" height=\"100%%\"/>\n",
            style);
}

void svg_rect(struct svg *s, const struct svg_box *box, const char *cls)
{
    if (s->to)
        fprintf(s->to,
                "<rect class=\"%s\" x=\"%.2f\" y=\"%.2f\" width=\"%.2f\" "
                "height=\"%.2f\"/>\n",
                cls, box->x, box->y, box->w, box->h);
}

void svg_text(struct svg *s, struct svg_at at, const char *cls,
              const char *text)
{
    if (!s->to)
        return;
    fprintf(s->to, "<text class=\"%s\" x=\"%.2f\" y=\"%.2f\">", cls, at.x,
            at.y);
    xml_put(s->to, text);
    fputs("</text>\n", s->to);
}

void svg_line(struct svg *s, const struct svg_at *points, size_t cnt,
              const char *cls)
{
    if (!s->to)
        return;
    fprintf(s->to, "<polyline class=\"%s\"%s points=\"", cls,
            strncmp(cls, "arrow", 5) == 0 ? " marker-end=\"url(#head)\"" : "");
    for (size_t i = 0; i < cnt; i++)
        fprintf(s->to, "%s%.2f,%.2f", i ? " " : "", points[i].x, points[i].y);
    fputs("\"/>\n", s->to);
}

void svg_group(struct svg *s, const char *title)
{
    if (!s->to)
        return;
    fputs("<g><title>", s->to);
    xml_put(s->to, title);
    fputs("</title>\n", s->to);
}

void svg_group_end(struct svg *s)
{
    if (s->to)
        fputs("</g>\n", s->to);
}

esp_err_t svg_close(struct svg *s, struct span *out)
{
    bool good = s->to != NULL;

    if (s->to) {
        fputs("</svg>\n", s->to);
        good = !ferror(s->to);
        good = fclose(s->to) == 0 && good;
    }
    s->to = NULL;
    *out = span_of(s->text, good ? s->len : 0);
    return good ? ESP_OK : ESP_ERR_NO_MEM;
}

void svg_free(struct svg *s)
{
    if (s->to)
        fclose(s->to);
    free(s->text);
    *s = (struct svg)SVG_CLOSED;
}

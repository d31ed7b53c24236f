/* part/csv.h: a table as CSV. Pure. */
#include "part/csv.h"

#include <assert.h>
#include <stdio.h>
#include <string.h>

#include "base/text.h"

/* The longest row: label, two words, two numbers, flags, commas, line end. */
static_assert(128 + PART_MAX_ENTRIES * 84 < PART_CSV_MAX_LEN,
              "the longest table does not fit");

/* Large enough for a uint32_t and for every word. */
struct word {
    char text[20];
};

static struct word word_or_num(const char *known, unsigned num)
{
    struct word w;

    if (known)
        (void)snprintf(w.text, sizeof(w.text), "%s", known);
    else
        (void)snprintf(w.text, sizeof(w.text), "%u", num);
    return w;
}

static struct word size_word(uint32_t len)
{
    struct word w;

    if (len % 0x100000 == 0)
        (void)snprintf(w.text, sizeof(w.text), "%uM",
                       (unsigned)(len / 0x100000));
    else if (len % 0x400 == 0)
        (void)snprintf(w.text, sizeof(w.text), "%uK", (unsigned)(len / 0x400));
    else
        (void)snprintf(w.text, sizeof(w.text), "0x%x", (unsigned)len);
    return w;
}

static const char *flags_word(uint32_t flags)
{
    bool encrypted = (flags & PART_FLAG_ENCRYPTED) != 0;
    bool readonly = (flags & PART_FLAG_READONLY) != 0;

    if (encrypted && readonly)
        return "encrypted:readonly";
    if (encrypted)
        return "encrypted";
    return readonly ? "readonly" : "";
}

/* A comma ends a field, '$' starts a variable, a first '#' a comment. */
static void csv_label(const struct part_entry *e, char out[PART_LABEL_LEN + 1])
{
    (void)text_clean(span_str(e->label), out, PART_LABEL_LEN + 1);
    for (size_t i = 0; out[i]; i++) {
        if (out[i] == ',' || out[i] == '$' || (i == 0 && out[i] == '#'))
            out[i] = '?';
    }
}

size_t part_csv_write(const struct part_table *table,
                      char out[PART_CSV_MAX_LEN])
{
    int len = snprintf(out, PART_CSV_MAX_LEN,
                       "# ESP-IDF Partition Table\n"
                       "# Name, Type, SubType, Offset, Size, Flags\n");

    for (uint32_t i = 0; i < table->cnt; i++) {
        const struct part_entry *e = &table->entries[i];
        char label[PART_LABEL_LEN + 1];

        csv_label(e, label);
        len += snprintf(
            out + len, PART_CSV_MAX_LEN - (size_t)len, "%s,%s,%s,0x%x,%s,%s\n",
            label, word_or_num(part_type_word(e->type), e->type).text,
            word_or_num(part_subtype_word(e->type, e->subtype), e->subtype)
                .text,
            (unsigned)e->off, size_word(e->len).text, flags_word(e->flags));
    }
    return (size_t)len;
}

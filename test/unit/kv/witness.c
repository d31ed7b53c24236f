/* A second reader, from the format's text: simple, slow, and strict. */
#include "rig.h"

#include <string.h>

static uint32_t get32(const uint8_t *p)
{
    return p[0] | (uint32_t)p[1] << 8 | (uint32_t)p[2] << 16 |
           (uint32_t)p[3] << 24;
}

/* zlib.crc32(bytes, 0xFFFFFFFF), by a table that is made bit by bit. */
static uint32_t crc_more(uint32_t reg, const uint8_t *p, uint32_t len)
{
    static uint32_t table[256];

    for (uint32_t i = 0; table[255] == 0 && i < 256; i++) {
        table[i] = i;
        for (unsigned bit = 0; bit < 8; bit++)
            table[i] =
                table[i] & 1 ? table[i] >> 1 ^ 0xEDB88320u : table[i] >> 1;
    }
    for (uint32_t i = 0; i < len; i++)
        reg = reg >> 8 ^ table[(reg ^ p[i]) & 0xFF];
    return reg;
}

static uint32_t crc_of(const uint8_t *a, uint32_t a_len, const uint8_t *b,
                       uint32_t b_len)
{
    return ~crc_more(crc_more(0, a, a_len), b, b_len);
}

struct item {
    const uint8_t *raw;
    uint32_t seq, idx;
};

struct store {
    struct item items[RIG_PAGES_MAX * 126];
    uint32_t cnt, free_cnt, active_cnt;
    uint32_t newest_seq, active_seq;
};

static const char *read_item(struct store *s, const uint8_t *page, uint32_t idx,
                             uint32_t *span)
{
    const uint8_t *raw = page + 64 + idx * 32;

    if (get32(raw + 4) != crc_of(raw, 4, raw + 8, 24))
        return "an entry that counts has a wrong CRC";
    *span = raw[2];
    if (*span == 0 || idx + *span > 126)
        return "an entry leaves its page";
    for (uint32_t i = idx; i < idx + *span; i++) {
        if ((page[32 + i / 4] >> i % 4 * 2 & 3) != 2)
            return "an entry that is written in part";
    }
    if (raw[1] == 0x21 || raw[1] == 0x42 || raw[1] == 0x41) {
        uint32_t len = raw[24] | (uint32_t)raw[25] << 8;
        if (1 + (len + 31) / 32 != *span)
            return "a span that does not fit the length";
        if (get32(raw + 28) != crc_of(raw, 0, raw + 32, len))
            return "a payload with a wrong CRC";
    }
    s->items[s->cnt++] = (struct item){ raw, get32(page + 4), idx };
    return NULL;
}

/* Can a writer go on behind the last slot that was used? */
static const char *check_tail(const uint8_t *page)
{
    bool used = false;

    for (uint32_t i = 126; i > 0; i--) {
        uint32_t idx = i - 1;
        uint8_t state = page[32 + idx / 4] >> idx % 4 * 2 & 3;

        if (state == 1 || (used && state == 3))
            return "a slot that nobody will use again is not erased";
        if (state != 3)
            used = true;
        for (uint32_t k = 0; !used && k < 32; k++) {
            if (page[64 + idx * 32 + k] != 0xFF)
                return "a free slot that is not blank";
        }
    }
    return NULL;
}

static const char *read_page(struct store *s, const uint8_t *page)
{
    uint32_t state = get32(page), span;
    const char *bad = NULL;
    bool ok = get32(page + 28) == crc_of(page + 4, 24, NULL, 0);

    if (!ok || state == 0xFFFFFFFFu) {
        s->free_cnt++;
        return NULL;
    }
    if (page[8] != 0xFE)
        return "a page of another version";
    if (state == 0xFFFFFFFEu) {
        s->active_cnt++;
        s->active_seq = get32(page + 4);
        bad = check_tail(page);
    } else if (state != 0xFFFFFFFCu) {
        return "a page that is neither active nor full";
    }
    if (get32(page + 4) > s->newest_seq)
        s->newest_seq = get32(page + 4);
    for (uint32_t i = 0; !bad && i < 126; i += span) {
        span = 1;
        if ((page[32 + i / 4] >> i % 4 * 2 & 3) == 2)
            bad = read_item(s, page, i, &span);
    }
    return bad;
}

static const struct item *find(const struct store *s, const uint8_t *raw,
                               uint8_t type, uint8_t chunk)
{
    for (uint32_t i = 0; i < s->cnt; i++) {
        const uint8_t *e = s->items[i].raw;
        if (e[0] == raw[0] && e[1] == type && e[3] == chunk &&
            memcmp(e + 8, raw + 8, 16) == 0)
            return &s->items[i];
    }
    return NULL;
}

static const char *check_chunk(const struct store *s, const uint8_t *raw)
{
    const struct item *index = find(s, raw, 0x48, 0xFF);

    if (!index)
        return "a chunk without its index";
    if (raw[3] < index->raw[29] || raw[3] - index->raw[29] >= index->raw[28])
        return "a chunk that its index does not name";
    return NULL;
}

static const char *check_index(const struct store *s, const uint8_t *raw)
{
    uint32_t len = 0;

    for (uint32_t i = 0; i < raw[28]; i++) {
        const struct item *c = find(s, raw, 0x42, (uint8_t)(raw[29] + i));
        if (!c)
            return "an index without one of its chunks";
        len += c->raw[24] | (uint32_t)c->raw[25] << 8;
    }
    return len == get32(raw + 24) ? NULL : "an index of another length";
}

static const char *check_item(const struct store *s, uint32_t n)
{
    const uint8_t *raw = s->items[n].raw;

    for (uint32_t i = 0; i < n; i++) {
        const uint8_t *e = s->items[i].raw;
        if (e[0] == raw[0] && memcmp(e + 8, raw + 8, 16) == 0 &&
            (e[1] == 0x42) == (raw[1] == 0x42) && e[3] == raw[3])
            return "a key twice";
    }
    if (raw[1] == 0x42)
        return check_chunk(s, raw);
    return raw[1] == 0x48 ? check_index(s, raw) : NULL;
}

const char *witness(const uint8_t *bytes, uint32_t page_cnt)
{
    static struct store s;
    const char *bad = NULL;

    memset(&s, 0, sizeof(s));
    for (uint32_t i = 0; !bad && i < page_cnt; i++)
        bad = read_page(&s, bytes + i * 4096);
    if (!bad && s.free_cnt == 0)
        bad = "no free page";
    if (!bad && s.active_cnt > 1)
        bad = "two active pages";
    if (!bad && s.active_cnt == 1 && s.active_seq != s.newest_seq)
        bad = "the active page is not the newest";
    for (uint32_t i = 0; !bad && i < s.cnt; i++)
        bad = check_item(&s, i);
    return bad;
}

#include "suggest.h"

#include <stdint.h>
#include <string.h>

#define WORD_MAX 63u

static size_t min3(size_t a, size_t b, size_t c)
{
    size_t m = a < b ? a : b;

    return m < c ? m : c;
}

/* Three rows of the table: the one being filled, and the two above it. */
struct rows {
    uint8_t cell[3][WORD_MAX + 1];
};

static void fill_row(struct rows *r, const char *a, const char *b, size_t i)
{
    uint8_t *now = r->cell[i % 3];
    const uint8_t *up = r->cell[(i + 2) % 3];
    const uint8_t *up2 = r->cell[(i + 1) % 3];

    now[0] = (uint8_t)i;
    for (size_t j = 1; b[j - 1]; j++) {
        size_t cost = a[i - 1] != b[j - 1];
        size_t best = min3(up[j] + 1u, now[j - 1] + 1u, up[j - 1] + cost);

        if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1] &&
            up2[j - 2] + 1u < best)
            best = up2[j - 2] + 1u;
        now[j] = (uint8_t)best;
    }
}

size_t suggest_distance(const char *a, const char *b)
{
    size_t a_len = strlen(a), b_len = strlen(b);
    struct rows r = { { { 0 } } };

    if (a_len > WORD_MAX || b_len > WORD_MAX)
        return SIZE_MAX;
    for (size_t j = 0; j <= b_len; j++)
        r.cell[0][j] = (uint8_t)j;
    for (size_t i = 1; i <= a_len; i++)
        fill_row(&r, a, b, i);
    return r.cell[a_len % 3][b_len];
}

void suggest_begin(struct suggest *s, const char *word)
{
    *s = (struct suggest){ word, NULL, SIZE_MAX };
}

/* "--" says nothing about which option was meant. */
static const char *letters(const char *word)
{
    return word + strspn(word, "-");
}

void suggest_try(struct suggest *s, const char *known)
{
    const char *typed = letters(s->word), *want = letters(known);
    size_t typed_len = strlen(typed), want_len = strlen(want);
    size_t cnt = suggest_distance(typed, want);

    if (typed_len >= 2 && typed_len < want_len &&
        memcmp(typed, want, typed_len) == 0)
        cnt = 1;
    else if (cnt > (want_len + 1) / 3)
        return;
    if (cnt < s->best_cnt) {
        s->best = known;
        s->best_cnt = cnt;
    }
}

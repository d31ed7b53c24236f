/* suggest.h - "did you mean": the known word that a mistyped one is closest
 * to. Pure. */
#ifndef SUGGEST_H
#define SUGGEST_H

#include <stddef.h>

/* Characters inserted, left out, changed or swapped with their neighbour that
 * lead from a to b (Damerau and Levenshtein, each pair touched once). Words
 * longer than 63 characters count as entirely different: SIZE_MAX. */
size_t suggest_distance(const char *a, const char *b);

/* The search for the best of many words. */
struct suggest {
    const char *word; /* as it was typed */
    const char *best; /* NULL: nothing is close */
    size_t best_cnt;  /* how far it is */
};

void suggest_begin(struct suggest *s, const char *word);
/* Takes `known` when it is the closest so far and close enough: a third of its
 * letters may differ, or the typed word is the beginning of it. */
void suggest_try(struct suggest *s, const char *known);

#endif

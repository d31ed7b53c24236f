/* part/words.h - the words for types and subtypes (reference 2.2). Not linked
 * by a bootloader. */
#ifndef PART_WORDS_H
#define PART_WORDS_H

#include <stdbool.h>
#include <stdint.h>

#include "base/span.h"

/* A subtype that a project adds to those of the table. */
struct part_word {
    uint8_t type;
    uint8_t subtype;
    const char *word;
};

/* NULL: there is none. */
const char *part_type_word(uint8_t type);
const char *part_subtype_word(uint8_t type, uint8_t subtype);

/* Upper and lower case are the same. false: no such word. */
bool part_type_by_word(struct span word, uint8_t *type);
bool part_subtype_by_word(uint8_t type, struct span word, uint8_t *subtype);

/* Row idx of the subtypes, NULL past the end. */
const struct part_word *part_word_at(size_t idx);
/* text equals word but for case. */
bool part_word_eq(struct span text, const char *word);

#endif

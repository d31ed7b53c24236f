/* base/text.h - foreign bytes made fit to be shown.
 *
 * Names in images and tables come from outside: shown as they are they could
 * steer a terminal or break a JSON document. */
#ifndef BASE_TEXT_H
#define BASE_TEXT_H

#include "base/span.h"

/* Copies in to out as valid UTF-8 without control characters: every byte that
 * is neither becomes '?'. Cuts before a character that does not fit; out is
 * always terminated (out_len >= 1) and may be where in is. Returns out. */
const char *text_clean(struct span in, char *out, size_t out_len);

/* A path or a name for a sentence: the end of it when it is so long that the
 * rest of the sentence would have no room. As a value, so that a call may stand
 * among the arguments: text_name(path).text. */
struct text_name {
    char text[124];
};
struct text_name text_name(const char *s);

/* Length of the UTF-8 character that s starts with, 1 to 4; 0: none does, or
 * s is empty. Surrogates and overlong forms are no characters (RFC 3629). */
size_t text_utf8_len(struct span s);

#endif

/* What a chip's C library has; porta/newlib.h is included by the build. */
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "runtime.h"

static void check_copies(void)
{
    char out[6] = "zzzzz";

    check("strlcpy: what fits is whole",
          strlcpy(out, "abcde", sizeof(out)) == 5 && strcmp(out, "abcde") == 0);
    check("strlcpy: what does not is cut, and its length told",
          strlcpy(out, "abcdefgh", sizeof(out)) == 8 &&
              strcmp(out, "abcde") == 0);
    check("strlcpy: room for nothing is not written to",
          strlcpy(out, "xyz", 0) == 3 && strcmp(out, "abcde") == 0);
    strlcpy(out, "ab", sizeof(out));
    check("strlcat: what fits is whole",
          strlcat(out, "cde", sizeof(out)) == 5 && strcmp(out, "abcde") == 0);
    check("strlcat: what does not is cut, and its length told",
          strlcat(out, "fg", sizeof(out)) == 7 && strcmp(out, "abcde") == 0);
    check("strlcat: a text without an end in its room stays",
          strlcat(out, "fg", 3) == 5 && strcmp(out, "abcde") == 0);
}

static void check_words(void)
{
    const char text[] = "one two";
    char mixed[] = "aZ-9";

    check("strnstr: a word", strnstr(text, "two", 7) == text + 4);
    check("strnstr: not beyond the length", !strnstr(text, "two", 6));
    check("strnstr: not beyond the end", !strnstr(text, "two?", 100));
    check("strnstr: nothing is at the front", strnstr(text, "", 0) == text);
    check("strlwr", strcmp(strlwr(mixed), "az-9") == 0);
    check("strupr", strcmp(strupr(mixed), "AZ-9") == 0);
}

static void check_numbers(void)
{
    char out[40], want[40];

    snprintf(want, sizeof(want), "%d", INT_MIN);
    check("itoa: the least", strcmp(itoa(INT_MIN, out, 10), want) == 0);
    check("itoa: zero", strcmp(itoa(0, out, 10), "0") == 0);
    check("itoa: a sign is for base 10",
          strcmp(itoa(-1, out, 16), "ffffffff") == 0);
    check("utoa: base 2", strcmp(utoa(10, out, 2), "1010") == 0);
    check("utoa: base 36", strcmp(utoa(35, out, 36), "z") == 0);
    check("itoa: no such base", !itoa(1, out, 37) && out[0] == '\0');
}

void check_newlib(void)
{
    check_copies();
    check_words();
    check_numbers();
}

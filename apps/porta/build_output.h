/* build_output.h - what a compiler and a linker said, as one sentence.
 *
 * Pure: each line of the build's output is fed in, and at the end the struct
 * says what an application asked for that is not offered. */
#ifndef BUILD_OUTPUT_H
#define BUILD_OUTPUT_H

#include <stdbool.h>
#include <stddef.h>

#define BUILD_NAMES_MAX 8
#define BUILD_NAME_LEN 96

struct build_output {
    /* Functions and objects that nobody has, the first ones. */
    char missing[BUILD_NAMES_MAX][BUILD_NAME_LEN];
    int missing_cnt;
    int missing_all;             /* with those that had no room */
    char place[BUILD_NAME_LEN];  /* where the first is used; "": not said */
    char header[BUILD_NAME_LEN]; /* the first header that is not there */
    char twice[BUILD_NAME_LEN];  /* what has two definitions */
    char error[256];             /* the compiler's first other error */
    char cmake[512];             /* CMake's first error */
    bool in_cmake;               /* its text goes on */
};
#define BUILD_OUTPUT_NONE \
    {                     \
        .missing_cnt = 0  \
    }

void build_output_line(struct build_output *o, const char *line);

/* The sentence; false when nothing that was said is understood. */
bool build_output_explain(const struct build_output *o, char *text, size_t cap);

/* Sets *name to what embeds as _binary_<name>_start or _end, in the form of a
 * C identifier. */
bool build_output_embedded(const char *symbol, char name[BUILD_NAME_LEN]);

#endif

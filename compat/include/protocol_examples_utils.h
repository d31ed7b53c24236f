/* protocol_examples_utils.h - text for URLs, as ESP-IDF's examples make it. */
#ifndef PROTOCOL_EXAMPLES_UTILS_H
#define PROTOCOL_EXAMPLES_UTILS_H

#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

/* Letters, digits and -_.~ as they are, any other byte as %XX; ends at a NUL
 * or after len bytes. dest has room for 3 * len + 1. Returns what was written
 * without the NUL. */
uint32_t example_uri_encode(char *dest, const char *src, size_t len);
/* The other way round; what is no %XX stays. dest has room for len + 1. */
void example_uri_decode(char *dest, const char *src, size_t len);

#ifdef __cplusplus
}
#endif

#endif

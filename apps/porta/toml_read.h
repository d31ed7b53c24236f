/* toml_read.h - TOML 1.0 as JSON text, read by toml++ (decision 0050). */
#ifndef TOML_READ_H
#define TOML_READ_H

#include <stddef.h>

#ifdef __cplusplus
extern "C" {
#endif

/* JSON, to be freed with free(); dates become strings. NULL: it is no TOML, and
 * why has a sentence with line and column. */
char *toml_read_json(const char *text, size_t len, char *why, size_t why_len);

#ifdef __cplusplus
}
#endif

#endif

/* base/bytes.h - runs of one byte. */
#ifndef BASE_BYTES_H
#define BASE_BYTES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Is each of them `byte`? */
bool bytes_are(const uint8_t *p, size_t len, uint8_t byte);

#endif

/* base/md5.h - MD5 (RFC 1321), for partition tables only: it detects damage,
 * it proves nothing about an author. */
#ifndef BASE_MD5_H
#define BASE_MD5_H

#include <stddef.h>
#include <stdint.h>

#include "base/blocks.h"

struct md5 {
    struct blocks b;
};

void md5_init(struct md5 *m);
void md5_update(struct md5 *m, const void *data, size_t len);
void md5_final(struct md5 *m, uint8_t out[16]);

#endif

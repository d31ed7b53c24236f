/* base/md5.h - MD5 (RFC 1321), for partition tables only: it detects damage,
 * it proves nothing about an author. */
#ifndef BASE_MD5_H
#define BASE_MD5_H

#include <stddef.h>
#include <stdint.h>

struct md5 {
    uint32_t state[4];
    uint64_t len;
    uint8_t block[64];
};

void md5_init(struct md5 *m);
void md5_update(struct md5 *m, const void *data, size_t len);
void md5_final(struct md5 *m, uint8_t out[16]);

#endif

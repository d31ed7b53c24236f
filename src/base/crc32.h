/* base/crc32.h - the reflected CRC-32 of zlib and Ethernet (poly 0xEDB88320).
 *
 * crc32_le(0, p, n) equals zlib.crc32(p). otadata records use the seed
 * 0xFFFFFFFF over their four sequence bytes (reference 3.1). */
#ifndef BASE_CRC32_H
#define BASE_CRC32_H

#include <stddef.h>
#include <stdint.h>

/* Continues from a previous result, or from the seed. */
uint32_t crc32_le(uint32_t crc, const void *data, size_t len);

#endif

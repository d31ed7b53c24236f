/* The curve P-256 of FIPS 186-4, D.1.2. */
#include "crypto/ec.h"

static const uint32_t p[] = { 0xffffffff, 0xffffffff, 0xffffffff, 0x00000000,
                              0x00000000, 0x00000000, 0x00000001, 0xffffffff };
static const uint32_t n[] = { 0xfc632551, 0xf3b9cac2, 0xa7179e84, 0xbce6faad,
                              0xffffffff, 0xffffffff, 0x00000000, 0xffffffff };
static const uint32_t b[] = { 0x27d2604b, 0x3bce3c3e, 0xcc53b0f6, 0x651d06b0,
                              0x769886bc, 0xb3ebbd55, 0xaa3a93e7, 0x5ac635d8 };
static const uint32_t gx[] = { 0xd898c296, 0xf4a13945, 0x2deb33a0, 0x77037d81,
                               0x63a440f2, 0xf8bce6e5, 0xe12c4247, 0x6b17d1f2 };
static const uint32_t gy[] = { 0x37bf51f5, 0xcbb64068, 0x6b315ece, 0x2bce3357,
                               0x7c0f9e16, 0x8ee7eb4a, 0xfe1a7f9b, 0x4fe342e2 };

const struct ec_curve ec_p256 = { 8, p, n, b, gx, gy };

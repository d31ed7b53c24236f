/* The curve P-384 of FIPS 186-4, D.1.2. */
#include "crypto/ec.h"

static const uint32_t p[] = { 0xffffffff, 0x00000000, 0x00000000, 0xffffffff,
                              0xfffffffe, 0xffffffff, 0xffffffff, 0xffffffff,
                              0xffffffff, 0xffffffff, 0xffffffff, 0xffffffff };
static const uint32_t n[] = { 0xccc52973, 0xecec196a, 0x48b0a77a, 0x581a0db2,
                              0xf4372ddf, 0xc7634d81, 0xffffffff, 0xffffffff,
                              0xffffffff, 0xffffffff, 0xffffffff, 0xffffffff };
static const uint32_t b[] = { 0xd3ec2aef, 0x2a85c8ed, 0x8a2ed19d, 0xc656398d,
                              0x5013875a, 0x0314088f, 0xfe814112, 0x181d9c6e,
                              0xe3f82d19, 0x988e056b, 0xe23ee7e4, 0xb3312fa7 };
static const uint32_t gx[] = { 0x72760ab7, 0x3a545e38, 0xbf55296c, 0x5502f25d,
                               0x82542a38, 0x59f741e0, 0x8ba79b98, 0x6e1d3b62,
                               0xf320ad74, 0x8eb1c71e, 0xbe8b0537, 0xaa87ca22 };
static const uint32_t gy[] = { 0x90ea0e5f, 0x7a431d7c, 0x1d7e819d, 0x0a60b1ce,
                               0xb5f0b8c0, 0xe9da3113, 0x289a147c, 0xf8f41dbd,
                               0x9292dc29, 0x5d9e98bf, 0x96262c6f, 0x3617de4a };

const struct ec_curve ec_p384 = { 12, p, n, b, gx, gy };

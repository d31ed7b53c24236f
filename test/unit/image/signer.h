/* signer.h - signatures for tests, made by Mbed TLS from the layout in the
 * reference (signatures.md 5.2, 5.3) and without the code under test. */
#ifndef SIGNER_H
#define SIGNER_H

#include "image/keys.h"

#define SIGNER_KEYS 4u /* of each scheme; two of them for RSA, used twice */

/* Makes the keys; once, before the rest. */
void signer_open(void);
void signer_close(void);
/* The same for a group of tests. */
int signer_setup(void **state);
int signer_teardown(void **state);

/* A V2 block of that key over content. */
void signer_block(enum img_scheme scheme, unsigned key, const uint8_t *content,
                  size_t len, uint8_t block[IMG_SIG_V2_LEN]);
void signer_v1(unsigned key, const uint8_t *content, size_t len,
               uint8_t block[IMG_SIG_V1_LEN]);
/* Makes the CRC right again. */
void signer_seal(uint8_t block[IMG_SIG_V2_LEN]);

/* A set that trusts the first cnt keys. */
void signer_trust(enum img_scheme scheme, uint32_t cnt, struct img_keys *out);

#endif

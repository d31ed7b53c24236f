/* crypt.h - a rig whose server has encrypted images, and whose device has the
 * key for them. Mbed TLS takes its memory from the rig's heap. */
#ifndef TEST_CRYPT_H
#define TEST_CRYPT_H

#include "sim_clock.h"
#include "sim_rng.h"
#include "unit/update/rig.h"
#include "update/decrypt.h"

struct crypt {
    struct rig rig;
    struct sim_rng rng;
    struct sim_clock clock;
    struct enc_key *key; /* of the device */
    struct upd_decrypt decrypt;
    struct upd_stage stage;
    uint8_t *file; /* the rig's image, encrypted */
    uint32_t file_len;
};

/* A key of P-256, or that of test/vectors/encrypted/rsa3072.pem. */
void crypt_open(struct crypt *c, enum enc_scheme scheme);
void crypt_close(struct crypt *c);
/* Makes another image and serves it, encrypted. */
void crypt_serve(struct crypt *c, const struct rig_image *how);
/* Encrypts the image anew, with another AES key. */
void crypt_seal(struct crypt *c);

#endif

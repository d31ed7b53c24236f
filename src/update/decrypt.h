/* update/decrypt.h - the stage that decrypts pre-encrypted images.
 *
 * What it hands out goes into the slot, whose head is held back until
 * upd_finish(); the stage's own finish() comes before that and compares the
 * tag. So nothing boots that was not encrypted for this device's key, whole
 * and in order. It is even: a session that broke goes on where it was. */
#ifndef UPDATE_DECRYPT_H
#define UPDATE_DECRYPT_H

#include "enc/stream.h"
#include "update/update.h"

#define UPD_DECRYPT_LEN 1024u /* handed out at once */

struct upd_decrypt {
    const struct enc_key *key;
    struct enc_stream stream;
    uint8_t out[UPD_DECRYPT_LEN];
};

/* Sets *d and *stage up; d outlives the session, and key d. */
void upd_decrypt_stage(struct upd_decrypt *d, const struct enc_key *key,
                       struct upd_stage *stage);

#endif

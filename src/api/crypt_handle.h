/* api/crypt_handle.h - what an esp_decrypt_handle_t is. */
#ifndef API_CRYPT_HANDLE_H
#define API_CRYPT_HANDLE_H

#include "api/device.h"
#include "update/decrypt.h"

#define API_CRYPT_BLOCK 16u

struct api_crypt {
    struct api_crypt *next; /* of those that applications hold */
    uint32_t user_cnt;      /* the application, and a session */
    struct enc_key *key;
    struct upd_decrypt decrypt;
    struct upd_stage stage;
    uint8_t held[API_CRYPT_BLOCK]; /* less than a block is not handed out */
    size_t held_len;
};

/* For a session: the handle's own stage, until it is dropped. NULL: there is
 * no such handle, or another session has it. */
struct api_crypt *api_crypt_take(void *handle);
void api_crypt_drop(struct api_crypt *c); /* NULL is a no-op */

#endif

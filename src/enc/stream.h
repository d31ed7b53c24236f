/* enc/stream.h - from an encrypted file to the image in it, in any pieces.
 *
 * Guarantee: enc_stream_finish() returns ESP_OK only when the tag in the head
 * fits all the bytes that came and were handed out. What was handed out before
 * proves nothing: nobody may act on it beyond what can be undone.
 * Order:  enc_stream_open, enc_stream_feed..., enc_stream_finish;
 *         enc_stream_close() at any time. After an error each call returns it.
 * Memory: the struct is the caller's; AES state is in the key's heap. */
#ifndef ENC_STREAM_H
#define ENC_STREAM_H

#include "enc/gcm.h"

#define ENC_MARK_LEN 16u

enum enc_step { ENC_STEP_HEAD, ENC_STEP_BODY, ENC_STEP_VERIFIED };

struct enc_stream {
    const struct enc_key *key; /* borrowed; NULL: closed */
    enum enc_step step;
    struct enc_head head;       /* once step is not HEAD */
    uint8_t mark[ENC_MARK_LEN]; /* names head and key, gives neither away */
    uint8_t raw[ENC_HEAD_LEN];
    uint32_t raw_len;
    uint32_t done_len; /* of the body */
    struct enc_gcm *gcm;
    struct enc_gcm *again;    /* makes ciphertext anew, see replay */
    uint8_t aes[ENC_AES_LEN]; /* for that, wiped when the body comes */
    struct diag diag;         /* a sentence about err */
    esp_err_t err;
};
#define ENC_STREAM_CLOSED \
    {                     \
        .key = NULL       \
    }

/* Where plaintext goes. */
struct enc_out {
    uint8_t *ptr;
    size_t room; /* at least 1 */
    size_t len;  /* that came */
};

void enc_stream_open(struct enc_stream *s, const struct enc_key *key);

/* Takes from *in, which is left with the rest, as long as there is room for
 * what comes out: as many bytes as come in, once the head is complete.
 * ESP_ERR_OTA_VALIDATE_FAILED: it is no encrypted image. ESP_ERR_INVALID_MAC:
 * it is for another key. ESP_ERR_INVALID_SIZE: it is longer than its head says.
 * ESP_ERR_NO_MEM. */
MUST_CHECK esp_err_t enc_stream_feed(struct enc_stream *s, struct span *in,
                                     struct enc_out *out);

/* Instead of the first bytes of the body: what they decrypted to in an earlier
 * session with the same head. They are encrypted again, which gives the bytes
 * that came, and so the tag covers them. */
MUST_CHECK esp_err_t enc_stream_replay(struct enc_stream *s, const void *plain,
                                       size_t len);

/* ESP_ERR_INVALID_MAC: the file was changed, or is for another key.
 * ESP_ERR_INVALID_SIZE: it is shorter than its head says. */
MUST_CHECK esp_err_t enc_stream_finish(struct enc_stream *s);
void enc_stream_close(struct enc_stream *s); /* wipes; idempotent */

/* The whole body came. */
bool enc_stream_complete(const struct enc_stream *s);

#endif

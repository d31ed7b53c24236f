/* esp_encrypted_img.h - decrypt a pre-encrypted image while it is downloaded.
 *
 * As the component espressif/esp_encrypted_img has it. A handle belongs to one
 * image: start, data until it returns ESP_OK, then end, which compares the
 * tag; abort at any time instead. What data() hands out proves nothing before
 * end() returned ESP_OK: call it before esp_https_ota_finish().
 *
 * porta/ota_decrypt.h has a callback that makes all of this one line. */
#ifndef ESP_ENCRYPTED_IMG_H
#define ESP_ENCRYPTED_IMG_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "esp_err.h"
#include "esp_idf_version.h"

#ifdef __cplusplus
extern "C" {
#endif

typedef void *esp_decrypt_handle_t;

/* One of them: the key's kind is the scheme. Keys are copied. */
typedef struct {
    union {
        const char
            *rsa_priv_key;       /* RSA, 3072 bits, PEM; the PEM with its NUL */
        const char *rsa_pub_key; /* the same, by a name it once had */
    };
    union {
        size_t rsa_priv_key_len;
        size_t rsa_pub_key_len;
    };
    void *ds_data;   /* of a chip's signature peripheral: not supported */
    int hmac_key_id; /* 0 to 5: the key in the device's fuses, when the others
                        are NULL */
    const char *ecies_priv_key; /* P-256, PEM, or the 32 bytes that a device
                                   would have in its fuses */
    size_t ecies_priv_key_len;
} esp_decrypt_cfg_t;

typedef struct {
    const char *data_in;
    size_t data_in_len;
    char *data_out; /* from malloc(), the caller's; NULL before the call */
    size_t data_out_len;
} pre_enc_decrypt_arg_t;

/* NULL: the key cannot be read, or is not there; no memory. */
esp_decrypt_handle_t esp_encrypted_img_decrypt_start(
    const esp_decrypt_cfg_t *cfg);

/* Any number of bytes. ESP_ERR_NOT_FINISHED: more has to come; ESP_OK: that
 * was all. data_out_len may be 0, else data_out is to be freed; it is a
 * multiple of 16 until the last piece.
 * ESP_FAIL: it is no encrypted image, for another key, or longer than it says;
 * call abort. ESP_ERR_NO_MEM; ESP_ERR_INVALID_ARG. */
esp_err_t esp_encrypted_img_decrypt_data(esp_decrypt_handle_t ctx,
                                         pre_enc_decrypt_arg_t *args);
/* Compares the tag, and frees the handle whatever it finds. ESP_FAIL: the
 * image is not what was encrypted, or not all of it came.
 * ESP_ERR_INVALID_ARG: there is no such handle, or no more. */
esp_err_t esp_encrypted_img_decrypt_end(esp_decrypt_handle_t ctx);
/* As many bytes came as the image's head announced. */
bool esp_encrypted_img_is_complete_data_received(esp_decrypt_handle_t ctx);
/* Frees the handle. ESP_ERR_INVALID_ARG: there is none, or no more. */
esp_err_t esp_encrypted_img_decrypt_abort(esp_decrypt_handle_t ctx);
/* Bytes of the file before those of the image: 512. */
uint16_t esp_encrypted_img_get_header_size(void);
/* The key's public half in PEM, from malloc(), the caller's; a NUL that
 * pub_key_len does not count follows. */
esp_err_t esp_encrypted_img_export_public_key(esp_decrypt_handle_t ctx,
                                              uint8_t **pub_key,
                                              size_t *pub_key_len);

#ifdef __cplusplus
}
#endif

#endif

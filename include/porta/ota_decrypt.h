/* porta/ota_decrypt.h - decryption as one line of an update.
 *
 *     esp_decrypt_cfg_t cfg = { .rsa_priv_key = key, .rsa_priv_key_len = len };
 *     esp_decrypt_handle_t handle = esp_encrypted_img_decrypt_start(&cfg);
 *     esp_https_ota_config_t config = { .http_config = &http,
 *                                       .decrypt_cb = porta_ota_decrypt,
 *                                       .decrypt_user_ctx = handle };
 *     esp_err_t err = esp_https_ota(&config);
 *     esp_encrypted_img_decrypt_abort(handle);
 *
 * esp_https_ota knows this callback and decrypts by itself: the tag is compared
 * before the image can boot, whether the application asks or not; sizes are
 * checked before anything is erased; esp_https_ota_get_img_desc() works; and
 * with porta_ota_options_t.keep a download that broke goes on where it was.
 * A handle serves one session after the other, none at the same time. */
#ifndef PORTA_OTA_DECRYPT_H
#define PORTA_OTA_DECRYPT_H

#include "esp_encrypted_img.h"
#include "esp_https_ota.h"

#ifdef __cplusplus
extern "C" {
#endif

/* user_ctx: an esp_decrypt_handle_t. May also be called by a callback of one's
 * own; it then does what esp_encrypted_img_decrypt_data() does. */
esp_err_t porta_ota_decrypt(decrypt_cb_arg_t *args, void *user_ctx);

#ifdef __cplusplus
}
#endif

#endif

/* porta/ota_decrypt.h: pre-encrypted images, as esp_https_ota's callback. */
#include "porta/ota_decrypt.h"

esp_err_t porta_ota_decrypt(decrypt_cb_arg_t *args, void *user_ctx)
{
    pre_enc_decrypt_arg_t pargs = { .data_in = args->data_in,
                                    .data_in_len = args->data_in_len };
    esp_err_t err = esp_encrypted_img_decrypt_data(user_ctx, &pargs);

    args->data_out = pargs.data_out;
    args->data_out_len = pargs.data_out_len;
    return err;
}

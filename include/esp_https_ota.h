/* esp_https_ota.h - download an image over HTTP(S), check it while it comes,
 * write it into the next OTA slot and make it boot.
 *
 * esp_https_ota() does all of it. The other functions are its steps: begin,
 * perform until it no longer returns ESP_ERR_HTTPS_OTA_IN_PROGRESS, then
 * finish, or abort. Until finish returned ESP_OK the image does not boot.
 * What a configuration points to is borrowed until finish or abort; a handle
 * is one thread's at a time. */
#ifndef ESP_HTTPS_OTA_H
#define ESP_HTTPS_OTA_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "bootloader_common.h"
#include "esp_app_desc.h"
#include "esp_bootloader_desc.h"
#include "esp_err.h"
#include "esp_event.h"
#include "esp_http_client.h"
#include "esp_partition.h"

#ifdef __cplusplus
extern "C" {
#endif

ESP_EVENT_DECLARE_BASE(ESP_HTTPS_OTA_EVENT);

typedef enum {
    ESP_HTTPS_OTA_START,
    ESP_HTTPS_OTA_CONNECTED,
    ESP_HTTPS_OTA_GET_IMG_DESC,
    ESP_HTTPS_OTA_VERIFY_CHIP_ID,       /* data: esp_chip_id_t */
    ESP_HTTPS_OTA_VERIFY_CHIP_REVISION, /* data: uint16_t */
    ESP_HTTPS_OTA_DECRYPT_CB,
    ESP_HTTPS_OTA_WRITE_FLASH,           /* data: int, bytes so far */
    ESP_HTTPS_OTA_UPDATE_BOOT_PARTITION, /* data: esp_partition_subtype_t */
    ESP_HTTPS_OTA_FINISH,
    ESP_HTTPS_OTA_ABORT
} esp_https_ota_event_t;

typedef void *esp_https_ota_handle_t;
typedef esp_err_t (*http_client_init_cb_t)(esp_http_client_handle_t);

typedef struct {
    const char *data_in;
    size_t data_in_len;
    char *data_out; /* from malloc(); freed by this library */
    size_t data_out_len;
} decrypt_cb_arg_t;

/* ESP_OK or ESP_ERR_NOT_FINISHED; data_out_len may be 0. */
typedef esp_err_t (*decrypt_cb_t)(decrypt_cb_arg_t *args, void *user_ctx);

typedef struct {
    const esp_http_client_config_t *http_config; /* mandatory */
    http_client_init_cb_t http_client_init_cb;   /* after the client's init */
    bool bulk_flash_erase;      /* erase before the download, not during it */
    bool partial_http_download; /* several requests with Range */
    int max_http_request_size;  /* bytes per request; 0: 65536 */
    uint32_t buffer_caps;       /* accepted; there is one kind of memory */
    bool ota_resumption;
    size_t ota_image_bytes_written; /* by the attempt that is continued */
    decrypt_cb_t decrypt_cb;        /* NULL: the image comes in the clear */
    void *decrypt_user_ctx;
    uint16_t enc_img_header_size;
    struct {
        const esp_partition_t *staging; /* NULL: the next OTA slot */
        const esp_partition_t *final;   /* NULL: staging */
        bool finalize_with_copy;
    } partition;
} esp_https_ota_config_t;

/* ESP_OK: the new image boots after esp_restart(). After an error the device
 * boots what it would have booted, and the call may be made again. Errors are
 * those of the steps; ESP_ERR_NOT_SUPPORTED: ota_resumption is set. */
esp_err_t esp_https_ota(const esp_https_ota_config_t *ota_config);

/* Connects, asks for the file and reads the answer's head; follows redirects.
 * ESP_ERR_INVALID_ARG: NULL, or nothing to verify the server by;
 * ESP_ERR_NOT_ALLOWED: an http: URL; ESP_ERR_HTTP_CONNECT: no connection, or
 * the server is not trusted; ESP_ERR_HTTP_NOT_MODIFIED: 304 or 204;
 * ESP_ERR_INVALID_SIZE: the file is larger than the slot;
 * ESP_ERR_OTA_ROLLBACK_INVALID_STATE: what runs is not confirmed; ESP_FAIL, or
 * an ESP_ERR_HTTP_ code of its own: another answer than 200 and 206. *handle is
 * NULL after an error: there is nothing to abort. */
esp_err_t esp_https_ota_begin(const esp_https_ota_config_t *ota_config,
                              esp_https_ota_handle_t *handle);
/* Receives some bytes, checks and writes them. ESP_ERR_HTTPS_OTA_IN_PROGRESS:
 * call again; ESP_OK: all came. ESP_FAIL: the network, which fails for good
 * only then; ESP_ERR_OTA_VALIDATE_FAILED, ESP_ERR_INVALID_VERSION,
 * ESP_ERR_OTA_SMALL_SEC_VER: the image; else errors of the flash. The log has
 * the sentence. After an error only abort, or finish, is left to call. */
esp_err_t esp_https_ota_perform(esp_https_ota_handle_t https_ota_handle);
bool esp_https_ota_is_complete_data_received(
    esp_https_ota_handle_t https_ota_handle);
/* Verifies all of the image and makes it the one that boots. Frees the handle,
 * whatever it returns. A perform that failed is that error again; too little
 * received is ESP_ERR_OTA_VALIDATE_FAILED. Without any perform it is ESP_OK,
 * as in ESP-IDF, and nothing has changed: whoever gives up before that calls
 * abort. */
esp_err_t esp_https_ota_finish(esp_https_ota_handle_t https_ota_handle);
/* Frees the handle; what boots is what it was. What was written stays, for an
 * attempt that goes on there. */
esp_err_t esp_https_ota_abort(esp_https_ota_handle_t https_ota_handle);
/* What the image says about itself, before anything is written; as often as
 * wanted. ESP_FAIL: it is no image, or says nothing, or the partition is for
 * the other kind; ESP_ERR_NOT_SUPPORTED: a decrypt_cb of one's own. */
esp_err_t esp_https_ota_get_img_desc(esp_https_ota_handle_t https_ota_handle,
                                     esp_app_desc_t *new_app_info);
esp_err_t esp_https_ota_get_bootloader_img_desc(
    esp_https_ota_handle_t https_ota_handle,
    esp_bootloader_desc_t *new_img_info);
/* Bytes of the image so far, decrypted ones, those of the attempt that is
 * continued too: what ota_image_bytes_written wants. -1: the handle is NULL or
 * nothing was performed yet. */
int esp_https_ota_get_image_len_read(esp_https_ota_handle_t https_ota_handle);
/* Of the last answer: 200, 206... -1: the handle is NULL. */
int esp_https_ota_get_status_code(esp_https_ota_handle_t https_ota_handle);
/* Bytes of the whole image, without the head of an encrypted one; with
 * ota_resumption and no partial_http_download those that were left to fetch,
 * as in ESP-IDF. -1: the handle is NULL, or the server does not say. */
int esp_https_ota_get_image_size(esp_https_ota_handle_t https_ota_handle);

#ifdef __cplusplus
}
#endif

#endif

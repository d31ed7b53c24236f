/* api/https_ota.h - what an esp_https_ota_handle_t is. For esp_https_ota*.c. */
#ifndef API_HTTPS_OTA_H
#define API_HTTPS_OTA_H

#include "api/crypt_handle.h"
#include "api/http_handle.h"

#include "esp_https_ota.h"

/* What the first call of a decryption callback is given, if there is so much:
 * applications expect the image's description in what they make of it. */
#define API_OTA_FIRST_LEN 1024u

enum api_ota_state {
    API_OTA_BEGIN,  /* nothing performed yet */
    API_OTA_RESUME, /* the same, over what an earlier session wrote */
    API_OTA_IN_PROGRESS,
    API_OTA_SUCCESS
};

/* A decryption callback as a stage. */
struct api_decrypt {
    decrypt_cb_t cb;
    void *user_ctx;
    uint8_t *first; /* API_OTA_FIRST_LEN bytes, until they are full */
    size_t first_len;
    bool any_out;
};

struct api_https_ota {
    struct api_https_ota *next; /* of the sessions that are open */
    struct port_limit limit;
    struct upd_result result;
    bool wants_rest; /* the application counts what it resumes */
    bool asked;      /* the engine began: there is a result */
    esp_http_client_handle_t client;
    struct upd *upd;
    struct diag diag;
    enum api_ota_state state;
    const esp_partition_t *staging, *final;
    uint32_t claim; /* of the partitions; 0: none */
    uint32_t enc_header_len;
    bool partial;
    bool told; /* its failure stands in the log already */
    bool mute; /* the engine's events are not passed on */
    struct api_decrypt decrypt;
    struct api_crypt *crypt; /* instead of a callback; NULL: none */
    struct upd_stage stage;
};

/* porta_ota.c: a session can be cancelled between these two; the second one
 * tells what it did. */
void api_ota_session_open(struct api_https_ota *ota);
void api_ota_session_close(struct api_https_ota *ota);

/* In the application's key/value storage; ota_store.c. */
extern const struct upd_store api_ota_store;

/* To the default event loop, if there is one. */
void api_post(esp_event_base_t base, int32_t id, const void *data, size_t len);
void api_https_ota_post(esp_https_ota_event_t event, const void *data,
                        size_t len);

/* Makes ota->stage call the configured callback, or decrypt by itself where
 * that is porta_ota_decrypt(). ESP_ERR_INVALID_ARG: its handle is none. */
MUST_CHECK esp_err_t api_decrypt_stage(struct api_https_ota *ota,
                                       const esp_https_ota_config_t *config);

#endif

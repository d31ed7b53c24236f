/* porta/ota_control.h - what porta adds to esp_https_ota: stop a session from
 * another thread, bound its time, and learn what it did. Applications that
 * do not need it never see it. */
#ifndef PORTA_OTA_CONTROL_H
#define PORTA_OTA_CONTROL_H

#include <stdbool.h>
#include <stdint.h>

#include "esp_err.h"
#include "esp_event_base.h"
#include "esp_https_ota.h"
#include "esp_partition.h"

#ifdef __cplusplus
extern "C" {
#endif

/* What a session did, whatever its end. */
typedef struct {
    esp_err_t err;     /* of the failure; ESP_OK: none */
    const char *stage; /* "resolve", "connect", "tls", "http", "download",
                            "image", "write", "activate"; "none" */
    char message[320]; /* one sentence; "": none */
    int http_status;   /* of the last answer, 0: none came */
    char host[256];    /* of the hop that answered or failed last */
    uint16_t port;
    esp_err_t transport_err; /* esp_tls's code of the last failed connection */
    int sys_errno;
    int tls_code;              /* the TLS library's number */
    int tls_alert;             /* that the server sent, 0: none */
    uint32_t tls_verify_flags; /* of its certificates, 0: none */
    int64_t image_len;         /* as the server said, -1: it did not */
    uint32_t received_len;     /* of the body, in this session */
    uint32_t written_len;      /* in the slot */
    uint32_t resumed_from;
    uint32_t requests, connections, handshakes, handshakes_resumed;
    uint32_t redirects, retries, checkpoints;
    uint32_t erases, programs;
    const char *updatable; /* "yes", "no", "unknown": can the image take the
                              next update? */
    uint64_t elapsed_ms;
} porta_ota_result_t;

/* Posted to the default event loop when a session ends, behind the events of
 * ESP_HTTPS_OTA_EVENT; the payload is a porta_ota_result_t. */
ESP_EVENT_DECLARE_BASE(PORTA_OTA_EVENT);
enum { PORTA_OTA_EVENT_RESULT };

/* For sessions that begin from now on; zero is esp_https_ota's way. */
typedef struct {
    uint32_t stall_ms;    /* silence or a trickle that is too long */
    uint32_t max_time_ms; /* for all of a session */
    /* Failures that may pass, in a session. When the server has another file
     * by then, all of that comes, unless esp_https_ota_get_img_desc() told of
     * this one, or it goes through a decrypt_cb of one's own. */
    uint32_t retry_cnt;
    /* Keep in the default NVS partition, which the application initialised,
     * what names the installed file, so that an unchanged one costs a request
     * (ESP_ERR_HTTP_NOT_MODIFIED), and how far a download got, so that the next
     * session goes on there, by itself. Not with a decrypt_cb of
     * one's own, whose state nobody knows: such a download starts again. */
    bool keep;
    /* Write also what is there once: the bootloader, the partition table. A
     * power cut then leaves a device that does not start; how long it may
     * come is in porta_ota_get_risk(). Else ESP_ERR_NOT_ALLOWED. */
    bool accept_unsafe;
    /* What is asked of an image before the first erase; docs/preflight.md. */
    bool same_project;           /* another project's program is refused */
    bool no_same_version;        /* ... and the version that runs */
    bool no_older;               /* ... and one below it, or of unknown order */
    bool same_spi_mode;          /* ... and one for another mode of flash */
    bool require_updatable;      /* ... and one that does not say that it is */
    uint32_t least_heap;         /* bytes that have to be free, 0: any... */
    uint32_t (*heap_free)(void); /* ...of so many: esp_get_free_heap_size */
    /* Called when a session ends, in its thread. NULL: nobody is told. */
    void (*on_result)(void *ctx, const porta_ota_result_t *result);
    void *ctx;
} porta_ota_options_t;
void porta_ota_set_options(const porta_ota_options_t *options); /* copied */

/* Ends a session within 200 ms, in whatever it is: the call in progress, or
 * the next one, returns ESP_ERR_NOT_FINISHED; its thread then calls
 * esp_https_ota_abort() as always. Nothing that boots was changed; what came
 * can be gone on with. From any thread. handle NULL: every session, also one
 * that is still in esp_https_ota_begin() or in esp_https_ota().
 * ESP_ERR_NOT_FOUND: there is none, or not this one. A session that is in
 * esp_https_ota_finish() is waited for. */
esp_err_t porta_ota_cancel(esp_https_ota_handle_t handle);

/* What a power cut does while a partition is written as a whole. */
typedef struct {
    bool survives;       /* the device starts, and the update can be repeated */
    uint32_t sectors;    /* between the first erase and the last program */
    uint32_t typical_ms; /* for these, with common flash chips */
} porta_ota_risk_t;
/* ESP_ERR_NOT_ALLOWED: no update writes it: the bootloader decides by it. */
esp_err_t porta_ota_get_risk(const esp_partition_t *partition,
                             porta_ota_risk_t *risk);

/* With the option keep, finalize_with_copy into a partition that does not boot
 * is noted before the copy begins, by esp_ota_end(), too. If the power goes
 * then, this does the copy again; so call it after nvs_flash_init() and before
 * the partition is used: it holds the old content or the new one, never a part
 * of each. esp_https_ota_begin(), esp_ota_begin() and
 * esp_ota_resume() do it, too, and fail, with what is staged untouched, where
 * it cannot be done now.
 * ESP_ERR_NOT_FOUND: nothing was interrupted. ESP_ERR_OTA_VALIDATE_FAILED: it
 * was, and what was staged is gone, or an image that is not accepted any more:
 * install it again. */
esp_err_t porta_ota_finish_copy(void);

/* Data that goes with an application: partitions "NAME_0" for ota_0, "NAME_1"
 * for ota_1 and so on. The slot that boots says which of them counts, so both
 * change in one step, and are given up in one step.
 *
 * porta_ota_data_partition(): of the application that runs. NULL: there is
 * none.
 * porta_ota_prepare_data(): of the next slot, to be written (as
 * partition.staging of a session of its own) before the application is
 * updated. The image in that slot is made unbootable first, since its data
 * goes. If either download fails, what runs and its data are as they were.
 * ESP_ERR_NOT_FOUND: there is no such partition, or no slot; else as
 * esp_ota_begin(). */
const esp_partition_t *porta_ota_data_partition(const char *name);
esp_err_t porta_ota_prepare_data(const char *name,
                                 const esp_partition_t **partition);

/* So far. ESP_ERR_INVALID_ARG: no handle, or no room. In the session's own
 * thread. */
esp_err_t porta_ota_get_result(esp_https_ota_handle_t handle,
                               porta_ota_result_t *result);

#ifdef __cplusplus
}
#endif

#endif

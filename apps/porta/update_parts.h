/* update_parts.h - which partitions `porta update` writes, and the data that
 * goes with an application. */
#ifndef UPDATE_PARTS_H
#define UPDATE_PARTS_H

#include <cjson/cJSON.h>

#include "update/update.h"
#include "device_ctx.h"
#include "update_opts.h"

/* Which slot runs; ESP_ERR_OTA_ROLLBACK_INVALID_STATE: it is on trial, and is
 * what an update would destroy. */
MUST_CHECK esp_err_t update_parts_confirmed(struct device *dev,
                                            struct device_running *run,
                                            struct diag *d);

/* Sets staging, final and finalize_with_copy from --slot, --final and
 * --partition. */
MUST_CHECK esp_err_t update_parts_choose(const struct device *dev,
                                         const struct update_opts *o,
                                         struct upd_opts *opts, struct diag *d);

/* What came for one --data. */
struct update_datum {
    const struct part_entry *part;
    uint32_t len;
};

struct update_data {
    struct device *dev;
    const struct update_opts *o;
    const struct upd_env *env;
    struct upd_opts opts; /* of a session: what is the same for all */
    /* A client for this URL, as the main one was made. */
    esp_err_t (*open)(void *ctx, const char *url, struct http_client **out,
                      struct diag *d);
    void *ctx;
    struct update_datum done[CLI_LIST_MAX];
    int done_cnt;
};

/* Downloads all --data, each into the partition that goes with the slot, whose
 * image is made unbootable before the first byte is written: its data goes.
 * What runs, and its data, are not touched. */
MUST_CHECK esp_err_t update_data_get(struct update_data *u,
                                     const struct part_entry *slot,
                                     struct diag *d);
/* [{"partition", "bytes"}]; NULL: out of memory. */
cJSON *update_data_json(const struct update_data *u);

#endif

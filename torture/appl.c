/* The API is the process's one device: started for each update, as after a
 * reset, and stopped. */
#include "api/device.h" /* first: the core's names, then the public ones */

#include "appl.h"
#include "server.h"
#include "sim_clock.h"
#include "sim_rng.h"
#include "sim_task.h"

#include "esp_ota_ops.h"
#include "nvs_flash.h"
#include "porta/ota_control.h"

#define PIECE_LEN 1500u

static esp_err_t write_all(esp_ota_handle_t h, struct span image)
{
    esp_err_t err = ESP_OK;

    while (!err && image.len > 0) {
        size_t len = image.len < PIECE_LEN ? image.len : PIECE_LEN;
        err = esp_ota_write(h, image.ptr, len);
        image = span_from(image, len);
    }
    return err;
}

static esp_err_t update(struct span image)
{
    const esp_partition_t *slot = esp_ota_get_next_update_partition(NULL);
    esp_ota_handle_t h;
    esp_err_t err;

    if (!slot)
        return ESP_ERR_NOT_FOUND;
    err = esp_ota_begin(slot, OTA_WITH_SEQUENTIAL_WRITES, &h);
    if (err)
        return err;
    err = write_all(h, image);
    if (err) {
        (void)esp_ota_abort(h);
        return err;
    }
    err = esp_ota_end(h);
    return err ? err : esp_ota_set_boot_partition(slot);
}

/* All that a device has; what an update by hand needs is real. */
struct board {
    struct api_boot boot;
    struct server server;
    struct sim_clock clock;
    struct sim_rng rng;
    uint8_t keys[IMG_KEYS_PACKED_MAX];
};

static void board_make(struct board *b, struct world *w)
{
    const struct part_entry *runs = boot_part(&w->parts.table, w->running);
    const struct boot_env *env = w->conf->boot;

    sim_clock_init(&b->clock, 0);
    sim_rng_init(&b->rng, 1);
    server_init(&b->server, span_of(NULL, 0));
    b->boot = (struct api_boot){ .flash = &w->flash,
                                 .sys = &w->sys.port,
                                 .heap = &w->heap.port,
                                 .net = &b->server.port,
                                 .clock = &b->clock.port,
                                 .rng = &b->rng.port,
                                 .lock = &sim_lock,
                                 .task = &sim_task,
                                 .fuse = &w->fuses.port,
                                 .policy = &env->policy,
                                 .table_off = w->conf->table_off,
                                 .running_off = runs ? runs->off : UINT32_MAX,
                                 .chip_id = env->rules.chip_id,
                                 .chip_rev = env->rules.chip_rev,
                                 .check_rev = env->rules.check_rev };
    if (env->rules.keys)
        b->boot.keys =
            span_of(b->keys, img_keys_pack(env->rules.keys, b->keys));
}

static esp_err_t board_start(struct board *b, struct world *w)
{
    board_make(b, w);
    return api_device_start(&b->boot);
}

esp_err_t appl_update(struct world *w)
{
    struct board b;
    esp_err_t err = board_start(&b, w);

    if (err)
        return err;
    err = update(w->conf->image);
    api_device_stop();
    return err;
}

/* --- into another partition ----------------------------------------------- */

static esp_err_t copy_file(const struct appl_copy *copy)
{
    const esp_partition_t *slot = esp_ota_get_next_update_partition(NULL);
    const esp_partition_t *final = esp_partition_find_first(
        ESP_PARTITION_TYPE_ANY, ESP_PARTITION_SUBTYPE_ANY, copy->label);
    esp_ota_handle_t h;
    esp_err_t err;

    if (!slot || !final)
        return ESP_ERR_NOT_FOUND;
    err = esp_ota_begin(slot, OTA_WITH_SEQUENTIAL_WRITES, &h);
    if (err)
        return err;
    err = esp_ota_set_final_partition(h, final, true);
    if (!err)
        err = write_all(h, copy->file);
    if (!err)
        return esp_ota_end(h);
    (void)esp_ota_abort(h);
    return err;
}

/* Settings that cannot be mounted keep nothing. */
static esp_err_t keeper_start(struct board *b, struct world *w)
{
    const porta_ota_options_t options = { .keep = true };
    esp_err_t err = board_start(b, w);

    if (err)
        return err;
    (void)!nvs_flash_init();
    porta_ota_set_options(&options);
    return ESP_OK;
}

esp_err_t appl_copy(struct world *w, const struct appl_copy *copy)
{
    struct board b;
    esp_err_t err = keeper_start(&b, w);

    if (err)
        return err;
    err = copy_file(copy);
    api_device_stop();
    return err;
}

esp_err_t appl_finish_copy(struct world *w)
{
    struct board b;
    esp_err_t err = keeper_start(&b, w);

    if (err)
        return err;
    err = porta_ota_finish_copy();
    api_device_stop();
    return err;
}

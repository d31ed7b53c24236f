/* esp_partition_*: reading, writing, erasing and mapping what is in a
 * partition. */
#include "api/device.h"

#include <string.h>

#include "crypto/ct.h"
#include "crypto/sha256.h"
#include "esp_flash_partitions.h"
#include "esp_partition.h"

#define COPY_LEN 4096u

/* --- ranges --------------------------------------------------------------- */

static esp_err_t check_range(const esp_partition_t *p, size_t off, size_t size)
{
    if (off > p->size)
        return ESP_ERR_INVALID_ARG;
    return size > p->size - off ? ESP_ERR_INVALID_SIZE : ESP_OK;
}

static esp_err_t check_write(const esp_partition_t *p, size_t off, size_t size)
{
    if (!p)
        return ESP_ERR_INVALID_ARG;
    return p->readonly ? ESP_ERR_NOT_ALLOWED : check_range(p, off, size);
}

/* --- read, write, erase --------------------------------------------------- */

esp_err_t esp_partition_read(const esp_partition_t *partition,
                             size_t src_offset, void *dst, size_t size)
{
    struct part_entry e;
    esp_err_t err;

    if (!partition || (!dst && size > 0))
        return ESP_ERR_INVALID_ARG;
    err = check_range(partition, src_offset, size);
    if (err)
        return err;
    e = api_entry(partition);
    return part_read(&api_device()->parts, &e, (uint32_t)src_offset, dst, size);
}

/* Flash that programs in units gets 0xFF, which programs nothing, around a
 * range that does not begin and end with one. */
static esp_err_t prog_edge(const struct part_entry *e, uint32_t off,
                           const uint8_t *src, uint32_t len)
{
    uint32_t unit = api_device()->flash.prog_len;
    uint8_t bytes[64];

    if (unit > sizeof(bytes))
        return ESP_ERR_NOT_SUPPORTED;
    memset(bytes, 0xFF, unit);
    memcpy(bytes + off % unit, src, len);
    return part_prog(&api_device()->parts, e, off - off % unit, bytes, unit);
}

static esp_err_t prog_any(const struct part_entry *e, uint32_t off,
                          const uint8_t *src, size_t len)
{
    uint32_t unit = api_device()->flash.prog_len;
    esp_err_t err = ESP_OK;

    while (!err && len > 0) {
        size_t step = len - len % unit;
        if (off % unit || step == 0) {
            step = unit - off % unit;
            if (step > len)
                step = len;
            err = prog_edge(e, off, src, (uint32_t)step);
        } else {
            err = part_prog(&api_device()->parts, e, off, src, step);
        }
        off += (uint32_t)step;
        src += step;
        len -= step;
    }
    return err;
}

esp_err_t esp_partition_write(const esp_partition_t *partition,
                              size_t dst_offset, const void *src, size_t size)
{
    struct part_entry e;
    esp_err_t err = check_write(partition, dst_offset, size);

    if (!err && !src && size > 0)
        err = ESP_ERR_INVALID_ARG;
    if (err)
        return err;
    e = api_entry(partition);
    api_lock();
    err = prog_any(&e, (uint32_t)dst_offset, src, size);
    api_unlock();
    return err;
}

esp_err_t esp_partition_read_raw(const esp_partition_t *partition,
                                 size_t src_offset, void *dst, size_t size)
{
    return esp_partition_read(partition, src_offset, dst, size);
}

esp_err_t esp_partition_write_raw(const esp_partition_t *partition,
                                  size_t dst_offset, const void *src,
                                  size_t size)
{
    return esp_partition_write(partition, dst_offset, src, size);
}

esp_err_t esp_partition_erase_range(const esp_partition_t *partition,
                                    size_t offset, size_t size)
{
    struct api_device *dev = api_device();
    uint32_t sector = dev->flash.erase_len;
    struct part_entry e;
    esp_err_t err = check_write(partition, offset, size);

    if (err)
        return err;
    if (size % sector)
        return ESP_ERR_INVALID_SIZE;
    if (offset % sector)
        return ESP_ERR_INVALID_ARG;
    e = api_entry(partition);
    for (size_t at = 0; !err && at < size; at += sector) {
        api_lock();
        err = part_erase_sector(&dev->parts, &e, (uint32_t)(offset + at));
        api_unlock();
        dev->boot.sys->sleep_ms(dev->boot.sys->ctx, 0);
    }
    return err;
}

/* --- map ------------------------------------------------------------------ */

esp_err_t esp_partition_mmap(const esp_partition_t *partition, size_t offset,
                             size_t size, esp_partition_mmap_memory_t memory,
                             const void **out_ptr,
                             esp_partition_mmap_handle_t *out_handle)
{
    struct api_device *dev = api_device();
    struct api_map *map;
    esp_err_t err;

    (void)memory; /* one kind of memory here */
    if (!partition || !out_ptr || !out_handle)
        return ESP_ERR_INVALID_ARG;
    err = check_range(partition, offset, size);
    if (err)
        return err;
    if (partition->flash_chip != esp_flash_default_chip)
        return ESP_ERR_NOT_SUPPORTED;
    map = api_alloc(sizeof(*map) + size);
    if (!map)
        return ESP_ERR_NO_MEM;
    err = esp_partition_read(partition, offset, map->bytes, size);
    if (err) {
        api_free(map);
        return err;
    }
    api_lock();
    map->handle = ++dev->map_last;
    map->next = dev->map_list;
    dev->map_list = map;
    api_unlock();
    *out_ptr = map->bytes;
    *out_handle = map->handle;
    return ESP_OK;
}

void esp_partition_munmap(esp_partition_mmap_handle_t handle)
{
    struct api_map **link;

    api_lock();
    link = &api_device()->map_list;
    while (*link && (*link)->handle != handle)
        link = &(*link)->next;
    if (*link) {
        struct api_map *map = *link;
        *link = map->next;
        api_free(map);
    }
    api_unlock();
}

/* --- digests -------------------------------------------------------------- */

static esp_err_t sha_of_range(const esp_partition_t *p, uint8_t *out)
{
    struct sha256 sha;
    /* Only address and size are looked at: callers fill nothing else. */
    struct part_entry e = { .off = p->address, .len = p->size };
    uint8_t *buf = api_alloc(COPY_LEN);
    esp_err_t err = buf ? ESP_OK : ESP_ERR_NO_MEM;

    sha256_init(&sha);
    for (uint32_t at = 0; !err && at < e.len; at += COPY_LEN) {
        uint32_t step = e.len - at < COPY_LEN ? e.len - at : COPY_LEN;
        err = part_read(&api_device()->parts, &e, at, buf, step);
        sha256_update(&sha, buf, step);
    }
    if (!err)
        sha256_final(&sha, out);
    api_free(buf);
    return err;
}

esp_err_t esp_partition_get_sha256(const esp_partition_t *partition,
                                   uint8_t *sha_256)
{
    esp_partition_t place = { .flash_chip = NULL };
    struct img_receipt receipt;
    esp_err_t err;

    if (!partition || !sha_256 || partition->size == 0)
        return ESP_ERR_INVALID_ARG;
    if (partition->type != ESP_PARTITION_TYPE_APP &&
        partition->type != ESP_PARTITION_TYPE_BOOTLOADER)
        return sha_of_range(partition, sha_256);
    place.address = partition->address;
    place.size = partition->size;
    place.type = partition->type;
    err = api_image_digest(&place, &receipt);
    if (err)
        return err == ESP_ERR_NO_MEM ? err : ESP_ERR_IMAGE_INVALID;
    memcpy(sha_256, receipt.digest, sizeof(receipt.digest));
    return ESP_OK;
}

bool esp_partition_check_identity(const esp_partition_t *partition_1,
                                  const esp_partition_t *partition_2)
{
    uint8_t a[SHA256_LEN], b[SHA256_LEN];

    return esp_partition_get_sha256(partition_1, a) == ESP_OK &&
           esp_partition_get_sha256(partition_2, b) == ESP_OK &&
           ct_eq(a, b, sizeof(a));
}

/* --- copy ----------------------------------------------------------------- */

static esp_err_t copy_bytes(const esp_partition_t *dst, uint32_t dst_off,
                            const esp_partition_t *src, uint32_t src_off,
                            size_t size)
{
    uint8_t *buf = api_alloc(COPY_LEN);
    esp_err_t err = buf ? ESP_OK : ESP_ERR_NO_MEM;

    for (size_t at = 0; !err && at < size; at += COPY_LEN) {
        size_t step = size - at < COPY_LEN ? size - at : COPY_LEN;
        err = esp_partition_read(src, src_off + at, buf, step);
        if (!err)
            err = esp_partition_write(dst, dst_off + at, buf, step);
    }
    api_free(buf);
    return err;
}

esp_err_t esp_partition_copy(const esp_partition_t *dest_part,
                             uint32_t dest_offset,
                             const esp_partition_t *src_part,
                             uint32_t src_offset, size_t size)
{
    uint32_t sector = api_device()->flash.erase_len;
    size_t erase;
    esp_err_t err;

    if (!dest_part || !src_part || dest_part == src_part)
        return ESP_ERR_INVALID_ARG;
    if (dest_offset > dest_part->size || src_offset > src_part->size)
        return ESP_ERR_INVALID_SIZE;
    if (src_part->flash_chip != esp_flash_default_chip)
        return ESP_ERR_NOT_SUPPORTED;
    erase = dest_part->size - dest_offset;
    if (size == SIZE_MAX)
        size = src_part->size - src_offset;
    else
        erase = size + (sector - size % sector) % sector;
    if (size > src_part->size - src_offset ||
        size > dest_part->size - dest_offset)
        return ESP_ERR_INVALID_SIZE;
    err = esp_partition_erase_range(dest_part, dest_offset, erase);
    if (err)
        return err;
    return copy_bytes(dest_part, dest_offset, src_part, src_offset, size);
}

/* The list of partitions as applications see it: made from the table at first
 * use, and followed by what was registered at run time. */
#include "api/device.h"

#include <stdio.h>
#include <string.h>

#include "esp_partition.h"

struct esp_partition_iterator_opaque_ {
    esp_partition_type_t type;
    esp_partition_subtype_t subtype;
    bool any_label;
    char label[PART_LABEL_LEN + 1];
    const struct api_part *at;
};

/* --- the list ------------------------------------------------------------- */

struct part_entry api_entry(const esp_partition_t *partition)
{
    struct part_entry e = {
        .type = (uint8_t)partition->type,
        .subtype = (uint8_t)partition->subtype,
        .off = partition->address,
        .len = partition->size,
        .flags = partition->readonly ? PART_FLAG_READONLY : 0,
    };

    memcpy(e.label, partition->label, sizeof(e.label));
    e.label[PART_LABEL_LEN] = '\0';
    return e;
}

static struct api_part *append(const struct part_entry *e, bool external)
{
    struct api_device *dev = api_device();
    struct api_part *node = api_alloc(sizeof(*node));
    struct api_part **tail = &dev->part_list;

    if (!node)
        return NULL;
    node->external = external;
    node->pub.flash_chip = esp_flash_default_chip;
    node->pub.type = (esp_partition_type_t)e->type;
    node->pub.subtype = (esp_partition_subtype_t)e->subtype;
    node->pub.address = e->off;
    node->pub.size = e->len;
    node->pub.erase_size = dev->flash.erase_len;
    memcpy(node->pub.label, e->label, sizeof(node->pub.label));
    node->pub.readonly = (e->flags & PART_FLAG_READONLY) != 0;
    while (*tail)
        tail = &(*tail)->next;
    *tail = node;
    return node;
}

static void free_list(void)
{
    struct api_device *dev = api_device();

    while (dev->part_list) {
        struct api_part *node = dev->part_list;
        dev->part_list = node->next;
        api_free(node);
    }
}

void api_partitions_unload(void)
{
    struct api_device *dev = api_device();

    free_list();
    while (dev->map_list) {
        struct api_map *map = dev->map_list;
        dev->map_list = map->next;
        api_free(map);
    }
    while (dev->parts.extra_cnt > 0) {
        if (part_extra_remove(&dev->parts, dev->parts.extra_cnt - 1))
            break;
    }
}

/* Under the lock. */
static esp_err_t load(void)
{
    struct api_device *dev = api_device();
    const struct part_table *table = &dev->parts.table;

    if (dev->table_err)
        dev->table_err =
            part_dev_open(&dev->parts, &dev->flash, dev->boot.table_off);
    if (dev->table_err || dev->part_list)
        return dev->table_err;
    for (uint32_t i = 0; i < table->cnt; i++) {
        if (!append(&table->entries[i], false)) {
            free_list();
            return ESP_ERR_NO_MEM;
        }
    }
    return ESP_OK;
}

void esp_partition_unload_all(void)
{
    api_lock();
    api_partitions_unload();
    api_unlock();
}

const esp_partition_t *api_partition_of(const struct part_entry *entry)
{
    const struct api_part *node = NULL;

    api_lock();
    if (!load())
        node = api_device()->part_list;
    while (node &&
           (node->pub.address != entry->off || node->pub.size != entry->len ||
            (uint8_t)node->pub.type != entry->type))
        node = node->next;
    api_unlock();
    return node ? &node->pub : NULL;
}

/* --- find ----------------------------------------------------------------- */

static bool matches(const struct api_part *node,
                    const struct esp_partition_iterator_opaque_ *it)
{
    const esp_partition_t *p = &node->pub;

    return (it->type == ESP_PARTITION_TYPE_ANY || p->type == it->type) &&
           (it->subtype == ESP_PARTITION_SUBTYPE_ANY ||
            p->subtype == it->subtype) &&
           (it->any_label || strcmp(p->label, it->label) == 0);
}

static const struct api_part *skip_to_match(
    const struct api_part *node,
    const struct esp_partition_iterator_opaque_ *it)
{
    while (node && !matches(node, it))
        node = node->next;
    return node;
}

/* Fills *it with the first match. */
static esp_err_t search(esp_partition_type_t type,
                        esp_partition_subtype_t subtype, const char *label,
                        struct esp_partition_iterator_opaque_ *it)
{
    esp_err_t err;

    if (type == ESP_PARTITION_TYPE_ANY && subtype != ESP_PARTITION_SUBTYPE_ANY)
        return ESP_ERR_INVALID_ARG;
    it->type = type;
    it->subtype = subtype;
    it->any_label = label == NULL;
    if (label && strlen(label) > PART_LABEL_LEN)
        return ESP_ERR_NOT_FOUND;
    if (label)
        memcpy(it->label, label, strlen(label) + 1);
    api_lock();
    err = load();
    it->at = err ? NULL : skip_to_match(api_device()->part_list, it);
    api_unlock();
    if (err)
        return err;
    return it->at ? ESP_OK : ESP_ERR_NOT_FOUND;
}

esp_err_t esp_partition_find_err(esp_partition_type_t type,
                                 esp_partition_subtype_t subtype,
                                 const char *label,
                                 esp_partition_iterator_t *it)
{
    struct esp_partition_iterator_opaque_ found = { .at = NULL };
    esp_err_t err;

    if (!it)
        return ESP_ERR_INVALID_ARG;
    *it = NULL;
    err = search(type, subtype, label, &found);
    if (err)
        return err;
    *it = api_alloc(sizeof(found));
    if (!*it)
        return ESP_ERR_NO_MEM;
    **it = found;
    return ESP_OK;
}

esp_partition_iterator_t esp_partition_find(esp_partition_type_t type,
                                            esp_partition_subtype_t subtype,
                                            const char *label)
{
    esp_partition_iterator_t it;

    (void)esp_partition_find_err(type, subtype, label, &it);
    return it;
}

esp_err_t esp_partition_find_first_err(esp_partition_type_t type,
                                       esp_partition_subtype_t subtype,
                                       const char *label,
                                       const esp_partition_t **partition)
{
    struct esp_partition_iterator_opaque_ found = { .at = NULL };
    esp_err_t err;

    if (!partition)
        return ESP_ERR_INVALID_ARG;
    err = search(type, subtype, label, &found);
    *partition = err ? NULL : &found.at->pub;
    return err;
}

const esp_partition_t *esp_partition_find_first(esp_partition_type_t type,
                                                esp_partition_subtype_t subtype,
                                                const char *label)
{
    const esp_partition_t *found;

    (void)esp_partition_find_first_err(type, subtype, label, &found);
    return found;
}

const esp_partition_t *esp_partition_get(esp_partition_iterator_t iterator)
{
    return iterator && iterator->at ? &iterator->at->pub : NULL;
}

esp_partition_iterator_t esp_partition_next(esp_partition_iterator_t iterator)
{
    if (!iterator)
        return NULL;
    api_lock();
    iterator->at = skip_to_match(iterator->at->next, iterator);
    api_unlock();
    if (iterator->at)
        return iterator;
    esp_partition_iterator_release(iterator);
    return NULL;
}

void esp_partition_iterator_release(esp_partition_iterator_t iterator)
{
    api_free(iterator);
}

/* --- verify --------------------------------------------------------------- */

static bool is_same(const esp_partition_t *a, const esp_partition_t *b)
{
    return a->type == b->type && a->subtype == b->subtype &&
           a->address == b->address && a->size == b->size &&
           a->encrypted == b->encrypted && a->flash_chip == b->flash_chip &&
           (b->label[0] == '\0' || strcmp(a->label, b->label) == 0);
}

esp_err_t esp_partition_verify_err(const esp_partition_t *partition,
                                   const esp_partition_t **out)
{
    const struct api_part *node;
    esp_err_t err;

    if (!partition || !out)
        return ESP_ERR_INVALID_ARG;
    *out = NULL;
    api_lock();
    err = load();
    node = err ? NULL : api_device()->part_list;
    while (node && !is_same(&node->pub, partition))
        node = node->next;
    api_unlock();
    if (err)
        return err;
    *out = node ? &node->pub : NULL;
    return node ? ESP_OK : ESP_ERR_NOT_FOUND;
}

const esp_partition_t *esp_partition_verify(const esp_partition_t *partition)
{
    const esp_partition_t *found = NULL;

    (void)esp_partition_verify_err(partition, &found);
    return found;
}

/* --- registered at run time ----------------------------------------------- */

static struct api_part **link_of(const esp_partition_t *partition)
{
    struct api_part **link = &api_device()->part_list;

    while (*link && &(*link)->pub != partition)
        link = &(*link)->next;
    return link;
}

static void drop_node(struct api_part **link)
{
    struct api_part *node = *link;

    *link = node->next;
    api_free(node);
}

/* Under the lock. */
static esp_err_t add_external(const struct part_entry *e,
                              const esp_partition_t **out)
{
    struct api_part *node;
    esp_err_t err = load();

    /* A device without a table may still register ranges. */
    if (err && err != ESP_ERR_NOT_FOUND)
        return err;
    node = append(e, true);
    if (!node)
        return ESP_ERR_NO_MEM;
    err = part_extra_add(&api_device()->parts, e);
    if (err)
        drop_node(link_of(&node->pub));
    else if (out)
        *out = &node->pub;
    return err;
}

esp_err_t esp_partition_register_external(esp_flash_t *flash_chip,
                                          size_t offset, size_t size,
                                          const char *label,
                                          esp_partition_type_t type,
                                          esp_partition_subtype_t subtype,
                                          const esp_partition_t **out_partition)
{
    uint32_t flash_len = api_device()->flash.size_len;
    struct part_entry e = { .type = (uint8_t)type,
                            .subtype = (uint8_t)subtype };
    esp_err_t err;

    if (out_partition)
        *out_partition = NULL;
    if (flash_chip && flash_chip != esp_flash_default_chip)
        return ESP_ERR_NOT_SUPPORTED;
    if (offset > flash_len || size > flash_len - offset)
        return ESP_ERR_INVALID_SIZE;
    e.off = (uint32_t)offset;
    e.len = (uint32_t)size;
    if (label)
        (void)snprintf(e.label, sizeof(e.label), "%s", label);
    api_lock();
    err = add_external(&e, out_partition);
    api_unlock();
    return err;
}

static esp_err_t forget_extra(uint32_t off)
{
    struct part_dev *parts = &api_device()->parts;
    uint32_t i = 0;

    while (i < parts->extra_cnt && parts->extra[i].off != off)
        i++;
    return part_extra_remove(parts, i);
}

esp_err_t esp_partition_deregister_external(const esp_partition_t *partition)
{
    struct api_part **link;
    esp_err_t err = ESP_ERR_NOT_FOUND;

    api_lock();
    link = link_of(partition);
    if (*link && !(*link)->external)
        err = ESP_ERR_INVALID_ARG;
    else if (*link)
        err = forget_extra(partition->address);
    if (!err)
        drop_node(link);
    api_unlock();
    return err;
}

uint32_t esp_partition_get_main_flash_sector_size(void)
{
    return api_device()->flash.erase_len;
}

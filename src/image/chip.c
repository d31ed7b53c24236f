#include "image/chip.h"

const struct img_chip *img_chip_at(size_t idx)
{
    return idx < img_chip_cnt ? &img_chips[idx] : NULL;
}

const struct img_chip *img_chip_find(uint16_t id)
{
    const struct img_chip *chip;

    for (size_t i = 0; (chip = img_chip_at(i)) != NULL; i++)
        if (chip->id == id)
            return chip;
    return NULL;
}

bool img_chip_is_mapped(const struct img_chip *chip, uint32_t addr)
{
    if (!chip)
        return false;
    for (size_t i = 0; i < 2; i++)
        if (addr >= chip->mapped[i].start_addr &&
            addr < chip->mapped[i].end_addr)
            return true;
    return false;
}

uint32_t img_chip_page_len(const struct img_chip *chip, uint8_t page_log2)
{
    uint8_t log2 = page_log2;

    if (!chip || log2 < chip->page_log2_min || log2 > chip->page_log2_max)
        log2 = IMG_PAGE_LOG2_DEFAULT;
    return 1u << (log2 < 16 ? log2 : 16);
}

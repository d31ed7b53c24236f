/* spi_flash_mmap.h - sizes of flash; a host flash has no memory window. */
#ifndef SPI_FLASH_MMAP_H
#define SPI_FLASH_MMAP_H

#include <stdint.h>

#include "esp_err.h"

#define SPI_FLASH_SEC_SIZE 4096
#define SPI_FLASH_MMU_PAGE_SIZE 0x10000

#endif

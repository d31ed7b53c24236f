/* esp_app_desc.h - what an application image says about itself: 256 bytes at
 * offset 32 of the image. */
#ifndef ESP_APP_DESC_H
#define ESP_APP_DESC_H

#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

#define ESP_APP_DESC_MAGIC_WORD 0xABCD5432U

typedef struct {
    uint32_t magic_word;
    uint32_t secure_version;
    uint32_t reserv1[2];
    char version[32];
    char project_name[32];
    char time[16];
    char date[16];
    char idf_ver[32];
    uint8_t app_elf_sha256[32];
    uint16_t min_efuse_blk_rev_full;
    uint16_t max_efuse_blk_rev_full;
    uint8_t mmu_page_size;
    uint8_t spi_flash_mode;
    uint8_t reserv3[2];
    uint32_t reserv2[18];
} esp_app_desc_t;

/* The description of the running application; static storage. */
const esp_app_desc_t *esp_app_get_description(void);

/* Writes the ELF's SHA-256 as lower-case hex, shortened to nine digits, with a
 * NUL. Returns the bytes written, NUL included; 0 when dst is NULL or size is
 * below 2. */
int esp_app_get_elf_sha256(char *dst, size_t size);
/* The same in static storage. */
char *esp_app_get_elf_sha256_str(void);

#ifdef __cplusplus
}
#endif

#endif

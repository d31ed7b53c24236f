/* crypt_device.h - a device whose server has an encrypted image for it. */
#ifndef TEST_CRYPT_DEVICE_H
#define TEST_CRYPT_DEVICE_H

#include "enc/gcm.h"
#include "unit/api/device.h"

#include "esp_encrypted_img.h"

struct crypt_device {
    struct device d;
    uint8_t *file; /* of the image in d.rig */
    size_t file_len;
    esp_decrypt_cfg_t cfg;
    size_t heap_len; /* what the device itself holds */
};

/* The key's bytes are those of crypt_hmac(). */
void crypt_device_open(struct crypt_device *c);
/* Asserts that the heap holds what it held before. */
void crypt_device_check(const struct crypt_device *c);
void crypt_device_close(struct crypt_device *c);
const uint8_t *crypt_hmac(void);
/* A handle for the image; asserts that there is one. */
esp_decrypt_handle_t crypt_start(struct crypt_device *c);

#endif

/* settings.h - where these examples get the URL and the certificate from.
 *
 * A device that is made once and updated for years must not have them
 * compiled in: they are provisioned. Here they are text in a data partition
 * called "settings": the URL in the first line, below it the CA certificates
 * in PEM. Any tool can write it:
 *
 *     { echo https://localhost:8070/app.bin; cat porta-certs/ca.pem; } > s.txt
 *     porta flash write device.bin settings s.txt
 */
#ifndef SETTINGS_H
#define SETTINGS_H

#include "esp_err.h"

#define SETTINGS_MAX_LEN 4096

struct settings {
    char text[SETTINGS_MAX_LEN + 1];
    const char *url;      /* in text */
    const char *cert_pem; /* in text */
};

/* ESP_ERR_NOT_FOUND: there is no such partition, or it is blank. */
esp_err_t settings_load(struct settings *s);

#endif

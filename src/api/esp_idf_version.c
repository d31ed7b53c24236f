#include "esp_idf_version.h"

#define TEXT_OF(x) #x
#define TEXT(x) TEXT_OF(x)

const char *esp_get_idf_version(void)
{
    return "v" TEXT(ESP_IDF_VERSION_MAJOR) "." TEXT(
        ESP_IDF_VERSION_MINOR) "." TEXT(ESP_IDF_VERSION_PATCH);
}

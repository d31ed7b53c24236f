/* sdkconfig.h - what a project without options of its own is built with.
 *
 * Boolean options are 1 or undefined, because ESP-IDF's code uses #if and
 * #ifdef alike. CONFIG_IDF_TARGET_LINUX stays undefined: the examples take
 * other headers then, which lack what they need. */
#ifndef SDKCONFIG_H
#define SDKCONFIG_H

#define CONFIG_IDF_TARGET "esp32"
#define CONFIG_IDF_TARGET_ESP32 1
#define CONFIG_IDF_FIRMWARE_CHIP_ID 0xffff
#define CONFIG_FREERTOS_HZ 100
#define CONFIG_ESP_MAIN_TASK_STACK_SIZE 3584
#define CONFIG_BOOTLOADER_OFFSET_IN_FLASH 0x1000
#define CONFIG_PARTITION_TABLE_OFFSET 0x8000
#define CONFIG_BOOTLOADER_APP_ROLLBACK_ENABLE 1
#define CONFIG_LOG_DEFAULT_LEVEL 3
#define CONFIG_LOG_MAXIMUM_LEVEL 5

#endif

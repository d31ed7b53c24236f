/* esp_attr.h - where code and data live on a chip.
 *
 * A host has one kind of memory, so most of these say nothing. What is kept in
 * RTC memory lives on: RTC_NOINIT_ATTR through a restart that the program asks
 * for, RTC_DATA_ATTR through deep sleep; 1 KiB in all. */
#ifndef ESP_ATTR_H
#define ESP_ATTR_H

#include "sdkconfig.h"

#define IRAM_ATTR
#define DRAM_ATTR
#define IRAM_DATA_ATTR
#define IRAM_BSS_ATTR
#define DMA_ATTR
#define WORD_ALIGNED_ATTR __attribute__((aligned(4)))
#define FORCE_INLINE_ATTR static inline __attribute__((always_inline))
#define NOINLINE_ATTR __attribute__((noinline))
#define EXT_RAM_BSS_ATTR
#define EXT_RAM_NOINIT_ATTR
#define DRAM_STR(str) (str)
#define COREDUMP_DRAM_ATTR
#define COREDUMP_RTC_DATA_ATTR RTC_DATA_ATTR
#define __NOINIT_ATTR RTC_NOINIT_ATTR
#define RTC_IRAM_ATTR
#define RTC_RODATA_ATTR
#define RTC_FAST_ATTR RTC_DATA_ATTR
#define RTC_SLOW_ATTR RTC_DATA_ATTR
#define RTC_DATA_ATTR __attribute__((section("porta_rtc_data"), used))
#define RTC_NOINIT_ATTR __attribute__((section("porta_rtc_noinit"), used))

#endif

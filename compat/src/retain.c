/* Memory that a reset does not clear, as far as a host can have it: when the
 * program resets itself, variables of RTC_NOINIT_ATTR and RTC_DATA_ATTR are
 * copied to the page that the board keeps, and the next boot takes them from
 * there. A crash keeps nothing. A program whose variables have another size (an
 * update) begins with what it was built with. */
#include <string.h>

#include "base/crc32.h"
#include "compat.h"
#include "esp_attr.h"
#include "esp_log.h"

/* So that both sections exist, with their marks. */
static RTC_DATA_ATTR uint32_t data_mark;
static RTC_NOINIT_ATTR uint32_t noinit_mark;

extern uint8_t data_start[] __asm__("__start_porta_rtc_data");
extern uint8_t data_end[] __asm__("__stop_porta_rtc_data");
extern uint8_t noinit_start[] __asm__("__start_porta_rtc_noinit");
extern uint8_t noinit_end[] __asm__("__stop_porta_rtc_noinit");

struct head {
    uint32_t data_len, noinit_len, crc;
};

static struct head head_of(const uint8_t *body)
{
    struct head h = { .data_len = (uint32_t)(data_end - data_start),
                      .noinit_len = (uint32_t)(noinit_end - noinit_start) };
    h.crc = crc32_le(0, body, h.data_len + h.noinit_len);
    return h;
}

static bool fits(size_t cap)
{
    return sizeof(struct head) + (size_t)(data_end - data_start) +
               (size_t)(noinit_end - noinit_start) <=
           cap;
}

void compat_retain_save(uint8_t *kept, size_t cap)
{
    uint8_t *body = kept + sizeof(struct head);
    size_t data_len = (size_t)(data_end - data_start);
    if (!fits(cap)) {
        ESP_LOGW("rtc",
                 "variables of RTC memory have %zu bytes: nothing of "
                 "them is kept, there is room for %zu",
                 data_len + (size_t)(noinit_end - noinit_start), cap);
        return;
    }
    memcpy(body, data_start, data_len);
    memcpy(body + data_len, noinit_start, (size_t)(noinit_end - noinit_start));
    struct head h = head_of(body);
    memcpy(kept, &h, sizeof(h));
}

void compat_retain_load(uint8_t *kept, size_t cap,
                        enum port_reset_reason reason)
{
    const uint8_t *body = kept + sizeof(struct head);
    if (reason == PORT_RESET_POWERON || !fits(cap))
        return;
    struct head h = head_of(body);
    bool sound = memcmp(&h, kept, sizeof(h)) == 0;
    memset(kept, 0, sizeof(h)); /* a crash must not find what is old */
    if (!sound)
        return;
    if (reason == PORT_RESET_DEEPSLEEP)
        memcpy(data_start, body, h.data_len);
    memcpy(noinit_start, body + h.data_len, h.noinit_len);
}

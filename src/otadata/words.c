/* otadata/words.c - what events mean, for people and scripts. */
#include "otadata/otadata.h"

static const char *word_at(const char *const *words, size_t cnt, uint8_t i)
{
    return i < cnt ? words[i] : "unknown";
}

#define WORD_CNT(words) (sizeof(words) / sizeof((words)[0]))

const char *ota_event_kind_name(uint8_t kind)
{
    static const char *const words[] = { "none", "started", "confirmed",
                                         "given_up" };
    return word_at(words, WORD_CNT(words), kind);
}

const char *ota_event_who_name(uint8_t who)
{
    static const char *const words[] = { "nobody", "bootloader", "application",
                                         "policy", "tool" };
    return word_at(words, WORD_CNT(words), who);
}

const char *ota_event_why_text(uint8_t why)
{
    static const char *const words[] = {
        [OTA_WHY_NONE] = "no reason is given",
        [OTA_WHY_RESET] = "it was not confirmed before its starts were used up",
        [OTA_WHY_IMAGE_BAD] = "its image does not verify",
        [OTA_WHY_CALL] = "it was asked for",
        [OTA_WHY_MET] = "all conditions were met",
        [OTA_WHY_DEADLINE] = "the conditions were not met before the deadline",
        [OTA_WHY_STARTS] =
            "it was not confirmed in as many starts as its policy allows",
        [OTA_WHY_CONDITION] = "a condition was reported to fail",
        [OTA_WHY_CALLBACK] = "the application's callback decided so",
        [OTA_WHY_TOO_OLD] = "its secure version is below that of the fuses",
    };
    return word_at(words, WORD_CNT(words), why);
}

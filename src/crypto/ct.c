#include "crypto/ct.h"

uint32_t ct_diff(const void *a, const void *b, size_t len)
{
    const volatile uint8_t *pa = a;
    const volatile uint8_t *pb = b;
    volatile size_t done = 0;
    uint32_t diff = 0;

    while (done < len) {
        diff |= (uint32_t)(pa[done] ^ pb[done]);
        done++;
    }
    return diff | (uint32_t)(done ^ len);
}

bool ct_eq(const void *a, const void *b, size_t len)
{
    return ct_diff(a, b, len) == 0;
}

/* Writes through a volatile pointer are side effects that have to happen. */
void ct_wipe(void *p, size_t len)
{
    volatile uint8_t *q = p;

    for (size_t i = 0; i < len; i++)
        q[i] = 0;
}

enum verdict ct_verdict(uint32_t wrong)
{
    uint32_t differ = (uint32_t)VERDICT_ACCEPT ^ (uint32_t)VERDICT_REJECT;

    return (enum verdict)((uint32_t)VERDICT_ACCEPT ^
                          (differ & (0u - ct_flag(wrong))));
}

enum verdict ct_agree(uint32_t wrong, uint32_t again)
{
    uint32_t plain = again == 0 ? VERDICT_ACCEPT : VERDICT_REJECT;

    return (enum verdict)((uint32_t)ct_verdict(wrong) & plain);
}

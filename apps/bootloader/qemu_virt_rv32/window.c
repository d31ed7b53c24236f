#include "window.h"

#include "vrt_map.h"
#include "vrt_sys.h"

/* --- what is refused ------------------------------------------------------ */

/* A segment at address 0 is not loaded: the description. */
static bool segment_fits(const struct img_segment *seg)
{
    return seg->load_addr == 0 || seg->load_addr == VRT_WINDOW + seg->off;
}

static bool entry_fits(const struct img_info *info, uint32_t seg_cnt)
{
    uint32_t at = info->header.entry_addr;
    for (uint32_t i = 0; i < seg_cnt; i++) {
        const struct img_segment *seg = &info->segs[i];
        if (seg->load_addr != 0 && at >= seg->load_addr &&
            at - seg->load_addr < seg->len)
            return at % 2 == 0;
    }
    return false;
}

bool window_fits(const struct img_info *info, uint32_t seg_cnt)
{
    for (uint32_t i = 0; i < seg_cnt; i++)
        if (!segment_fits(&info->segs[i]))
            return false;
    return seg_cnt < info->header.seg_cnt || entry_fits(info, seg_cnt);
}

static uint32_t segments_known(const struct img_info *info)
{
    uint32_t cnt = 0;
    while (cnt < info->header.seg_cnt && cnt < IMG_MAX_SEGMENTS &&
           info->segs[cnt].off != 0)
        cnt++;
    return cnt;
}

static esp_err_t window_feed(void *ctx, const void *data, size_t len)
{
    struct window *w = ctx;
    (void)data;
    w->fed_len += (uint32_t)len;
    if (w->fed_len > VRT_WINDOW_LEN)
        return ESP_ERR_INVALID_SIZE;
    if (!window_fits(&w->check->info, segments_known(&w->check->info)))
        return ESP_ERR_IMAGE_INVALID;
    return ESP_OK;
}

static esp_err_t window_begin(void *ctx, const struct part_entry *part,
                              const struct img_check *check,
                              struct img_sink *sink)
{
    struct window *w = ctx;
    w->check = check;
    w->fed_len = 0;
    *sink = (struct img_sink){ w, window_feed };
    return part->off % 4096u == 0 ? ESP_OK : ESP_ERR_INVALID_SIZE;
}

/* Nothing was loaded: flash is where it is. */
static void window_end(void *ctx, enum verdict verdict)
{
    (void)ctx;
    (void)verdict;
}

void window_open(struct window *w)
{
    *w = (struct window){ .port = { w, window_begin, window_end } };
}

/* --- page tables: RISC-V privileged architecture, 4.3 (Sv32) -------------- */

#define V 1u
#define R 2u
#define W 4u
#define X 8u
#define AD 0xc0u /* accessed, dirty: set here, so that hardware need not */
#define MEGA_LEN 0x400000u
#define SATP_SV32 0x80000000u

static volatile uint32_t root[1024] __attribute__((aligned(4096)));
static volatile uint32_t window[1024] __attribute__((aligned(4096)));

static void map_same(uint32_t addr, uint32_t len, uint32_t rights)
{
    for (uint32_t at = addr; at < addr + len; at += MEGA_LEN)
        root[at / MEGA_LEN] = (at / 4096u) << 10 | rights | AD | V;
}

static void map_window(uint32_t off, uint32_t image_len)
{
    for (uint32_t i = 0; i < 1024 && i * 4096u < image_len; i++)
        window[i] = ((VRT_BANK1 + off) / 4096u + i) << 10 | R | X | AD | V;
    root[VRT_WINDOW / MEGA_LEN] =
        ((uint32_t)(uintptr_t)window / 4096u) << 10 | V;
}

/* Bank 0 is not there for the application. */
static void map_all(uint32_t off, uint32_t image_len)
{
    map_same(0, MEGA_LEN, R | W); /* finisher, clock */
    map_same(VRT_CLINT, MEGA_LEN, R | W);
    map_same(VRT_UART, MEGA_LEN, R | W); /* and virtio */
    map_same(VRT_BANK1, VRT_BANK_LEN, R | W);
    map_same(VRT_RAM, MEGA_LEN, R | W | X);
    map_window(off, image_len);
}

/* --- rights: 3.7 (PMP). The first entry that matches decides -------------- */

#define PMP_R 1u
#define PMP_RW 3u
#define PMP_RWX 7u
#define PMP_NAPOT 0x18u
#define NAPOT(addr, len) ((addr) >> 2 | ((len) / 2 - 1) >> 2)

static void rights_set(void)
{
    uint32_t page = NAPOT(VRT_RAM, VRT_PAGE_LEN);
    uint32_t boot = NAPOT(VRT_RAM, VRT_RAM_APP - VRT_RAM);
    uint32_t cfg = (PMP_NAPOT | PMP_RWX) << 16 | (PMP_NAPOT | PMP_R) << 8 |
                   (PMP_NAPOT | PMP_RW);
    __asm__ volatile("csrw pmpaddr0, %0\n\tcsrw pmpaddr1, %1\n\t"
                     "csrw pmpaddr2, %2\n\tcsrw pmpcfg0, %3"
                     :
                     : "r"(page), "r"(boot), "r"(UINT32_MAX), "r"(cfg)
                     : "memory");
}

#define MSTATUS_MPP 0x1800u
#define MSTATUS_MPP_S 0x0800u
#define MIE_TIMER 0x80u

void window_start(struct vrt_page *page, uint32_t off, uint32_t image_len,
                  uint32_t entry)
{
    uint32_t satp = SATP_SV32 | (uint32_t)(uintptr_t)root / 4096u;
    map_all(off, image_len);
    rights_set();
    vrt_watchdog_feed();
    __asm__ volatile("csrw medeleg, zero\n\tcsrw mideleg, zero\n\t"
                     "csrs mie, %0\n\t"
                     "csrw satp, %1\n\tsfence.vma\n\t"
                     "csrc mstatus, %2\n\tcsrs mstatus, %3\n\t"
                     "csrw mepc, %4\n\tmv a0, %5\n\tmret"
                     :
                     : "r"(MIE_TIMER), "r"(satp), "r"(MSTATUS_MPP),
                       "r"(MSTATUS_MPP_S), "r"(entry), "r"(page)
                     : "a0", "memory");
    __builtin_unreachable();
}

#include "vrt_netif.h"

#include <string.h>

#include "lwip/dhcp.h"
#include "lwip/etharp.h"
#include "lwip/ethip6.h"
#include "lwip/init.h"
#include "lwip/mld6.h"
#include "lwip/nd6.h"
#include "lwip/netif.h"
#include "lwip/sys.h" /* lint-ok: layers, the real lwIP's, not compat's */
#include "lwip/timeouts.h"
#include "vrt_map.h"
#include "vrt_rng.h"
#include "vrt_sys.h"
#include "vrt_virtio.h"

#define F_MAC (1u << 5)
#define R_CONFIG 0x100u
#define RX 0u
#define TX 1u
#define RX_CNT VRT_VQ_LEN
#define HDR_LEN_LEGACY 10u
#define HDR_LEN_MODERN 12u
#define FRAME_LEN 1514u
#define BUF_LEN 1528u /* header, frame, rounded up */
#define SEND_TIMEOUT_TICKS (500u * VRT_TICKS_PER_MS)

static struct {
    bool up;
    uint32_t hdr_len;
    struct vrt_virtio dev;
    struct vrt_vq rx, tx;
    struct vrt_vq_mem rx_mem, tx_mem;
    struct netif netif;
    uint8_t rx_buf[RX_CNT][BUF_LEN];
    uint8_t tx_buf[BUF_LEN];
} card;

uint32_t vrt_net_rand(void);
uint32_t vrt_net_rand(void)
{
    uint32_t n = 0;
    if (vrt_rng.fill(vrt_rng.ctx, &n, sizeof(n)))
        n = (uint32_t)vrt_mtime() * 2654435761u; /* port numbers, not keys */
    return n;
}

u32_t sys_now(void)
{
    return (u32_t)vrt_mono_ms();
}

/* One buffer: the frame before it has left when this returns. */
static err_t frame_out(struct netif *netif, struct pbuf *p)
{
    (void)netif;
    uint64_t until = vrt_mtime() + SEND_TIMEOUT_TICKS;
    uint32_t id, len;
    if (p->tot_len > FRAME_LEN)
        return ERR_BUF;
    memset(card.tx_buf, 0, card.hdr_len);
    pbuf_copy_partial(p, card.tx_buf + card.hdr_len, p->tot_len, 0);
    vrt_vq_give(&card.tx, 0, card.tx_buf, card.hdr_len + p->tot_len, false);
    while (!vrt_vq_take(&card.tx, &id, &len))
        if (vrt_mtime() > until)
            return ERR_IF;
    return ERR_OK;
}

static err_t netif_setup(struct netif *netif)
{
    netif->name[0] = 'e';
    netif->name[1] = 'n';
    netif->output = etharp_output;
    netif->output_ip6 = ethip6_output;
    netif->linkoutput = frame_out;
    netif->mtu = 1500;
    netif->hwaddr_len = 6;
    netif->flags = NETIF_FLAG_BROADCAST | NETIF_FLAG_ETHARP |
                   NETIF_FLAG_ETHERNET | NETIF_FLAG_MLD6 | NETIF_FLAG_LINK_UP;
    for (uint32_t i = 0; i < 6; i++)
        netif->hwaddr[i] =
            *(volatile uint8_t *)(uintptr_t)(card.dev.base + R_CONFIG + i);
    return ERR_OK;
}

static esp_err_t card_open(void)
{
    esp_err_t err = vrt_virtio_open(&card.dev, VRT_VIRTIO_NET, F_MAC);
    if (!err)
        err = vrt_virtio_queue(&card.dev, RX, &card.rx_mem, &card.rx);
    if (!err)
        err = vrt_virtio_queue(&card.dev, TX, &card.tx_mem, &card.tx);
    if (err)
        return err;
    card.hdr_len = card.dev.legacy ? HDR_LEN_LEGACY : HDR_LEN_MODERN;
    vrt_virtio_go(&card.dev);
    for (uint32_t i = 0; i < RX_CNT; i++)
        vrt_vq_give(&card.rx, i, card.rx_buf[i], BUF_LEN, true);
    return ESP_OK;
}

esp_err_t vrt_netif_init(void)
{
    lwip_init();
    esp_err_t err = card_open();
    if (err)
        return err;
    netif_add_noaddr(&card.netif, NULL, netif_setup, netif_input);
    netif_set_default(&card.netif);
    netif_create_ip6_linklocal_address(&card.netif, 1);
    netif_set_ip6_autoconfig_enabled(&card.netif, 1);
    netif_set_up(&card.netif);
    nd6_tmr(); /* asks for routers now and not in a second */
    dhcp_start(&card.netif);
    card.up = true;
    return ESP_OK;
}

bool vrt_netif_exists(void)
{
    return card.up;
}

bool vrt_netif_has_v4(void)
{
    return card.up && dhcp_supplied_address(&card.netif);
}

/* The address of the link alone reaches no server. */
bool vrt_netif_has_v6(void)
{
    bool any = false;
    for (s8_t i = 1; card.up && i < LWIP_IPV6_NUM_ADDRESSES; i++)
        any = any || ip6_addr_ispreferred(netif_ip6_addr_state(&card.netif, i));
    return any;
}

/* A frame for which there is no room is lost, as on any network. */
static void frame_in(const uint8_t *frame, uint32_t len)
{
    struct pbuf *p = pbuf_alloc(PBUF_RAW, (u16_t)len, PBUF_POOL);
    if (!p)
        return;
    pbuf_take(p, frame, (u16_t)len);
    if (card.netif.input(p, &card.netif) != ERR_OK)
        pbuf_free(p);
}

bool vrt_netif_poll(void)
{
    bool any = false;
    uint32_t id, len;
    if (!card.up)
        return false;
    while (vrt_vq_take(&card.rx, &id, &len)) {
        any = true;
        if (len > card.hdr_len && len <= BUF_LEN)
            frame_in(card.rx_buf[id] + card.hdr_len, len - card.hdr_len);
        vrt_vq_give(&card.rx, id, card.rx_buf[id], BUF_LEN, true);
    }
    sys_check_timeouts();
    return any;
}

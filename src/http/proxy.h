/* http/proxy.h - an HTTP proxy between us and every server.
 *
 * https goes through a tunnel (CONNECT, RFC 9110 section 9.3.6), so the proxy
 * sees names and ports only; http is asked of the proxy with the whole URL.
 * The proxy's credentials (Basic) are in no request that a server sees, and
 * the server's are in no CONNECT. */
#ifndef HTTP_PROXY_H
#define HTTP_PROXY_H

#include "http/conn.h"

/* url: http://[user[:password]@]host[:port], NULL: none. ESP_ERR_INVALID_ARG:
 * it is something else; ESP_ERR_NOT_SUPPORTED: https to the proxy itself. */
MUST_CHECK esp_err_t http_proxy_set(struct http_proxy *p,
                                    const struct port_heap *heap,
                                    const char *url);
/* Wiped; may be called again. */
void http_proxy_clear(struct http_proxy *p, const struct port_heap *heap);

/* Asks the proxy for a tunnel to url's server. ESP_ERR_HTTP_CONNECT;
 * ESP_FAIL: it does not want to. */
MUST_CHECK esp_err_t http_proxy_tunnel(struct http_conn *c,
                                       const struct http_url *url,
                                       uint64_t deadline_ms, struct diag *d);

#endif

/* For builds without the library's server half: nobody can be accepted. */
#include "tls/server.h"

struct tls_tickets *tls_tickets_new(uint32_t lifetime_s)
{
    (void)lifetime_s;
    return NULL;
}

void tls_tickets_free(struct tls_tickets *t)
{
    (void)t;
}

esp_err_t tls_accept(struct tls_session **out, const struct port_net *net,
                     struct port_conn *conn, const struct tls_server_conf *conf,
                     struct diag *d)
{
    (void)net;
    (void)conn;
    (void)conf;
    *out = NULL;
    return diag_fail(d, DIAG_STAGE_TLS, ESP_ERR_NOT_SUPPORTED,
                     "this build has no TLS server");
}

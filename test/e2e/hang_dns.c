/* A resolver that never answers: preloaded into a program, it takes the place
 * of getaddrinfo(). It says in the file HANG_DNS_MARK that it was asked. With
 * HANG_DNS_NOBODY in the environment it answers that there is no such name.
 * Numeric addresses, and those of no name, are as ever. */
#include <dlfcn.h>
#include <fcntl.h>
#include <netdb.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

typedef int resolve_fn(const char *, const char *, const struct addrinfo *,
                       struct addrinfo **);

static resolve_fn *libc_resolver(void)
{
    void *symbol = dlsym(RTLD_NEXT, "getaddrinfo");
    resolve_fn *fn;

    memcpy(&fn, &symbol, sizeof(fn));
    return fn;
}

int getaddrinfo(const char *node, const char *service,
                const struct addrinfo *hints, struct addrinfo **list)
{
    const char *mark = getenv("HANG_DNS_MARK");

    if (!node || (hints && (hints->ai_flags & AI_NUMERICHOST)))
        return libc_resolver()(node, service, hints, list);
    if (getenv("HANG_DNS_NOBODY"))
        return EAI_NONAME;
    if (mark)
        close(open(mark, O_CREAT | O_WRONLY, 0600));
    for (;;)
        pause();
}

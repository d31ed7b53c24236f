/* shim.c - loaded before a program (LD_PRELOAD): one call of one function of
 * the C library fails in it.
 *
 * The file PORTA_FAIL, a struct note, says which and is where the calls are
 * counted, so that nothing is lost when the program dies. Counting starts when
 * the libraries have started. Children begin without the shim. */
#include <dirent.h>
#include <dlfcn.h>
#include <errno.h>
#include <execinfo.h>
#include <fcntl.h>
#include <ftw.h>
#include <link.h>
#include <netdb.h>
#include <poll.h>
#include <pthread.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/random.h>
#include <sys/sendfile.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#define CALLS 96
#define FRAMES 24

struct call {
    char name[24]; /* "": nobody's yet */
    atomic_uint cnt;
    uint32_t pad;
};

/* failing.py writes the first four and reads the others. */
struct note {
    char name[24]; /* of the function */
    uint32_t nth;  /* 1: the first call; 0: none */
    int32_t why;   /* errno; 0: a part of what was asked for is done */
    atomic_uint fired;
    uint32_t frame_cnt;
    uint64_t base; /* where the program is */
    uint64_t frames[FRAMES];
    struct call calls[CALLS];
};

static struct note *note; /* NULL: the libraries are still starting */
/* In the resolver: that of glibc 2.36 ends a program that has no memory, by an
 * assertion or a null pointer of its own. */
static _Thread_local bool resolving __attribute__((tls_model("initial-exec")));
static pthread_mutex_t turn = PTHREAD_MUTEX_INITIALIZER;

void *__libc_malloc(size_t len);
void *__libc_calloc(size_t cnt, size_t len);
void *__libc_realloc(void *ptr, size_t len);

/* --- which call ----------------------------------------------------------- */

static struct call *call_of(struct call *calls, const char *name)
{
    struct call *at = calls;

    pthread_mutex_lock(&turn);
    while (at < calls + CALLS - 1 && at->name[0] && strcmp(at->name, name) != 0)
        at++;
    snprintf(at->name, sizeof(at->name), "%s", name);
    pthread_mutex_unlock(&turn);
    return at;
}

static void note_frames(struct note *n)
{
    void *frames[FRAMES];
    int cnt = backtrace(frames, FRAMES);

    for (int i = 0; i < cnt; i++)
        n->frames[i] = (uint64_t)(uintptr_t)frames[i];
    n->frame_cnt = (uint32_t)cnt;
}

/* Is this the call? Keeps where its name is counted in *call. */
static bool is_it(_Atomic(struct call *) *call, const char *name)
{
    struct note *n = note;
    struct call *c;

    if (!n || resolving)
        return false;
    c = atomic_load(call);
    if (!c) {
        c = call_of(n->calls, name);
        atomic_store(call, c);
    }
    if (atomic_fetch_add(&c->cnt, 1) + 1 != n->nth ||
        strcmp(n->name, name) != 0)
        return false;
    note_frames(n);
    return true;
}

static bool fails(_Atomic(struct call *) *call, const char *name)
{
    if (!is_it(call, name))
        return false;
    atomic_fetch_add(&note->fired, 1);
    errno = note->why;
    return true;
}

/* The same where a part can be done: then len is one, and nothing fails. */
static bool fails_of(_Atomic(struct call *) *call, const char *name,
                     size_t *len)
{
    if (!is_it(call, name))
        return false;
    if (note->why == 0 && *len < 2)
        return false;
    atomic_fetch_add(&note->fired, 1);
    errno = note->why;
    if (note->why == 0)
        *len = 1;
    return note->why != 0;
}

static bool is_of(const void *caller, const char *lib)
{
    Dl_info who;

    return note && dladdr(caller, &who) && strstr(who.dli_fname, lib);
}

/* GnuTLS, its parts and its random numbers do not bear it: they crash where
 * there is no memory, and work no more once a random number failed. */
static bool is_gnutls(const void *caller)
{
    static const char *const libs[] = { "libgnutls", "libnettle", "libhogweed",
                                        "libgmp",    "libp11",    "libtasn1" };

    for (size_t i = 0; i < sizeof(libs) / sizeof(libs[0]); i++)
        if (is_of(caller, libs[i]))
            return true;
    return false;
}

/* libmicrohttpd writes to nothing but its own eventfd, by which it wakes its
 * thread. No disk is behind that, and it ends the program if it fails. */
static bool is_wake(const void *caller)
{
    return is_of(caller, "libmicrohttpd");
}

static int program_base(struct dl_phdr_info *info, size_t len, void *base)
{
    (void)len;
    *(uint64_t *)base = info->dlpi_addr;
    return 1;
}

__attribute__((constructor)) static void begin(void)
{
    const char *path = getenv("PORTA_FAIL");
    int fd = path ? open(path, O_RDWR | O_CLOEXEC) : -1;
    struct note *n;
    void *frame;

    unsetenv("PORTA_FAIL");
    unsetenv("LD_PRELOAD");
    if (fd < 0)
        return;
    n = mmap(NULL, sizeof(*n), PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
    close(fd);
    if (n == MAP_FAILED)
        abort();
    backtrace(&frame, 1); /* loads what it needs */
    dl_iterate_phdr(program_base, &n->base);
    note = n;
}

/* --- the functions -------------------------------------------------------- */

/* ISO C has no way from an object pointer to a function; POSIX has this one. */
#define NEXT(fn, name) *(void **)&(fn) = dlsym(RTLD_NEXT, name)

/* lint-ok: macro, a whole function and not a part of one */
#define FAILS(type, bad, name, list, args)              \
    type name list                                      \
    {                                                   \
        static _Atomic(struct call *) call;             \
        type(*next) list;                               \
        NEXT(next, #name);                              \
        return fails(&call, #name) ? (bad) : next args; \
    }

/* lint-ok: macro, a whole function and not a part of one */
#define FAILS_OF(type, name, list, args)                            \
    type name list                                                  \
    {                                                               \
        static _Atomic(struct call *) call;                         \
        type(*next) list;                                           \
        NEXT(next, #name);                                          \
        return fails_of(&call, #name, &len) ? (type)-1 : next args; \
    }

#ifndef WITHOUT_ALLOCATOR
/* lint-ok: macro, a whole function and not a part of one */
#define FAILS_ALLOC(name, list, args)                                         \
    void *name list                                                           \
    {                                                                         \
        static _Atomic(struct call *) call;                                   \
        return !is_gnutls(__builtin_return_address(0)) && fails(&call, #name) \
                   ? NULL                                                     \
                   : __libc_##name args;                                      \
    }

FAILS_ALLOC(malloc, (size_t len), (len))
FAILS_ALLOC(calloc, (size_t cnt, size_t len), (cnt, len))
FAILS_ALLOC(realloc, (void *ptr, size_t len), (ptr, len))
#endif

FAILS_OF(ssize_t, read, (int fd, void *dst, size_t len), (fd, dst, len))
FAILS_OF(ssize_t, pread, (int fd, void *dst, size_t len, off_t off),
         (fd, dst, len, off))
FAILS_OF(ssize_t, pwrite, (int fd, const void *src, size_t len, off_t off),
         (fd, src, len, off))
FAILS_OF(ssize_t, send, (int fd, const void *src, size_t len, int flags),
         (fd, src, len, flags))
FAILS_OF(ssize_t, recv, (int fd, void *dst, size_t len, int flags),
         (fd, dst, len, flags))
FAILS_OF(ssize_t, sendfile, (int to, int from, off_t *off, size_t len),
         (to, from, off, len))

FAILS(ssize_t, -1, sendmsg, (int fd, const struct msghdr *msg, int flags),
      (fd, msg, flags))
FAILS(int, -1, fsync, (int fd), (fd))
FAILS(int, -1, rename, (const char *from, const char *to), (from, to))
FAILS(int, -1, unlink, (const char *path), (path))
FAILS(int, -1, ftruncate, (int fd, off_t len), (fd, len))
FAILS(int, -1, fallocate, (int fd, int mode, off_t off, off_t len),
      (fd, mode, off, len))
FAILS(void *, MAP_FAILED, mmap,
      (void *at, size_t len, int prot, int flags, int fd, off_t off),
      (at, len, prot, flags, fd, off))
FAILS(int, -1, memfd_create, (const char *name, unsigned flags), (name, flags))
FAILS(int, -1, mkostemp, (char *name, int flags), (name, flags))
FAILS(char *, NULL, mkdtemp, (char *name), (name))
FAILS(int, -1, mkdir, (const char *path, mode_t mode), (path, mode))
FAILS(int, -1, fchmod, (int fd, mode_t mode), (fd, mode))
FAILS(int, -1, stat, (const char *path, struct stat *st), (path, st))
FAILS(int, -1, fstat, (int fd, struct stat *st), (fd, st))
FAILS(int, -1, access, (const char *path, int mode), (path, mode))
FAILS(char *, NULL, realpath, (const char *path, char *out), (path, out))
FAILS(ssize_t, -1, readlink, (const char *path, char *out, size_t len),
      (path, out, len))
FAILS(DIR *, NULL, opendir, (const char *path), (path))
FAILS(struct dirent *, NULL, readdir, (DIR * dir), (dir))
FAILS(int, -1, nftw, (const char *path, __nftw_func_t fn, int cnt, int flags),
      (path, fn, cnt, flags))
FAILS(int, -1, flock, (int fd, int how), (fd, how))
FAILS(int, -1, dup2, (int fd, int to), (fd, to))
FAILS(int, -1, pipe, (int fds[2]), (fds))
FAILS(int, -1, pipe2, (int fds[2], int flags), (fds, flags))
FAILS(pid_t, -1, fork, (void), ())
FAILS(int, -1, execvp, (const char *path, char *const argv[]), (path, argv))
FAILS(int, -1, execve,
      (const char *path, char *const argv[], char *const env[]),
      (path, argv, env))
FAILS(pid_t, -1, waitpid, (pid_t pid, int *status, int flags),
      (pid, status, flags))
FAILS(int, -1, socket, (int family, int type, int proto), (family, type, proto))
FAILS(int, -1, bind, (int fd, const struct sockaddr *at, socklen_t len),
      (fd, at, len))
FAILS(int, -1, listen, (int fd, int cnt), (fd, cnt))
FAILS(int, -1, accept4,
      (int fd, struct sockaddr *at, socklen_t *len, int flags),
      (fd, at, len, flags))
FAILS(int, -1, getsockname, (int fd, struct sockaddr *at, socklen_t *len),
      (fd, at, len))
FAILS(int, -1, setsockopt,
      (int fd, int level, int name, const void *value, socklen_t len),
      (fd, level, name, value, len))
FAILS(int, -1, getsockopt,
      (int fd, int level, int name, void *value, socklen_t *len),
      (fd, level, name, value, len))
FAILS(int, -1, poll, (struct pollfd * fds, nfds_t cnt, int ms), (fds, cnt, ms))
FAILS(int, errno, pthread_create,
      (pthread_t * thread, const pthread_attr_t *attr, void *(*fn)(void *),
       void *arg),
      (thread, attr, fn, arg))

/* --- streams -------------------------------------------------------------- */

/* A stream whose call failed says so to ferror() from then on. */
static bool breaks(FILE *f)
{
    if (f) /* or all of them, which fflush() may be asked for */
        f->_flags |= 0x20;
    return true;
}

FAILS(FILE *, NULL, fopen, (const char *path, const char *mode), (path, mode))
FAILS(FILE *, NULL, fdopen, (int fd, const char *mode), (fd, mode))
FAILS(FILE *, NULL, open_memstream, (char **text, size_t *len), (text, len))
FAILS(size_t, breaks(f) - 1u, fread,
      (void *dst, size_t len, size_t cnt, FILE *f), (dst, len, cnt, f))
FAILS(size_t, breaks(f) - 1u, fwrite,
      (const void *src, size_t len, size_t cnt, FILE *f), (src, len, cnt, f))
FAILS(char *, breaks(f) ? NULL : dst, fgets, (char *dst, int len, FILE *f),
      (dst, len, f))
FAILS(int, breaks(f) ? EOF : 0, fflush, (FILE * f), (f))

/* It is closed all the same; what was not yet written is lost. */
int fclose(FILE *f)
{
    static _Atomic(struct call *) call;
    int (*next)(FILE *);
    int why = errno;
    bool failed = fails(&call, "fclose");
    int said;

    NEXT(next, "fclose");
    if (failed)
        why = errno;
    said = next(f);
    errno = failed ? why : errno;
    return failed ? EOF : said;
}

/* --- those that are not like the others ----------------------------------- */

int open(const char *path, int flags, ...)
{
    static _Atomic(struct call *) call;
    int (*next)(const char *, int, ...);
    va_list more;
    unsigned mode;

    NEXT(next, "open");
    va_start(more, flags);
    mode = flags & (O_CREAT | O_TMPFILE) ? va_arg(more, unsigned) : 0;
    va_end(more);
    return fails(&call, "open") ? -1 : next(path, flags, mode);
}

/* A connection whose connect() was interrupted goes on. */
int connect(int fd, const struct sockaddr *at, socklen_t len)
{
    static _Atomic(struct call *) call;
    int (*next)(int, const struct sockaddr *, socklen_t);
    bool failed = fails(&call, "connect");

    NEXT(next, "connect");
    if (!failed)
        return next(fd, at, len);
    if (note->why == EINTR)
        (void)next(fd, at, len);
    errno = note->why;
    return -1;
}

int getaddrinfo(const char *host, const char *port,
                const struct addrinfo *hints, struct addrinfo **out)
{
    static _Atomic(struct call *) call;
    int (*next)(const char *, const char *, const struct addrinfo *,
                struct addrinfo **);
    int said;

    NEXT(next, "getaddrinfo");
    if (fails(&call, "getaddrinfo"))
        return EAI_SYSTEM;
    resolving = true;
    said = next(host, port, hints, out);
    resolving = false;
    return said;
}

ssize_t write(int fd, const void *src, size_t len)
{
    static _Atomic(struct call *) call;
    ssize_t (*next)(int, const void *, size_t);

    NEXT(next, "write");
    if (!is_wake(__builtin_return_address(0)) && fails_of(&call, "write", &len))
        return -1;
    return next(fd, src, len);
}

ssize_t getrandom(void *dst, size_t len, unsigned flags)
{
    static _Atomic(struct call *) call;
    ssize_t (*next)(void *, size_t, unsigned);

    NEXT(next, "getrandom");
    if (!is_gnutls(__builtin_return_address(0)) &&
        fails_of(&call, "getrandom", &len))
        return -1;
    return next(dst, len, flags);
}

int fcntl(int fd, int what, ...)
{
    static _Atomic(struct call *) call;
    int (*next)(int, int, ...);
    va_list more;
    void *arg;

    NEXT(next, "fcntl");
    va_start(more, what);
    arg = va_arg(more, void *);
    va_end(more);
    return fails(&call, "fcntl") ? -1 : next(fd, what, arg);
}

int ioctl(int fd, unsigned long what, ...)
{
    static _Atomic(struct call *) call;
    int (*next)(int, unsigned long, ...);
    va_list more;
    void *arg;

    NEXT(next, "ioctl");
    va_start(more, what);
    arg = va_arg(more, void *);
    va_end(more);
    return fails(&call, "ioctl") ? -1 : next(fd, what, arg);
}

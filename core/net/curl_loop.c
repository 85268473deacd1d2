#include "net/curl_loop.h"

#include <errno.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/check.h"
#include "base/limits.h"
#include "base/mem.h"
#include "net/loop.h"

/*
 * One for each descriptor number that curl ever used.
 *
 * curl closes an established connection through our callback, but a socket that it gives up while connecting, and the
 * pair that wakes it when a name is resolved, behind our back (7.88, cf-socket.c). Only the former may therefore stay
 * registered after curl has said "remove": libevent would take the next owner of the number for the last.
 */
struct slot {
    struct curl_loop *c;
    struct loop_watch watch;
    int fd;
    bool is_active; /* curl wants to hear of it */
    bool is_kept;   /* established: closed through on_close() */
    bool is_open;   /* and not yet closed by the provider */
};

#define SOCKETS_NOTED (sizeof((struct curl_loop_sockets *)NULL)->fds / sizeof(int))

struct curl_loop {
    CURLM *multi;
    CURLSH *share; /* of TLS sessions: else each handle has its own, and begins anew where another has been */
    struct loop *loop;
    const struct curl_loop_events *events;
    void *arg;
    struct slot **slots; /* by descriptor */
    size_t slot_count;
    struct loop_timer timer;
    unsigned depth; /* of calls into curl */
    bool is_due;    /* curl's timer has run out */
    bool is_kicked;
    bool is_dead;  /* freed as soon as the kick has come */
    uint32_t held; /* transfers that curl has paused: their sockets look idle and may have bytes */
    uint32_t open;
    uint64_t created;
};

static void drive(struct curl_loop *c, int fd, int bits);

static struct slot *slot_of(struct curl_loop *c, int fd)
{
    check(fd >= 0);
    size_t at = (size_t)fd;
    if (at >= c->slot_count) {
        size_t count = at + 64;
        c->slots = mem_realloc(c->slots, count * sizeof(struct slot *));
        memset(c->slots + c->slot_count, 0, (count - c->slot_count) * sizeof(struct slot *));
        c->slot_count = count;
    }
    return c->slots[at];
}

/* An end, or bytes that nobody asked for, on a connection that nobody uses: our side is shut, so that the provider is
 * rid of it now, and curl, which looks at it only when it would use it again, cannot lose a request on it or take those
 * bytes for its answer. While a transfer is paused, bytes may be its own; then only an end counts. */
static void tend_idle(struct slot *s)
{
    char byte;
    loop_watch_set(&s->watch, 0);
    if (!s->is_open) return;
    ssize_t got = recv(s->fd, &byte, 1, MSG_PEEK | MSG_DONTWAIT);
    if (got > 0 ? s->c->held > 0 : got < 0 && errno == EAGAIN) return;
    shutdown(s->fd, SHUT_RDWR);
    s->is_open = false;
    s->c->open--;
}

static void on_ready(void *arg, unsigned ready)
{
    struct slot *s = arg;
    if (!s->is_active) {
        tend_idle(s);
        return;
    }
    int bits = (ready & LOOP_READ ? CURL_CSELECT_IN : 0) | (ready & LOOP_WRITE ? CURL_CSELECT_OUT : 0);
    drive(s->c, s->fd, bits);
}

static struct slot *new_slot(struct curl_loop *c, int fd)
{
    struct slot *s = mem_zalloc(1, sizeof *s);
    s->c = c;
    s->fd = fd;
    loop_watch_init(&s->watch, c->loop, fd, on_ready, s);
    c->slots[fd] = s;
    return s;
}

static int on_socket(CURL *easy, curl_socket_t fd, int what, void *arg, void *unused)
{
    (void)easy, (void)unused;
    struct curl_loop *c = arg;
    struct slot *s = slot_of(c, fd);
    if (what == CURL_POLL_REMOVE) {
        if (!s) return 0;
        s->is_active = false;
        if (!s->is_kept) loop_watch_set(&s->watch, 0);
        return 0;
    }
    if (!s) s = new_slot(c, fd);
    s->is_active = true;
    loop_watch_set(&s->watch, (what & CURL_POLL_IN ? LOOP_READ : 0u) | (what & CURL_POLL_OUT ? LOOP_WRITE : 0u));
    return 0;
}

/* The number may be that of a socket that curl closed a moment ago without a word; if so curl takes the new one for
 * registered already, as it asked for the same. */
static void renew(struct slot *s)
{
    unsigned interest = s->watch.interest;
    loop_watch_set(&s->watch, 0);
    if (s->is_active) loop_watch_set(&s->watch, interest);
}

static curl_socket_t on_open(void *arg, curlsocktype purpose, struct curl_sockaddr *address)
{
    (void)purpose;
    struct curl_loop_sockets *sockets = arg;
    int fd = socket(address->family, address->socktype | SOCK_CLOEXEC, address->protocol);
    if (fd < 0) return CURL_SOCKET_BAD;
    sockets->fds[sockets->opened++ % SOCKETS_NOTED] = fd;
    struct slot *s = slot_of(sockets->c, fd);
    if (s) renew(s);
    sockets->c->events->on_connecting(sockets);
    return fd;
}

static int on_close(void *arg, curl_socket_t fd)
{
    struct curl_loop *c = arg;
    struct slot *s = slot_of(c, fd);
    if (s) {
        loop_watch_set(&s->watch, 0);
        s->is_active = false;
        if (s->is_open) c->open--;
        s->is_open = s->is_kept = false;
    }
    return close(fd);
}

static void on_kick(void *arg);

void curl_loop_kick(struct curl_loop *c)
{
    if (c->is_kicked) return;
    c->is_kicked = true;
    loop_defer(c->loop, on_kick, c);
}

/* Almost all of curl's timeouts are "now": they need no timer. */
static int on_timeout_change(CURLM *multi, long timeout_ms, void *arg)
{
    (void)multi;
    struct curl_loop *c = arg;
    c->is_due = timeout_ms == 0;
    if (timeout_ms > 0) {
        loop_timer_arm_ms(&c->timer, (uint64_t)timeout_ms);
        return 0;
    }
    loop_timer_disarm(&c->timer);
    if (c->is_due) curl_loop_kick(c);
    return 0;
}

static void on_time(void *arg)
{
    drive(arg, CURL_SOCKET_TIMEOUT, 0);
}

static void on_kick(void *arg)
{
    struct curl_loop *c = arg;
    c->is_kicked = false;
    if (c->is_dead) {
        mem_free(c);
        return;
    }
    c->events->on_outside(c->arg);
    if (c->is_due) drive(c, CURL_SOCKET_TIMEOUT, 0);
}

static void take_results(struct curl_loop *c)
{
    int left;
    for (CURLMsg *message; (message = curl_multi_info_read(c->multi, &left));) {
        if (message->msg != CURLMSG_DONE) continue;
        CURL *easy = message->easy_handle;
        CURLcode result = message->data.result;
        curl_loop_remove(c, easy);
        c->events->on_done(c->arg, easy, result);
    }
}

static void drive(struct curl_loop *c, int fd, int bits)
{
    int running;
    if (fd == CURL_SOCKET_TIMEOUT) c->is_due = false;
    c->depth++;
    CURLMcode code = curl_multi_socket_action(c->multi, fd, bits, &running);
    c->depth--;
    check(code == CURLM_OK || code == CURLM_BAD_SOCKET);
    c->events->on_outside(c->arg);
    take_results(c);
}

struct curl_loop *curl_loop_new(struct loop *loop, const struct curl_loop_events *events, void *arg)
{
    if (curl_global_init(CURL_GLOBAL_DEFAULT) != CURLE_OK) return NULL;
    CURLM *multi = curl_multi_init();
    CURLSH *share = curl_share_init();
    if (!multi || !share) {
        curl_multi_cleanup(multi);
        curl_share_cleanup(share);
        curl_global_cleanup();
        return NULL;
    }
    struct curl_loop *c = mem_zalloc(1, sizeof *c);
    c->multi = multi;
    c->share = share;
    c->loop = loop;
    c->events = events;
    c->arg = arg;
    loop_timer_init(&c->timer, loop, on_time, c);
    check(curl_share_setopt(share, CURLSHOPT_SHARE, CURL_LOCK_DATA_SSL_SESSION) == CURLSHE_OK);
    curl_multi_setopt(multi, CURLMOPT_SOCKETFUNCTION, on_socket);
    curl_multi_setopt(multi, CURLMOPT_SOCKETDATA, c);
    curl_multi_setopt(multi, CURLMOPT_TIMERFUNCTION, on_timeout_change);
    curl_multi_setopt(multi, CURLMOPT_TIMERDATA, c);
    /* Below the number of streams at once, connections would be closed only to be opened again. */
    curl_multi_setopt(multi, CURLMOPT_MAXCONNECTS, (long)LIMIT_UPSTREAM_CONNECTIONS);
    return c;
}

void curl_loop_limit(struct curl_loop *c, uint32_t connections)
{
    uint32_t kept = connections < LIMIT_UPSTREAM_CONNECTIONS ? connections : LIMIT_UPSTREAM_CONNECTIONS;
    curl_multi_setopt(c->multi, CURLMOPT_MAX_TOTAL_CONNECTIONS, (long)connections);
    curl_multi_setopt(c->multi, CURLMOPT_MAXCONNECTS, (long)kept);
}

void curl_loop_free(struct curl_loop *c)
{
    if (!c) return;
    curl_multi_cleanup(c->multi);
    curl_share_cleanup(c->share);
    curl_global_cleanup();
    loop_timer_disarm(&c->timer);
    for (size_t i = 0; i < c->slot_count; i++) {
        if (c->slots[i]) loop_watch_set(&c->slots[i]->watch, 0);
        mem_free(c->slots[i]);
    }
    mem_free(c->slots);
    c->is_dead = true;
    if (!c->is_kicked) mem_free(c);
}

void curl_loop_adopt(struct curl_loop *c, CURL *easy, struct curl_loop_sockets *sockets)
{
    sockets->c = c;
    sockets->opened = 0;
    curl_easy_setopt(easy, CURLOPT_SHARE, c->share);
    curl_easy_setopt(easy, CURLOPT_OPENSOCKETFUNCTION, on_open);
    curl_easy_setopt(easy, CURLOPT_OPENSOCKETDATA, sockets);
    /* A connection outlives the handle that opened it. */
    curl_easy_setopt(easy, CURLOPT_CLOSESOCKETFUNCTION, on_close);
    curl_easy_setopt(easy, CURLOPT_CLOSESOCKETDATA, c);
}

void curl_loop_add(struct curl_loop *c, CURL *easy, struct curl_loop_sockets *sockets)
{
    check(c->depth == 0);
    sockets->opened = 0;
    check(curl_multi_add_handle(c->multi, easy) == CURLM_OK);
}

void curl_loop_remove(struct curl_loop *c, CURL *easy)
{
    check(c->depth == 0);
    c->depth++;
    check(curl_multi_remove_handle(c->multi, easy) == CURLM_OK);
    c->depth--;
}

CURLcode curl_loop_resume(struct curl_loop *c, CURL *easy)
{
    c->depth++;
    CURLcode code = curl_easy_pause(easy, CURLPAUSE_CONT);
    c->depth--;
    return code;
}

static bool has_local_port(int fd, int port)
{
    struct sockaddr_storage address;
    socklen_t len = sizeof address;
    if (getsockname(fd, (struct sockaddr *)&address, &len) != 0) return false;
    if (address.ss_family == AF_INET6) return ntohs(((struct sockaddr_in6 *)&address)->sin6_port) == port;
    return address.ss_family == AF_INET && ntohs(((struct sockaddr_in *)&address)->sin_port) == port;
}

/* One that is not found here stays unkept: slower, not wrong. */
void curl_loop_connected(struct curl_loop_sockets *sockets, int local_port)
{
    struct curl_loop *c = sockets->c;
    for (unsigned i = 0; i < sockets->opened && i < SOCKETS_NOTED; i++) {
        int fd = sockets->fds[i];
        if (!has_local_port(fd, local_port)) continue;
        struct slot *s = slot_of(c, fd);
        if (!s) s = new_slot(c, fd);
        s->is_open = s->is_kept = true;
        c->open++;
        c->created++;
        break;
    }
    sockets->opened = 0;
}

bool curl_loop_is_inside(const struct curl_loop *c)
{
    return c->depth > 0;
}

uint32_t curl_loop_open(const struct curl_loop *c)
{
    return c->open;
}

uint64_t curl_loop_created(const struct curl_loop *c)
{
    return c->created;
}

void curl_loop_hold(struct curl_loop *c, bool is_held)
{
    c->held += is_held ? 1 : (uint32_t)-1;
}

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/tcp.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/uio.h>
#include <sys/un.h>
#include <unistd.h>

#include "base/mem.h"
#include "net/loop.h"
#include "net/redis_inner.h"
#include "net/tls.h"
#include "net/transport.h"

#define READ_BYTES (16u * KIB)
#define KEEP_ALIVE_S 15
#define USER_TIMEOUT_MS 10000

struct redis_link {
    struct loop *loop;
    struct loop_watch watch;
    struct loop_work work;
    struct transport transport;
    struct redis_place place;
    const struct redis_link_events *events;
    void *arg;
    struct redis_reader *reader;
    struct buf out;
    struct fault why; /* what is to be told from the loop */
    uint64_t heard_ns;
    bool is_connected, has_ended, is_readable, has_hung_up, is_crowded;
};

void redis_place_text(const struct redis_place *place, char text[REDIS_PLACE_BYTES])
{
    bool is_named = strcmp(place->name, place->address) != 0, is_six = strchr(place->address, ':') != NULL;
    if (place->port == 0) snprintf(text, REDIS_PLACE_BYTES, "%s", place->name);
    else if (is_named) snprintf(text, REDIS_PLACE_BYTES, "%s:%u (%s)", place->name, place->port, place->address);
    else snprintf(text, REDIS_PLACE_BYTES, is_six ? "[%s]:%u" : "%s:%u", place->address, place->port);
}

/* ---- Ending. */

/* is_cut: what the kernel still has of our bytes is dropped. Without that it would go on sending them, and an admission
 * that was given up, and released by the next connection, could arrive behind its release. */
static void let_go(struct redis_link *k, bool is_cut)
{
    loop_watch_set(&k->watch, 0);
    loop_work_drop(&k->work);
    if (k->transport.kind) transport_close(&k->transport, is_cut);
    k->has_ended = true;
}

static void end(struct redis_link *k, const char *what)
{
    char place[REDIS_PLACE_BYTES];
    struct fault why = {0};
    if (k->has_ended) return;
    redis_place_text(&k->place, place);
    fault_set(&why, FAULT_INTERNAL, "%s: %s", place, what);
    let_go(k, true);
    k->events->on_end(k->arg, &why);
}

static void end_broken(struct redis_link *k)
{
    const char *why = tls_why(&k->transport);
    char said[192];
    snprintf(said, sizeof said, "%s", why ? why : "the connection was closed");
    end(k, said);
}

/* ---- Bytes. */

static void flush(struct redis_link *k)
{
    while (!k->has_ended && k->is_connected && buf_len(&k->out)) {
        struct iovec part = {buf_ptr(&k->out), buf_len(&k->out)};
        long n = transport_writev(&k->transport, &part, 1);
        if (n == TRANSPORT_AGAIN) break;
        if (n < 0) {
            end_broken(k);
            return;
        }
        buf_consume(&k->out, (size_t)n);
    }
    if (k->has_ended || !k->is_crowded || buf_len(&k->out) >= LIMIT_REDIS_AHEAD_BYTES) return;
    k->is_crowded = false;
    if (k->events->on_room) k->events->on_room(k->arg);
}

/* Every event may end the link. */
static void take(struct redis_link *k)
{
    const struct redis_reply *reply;
    struct fault why = {0};
    enum redis_read found = REDIS_READ_MORE;
    while (!k->has_ended && (found = redis_reader_next(k->reader, &reply, &why)) == REDIS_READ_REPLY)
        k->events->on_reply(k->arg, reply);
    if (!k->has_ended && found == REDIS_READ_BAD) end(k, fault_message(&why));
}

/* Edges are told once: what is not read to its end must be remembered, and an end that came with bytes before it. */
static void read_some(struct redis_link *k)
{
    char bytes[READ_BYTES];
    for (size_t had = 0; !k->has_ended && k->is_readable && had < LIMIT_REDIS_TURN_BYTES && !loop_is_long(k->loop);) {
        bool is_drained;
        long n = transport_read(&k->transport, bytes, sizeof bytes, &is_drained);
        if (n == TRANSPORT_AGAIN || (is_drained && !k->has_hung_up)) k->is_readable = false;
        if (n == TRANSPORT_AGAIN) break;
        if (n <= 0) {
            end_broken(k);
            return;
        }
        had += (size_t)n;
        k->heard_ns = loop_now_ns(k->loop);
        redis_reader_feed(k->reader, slice_of(bytes, (size_t)n));
        take(k);
    }
    if (!k->has_ended && k->is_readable) loop_watch_again(&k->watch, LOOP_READ);
}

/* The socket's own error, once; NULL: it is connected. */
static const char *refusal(struct redis_link *k)
{
    int error = 0;
    socklen_t len = sizeof error;
    if (getsockopt(k->transport.fd, SOL_SOCKET, SO_ERROR, &error, &len) != 0) error = errno;
    return error ? strerror(error) : NULL;
}

static void on_ready(void *arg, unsigned ready)
{
    struct redis_link *k = arg;
    if (!k->is_connected) {
        const char *why = refusal(k);
        if (why) {
            end(k, why);
            return;
        }
        k->is_connected = (ready & LOOP_WRITE) != 0;
        if (!k->is_connected) return;
    }
    k->is_readable = true; /* TLS may have had to write first */
    k->has_hung_up |= (ready & LOOP_HANGUP) != 0;
    read_some(k);
    if (!k->has_ended) flush(k);
}

static void on_work(void *arg)
{
    struct redis_link *k = arg;
    if (k->why.text[0]) end(k, fault_message(&k->why));
    else flush(k);
}

/* ---- Connecting. */

static void prepare(int fd)
{
    static const struct {
        int level, name, value;
    } options[] = {
        {IPPROTO_TCP, TCP_NODELAY, 1},
        {SOL_SOCKET, SO_KEEPALIVE, 1},
        {IPPROTO_TCP, TCP_KEEPIDLE, KEEP_ALIVE_S},
        {IPPROTO_TCP, TCP_KEEPINTVL, KEEP_ALIVE_S},
        {IPPROTO_TCP, TCP_USER_TIMEOUT, USER_TIMEOUT_MS},
    };
    for (size_t i = 0; i < sizeof options / sizeof *options; i++)
        setsockopt(fd, options[i].level, options[i].name, &options[i].value, sizeof options[i].value);
}

union address {
    struct sockaddr any;
    struct sockaddr_in four;
    struct sockaddr_in6 six;
    struct sockaddr_un local;
};

static socklen_t address_of(const struct redis_place *place, union address *a)
{
    *a = (union address){0};
    if (place->port == 0) {
        a->local.sun_family = AF_UNIX;
        memcpy(a->local.sun_path, place->name, strnlen(place->name, sizeof a->local.sun_path - 1));
        return sizeof a->local;
    }
    if (inet_pton(AF_INET, place->address, &a->four.sin_addr) == 1) {
        a->four.sin_family = AF_INET;
        a->four.sin_port = htons(place->port);
        return sizeof a->four;
    }
    inet_pton(AF_INET6, place->address, &a->six.sin6_addr);
    a->six.sin6_family = AF_INET6;
    a->six.sin6_port = htons(place->port);
    return sizeof a->six;
}

static bool open_socket(struct redis_link *k, struct tls *tls)
{
    union address address;
    socklen_t len = address_of(&k->place, &address);
    int fd = socket(address.any.sa_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (fd < 0) return fault_set(&k->why, FAULT_INTERNAL, "no socket: %s", strerror(errno));
    if (k->place.port) prepare(fd);
    if (connect(fd, &address.any, len) != 0 && errno != EINPROGRESS) {
        fault_set(&k->why, FAULT_INTERNAL, "%s", strerror(errno));
        close(fd);
        return false;
    }
    if (!tls) transport_plain(&k->transport, fd);
    else if (!transport_tls(&k->transport, tls, fd, k->place.name)) {
        close(fd);
        return fault_set(&k->why, FAULT_INTERNAL, "no TLS for a host of this name");
    }
    loop_watch_init(&k->watch, k->loop, fd, on_ready, k);
    loop_watch_set(&k->watch, LOOP_READ | LOOP_WRITE | LOOP_HANGUP | LOOP_EDGE);
    return true;
}

/* ---- The room. */

struct redis_link *redis_link_new(struct loop *loop, const struct redis_place *place, struct tls *tls,
                                  const struct redis_link_events *events, void *arg)
{
    struct redis_link *k = mem_zalloc(1, sizeof *k);
    *k = (struct redis_link){.loop = loop, .place = *place, .events = events, .arg = arg};
    k->reader = redis_reader_new();
    k->heard_ns = loop_now_ns(loop);
    buf_init(&k->out);
    loop_work_init(&k->work, loop, on_work, k);
    if (!open_socket(k, tls)) loop_work_add(&k->work);
    return k;
}

static void free_now(void *arg)
{
    struct redis_link *k = arg;
    redis_reader_free(k->reader);
    if (k->out.data) explicit_bzero(k->out.data, k->out.cap);
    buf_clear(&k->out);
    mem_free(k);
}

static void let_go_and_free(struct redis_link *k, bool is_cut)
{
    if (!k) return;
    let_go(k, is_cut);
    loop_defer(k->loop, free_now, k);
}

void redis_link_free(struct redis_link *k)
{
    let_go_and_free(k, false);
}

void redis_link_cut(struct redis_link *k)
{
    let_go_and_free(k, true);
}

void redis_link_send(struct redis_link *k, struct slice bytes)
{
    if (k->has_ended) return;
    buf_append(&k->out, bytes);
    k->is_crowded |= buf_len(&k->out) >= LIMIT_REDIS_AHEAD_BYTES;
    loop_work_add(&k->work);
}

size_t redis_link_unsent(const struct redis_link *k)
{
    return buf_len(&k->out);
}

void redis_link_look(struct redis_link *k)
{
    if (k->has_ended || !k->is_connected) return;
    k->is_readable = true;
    read_some(k);
}

uint64_t redis_link_heard_ns(const struct redis_link *k)
{
    return k->heard_ns;
}

#include <string.h>
#include <sys/un.h>

#include "base/hex.h"
#include "base/mem.h"
#include "net/redis_inner.h"

#define REDIS_PORT 6379
#define SENTINEL_PORT 26379
#define DB_MAX 65535u

/* No message repeats a part of the URL: any of them may be a piece of a password that was not written as it must be. */
static bool refuse(struct fault *why, const char *what)
{
    return fault_set(why, FAULT_INTERNAL,
                     "redis.url %s: it is like redis://user:password@host:6379/0, rediss://…?ca=FILE, "
                     "unix:///path?db=0 or redis+sentinel://host:26379/name; in passwords write @ as %%40, "
                     "/ as %%2F, ? as %%3F, %% as %%25", what);
}

/* A copy with %40 undone; NULL: a % that stands for nothing, or a NUL. */
static char *decode(struct slice text)
{
    char *out = mem_alloc(text.len + 1);
    size_t len = 0;
    for (size_t i = 0; i < text.len; i++, len++) {
        uint8_t byte = (uint8_t)text.ptr[i];
        if (byte == '%') {
            bool is_code = text.len - i > 2 && hex_read(slice_of(text.ptr + i + 1, 2), &byte, 1);
            if (!is_code) byte = 0;
            i += 2;
        }
        if (byte == 0) {
            explicit_bzero(out, text.len + 1);
            mem_free(out);
            return NULL;
        }
        out[len] = (char)byte;
    }
    out[len] = '\0';
    return out;
}

static bool set_text(char **to, struct slice text)
{
    if (*to) return false;
    *to = decode(text);
    return *to != NULL;
}

static bool set_db(struct redis_target *t, struct slice text)
{
    uint64_t db;
    if (!slice_to_u64(text, &db) || db > DB_MAX) return false;
    t->db = (unsigned)db;
    return true;
}

/* ---- Behind the question mark. */

static char **option_of(struct redis_target *t, struct slice name)
{
    const struct {
        struct slice name;
        char **at;
        bool is_there;
    } options[] = {
        {SLICE("user"), &t->user, t->hosts[0].port == 0},
        {SLICE("password"), &t->password, t->hosts[0].port == 0},
        {SLICE("ca"), &t->ca, t->is_tls},
        {SLICE("cert"), &t->cert, t->is_tls},
        {SLICE("key"), &t->key, t->is_tls},
        {SLICE("sentinel_user"), &t->sentinel_user, t->is_sentinel},
        {SLICE("sentinel_password"), &t->sentinel_password, t->is_sentinel},
    };
    for (size_t i = 0; i < sizeof options / sizeof *options; i++) {
        if (options[i].is_there && slice_equal(name, options[i].name)) return options[i].at;
    }
    return NULL;
}

static bool read_options(struct redis_target *t, struct slice query, struct fault *why)
{
    while (query.len) {
        struct slice value, name = slice_split(slice_split(query, '&', &query), '=', &value);
        char **option = option_of(t, name);
        bool is_set = slice_equal(name, SLICE("db")) ? set_db(t, value) : option && set_text(option, value);
        if (!is_set) return refuse(why, "has something behind the ? that does not belong there");
    }
    if (!t->cert != !t->key) return refuse(why, "has a cert without its key, or a key without its cert");
    if (t->user && !t->password) return refuse(why, "has a user without a password");
    if (t->sentinel_user && !t->sentinel_password) return refuse(why, "has a sentinel_user without a password");
    return true;
}

/* ---- Hosts. */

bool redis_host_set(struct redis_host *host, struct slice name, uint16_t port)
{
    static const char signs[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789.-_:";
    if (name.len == 0 || name.len > LIMIT_HOST_BYTES || port == 0) return false;
    if (!slice_equal(name, slice_str(host->name))) *host = (struct redis_host){0};
    memcpy(host->name, name.ptr, name.len);
    host->name[name.len] = '\0';
    host->port = port;
    return strspn(host->name, signs) == name.len;
}

/* host, host:port, [address of IPv6], [address]:port */
static bool read_host(struct redis_target *t, struct slice text)
{
    struct slice port, name;
    uint64_t number = t->is_sentinel ? SENTINEL_PORT : REDIS_PORT;
    if (t->host_count == LIMIT_REDIS_HOSTS) return false;
    if (text.len && text.ptr[0] == '[') {
        name = slice_split(slice_of(text.ptr + 1, text.len - 1), ']', &port);
        if (port.len && port.ptr[0] != ':') return false;
        if (name.len + 2 > text.len || text.ptr[name.len + 1] != ']') return false;
        if (port.len) port = slice_of(port.ptr + 1, port.len - 1);
        if (!port.len && text.ptr[text.len - 1] == ':') return false;
    } else {
        name = slice_split(text, ':', &port);
        if (!port.len && name.len < text.len) return false;
    }
    if (port.len && (!slice_to_u64(port, &number) || number == 0 || number > 65535)) return false;
    return redis_host_set(&t->hosts[t->host_count++], name, (uint16_t)number);
}

static bool read_hosts(struct redis_target *t, struct slice list, struct fault *why)
{
    const char *end = list.ptr + list.len;
    for (const char *at = list.ptr; at <= end;) {
        struct slice rest, one = slice_split(slice_of(at, (size_t)(end - at)), ',', &rest);
        if (!read_host(t, one)) return refuse(why, "has no host, too many, or one with a port that is none");
        at = one.ptr + one.len + 1;
    }
    return true;
}

static bool read_user(struct redis_target *t, struct slice said, struct fault *why)
{
    struct slice password, user = slice_split(said, ':', &password);
    bool is_good = password.len && set_text(&t->password, password) && (!user.len || set_text(&t->user, user));
    return is_good || refuse(why, "has a user without a password, or a sign in them that is not written as it must be");
}

/* /0, of Sentinels /name or /name/0 */
static bool read_path(struct redis_target *t, struct slice path, struct fault *why)
{
    if (path.len) path = slice_of(path.ptr + 1, path.len - 1);
    if (memchr(path.ptr, '@', path.len)) return refuse(why, "has a password with a sign that must be written %2F");
    if (t->is_sentinel) {
        struct slice name = slice_split(path, '/', &path);
        if (!name.len || !set_text(&t->master, name)) return refuse(why, "does not name the master");
    }
    return path.len == 0 || set_db(t, path) || refuse(why, "has a database that is no number");
}

static bool read_network(struct redis_target *t, struct slice url, struct fault *why)
{
    size_t len = 0;
    while (len < url.len && url.ptr[len] != '/')
        len++;
    struct slice hosts = slice_of(url.ptr, len), path = slice_of(url.ptr + len, url.len - len);
    const char *at = memchr(hosts.ptr, '@', len);
    if (at) {
        hosts = slice_of(at + 1, len - (size_t)(at + 1 - url.ptr));
        if (memchr(hosts.ptr, '@', hosts.len)) return refuse(why, "has a second @");
        if (!read_user(t, slice_of(url.ptr, (size_t)(at - url.ptr)), why)) return false;
    }
    return read_hosts(t, hosts, why) && read_path(t, path, why);
}

static bool read_socket(struct redis_target *t, struct slice path, struct fault *why)
{
    char *decoded = decode(path);
    size_t len = decoded ? strlen(decoded) : 0;
    bool is_good = len && decoded[0] == '/' && len < sizeof((struct sockaddr_un *)0)->sun_path;
    if (is_good) memcpy(t->hosts[0].name, decoded, len + 1);
    mem_free(decoded);
    t->host_count = 1;
    return is_good || refuse(why, "is a socket whose path does not begin with / or is longer than 107 bytes");
}

static const struct {
    struct slice scheme;
    bool is_tls, is_sentinel, is_socket;
} schemes[] = {
    {SLICE("redis://"), false, false, false},         {SLICE("rediss://"), true, false, false},
    {SLICE("redis+sentinel://"), false, true, false}, {SLICE("rediss+sentinel://"), true, true, false},
    {SLICE("unix://"), false, false, true},
};

bool redis_target_read(struct redis_target *t, const char *url, struct fault *why)
{
    *t = (struct redis_target){0};
    struct slice all = slice_str(url), query;
    if (all.len > LIMIT_REDIS_URL_BYTES) return refuse(why, "is too long");
    for (size_t i = 0; i < sizeof schemes / sizeof *schemes; i++) {
        size_t len = schemes[i].scheme.len;
        if (!slice_starts(all, schemes[i].scheme)) continue;
        t->is_tls = schemes[i].is_tls;
        t->is_sentinel = schemes[i].is_sentinel;
        struct slice place = slice_split(slice_of(all.ptr + len, all.len - len), '?', &query);
        bool is_good = schemes[i].is_socket ? read_socket(t, place, why) : read_network(t, place, why);
        return is_good && read_options(t, query, why);
    }
    return refuse(why, "has a beginning that is not known");
}

void redis_target_turn(struct redis_target *t)
{
    struct redis_host first = t->hosts[0];
    if (t->host_count < 2) return;
    memmove(t->hosts, t->hosts + 1, (t->host_count - 1) * sizeof *t->hosts);
    t->hosts[t->host_count - 1] = first;
}

static void clear_secret(char *text)
{
    if (text) explicit_bzero(text, strlen(text));
    mem_free(text);
}

void redis_target_clear(struct redis_target *t)
{
    clear_secret(t->password);
    clear_secret(t->sentinel_password);
    char *others[] = {t->user, t->sentinel_user, t->ca, t->cert, t->key, t->master};
    for (size_t i = 0; i < sizeof others / sizeof *others; i++)
        mem_free(others[i]);
    *t = (struct redis_target){0};
}

#include <arpa/inet.h>
#include <string.h>

#include "base/mem.h"
#include "base/slice.h"
#include "store/postgres_inner.h"

#define DEFAULT_HOST "/var/run/postgresql"

static const char *const refused[] = {"PGHOSTADDR", "PGSERVICE"};

/* In a URL the library ends the password at the first @, and what is behind it would become the name of a host or a
 * database, which are told: no second one may be there. */
static bool is_misread(const char *conninfo)
{
    struct slice said = slice_str(conninfo);
    if (!slice_starts(said, SLICE("postgresql://")) && !slice_starts(said, SLICE("postgres://"))) return false;
    const char *user = strstr(conninfo, "://") + 3, *host = user + strcspn(user, "@/");
    if (*host == '@') host++;
    return memchr(host, '@', strcspn(host, "?")) != NULL;
}

/* The library's message would repeat the string, password and all. */
static bool parse(struct postgres_target *t, const char *conninfo, struct fault *why)
{
    char *said = NULL;
    t->options = PQconninfoParse(conninfo, &said);
    PQfreemem(said);
    if (t->options && !is_misread(conninfo)) return true;
    return fault_set(why, FAULT_INTERNAL, "postgres.url is neither postgresql://user:password@host:5432/database nor "
                                          "\"host=… user=… dbname=…\": a name in it is unknown, or a sign like @ in "
                                          "the password is not written as %%40");
}

const char *postgres_target_option(const struct postgres_target *t, const char *keyword)
{
    for (const PQconninfoOption *o = t->options; o && o->keyword; o++) {
        if (strcmp(o->keyword, keyword) == 0) return o->val && *o->val ? o->val : NULL;
    }
    return NULL;
}

/* Which of a list's parts are there; a list of one serves all. */
static size_t split(char *list, const char **parts)
{
    size_t count = 0;
    for (char *at = list; at && count < LIMIT_POSTGRES_HOSTS; count++) {
        parts[count] = at;
        at = strchr(at, ',');
        if (at) *at++ = '\0';
    }
    return count;
}

static bool is_number(const char *host)
{
    unsigned char address[sizeof(struct in6_addr)];
    return inet_pton(AF_INET, host, address) == 1 || inet_pton(AF_INET6, host, address) == 1;
}

static void set_host(struct postgres_host *h, const char *name, const char *address, const char *port)
{
    if (!*name && !*address) name = DEFAULT_HOST;
    bool is_socket = *name == '/' || *name == '@';
    if (!*address && !is_socket && is_number(name)) address = name;
    *h = (struct postgres_host){name, address, port, .is_named = !*address && !is_socket};
}

static bool is_port(const char *port)
{
    uint64_t number;
    return !*port || (slice_to_u64(slice_str(port), &number) && number > 0 && number < 65536);
}

static char *copy_option(const struct postgres_target *t, const char *keyword)
{
    const char *value = postgres_target_option(t, keyword);
    return mem_strdup(value ? value : "");
}

static bool read_hosts(struct postgres_target *t, struct fault *why)
{
    const char *names[LIMIT_POSTGRES_HOSTS], *addresses[LIMIT_POSTGRES_HOSTS], *ports[LIMIT_POSTGRES_HOSTS];
    static const char *const keywords[] = {"host", "hostaddr", "port"};
    for (int i = 0; i < 3; i++)
        t->lists[i] = copy_option(t, keywords[i]);
    bool has_names = *t->lists[0], has_addresses = *t->lists[1];
    size_t name_count = split(t->lists[0], names), address_count = split(t->lists[1], addresses);
    size_t port_count = split(t->lists[2], ports);
    t->host_count = has_names ? name_count : address_count;
    if ((has_names && has_addresses && name_count != address_count) ||
        (port_count != 1 && port_count != t->host_count)) {
        return fault_set(why, FAULT_INTERNAL, "postgres.url has not as many hosts as addresses or ports");
    }
    for (size_t i = 0; i < port_count; i++) {
        if (!is_port(ports[i])) return fault_set(why, FAULT_INTERNAL, "postgres.url has a port that is none");
    }
    for (size_t i = 0; i < t->host_count; i++)
        set_host(&t->hosts[i], has_names ? names[i] : "", has_addresses ? addresses[i] : "",
                 ports[port_count == 1 ? 0 : i]);
    return true;
}

bool postgres_target_read(struct postgres_target *t, const char *conninfo, struct fault *why)
{
    *t = (struct postgres_target){0};
    if (!parse(t, conninfo, why)) return false;
    for (size_t i = 0; i < sizeof refused / sizeof *refused; i++) {
        const char *value = getenv(refused[i]);
        if (value && *value) {
            return fault_set(why, FAULT_INTERNAL, "%s is set in the environment: unset it, and say in postgres.url "
                                                  "where the database is", refused[i]);
        }
    }
    if (postgres_target_option(t, "service")) {
        return fault_set(why, FAULT_INTERNAL, "postgres.url names a service: say in it where the database is");
    }
    return read_hosts(t, why);
}

void postgres_target_clear(struct postgres_target *t)
{
    for (const PQconninfoOption *o = t->options; o && o->keyword; o++) {
        if (o->val && *o->dispchar == '*') explicit_bzero(o->val, strlen(o->val));
    }
    PQconninfoFree(t->options);
    for (int i = 0; i < 3; i++)
        mem_free(t->lists[i]);
    *t = (struct postgres_target){0};
}

bool postgres_target_address(const struct postgres_target *t, const struct resolve_result *found, size_t n,
                             struct postgres_host *address)
{
    size_t asked = 0;
    for (size_t i = 0; i < t->host_count; i++) {
        *address = t->hosts[i];
        if (!address->is_named && n-- == 0) return true;
        for (size_t a = 0; address->is_named && a < found->count; a++) {
            address->address = found->addresses[a].text;
            if (found->addresses[a].name == asked && n-- == 0) return true;
        }
        asked += address->is_named;
    }
    return false;
}

/* connect_timeout: the library itself looks at it only where it blocks. */
unsigned postgres_target_timeout_ms(const struct postgres_target *t)
{
    const char *said = postgres_target_option(t, "connect_timeout");
    uint64_t seconds;
    if (!said || !slice_to_u64(slice_str(said), &seconds) || seconds == 0) return LIMIT_POSTGRES_CONNECT_MS;
    return seconds < LIMIT_POSTGRES_CONNECT_MS_MAX / 1000 ? (unsigned)seconds * 1000 : LIMIT_POSTGRES_CONNECT_MS_MAX;
}

static void set(struct postgres_words *w, const char *keyword, const char *value)
{
    size_t i = 0;
    while (w->keywords[i] && strcmp(w->keywords[i], keyword) != 0)
        i++;
    if (i >= POSTGRES_OPTIONS_MAX) return;
    w->keywords[i] = keyword;
    w->values[i] = value;
}

static void set_unless(struct postgres_words *w, const struct postgres_target *t, const char *keyword,
                       const char *value)
{
    if (!postgres_target_option(t, keyword)) set(w, keyword, value);
}

void postgres_words_make(struct postgres_words *w, const struct postgres_target *t,
                         const struct postgres_host *address, const char *name)
{
    *w = (struct postgres_words){0};
    for (const PQconninfoOption *o = t->options; o->keyword; o++) {
        if (o->val && *o->val) set(w, o->keyword, o->val);
    }
    set(w, "host", address->name);
    set(w, "hostaddr", address->address);
    set(w, "port", address->port);
    set(w, "client_encoding", "UTF8");
    set_unless(w, t, "application_name", name);
    set_unless(w, t, "gssencmode", "disable");
    set_unless(w, t, "keepalives_idle", "30");
    set_unless(w, t, "tcp_user_timeout", "30000");
    set_unless(w, t, "target_session_attrs", "read-write"); /* of several hosts one is a standby, and stays one */
}

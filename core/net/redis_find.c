#include <arpa/inet.h>
#include <string.h>

#include "base/clock.h"
#include "base/mem.h"
#include "net/loop.h"
#include "net/redis_inner.h"

#define SENTINEL_MS 1000u /* one of them, from the first packet to its answer */

struct redis_find {
    struct loop *loop;
    struct redis_target *target;
    struct tls *tls;
    redis_find_fn fn;
    void *arg;
    struct loop_timer timer; /* the beginning; then each Sentinel's */
    struct resolve *resolve;
    struct redis_link *link;
    bool has_master; /* a Sentinel has told it: target->told */
    const char *names[LIMIT_REDIS_HOSTS]; /* those that are looked up … */
    size_t named[LIMIT_REDIS_HOSTS];      /* … and which hosts they are */
    size_t name_count;
    struct redis_places sentinels, places; /* places: of Redis */
    size_t asked;                          /* Sentinels */
    bool is_check;
    struct fault why;
};

/* ---- Ending. */

static void stop(struct redis_find *f)
{
    loop_timer_disarm(&f->timer);
    resolve_free(f->resolve);
    redis_link_free(f->link);
    f->resolve = NULL;
    f->link = NULL;
}

static void finish(struct redis_find *f)
{
    stop(f);
    f->fn(f->arg, &f->places, f->places.count ? NULL : &f->why);
}

/* All that failed is told together, the last one first, should there be more than a fault holds. */
static void add_why(struct redis_find *f, const char *what)
{
    struct fault before = f->why;
    fault_set(&f->why, FAULT_INTERNAL, "%s%s%s", what, before.text[0] ? "; " : "", before.text);
}

/* ---- Names. */

static struct redis_host *hosts_of(const struct redis_find *f, size_t *count)
{
    *count = f->has_master ? 1 : f->target->host_count;
    return f->has_master ? &f->target->told : f->target->hosts;
}

static bool wants_sentinels(const struct redis_find *f)
{
    return f->target->is_sentinel && !f->has_master;
}

static void add_place(struct redis_find *f, size_t host, const char *address)
{
    size_t count;
    const struct redis_host *hosts = hosts_of(f, &count);
    struct redis_places *places = wants_sentinels(f) ? &f->sentinels : &f->places;
    if (places->count == LIMIT_RESOLVE_ADDRESSES) return;
    struct redis_place *place = &places->list[places->count++];
    *place = (struct redis_place){.port = hosts[host].port, .host = host};
    memcpy(place->name, hosts[host].name, sizeof place->name);
    snprintf(place->address, sizeof place->address, "%s", address);
}

static bool is_number(const char *host)
{
    unsigned char address[sizeof(struct in6_addr)];
    return inet_pton(AF_INET, host, address) == 1 || inet_pton(AF_INET6, host, address) == 1;
}

static bool is_name(const struct redis_host *host)
{
    return host->port != 0 && !is_number(host->name);
}

/* In the order in which they were said, whatever had to be looked up. */
static void make_places(struct redis_find *f)
{
    size_t count;
    const struct redis_host *hosts = hosts_of(f, &count);
    for (size_t i = 0; i < count; i++) {
        if (!is_name(&hosts[i])) add_place(f, i, hosts[i].port ? hosts[i].name : "");
        for (size_t a = 0; is_name(&hosts[i]) && a < hosts[i].address_count; a++)
            add_place(f, i, hosts[i].addresses[a]);
    }
}

/* When name servers are in trouble too, where it was before is worth a try. */
static void keep(struct redis_host *host, const struct resolve_result *found, size_t name)
{
    size_t count = 0;
    for (size_t a = 0; a < found->count && count < LIMIT_RESOLVE_ADDRESSES_EACH; a++) {
        if (found->addresses[a].name != name) continue;
        memcpy(host->addresses[count++], found->addresses[a].text, sizeof host->addresses[0]);
    }
    if (count) host->address_count = count;
}

static void ask_next(struct redis_find *f);

static void go_on(struct redis_find *f)
{
    if (wants_sentinels(f)) ask_next(f);
    else finish(f);
}

static void on_resolved(void *arg, const struct resolve_result *found, const struct fault *why)
{
    struct redis_find *f = arg;
    size_t count;
    struct redis_host *hosts = hosts_of(f, &count);
    if (why) add_why(f, fault_message(why));
    resolve_free(f->resolve);
    f->resolve = NULL;
    for (size_t i = 0; i < f->name_count; i++)
        keep(&hosts[f->named[i]], found, i);
    make_places(f);
    go_on(f);
}

static void add_name(struct redis_find *f, struct redis_host *host, size_t number)
{
    uint64_t now_ns = loop_now_ns(f->loop);
    bool is_fresh = host->looked_ns && now_ns - host->looked_ns < LIMIT_RESOLVE_KEEP_MS * NS_PER_MS;
    if (is_fresh && host->address_count == 0) add_why(f, "its name had no address a moment ago");
    if (is_fresh) return;
    host->looked_ns = now_ns;
    f->named[f->name_count] = number;
    f->names[f->name_count++] = host->name;
}

/* Of what needs no lookup none is made, and none again so soon: every one is a process, made of all of this one. */
static void look_up(struct redis_find *f)
{
    size_t count;
    struct redis_host *hosts = hosts_of(f, &count);
    f->name_count = 0;
    for (size_t i = 0; i < count; i++)
        if (is_name(&hosts[i])) add_name(f, &hosts[i], i);
    if (f->name_count) f->resolve = resolve_start(f->loop, f->names, f->name_count, on_resolved, f, &f->why);
    if (f->resolve) return;
    make_places(f);
    go_on(f);
}

/* ---- Sentinels. */

static void give_up_one(struct redis_find *f, const char *what)
{
    add_why(f, what);
    redis_link_free(f->link);
    f->link = NULL;
    ask_next(f);
}

static void on_end(void *arg, const struct fault *why)
{
    give_up_one(arg, fault_message(why));
}

static void say_of(struct redis_find *f, const char *what)
{
    char place[REDIS_PLACE_BYTES];
    struct fault why = {0};
    redis_place_text(&f->sentinels.list[f->asked - 1], place);
    fault_set(&why, FAULT_INTERNAL, "Sentinel %s: %s", place, what);
    give_up_one(f, fault_message(&why));
}

static void on_time(void *arg)
{
    say_of(arg, "no answer in time");
}

/* Who has answered is asked first the next time. */
static void prefer(struct redis_find *f)
{
    size_t host = f->sentinels.list[f->asked - 1].host;
    struct redis_host first = f->target->hosts[0];
    f->target->hosts[0] = f->target->hosts[host];
    f->target->hosts[host] = first;
}

static void on_reply(void *arg, const struct redis_reply *reply)
{
    struct redis_find *f = arg;
    uint64_t port;
    if (reply->kind == REDIS_STATUS) return; /* to AUTH */
    if (reply->kind == REDIS_ERROR) {
        bool is_right = reply->error == REDIS_NOAUTH || reply->error == REDIS_WRONGPASS || f->target->sentinel_password;
        say_of(f, is_right ? "its user or password (sentinel_user, sentinel_password) is refused" : reply->text.ptr);
        return;
    }
    bool is_known = reply->kind == REDIS_ARRAY && reply->count == 2 && slice_to_u64(reply->items[1].text, &port) &&
                    port <= 65535 && redis_host_set(&f->target->told, reply->items[0].text, (uint16_t)port);
    if (!is_known) {
        say_of(f, reply->kind == REDIS_NIL ? "it knows no master of this name" : "no answer to be understood");
        return;
    }
    f->has_master = true;
    if (f->is_check) {
        f->places = f->sentinels;
        finish(f);
        return;
    }
    prefer(f);
    stop(f);
    look_up(f);
}

static void send_question(struct redis_find *f)
{
    const struct redis_target *t = f->target;
    const struct slice auth[] = {SLICE("AUTH"), slice_str(t->sentinel_user), slice_str(t->sentinel_password)};
    const struct slice auth_alone[] = {SLICE("AUTH"), slice_str(t->sentinel_password)};
    const struct slice question[] = {SLICE("SENTINEL"), SLICE("get-master-addr-by-name"), slice_str(t->master)};
    struct buf out;
    buf_init(&out);
    if (t->sentinel_user) redis_wire_command(&out, auth, 3);
    else if (t->sentinel_password) redis_wire_command(&out, auth_alone, 2);
    redis_wire_command(&out, question, 3);
    redis_link_send(f->link, buf_slice(&out));
    explicit_bzero(out.data, out.cap);
    buf_clear(&out);
}

static void ask_next(struct redis_find *f)
{
    static const struct redis_link_events events = {.on_reply = on_reply, .on_end = on_end};
    if (f->asked == f->sentinels.count) {
        finish(f);
        return;
    }
    f->link = redis_link_new(f->loop, &f->sentinels.list[f->asked++], f->tls, &events, f);
    loop_timer_disarm(&f->timer);
    loop_timer_init(&f->timer, f->loop, on_time, f);
    loop_timer_arm_ms(&f->timer, SENTINEL_MS);
    send_question(f);
}

/* ---- The room. */

static void begin(void *arg)
{
    struct redis_find *f = arg;
    if (f->is_check) ask_next(f);
    else look_up(f);
}

struct redis_find *redis_find_start(struct loop *loop, struct redis_target *target, struct tls *tls, redis_find_fn fn,
                                    void *arg)
{
    struct redis_find *f = mem_zalloc(1, sizeof *f);
    *f = (struct redis_find){.loop = loop, .target = target, .tls = tls, .fn = fn, .arg = arg};
    loop_timer_init(&f->timer, loop, begin, f);
    loop_timer_arm_ms(&f->timer, 0);
    return f;
}

struct redis_find *redis_find_check(struct loop *loop, struct redis_target *target, struct tls *tls,
                                    const struct redis_places *sentinels, redis_find_fn fn, void *arg)
{
    struct redis_find *f = redis_find_start(loop, target, tls, fn, arg);
    f->is_check = true;
    f->sentinels = *sentinels;
    return f;
}

const struct redis_places *redis_find_sentinels(const struct redis_find *f)
{
    return &f->sentinels;
}

const struct redis_host *redis_find_master(const struct redis_find *f)
{
    return &f->target->told;
}

void redis_find_free(struct redis_find *f)
{
    if (!f) return;
    stop(f);
    loop_defer(f->loop, mem_free, f);
}

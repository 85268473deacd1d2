#include "server/config.h"

#include <jansson.h>
#include <string.h>

#include "base/limits.h"
#include "base/mem.h"
#include "server/units.h"

#define PACK_MAGIC 0x6d6f6f6e63666733ull

/* One walk over all fields, for writing and for reading: the two can never differ. */
struct walk {
    struct buf *out;     /* NULL when reading */
    struct slice in;     /* what is left to read */
    struct arena *arena; /* for the texts that are read */
    bool is_good;
};

static void walk_bytes(struct walk *w, void *bytes, size_t len)
{
    if (w->out) {
        buf_append(w->out, slice_of(bytes, len));
    } else if (!w->is_good || w->in.len < len) {
        w->is_good = false;
        memset(bytes, 0, len);
    } else {
        memcpy(bytes, w->in.ptr, len);
        w->in = slice_of(w->in.ptr + len, w->in.len - len);
    }
}

static void walk_text(struct walk *w, struct slice *text)
{
    uint64_t len = text->len;
    walk_bytes(w, &len, sizeof len);
    if (w->out) {
        if (len) buf_append(w->out, *text);
    } else if (!w->is_good || w->in.len < len) {
        w->is_good = false;
    } else {
        *text = arena_copy(w->arena, slice_of(w->in.ptr, len));
        w->in = slice_of(w->in.ptr + len, w->in.len - len);
    }
}

#define WALK(w, field) walk_bytes(w, &(field), sizeof(field))

static void walk_provider(struct walk *w, struct provider *p)
{
    walk_text(w, &p->name);
    walk_text(w, &p->kind);
    walk_text(w, &p->url);
    walk_text(w, &p->key);
    walk_text(w, &p->ca_file);
    WALK(w, p->can_report_usage);
    WALK(w, p->is_http2);
    WALK(w, p->connect_timeout_ms);
    WALK(w, p->first_byte_timeout_ms);
    WALK(w, p->idle_timeout_ms);
    WALK(w, p->total_timeout_ms);
}

static void walk_egress(struct walk *w, struct egress *e)
{
    walk_text(w, &e->origin);
    walk_text(w, &e->clearance);
    walk_text(w, &e->name);
    walk_text(w, &e->secret);
    walk_text(w, &e->header);
    walk_text(w, &e->ca_file);
    WALK(w, e->timeout_ms);
    WALK(w, e->answer_bytes_max);
}

static void walk_all_egress(struct walk *w, struct settings *s)
{
    uint64_t count = s->egress_count;
    WALK(w, count);
    if (!w->out) {
        if (count > LIMIT_EGRESS) w->is_good = false;
        if (!w->is_good) return;
        s->egress = arena_zalloc(w->arena, ((size_t)count + 1) * sizeof *s->egress);
        s->egress_count = (size_t)count;
    }
    for (size_t i = 0; i < s->egress_count; i++)
        walk_egress(w, &s->egress[i]);
}

static void walk_settings(struct walk *w, struct settings *s)
{
    uint64_t count = s->provider_count;
    WALK(w, s->digest);
    WALK(w, s->body_bytes_max);
    WALK(w, s->connections_max);
    WALK(w, s->header_timeout_ms);
    WALK(w, s->body_timeout_ms);
    WALK(w, s->idle_timeout_ms);
    WALK(w, s->write_timeout_ms);
    WALK(w, s->keepalive_ms);
    WALK(w, s->drain_grace_ms);
    WALK(w, s->policy_bytecodes);
    WALK(w, s->policy_cpu_ms);
    WALK(w, s->policy_deadline_ms);
    walk_text(w, &s->data_dir);
    walk_all_egress(w, s);
    WALK(w, count);
    if (!w->out) {
        if (count > LIMIT_PROVIDERS) w->is_good = false;
        if (!w->is_good) return;
        s->providers = arena_zalloc(w->arena, (size_t)count * sizeof *s->providers);
        s->provider_count = (size_t)count;
    }
    for (size_t i = 0; i < s->provider_count; i++)
        walk_provider(w, &s->providers[i]);
}

static void walk_config(struct walk *w, struct config *c)
{
    uint64_t magic = PACK_MAGIC;
    WALK(w, magic);
    if (magic != PACK_MAGIC) w->is_good = false;
    walk_text(w, &c->file);
    walk_text(w, &c->listen);
    walk_text(w, &c->admin_listen);
    walk_text(w, &c->policies_dir);
    WALK(w, c->workers);
    WALK(w, c->drain_delay_ms);
    WALK(w, c->has_spec_gate);
    WALK(w, c->gate_timeout_ms);
    walk_settings(w, c->settings);
}

void config_pack(const struct config *c, struct buf *out)
{
    /* The walk only reads when it writes out. */
    struct config copy = *c;
    struct walk w = {.out = out, .is_good = true};
    walk_config(&w, &copy);
}

struct config *config_unpack(struct slice bytes)
{
    struct config *c = mem_zalloc(1, sizeof *c);
    c->settings = settings_new();
    struct walk w = {.in = bytes, .arena = &c->settings->arena, .is_good = true};
    walk_config(&w, c);
    if (w.is_good && w.in.len == 0) return c;
    config_free(c);
    return NULL;
}

static void set_text(json_t *object, const char *name, struct slice text)
{
    json_object_set_new(object, name, json_stringn(text.ptr ? text.ptr : "", text.len));
}

static void set_duration(json_t *object, const char *name, uint64_t ms)
{
    char text[32];
    units_print_duration(ms, text, sizeof text);
    json_object_set_new(object, name, json_string(text));
}

static json_t *show_provider(const struct provider *p)
{
    json_t *all = json_object(), *timeouts = json_object();
    set_text(all, "kind", p->kind);
    set_text(all, "url", p->url);
    json_object_set_new(all, "key", p->key.len ? json_string("(set)") : json_null());
    if (p->ca_file.len) set_text(all, "ca", p->ca_file);
    json_object_set_new(all, "usage", json_boolean(p->can_report_usage));
    json_object_set_new(all, "http2", json_boolean(p->is_http2));
    set_duration(timeouts, "connect", p->connect_timeout_ms);
    set_duration(timeouts, "first_byte", p->first_byte_timeout_ms);
    set_duration(timeouts, "idle", p->idle_timeout_ms);
    set_duration(timeouts, "total", p->total_timeout_ms);
    json_object_set_new(all, "timeouts", timeouts);
    return all;
}

static json_t *show_egress(const struct settings *s)
{
    char size[32];
    json_t *all = json_object();
    for (size_t i = 0; i < s->egress_count; i++) {
        const struct egress *e = &s->egress[i];
        json_t *one = json_object();
        set_text(one, "clearance", e->clearance);
        if (e->name.len) set_text(one, "name", e->name);
        json_object_set_new(one, "secret", e->secret.len ? json_string("(set)") : json_null());
        if (e->header.len) set_text(one, "header", e->header);
        if (e->ca_file.len) set_text(one, "ca", e->ca_file);
        set_duration(one, "timeout", e->timeout_ms);
        units_print_size(e->answer_bytes_max, size, sizeof size);
        json_object_set_new(one, "answer", json_string(size));
        json_object_set_new(all, e->origin.ptr, one);
    }
    return all;
}

static json_t *show_timeouts(const struct settings *s)
{
    json_t *all = json_object();
    set_duration(all, "header", s->header_timeout_ms);
    set_duration(all, "body", s->body_timeout_ms);
    set_duration(all, "idle", s->idle_timeout_ms);
    set_duration(all, "write", s->write_timeout_ms);
    return all;
}

static json_t *show_limits(const struct settings *s)
{
    char size[32];
    json_t *all = json_object();
    units_print_size(s->body_bytes_max, size, sizeof size);
    json_object_set_new(all, "body", json_string(size));
    json_object_set_new(all, "connections", json_integer(s->connections_max));
    return all;
}

static json_t *show_policy(const struct settings *s)
{
    json_t *all = json_object();
    json_object_set_new(all, "bytecodes", json_integer((json_int_t)s->policy_bytecodes));
    set_duration(all, "cpu", s->policy_cpu_ms);
    set_duration(all, "deadline", s->policy_deadline_ms);
    return all;
}

json_t *config_show(const struct config *c)
{
    const struct settings *s = c->settings;
    json_t *all = json_object(), *providers = json_object(), *drain = json_object(), *admin = json_object();
    json_t *gate = json_object();
    set_text(all, "file", c->file);
    set_text(all, "sha256", slice_str(s->digest));
    set_text(all, "listen", c->listen);
    set_text(admin, "listen", c->admin_listen);
    json_object_set_new(all, "admin", admin);
    json_object_set_new(all, "workers", json_integer(c->workers));
    set_text(all, "data", s->data_dir);
    set_text(all, "policies", c->policies_dir);
    for (size_t i = 0; i < s->provider_count; i++) {
        json_object_set_new(providers, s->providers[i].name.ptr, show_provider(&s->providers[i]));
    }
    json_object_set_new(all, "providers", providers);
    json_object_set_new(all, "egress", show_egress(s));
    json_object_set_new(all, "timeouts", show_timeouts(s));
    json_object_set_new(all, "limits", show_limits(s));
    set_duration(drain, "grace", s->drain_grace_ms);
    set_duration(drain, "delay", c->drain_delay_ms);
    json_object_set_new(all, "drain", drain);
    json_object_set_new(gate, "specs", json_boolean(c->has_spec_gate));
    set_duration(gate, "timeout", c->gate_timeout_ms);
    json_object_set_new(all, "gate", gate);
    set_duration(all, "keepalive", s->keepalive_ms);
    json_object_set_new(all, "policy", show_policy(s));
    return all;
}

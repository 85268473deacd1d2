#include "exchange/settings.h"

#include <string.h>

#include "base/hex.h"
#include "base/limits.h"
#include "base/mem.h"

struct settings *settings_new(void)
{
    struct settings *s = mem_zalloc(1, sizeof *s);
    s->refs = 1;
    arena_init(&s->arena);
    s->policy_bytecodes = LIMIT_POLICY_BYTECODES;
    s->policy_cpu_ms = LIMIT_POLICY_CPU_MS;
    s->policy_deadline_ms = LIMIT_POLICY_DEADLINE_MS;
    return s;
}

struct settings *settings_ref(struct settings *s)
{
    s->refs++;
    return s;
}

/* It lies in the snapshot's own arena, so writing through the borrowed pointer is ours to do. */
static void wipe(struct slice secret)
{
    if (secret.len) explicit_bzero((char *)(uintptr_t)secret.ptr, secret.len);
}

void settings_unref(struct settings *s)
{
    if (!s || --s->refs > 0) return;
    for (size_t i = 0; i < s->provider_count; i++) {
        struct provider *p = &s->providers[i];
        wipe(p->key);
        wipe(p->credentials);
        wipe(p->access_key_id);
        wipe(p->secret_access_key);
        wipe(p->session_token);
        wipe(p->headers);
    }
    for (size_t i = 0; i < s->egress_count; i++)
        wipe(s->egress[i].secret);
    for (size_t i = 0; i < s->sink_count; i++) {
        wipe(s->sinks[i].url);
        wipe(s->sinks[i].secret);
    }
    arena_clear(&s->arena);
    mem_free(s);
}

struct slice settings_origin(struct slice url)
{
    size_t scheme = slice_starts(url, SLICE("https://")) ? 8 : slice_starts(url, SLICE("http://")) ? 7 : 0;
    size_t end = scheme;
    for (size_t i = 0; i < url.len; i++) {
        unsigned char c = (unsigned char)url.ptr[i];
        if (c <= ' ' || c >= 0x7F || c == '\\' || c == '#') return SLICE_NONE;
    }
    while (end < url.len && url.ptr[end] != '/' && url.ptr[end] != '?')
        end++;
    if (!scheme || end == scheme || memchr(url.ptr, '@', end)) return SLICE_NONE;
    return slice_of(url.ptr, end);
}

/* Without the port that the scheme has anyway. */
static struct slice without_port(struct slice origin)
{
    struct slice port = slice_starts(origin, SLICE("https:")) ? SLICE(":443") : SLICE(":80");
    bool has = origin.len > port.len && slice_equal(slice_of(origin.ptr + origin.len - port.len, port.len), port);
    return slice_of(origin.ptr, has ? origin.len - port.len : origin.len);
}

const struct egress *settings_egress(const struct settings *s, struct slice url)
{
    struct slice origin = settings_origin(url);
    if (!origin.ptr) return NULL;
    for (size_t i = 0; i < s->egress_count; i++) {
        if (slice_iequal(without_port(s->egress[i].origin), without_port(origin))) return &s->egress[i];
    }
    return NULL;
}

bool provider_next_header(struct slice *rest, struct provider_header *header)
{
    if (!rest->len) return false;
    struct slice line = slice_split(*rest, '\n', rest), value;
    header->is_secret = line.ptr[0] == '-';
    header->name = slice_split(slice_of(line.ptr + 1, line.len - 1), ':', &value);
    header->value = value;
    return true;
}

struct provider_credentials provider_credentials(const struct provider *p)
{
    struct slice key_file = SLICE_NONE;
    uint8_t bytes[8];
    uint64_t id = 0;
    struct slice digits = p->credentials.len ? slice_split(p->credentials, '\n', &key_file) : SLICE_NONE;
    if (!hex_read(digits, bytes, sizeof bytes)) return (struct provider_credentials){.id = 0};
    memcpy(&id, bytes, sizeof id);
    return (struct provider_credentials){id, key_file};
}

size_t provider_secrets(const struct provider *p, struct slice secrets[PROVIDER_SECRETS_MAX])
{
    struct slice rest = p->headers;
    struct provider_header header;
    const struct slice keys[] = {p->key, p->access_key_id, p->secret_access_key, p->session_token};
    size_t count = 0;
    for (size_t i = 0; i < sizeof keys / sizeof keys[0]; i++) {
        if (keys[i].len) secrets[count++] = keys[i];
    }
    while (count < PROVIDER_SECRETS_MAX && provider_next_header(&rest, &header)) {
        if (header.is_secret) secrets[count++] = header.value;
    }
    return count;
}

bool settings_lists(struct slice lines, struct slice line)
{
    while (lines.len) {
        if (slice_iequal(slice_split(lines, '\n', &lines), line)) return true;
    }
    return false;
}

const struct provider *settings_provider(const struct settings *s, struct slice name)
{
    for (size_t i = 0; i < s->provider_count; i++) {
        if (slice_equal(s->providers[i].name, name)) return &s->providers[i];
    }
    return NULL;
}

const struct sink *settings_sink(const struct settings *s, struct slice name)
{
    for (size_t i = 0; i < s->sink_count; i++) {
        if (slice_equal(s->sinks[i].name, name)) return &s->sinks[i];
    }
    return NULL;
}

#include "exchange/settings.h"

#include <string.h>

#include "base/limits.h"
#include "base/mem.h"

struct settings *settings_new(void)
{
    struct settings *s = mem_zalloc(1, sizeof *s);
    s->refs = 1;
    arena_init(&s->arena);
    s->body_bytes_max = LIMIT_BODY_BYTES;
    s->connections_max = LIMIT_CONNECTIONS;
    s->header_timeout_ms = LIMIT_HEADER_TIMEOUT_MS;
    s->body_timeout_ms = LIMIT_BODY_TIMEOUT_MS;
    s->idle_timeout_ms = LIMIT_IDLE_TIMEOUT_MS;
    s->write_timeout_ms = LIMIT_WRITE_TIMEOUT_MS;
    s->drain_grace_ms = LIMIT_DRAIN_MS;
    s->policy_bytecodes = LIMIT_POLICY_BYTECODES;
    s->policy_cpu_ms = LIMIT_POLICY_CPU_MS;
    s->policy_deadline_ms = LIMIT_POLICY_DEADLINE_MS;
    s->data_dir = SLICE("data");
    return s;
}

struct settings *settings_ref(struct settings *s)
{
    s->refs++;
    return s;
}

void settings_unref(struct settings *s)
{
    if (!s || --s->refs > 0) return;
    for (size_t i = 0; i < s->provider_count; i++) {
        /* The key lies in the snapshot's own arena, so writing through the borrowed pointer is ours to do. */
        if (s->providers[i].key.len)
            explicit_bzero((char *)(uintptr_t)s->providers[i].key.ptr, s->providers[i].key.len);
    }
    arena_clear(&s->arena);
    mem_free(s);
}

const struct provider *settings_provider(const struct settings *s, struct slice name)
{
    for (size_t i = 0; i < s->provider_count; i++) {
        if (slice_equal(s->providers[i].name, name)) return &s->providers[i];
    }
    return NULL;
}

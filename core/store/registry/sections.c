#include "store/keyring_build.h"
#include "store/registry/prompts_inner.h"
#include "store/registry/registry_inner.h"
#include "store/topups_build.h"

/* What workers get of the registry: a builder for each kind of section that it has. */

static bool build_keys(struct registry *r, int64_t now_s, const struct section_about *about, struct buf *out,
                       struct fault *why)
{
    struct buf text;
    (void)now_s;
    buf_init(&text);
    bool is_good = registry_export_keys(r, &text, why) && keyring_build_text(buf_slice(&text), about, out, why);
    buf_clear(&text);
    return is_good;
}

static bool build_topups(struct registry *r, int64_t now_s, const struct section_about *about, struct buf *out,
                         struct fault *why)
{
    struct buf text;
    buf_init(&text);
    bool is_good = registry_export_topups(r, now_s, &text, why) && topups_build_text(buf_slice(&text), about, out, why);
    buf_clear(&text);
    return is_good;
}

static bool build_prompts(struct registry *r, int64_t now_s, const struct section_about *about, struct buf *out,
                          struct fault *why)
{
    (void)now_s;
    return prompts_section(r, about, out, why);
}

static bool (*const builders[SECTION_KINDS])(struct registry *r, int64_t now_s, const struct section_about *about,
                                             struct buf *out, struct fault *why) = {
    [SECTION_KEYS] = build_keys,
    [SECTION_TOPUPS] = build_topups,
    [SECTION_PROMPTS] = build_prompts,
};

static bool build(struct registry *r, enum section_kind kind, int64_t now_s, struct buf *out, struct fault *why)
{
    return builders[kind](r, now_s, &(struct section_about){.kind = kind}, out, why);
}

bool registry_section(struct registry *r, enum section_kind kind, int64_t now_s, struct buf *out, struct fault *why)
{
    return registry_read_begin(r, why) && registry_read_end(r, build(r, kind, now_s, out, why), why);
}

static bool build_all(struct registry *r, int64_t now_s,
                      bool (*each)(void *arg, enum section_kind kind, struct slice bytes), void *arg,
                      struct fault *why)
{
    bool is_good = true;
    for (enum section_kind kind = SECTION_KEYS; is_good && kind < SECTION_KINDS; kind++) {
        struct buf bytes;
        if (!builders[kind]) continue;
        buf_init(&bytes);
        is_good = build(r, kind, now_s, &bytes, why) && each(arg, kind, buf_slice(&bytes));
        buf_clear(&bytes);
    }
    return is_good;
}

bool registry_sections(struct registry *r, int64_t now_s,
                       bool (*each)(void *arg, enum section_kind kind, struct slice bytes), void *arg,
                       struct fault *why)
{
    return registry_read_begin(r, why) && registry_read_end(r, build_all(r, now_s, each, arg, why), why);
}

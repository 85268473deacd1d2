#include "store/keysets.h"

#include "base/clock.h"
#include "base/limits.h"
#include "base/mem.h"

/* After the answer to a question no further one for this long: the flood of made-up key ids stops here. */
#define ASK_AGAIN_NS NS_PER_S

struct keyset {
    char *url;
    size_t url_len;
    struct jwks *keys;
    uint64_t fetched_wall_ns;
    uint64_t asked_ns, answered_ns; /* monotonic; 0: no question is open, none was answered */
    uint64_t used_ns;               /* when it was last heard of */
    bool is_failing;
};

struct keysets {
    struct keyset sets[LIMIT_JWKS_SOURCES];
    size_t count;
};

struct keysets *keysets_new(void)
{
    return mem_zalloc(1, sizeof(struct keysets));
}

static void clear(struct keyset *set)
{
    jwks_unref(set->keys);
    mem_free(set->url);
    *set = (struct keyset){.url = NULL};
}

void keysets_free(struct keysets *sets)
{
    if (!sets) return;
    for (size_t i = 0; i < sets->count; i++)
        clear(&sets->sets[i]);
    mem_free(sets);
}

static struct keyset *find(const struct keysets *sets, struct slice url)
{
    for (size_t i = 0; i < sets->count; i++) {
        const struct keyset *set = &sets->sets[i];
        if (slice_equal(slice_of(set->url, set->url_len), url)) return (struct keyset *)(uintptr_t)set;
    }
    return NULL;
}

/* When there is no room, the one that was heard of longest ago goes: reloads may have named many. */
static struct keyset *find_or_make(struct keysets *sets, struct slice url)
{
    struct keyset *set = find(sets, url);
    if (set) return set;
    if (sets->count < LIMIT_JWKS_SOURCES) {
        set = &sets->sets[sets->count++];
    } else {
        set = &sets->sets[0];
        for (size_t i = 1; i < sets->count; i++) {
            if (sets->sets[i].used_ns < set->used_ns) set = &sets->sets[i];
        }
        clear(set);
    }
    *set = (struct keyset){.url = mem_strndup(url.ptr, url.len), .url_len = url.len, .is_failing = true};
    return set;
}

void keysets_put(struct keysets *sets, struct slice url, struct jwks *keys, uint64_t wall_ns, uint64_t mono_ns)
{
    keysets_answered(sets, url, mono_ns);
    struct keyset *set = find(sets, url);
    set->is_failing = false;
    jwks_unref(set->keys);
    set->keys = keys;
    set->fetched_wall_ns = wall_ns;
}

void keysets_changed(struct keysets *sets, struct slice url)
{
    struct keyset *set = find(sets, url);
    if (set) set->answered_ns = 0;
}

void keysets_failed(struct keysets *sets, struct slice url, uint64_t mono_ns)
{
    keysets_answered(sets, url, mono_ns);
    find(sets, url)->is_failing = true;
}

void keysets_answered(struct keysets *sets, struct slice url, uint64_t mono_ns)
{
    struct keyset *set = find_or_make(sets, url);
    if (set->asked_ns) set->answered_ns = mono_ns;
    set->asked_ns = 0;
    set->used_ns = mono_ns;
}

const struct jwks *keysets_get(const struct keysets *sets, struct slice url, uint64_t wall_ns)
{
    const struct keyset *set = find(sets, url);
    if (!set || !set->keys) return NULL;
    bool is_stale = wall_ns > set->fetched_wall_ns && wall_ns - set->fetched_wall_ns > LIMIT_JWKS_STALE_S * NS_PER_S;
    return is_stale ? NULL : set->keys;
}

bool keysets_is_failing(const struct keysets *sets, struct slice url)
{
    const struct keyset *set = find(sets, url);
    return !set || set->is_failing;
}

enum keysets_ask keysets_ask(struct keysets *sets, struct slice url, uint64_t mono_ns)
{
    struct keyset *set = find_or_make(sets, url);
    if (set->asked_ns && mono_ns - set->asked_ns < LIMIT_JWKS_WAIT_MS * NS_PER_MS) return KEYSETS_WAIT;
    if (set->answered_ns && mono_ns - set->answered_ns < ASK_AGAIN_NS) return KEYSETS_NO;
    set->asked_ns = mono_ns;
    return KEYSETS_ASK;
}

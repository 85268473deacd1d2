#include "exchange/granted.h"

#include "base/clock.h"
#include "exchange/exchange.h"

#define GRANTED_MAX 256u /* of one caller, of any model: no more are looked at */

static const enum granted_state states[] = {[GRANT_ORDINARY] = GRANTED_ACTIVE,
                                            [GRANT_BREAK_GLASS] = GRANTED_GLASS,
                                            [GRANT_REQUEST] = GRANTED_PENDING};

/* What has not begun, and a request that nobody decided in time, is nothing; what is over is told. */
static bool is_told(const struct grant *grant, int64_t now_s)
{
    return grant->starts_at <= now_s && (grant->kind != GRANT_REQUEST || now_s < grant->ends_at);
}

static void add(struct exchange *x, struct granted *list, const struct grant *grant, enum granted_covers covers)
{
    list[x->identity.grant_count++] = (struct granted){.model = arena_copy(&x->arena, grant->model),
                                                       .id = arena_copy(&x->arena, grant->id),
                                                       .purpose = arena_copy(&x->arena, grant->purpose),
                                                       .ends_s = grant->ends_at,
                                                       .state = states[grant->kind],
                                                       .covers = covers};
}

static void add_all(struct exchange *x, struct granted *list, enum granted_covers covers, const char *kind,
                    struct slice name)
{
    struct grant grant;
    uint32_t at = GRANTS_FIRST;
    int64_t now_s = (int64_t)(x->born_wall_ns / NS_PER_S);
    if (!name.len) return;
    struct slice subject = arena_printf(&x->arena, "%s:%.*s", kind, SLICE_FMT(name));
    while (x->identity.grant_count < GRANTED_MAX && grants_next(x->grants, subject, &at, &grant)) {
        if (is_told(&grant, now_s)) add(x, list, &grant, covers);
    }
}

/* Never by a name that a request or a policy gives: whose key it is, or who the token's issuer says. */
struct slice granted_person(const struct exchange *x)
{
    const struct key_record *key = x->identity.key;
    if (!key || !key_record_is_live(key, x->born_wall_ns)) return SLICE_NONE;
    if (key->person.len || !x->identity.token) return key->person;
    return people_find(x->people, x->identity.token_issuer, key->subject);
}

uint64_t granted_now_ns(const struct exchange *x)
{
    return x->born_wall_ns + (uint64_t)x->grants_early_ms * NS_PER_MS;
}

void granted_fill(struct exchange *x)
{
    struct identity *id = &x->identity;
    if (id->grants || !x->grants || !id->key || !key_record_is_live(id->key, x->born_wall_ns)) return;
    struct granted *list = arena_alloc(&x->arena, GRANTED_MAX * sizeof *list);
    id->grants = list;
    if (grants_count(x->grants) == 0) return;
    add_all(x, list, GRANTED_USER, "user", granted_person(x));
    add_all(x, list, GRANTED_APP, "app", id->app);
    add_all(x, list, GRANTED_DEPARTMENT, "department", id->department);
}

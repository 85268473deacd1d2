#include "store/auth_rules.h"

#include "base/mem.h"
#include "wire/http.h"

struct auth_rules *auth_rules_new(void)
{
    struct auth_rules *rules = mem_zalloc(1, sizeof *rules);
    arena_init(&rules->arena);
    return rules;
}

void auth_rules_free(struct auth_rules *rules)
{
    if (!rules) return;
    for (size_t i = 0; i < rules->issuer_count; i++)
        jwks_unref(rules->issuers[i].keys);
    arena_clear(&rules->arena);
    mem_free(rules);
}

const struct issuer_rules *auth_rules_issuer(const struct auth_rules *rules, struct slice issuer)
{
    for (size_t i = 0; i < rules->issuer_count; i++) {
        if (slice_equal(rules->issuers[i].token.issuer, issuer)) return &rules->issuers[i];
    }
    return NULL;
}

bool auth_rules_knows_app(const struct auth_rules *rules, struct slice app)
{
    for (size_t i = 0; i < rules->app_count; i++) {
        if (slice_equal(rules->apps[i], app)) return true;
    }
    return false;
}

static bool is_in(const struct slice *names, size_t count, struct slice name)
{
    for (size_t i = 0; i < count; i++) {
        if (slice_iequal(names[i], name)) return true;
    }
    return false;
}

bool auth_rules_is_secret(const struct auth_rules *rules, struct slice header)
{
    if (http_is_credential(header)) return true;
    return rules && (is_in(rules->key_headers, rules->key_header_count, header) ||
                     is_in(rules->token_headers, rules->token_header_count, header));
}

/*
 * Provider accounts that somebody has switched off, or on again, in the registry.
 *
 *     struct switch_spec spec = {.provider = SLICE("openai"), .person = person, .ends_at = until};
 *     if (!registry_provider_disable(r, &spec, &by, &why)) …
 *     registry_provider_enable(r, SLICE("openai"), person, &by, &why);
 *     json_t *all = registry_switches(r, &why);
 *
 * A switch counts until it is thrown again or its end comes, which who reads it tells by his clock. What account there
 * is, the configuration says and not this: a switch of one that is not there waits for it.
 */
#ifndef MOONGATE_STORE_REGISTRY_SWITCHES_H
#define MOONGATE_STORE_REGISTRY_SWITCHES_H

#include "store/registry/registry.h"

/* by->reason is needed (registry_check_reason()). */
struct switch_spec {
    struct slice provider; /* the account's name, at most LIMIT_LABEL_BYTES */
    struct slice person;   /* who does it */
    int64_t ends_at;       /* seconds since 1970; 0: until it is switched on */
    bool is_cut;           /* what runs there was to be ended: noted in the event */
};

bool registry_provider_disable(struct registry *r, const struct switch_spec *spec, const struct change_by *by,
                               struct fault *why);
/* REGISTRY_MISSING: nobody has switched it off. Doing it twice changes nothing. */
enum registry_found registry_provider_enable(struct registry *r, struct slice provider, struct slice person,
                                             const struct change_by *by, struct fault *why);
/* Those that were ever thrown, by name: "provider", "state" ("on", "off"), "reason", "person", "at", "ends_at" (0: no
 * end), "rev". NULL and *why. */
struct json_t *registry_switches(struct registry *r, struct fault *why);

#endif

/*
 * What the files of store/postgres share: a connection string taken apart, and put together again for one address.
 */
#ifndef MOONGATE_STORE_POSTGRES_INNER_H
#define MOONGATE_STORE_POSTGRES_INNER_H

#include <stdbool.h>
#include <stddef.h>

#include <libpq-fe.h>

#include "base/fault.h"
#include "base/limits.h"
#include "net/resolve.h"

#define POSTGRES_OPTIONS_MAX 64 /* libpq 15 has 41 */

struct postgres_host {
    const char *name, *address, *port; /* "": none */
    bool is_named;                     /* its address must be looked up */
};

struct postgres_target {
    PQconninfoOption *options; /* of libpq, with what the operator said */
    char *lists[3];            /* hosts, addresses, ports: taken apart in place */
    struct postgres_host hosts[LIMIT_POSTGRES_HOSTS];
    size_t host_count;
};

/* What libpq's array of keywords and values is made of; borrows all. */
struct postgres_words {
    const char *keywords[POSTGRES_OPTIONS_MAX + 1], *values[POSTGRES_OPTIONS_MAX + 1];
};

bool postgres_target_read(struct postgres_target *t, const char *conninfo, struct fault *why);
void postgres_target_clear(struct postgres_target *t);
const char *postgres_target_option(const struct postgres_target *t, const char *keyword); /* NULL: not said */
/* The n-th of all addresses of all hosts, borrowed. False: there are no more. */
bool postgres_target_address(const struct postgres_target *t, const struct resolve_result *found, size_t n,
                             struct postgres_host *address);
/* How long one address may take. */
unsigned postgres_target_timeout_ms(const struct postgres_target *t);
void postgres_words_make(struct postgres_words *w, const struct postgres_target *t,
                         const struct postgres_host *address, const char *name);

#endif

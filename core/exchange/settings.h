/*
 * What the operator owns (moongate.lua), as the request path sees it: an immutable, counted snapshot.
 *
 * server/config.c builds one at start and at each accepted reload; an exchange keeps the one that admitted it.
 * Strings belong to the snapshot. Keys and secrets are wiped when it goes; nothing prints them.
 */
#ifndef MOONGATE_EXCHANGE_SETTINGS_H
#define MOONGATE_EXCHANGE_SETTINGS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/arena.h"
#include "base/limits.h"
#include "base/slice.h"

/* One account at a provider. */
struct provider {
    struct slice name;     /* "openai": as targets spell it before the slash */
    struct slice kind;     /* which says what it speaks (wire/dialect.h): "openai" */
    struct slice url;      /* "https://api.openai.com/v1", without a trailing slash; paths are appended */
    struct slice api_version; /* of kinds that want one in the query: "2024-10-21"; empty: none is sent */
    struct slice key;      /* the secret, or empty: no Authorization is sent */
    struct slice credentials; /* instead of it, a secret too: provider_credentials() reads it; or empty */
    struct slice project, location; /* of kinds whose paths name them */
    /* What the checklist asks for, and nothing else goes by: who answers for the account, the note of its contract, the
     * most sensitive class of data that this is for. */
    struct slice owner, contract, data;
    struct slice region;   /* of kind "bedrock", with what its calls are signed by (wire/sigv4.h) … */
    struct slice access_key_id, secret_access_key, session_token; /* … in the place of a key: secrets, or empty */
    struct slice headers;  /* sent with every call: provider_next_header() walks them */
    struct slice pass;     /* names of callers' headers that go there beside the usual ones, a line each */
    struct slice ca_file;  /* PEM bundle to verify with; empty: the system's */
    struct slice server;   /* whose ways these are (scripts/catalogue/servers.lua); empty: nobody's */
    struct slice rejects, renames; /* what it takes of its API otherwise (wire/fitting.h) */
    struct slice accepts;  /* what it takes though servers of that name do not; a line each */
    bool can_report_usage; /* false: it rejects stream_options, so usage is never asked for */
    bool is_http2;         /* opt-in; HTTP/1.1 otherwise */
    uint32_t connect_timeout_ms, first_byte_timeout_ms, idle_timeout_ms, total_timeout_ms;
    uint32_t breaker_failures; /* in a row that open its breaker (store/breaker.h); 0: it has none */
    uint32_t breaker_window_ms, breaker_open_ms, breaker_open_max_ms;
};

/* One of a provider's headers. As text: '+' or, of a secret, '-', the name, ':', the value, a line end. */
struct provider_header {
    struct slice name, value;
    bool is_secret;
};

/* A service that policies may call. */
struct egress {
    struct slice origin;    /* "https://moderation.internal", without a path */
    struct slice clearance; /* the most sensitive data class that may be sent there */
    struct slice name;      /* what policies call its secret: auth = "secret:<name>" */
    struct slice secret;    /* or empty */
    struct slice header;    /* the header it goes into, bare; empty: authorization, as a bearer token */
    struct slice ca_file;   /* PEM bundle to verify with; empty: the system's */
    uint32_t timeout_ms;    /* of a call that says none of its own */
    size_t answer_bytes_max;
};

/* Where notices of budgets are sent. */
struct sink {
    struct slice name;    /* "slack": what a receiver begins with */
    struct slice kind;    /* "webhook", "slack", "command" */
    struct slice url;     /* a secret: who has it may write there */
    struct slice secret;  /* that a webhook's calls are signed with, or empty */
    struct slice command; /* a word a line */
    struct slice ca_file; /* PEM bundle to verify with; empty: the system's */
};

struct settings {
    unsigned refs;
    struct arena arena;
    struct provider *providers;
    size_t provider_count;
    struct egress *egress;
    size_t egress_count;
    struct sink *sinks;
    size_t sink_count;
    char digest[65]; /* hex SHA-256 of moongate.lua */

    size_t body_bytes_max;
    uint64_t body_rate;            /* bytes a second, once body_timeout_ms is over */
    size_t key_bytes, worker_bytes; /* of requests held: of one key, of all, per worker */
    uint32_t connections_max, strangers_max; /* per worker */
    uint32_t header_timeout_ms, body_timeout_ms, idle_timeout_ms, write_timeout_ms;
    uint32_t record_timeout_ms; /* an answer's end waits for its record */
    uint32_t keepalive_ms; /* SSE comment after this much silence, 0: none (the default) */
    uint32_t drain_grace_ms;
    struct slice cors_origins; /* pages that may call from a browser, a line each; "*": all; empty: none */
    uint32_t cors_max_age_ms;

    uint64_t policy_bytecodes; /* limits of one evaluation */
    uint32_t policy_cpu_ms, policy_deadline_ms;
    struct slice data_dir;
    struct slice console_url; /* of the console, without a slash at the end: in refusals; empty: there is none */
    uint32_t session_idle_ms, session_longest_ms; /* of sign-ins at the console */
    uint32_t durability; /* of enum durability (store/ledger/link.h), where no policy says */
    bool has_postgres;   /* DURABILITY_REMOTE can be had */
    bool has_redis;      /* policies may ask it */
};

/* One with the limits of policies, without which none can be loaded, and nothing else; refs is 1. All other defaults
 * stand with the fields of moongate.lua (server/config_schema.c). */
struct settings *settings_new(void);
struct settings *settings_ref(struct settings *s);
void settings_unref(struct settings *s); /* NULL is welcome */
/* The service that a URL belongs to, by scheme, host and port; NULL when it is not listed, or is no plain URL (a user
 * in it, a backslash, a fragment: whatever might be read in two ways). */
const struct egress *settings_egress(const struct settings *s, struct slice url);
/* Scheme, host and port of an http:// or https:// URL, borrowed; SLICE_NONE when it is none or is not plain. */
struct slice settings_origin(struct slice url);
/* Borrowed from *rest, which begins as p->headers and moves on. False: there are no more. */
bool provider_next_header(struct slice *rest, struct provider_header *header);
/* What an account's tokens are asked for with, borrowed; id 0: it has no such thing. In the settings: 16 hexadecimal
 * digits of the id, a line end, the file. */
struct provider_credentials {
    uint64_t id;
    struct slice key_file;
};
struct provider_credentials provider_credentials(const struct provider *p);
/* What must not come back from it: its keys and its secret headers. Borrowed; at most PROVIDER_SECRETS_MAX. */
#define PROVIDER_SECRETS_MAX (LIMIT_PROVIDER_HEADERS + 4)
size_t provider_secrets(const struct provider *p, struct slice secrets[PROVIDER_SECRETS_MAX]);
/* True when a list of lines has that one; ASCII case ignored. */
bool settings_lists(struct slice lines, struct slice line);
const struct sink *settings_sink(const struct settings *s, struct slice name);
const struct provider *settings_provider(const struct settings *s, struct slice name);

#endif

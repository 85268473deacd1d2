#include "server/config_schema.h"

#include <string.h>

#include "base/limits.h"
#include "exchange/settings.h"
#include "server/config.h"
#include "store/ledger/link.h"

#define IN(home_, type_, member_)                                                                                      \
    .home = home_, .offset = offsetof(struct type_, member_), .size = sizeof(((struct type_ *)NULL)->member_)
#define IN_CONFIG(member) IN(HOME_CONFIG, config, member)
#define IN_SETTINGS(member) IN(HOME_SETTINGS, settings, member)
#define IN_PROVIDER(member) IN(HOME_PROVIDER, provider, member)
#define IN_DEFAULTS(member) IN(HOME_DEFAULTS, provider, member)
#define IN_EGRESS(member) IN(HOME_EGRESS, egress, member)
#define IN_SINK(member) IN(HOME_SINK, sink, member)
#define LIST(struct_, items_, count_)                                                                                  \
    .items = offsetof(struct settings, items_), .count = offsetof(struct settings, count_),                            \
    .item_bytes = sizeof(struct struct_)
#define RANGE(min_, max_) .min = (min_), .max = (max_)
#define END                                                                                                            \
    {                                                                                                                  \
        .name = NULL                                                                                                   \
    }

#define MINUTE_MS 60000u
#define DAY_MS 86400000u
#define RETAIN_MS_MAX (36525ull * DAY_MS) /* 100 years */

/* clang-format off */
static const struct field admin_group[] = {
    {"listen", &type_admin_address, IN_CONFIG(admin_listen), .initial_text = "127.0.0.1:8091",
     .env = "MOONGATE_ADMIN_LISTEN",
     .says = "Where health and metrics answer; it must be a loopback address."},
    {"host", &type_host, IN_CONFIG(admin_host),
     .says = "A name under which it is asked beside localhost and addresses; other names are refused, "
             "since a browser can be led here under any."},
    {"url", &type_url, IN_SETTINGS(console_url),
     .says = "Where people open the console: told to who is refused for want of an approval."},
    {"session_idle", &type_duration, IN_SETTINGS(session_idle_ms), RANGE(60000, DAY_MS), .initial = 30 * MINUTE_MS,
     .says = "A sign-in at the console that nobody used for so long is over."},
    {"session_longest", &type_duration, IN_SETTINGS(session_longest_ms), RANGE(60000, 30 * DAY_MS),
     .initial = 12 * 60 * MINUTE_MS,
     .says = "And any is over so long after it began."},
    END,
};

static const struct field timeouts_group[] = {
    {"header", &type_duration, IN_SETTINGS(header_timeout_ms), RANGE(100, 10 * MINUTE_MS),
     .initial = LIMIT_HEADER_TIMEOUT_MS,
     .says = "A request's head must be complete within this time, however it comes."},
    {"body", &type_duration, IN_SETTINGS(body_timeout_ms), RANGE(100, 60 * MINUTE_MS),
     .initial = LIMIT_BODY_TIMEOUT_MS,
     .says = "The longest silence in the middle of a request's body; and all the time that it has, "
             "with a second more for each limits.body_rate bytes that came."},
    {"idle", &type_duration, IN_SETTINGS(idle_timeout_ms), RANGE(100, DAY_MS),
     .initial = LIMIT_IDLE_TIMEOUT_MS,
     .says = "How long a client's connection is kept without a request."},
    {"write", &type_duration, IN_SETTINGS(write_timeout_ms), RANGE(100, DAY_MS),
     .initial = LIMIT_WRITE_TIMEOUT_MS,
     .says = "How long a client may take nothing of its answer; then it is given up (client_stalled in its record)."},
    {"record", &type_duration, IN_SETTINGS(record_timeout_ms), RANGE(100, 60 * MINUTE_MS),
     .initial = LIMIT_RECORD_TIMEOUT_MS,
     .says = "How long the end of an answer waits for its record; then its client is broken off."},
    {"connect", &type_duration, IN_DEFAULTS(connect_timeout_ms), RANGE(1, 10 * MINUTE_MS),
     .initial = LIMIT_CONNECT_TIMEOUT_MS,
     .says = "How long connecting to a provider may take."},
    {"first_byte", &type_duration, IN_DEFAULTS(first_byte_timeout_ms), RANGE(1, DAY_MS),
     .initial = LIMIT_FIRST_BYTE_TIMEOUT_MS,
     .says = "How long a provider may take to begin its answer."},
    {"upstream_idle", &type_duration, IN_DEFAULTS(idle_timeout_ms), RANGE(1, DAY_MS),
     .initial = LIMIT_UPSTREAM_IDLE_TIMEOUT_MS,
     .says = "The longest silence in the middle of a provider's answer."},
    {"total", &type_duration, IN_DEFAULTS(total_timeout_ms), RANGE(1, DAY_MS),
     .initial = LIMIT_TOTAL_TIMEOUT_MS,
     .says = "How long a call of a provider may take from its start to its end."},
    END,
};

static const struct field limits_group[] = {
    {"body", &type_size, IN_SETTINGS(body_bytes_max), RANGE(1 * KIB, 1024u * MIB),
     .initial = LIMIT_BODY_BYTES,
     .says = "The largest body that a request may have."},
    {"body_rate", &type_size, IN_SETTINGS(body_rate), RANGE(1, 1024u * MIB),
     .initial = LIMIT_BODY_RATE,
     .says = "How much of a body must come each second once timeouts.body is over."},
    {"connections", &type_count, IN_SETTINGS(connections_max), RANGE(1, 1000000),
     .initial = LIMIT_CONNECTIONS,
     .says = "How many clients may be connected to each worker at a time; "
             "fewer where the process may not have so many descriptors."},
    {"strangers", &type_count, IN_SETTINGS(strangers_max), RANGE(1, 1000000),
     .initial = LIMIT_STRANGERS,
     .says = "How many of them may be connected without having shown a good key: "
             "one more takes the place of the oldest."},
    {"key_bytes", &type_size, IN_SETTINGS(key_bytes), RANGE(64 * KIB, 1024ull * 1024 * MIB),
     .initial = LIMIT_HELD_KEY_BYTES,
     .says = "How much of one key's requests each worker may hold at a time; a single request is always taken."},
    {"worker_bytes", &type_size, IN_SETTINGS(worker_bytes), RANGE(64 * KIB, 1024ull * 1024 * MIB),
     .initial = LIMIT_HELD_BYTES,
     .says = "How much of everybody's requests each worker may hold at a time; a single request is always taken."},
    END,
};

static const struct field cors_group[] = {
    {"origins", &type_origins, IN_SETTINGS(cors_origins), .initial_words = "none: browsers are told nothing",
     .says = "The pages that may call from a browser; only for keys that anybody may read there."},
    {"max_age", &type_duration, IN_SETTINGS(cors_max_age_ms), RANGE(0, DAY_MS), .initial = 10 * MINUTE_MS,
     .says = "How long a browser may remember the answer before it asks again."},
    END,
};

static const struct field drain_group[] = {
    {"grace", &type_duration, IN_SETTINGS(drain_grace_ms), RANGE(0, DAY_MS),
     .initial = LIMIT_DRAIN_MS,
     .says = "How long requests under way may go on once no new ones are taken."},
    {"delay", &type_duration, IN_CONFIG(drain_delay_ms), RANGE(0, 10 * MINUTE_MS),
     .says = "How long new connections are still taken once the gateway says that it is not ready, "
             "for balancers to see."},
    END,
};

static const struct field policy_group[] = {
    {"bytecodes", &type_count64, IN_SETTINGS(policy_bytecodes), RANGE(10000, 10000000000u),
     .initial = LIMIT_POLICY_BYTECODES,
     .says = "How many instructions the policies may execute for one decision."},
    {"cpu", &type_duration, IN_SETTINGS(policy_cpu_ms), RANGE(1, 10000),
     .initial = LIMIT_POLICY_CPU_MS,
     .says = "How much of a processor's time the policies may take for one decision."},
    {"deadline", &type_duration, IN_SETTINGS(policy_deadline_ms), RANGE(1, MINUTE_MS),
     .initial = LIMIT_POLICY_DEADLINE_MS,
     .says = "How long one decision may take, calls of services included."},
    END,
};

static const struct field gate_group[] = {
    {"specs", &type_flag, IN_CONFIG(has_spec_gate),
     .says = "Nothing goes live whose specs fail, neither at the start nor at a reload."},
    {"signatures", &type_count, IN_CONFIG(gate_signatures), RANGE(1, 16),
     .initial_words = "2 where `signers` is set, else none are wanted",
     .says = "So many people must have signed the policies: `moongate help bundle` says how."},
    {"signers", &type_new_file, IN_CONFIG(gate_signers),
     .says = "Who may: SSH keys, a line each, as `ssh-keygen -Y verify` reads them. Outside of the policies."},
    {"files", &type_gate_files, IN_CONFIG(gate_files),
     .says = "Of files: who changes one needs the signature of somebody with the role, too."},
    {"roles", &type_gate_roles, IN_CONFIG(gate_roles),
     .says = "Which signers have the roles that `files` names."},
    {"timeout", &type_duration, IN_CONFIG(gate_timeout_ms), RANGE(100, LIMIT_GATE_MS_MAX),
     .initial = LIMIT_GATE_MS,
     .says = "How long all specs together may take."},
    END,
};

static const struct field provider_timeouts_group[] = {
    {"connect", &type_duration, IN_PROVIDER(connect_timeout_ms), RANGE(1, 10 * MINUTE_MS),
     .initial_words = "timeouts.connect",
     .says = "How long connecting to it may take."},
    {"first_byte", &type_duration, IN_PROVIDER(first_byte_timeout_ms), RANGE(1, DAY_MS),
     .initial_words = "timeouts.first_byte",
     .says = "How long it may take to begin its answer."},
    {"idle", &type_duration, IN_PROVIDER(idle_timeout_ms), RANGE(1, DAY_MS),
     .initial_words = "timeouts.upstream_idle",
     .says = "The longest silence in the middle of its answer."},
    {"total", &type_duration, IN_PROVIDER(total_timeout_ms), RANGE(1, DAY_MS),
     .initial_words = "timeouts.total",
     .says = "How long a call of it may take from its start to its end."},
    END,
};

static const struct field provider_breaker_group[] = {
    {"failures", &type_count, IN_PROVIDER(breaker_failures), RANGE(1, 1000), .initial = LIMIT_BREAKER_FAILURES,
     .says = "So many in a row open it: not reached, no answer in time, 5xx, the account refused, also where 200 says "
             "so. `breaker = false`: there is none."},
    {"window", &type_duration, IN_PROVIDER(breaker_window_ms), RANGE(1, DAY_MS), .initial = LIMIT_BREAKER_WINDOW_MS,
     .says = "The first of them is no longer ago than this when the last one comes."},
    {"open", &type_duration, IN_PROVIDER(breaker_open_ms), RANGE(1, DAY_MS), .initial = LIMIT_BREAKER_OPEN_MS,
     .says = "How long other targets are called in its place; then one request at a time tries it."},
    {"open_max", &type_duration, IN_PROVIDER(breaker_open_max_ms), RANGE(1, DAY_MS),
     .initial = LIMIT_BREAKER_OPEN_MAX_MS,
     .says = "Each such try that fails doubles that time, up to this."},
    END,
};

const struct field provider_fields[] = {
    {"kind", &type_kind, IN_PROVIDER(kind), .required = "kind = \"openai\"",
     .says = "What it speaks: \"openai\" chats, completions, embeddings and responses, \"openai_compatible\" all of "
             "these but responses, \"openai_responses\" responses alone, \"anthropic\" messages, \"gemini\" Google's "
             "contents and embeddings, \"azure\" what \"openai\" does, at Azure's paths, \"bedrock\" Amazon Bedrock's "
             "runtime: messages to Anthropic's models, Converse to all others, \"vertex\" Google's models on Vertex AI "
             "as \"gemini\", Anthropic's there as \"anthropic\", others there as chats."},
    {"url", &type_url, IN_PROVIDER(url), .initial_words = "there is one of each place of \"vertex\"; others need one",
     .says = "Where its API begins; paths are appended. Of \"azure\" the resource, "
             "\"https://NAME.openai.azure.com\", or its \"/openai/v1\"; of \"bedrock\" "
             "\"https://bedrock-runtime.REGION.amazonaws.com\"."},
    {"api_version", &type_word, IN_PROVIDER(api_version), .initial_words = "none; \"azure\" needs one",
     .says = "The version of Azure's API, \"2024-10-21\"; behind \"/openai/v1\" it may be left out."},
    {"key", &type_secret, IN_PROVIDER(key),
     .says = "The account's key, sent as its dialect sends one; without one no authorization is sent."},
    {"credentials", &type_credentials, IN_PROVIDER(credentials),
     .says = "Of \"vertex\": the JSON file of a service account's key, with which tokens are asked for at its "
             "token_uri, long before the last one ends."},
    {"project", &type_word, IN_PROVIDER(project),
     .says = "Of \"vertex\": whose models these are, as Google calls it."},
    {"location", &type_word, IN_PROVIDER(location),
     .says = "Of \"vertex\": where they run, as \"europe-west4\", \"eu\" or \"global\"."},
    {"region", &type_word, IN_PROVIDER(region), .initial_words = "none; \"bedrock\" needs one to sign calls",
     .says = "Where Amazon Bedrock is asked, \"us-east-1\": its calls are signed for it (AWS Signature Version 4). Of "
             "others where its machines are, for `moongate checklist`."},
    {"owner", &type_note, IN_PROVIDER(owner),
     .says = "Who answers for the account, for `moongate checklist`."},
    {"contract", &type_note, IN_PROVIDER(contract),
     .says = "Which contract it goes by, for `moongate checklist`: \"DPA of 2026-03-01, no training\"."},
    {"data", &type_class, IN_PROVIDER(data),
     .says = "The most sensitive data class that the contract is for: `moongate checklist` fails where a row of the "
             "access matrix lets more go there. It refuses nothing."},
    {"access_key_id", &type_secret, IN_PROVIDER(access_key_id),
     .says = "Of \"bedrock\", instead of `key`, which is a Bedrock API key: who signs its calls."},
    {"secret_access_key", &type_secret, IN_PROVIDER(secret_access_key),
     .says = "What they are signed with; it is not sent. Credentials of a machine's or container's role are not read."},
    {"session_token", &type_secret, IN_PROVIDER(session_token),
     .says = "What comes with temporary access keys; a reload takes a new one."},
    {"headers", &type_headers, IN_PROVIDER(headers),
     .says = "What is sent with every call, instead of a caller's header of that name; env and file for secrets."},
    {"pass", &type_header_names, IN_PROVIDER(pass),
     .says = "Callers' headers that go to it beside the usual ones; credentials never do."},
    {"ca", &type_file, IN_PROVIDER(ca_file),
     .says = "The authorities (PEM) that its certificate is verified with, in the place of the system's."},
    {"server", &type_server, IN_PROVIDER(server), .initial_words = "none; a kind may be a server's name, too",
     .says = "Which server speaks OpenAI's API here: its `url`, `rejects` and `renames` are known."},
    {"rejects", &type_members, IN_PROVIDER(rejects),
     .says = "Members of requests that it answers with an error for: they are taken out, and named in "
             "x-moongate-dropped."},
    {"accepts", &type_members, IN_PROVIDER(accepts),
     .says = "Members of either list that are sent as they are, whatever is known of its server."},
    {"renames", &type_renames, IN_PROVIDER(renames),
     .says = "Members of requests that it calls otherwise; \"role.developer\" is a role of messages."},
    {"usage", &type_flag, IN_PROVIDER(can_report_usage), .initial = true,
     .says = "It may be asked to report the usage of streamed answers; false for one that rejects `stream_options`."},
    {"http2", &type_flag, IN_PROVIDER(is_http2),
     .says = "It is spoken to in HTTP/2 where it can."},
    {"timeouts", &type_table, .group = provider_timeouts_group},
    {"breaker", &type_breaker, .group = provider_breaker_group},
    END,
};

const struct field egress_fields[] = {
    {"clearance", &type_word, IN_EGRESS(clearance), .initial_text = "public",
     .says = "The most sensitive data class that may be sent there."},
    {"name", &type_word, IN_EGRESS(name),
     .says = "What policies call its secret: `auth = \"secret:NAME\"`."},
    {"secret", &type_secret, IN_EGRESS(secret),
     .says = "What is sent there when a policy asks for it by its name."},
    {"header", &type_word, IN_EGRESS(header), .initial_words = "Authorization, as a bearer token",
     .says = "The header that the secret goes into, bare."},
    {"ca", &type_file, IN_EGRESS(ca_file),
     .says = "The authorities (PEM) that its certificate is verified with, in the place of the system's."},
    {"timeout", &type_duration, IN_EGRESS(timeout_ms), RANGE(1, MINUTE_MS),
     .initial = LIMIT_EGRESS_TIMEOUT_MS,
     .says = "How long a call may take that says no time of its own."},
    {"answer", &type_size, IN_EGRESS(answer_bytes_max), RANGE(1 * KIB, 16u * MIB),
     .initial = LIMIT_EGRESS_ANSWER_BYTES,
     .says = "The largest answer that a policy may be given."},
    END,
};

const struct field sink_fields[] = {
    {"kind", &type_sink_kind, IN_SINK(kind), .required = "kind = \"webhook\"",
     .says = "A JSON call of our own, the incoming webhook of Slack and its like, or a program that is started."},
    {"url", &type_hook_url, IN_SINK(url), .initial_words = "none; webhooks and Slack need one",
     .says = "Where a webhook or Slack is called."},
    {"secret", &type_secret, IN_SINK(secret),
     .says = "What a webhook's calls are signed with: HMAC-SHA256 in moongate-signature."},
    {"command", &type_command, IN_SINK(command), .initial_words = "none; a command needs one",
     .says = "The program and its arguments; the notice is its input, in JSON. No shell, and no variables of ours but "
             "PATH, HOME, LANG and TZ."},
    {"ca", &type_file, IN_SINK(ca_file),
     .says = "The authorities (PEM) that its certificate is verified with, in the place of the system's."},
    END,
};

static const struct field_list providers_list = {
    .placeholder = "NAME", .home = HOME_PROVIDER, LIST(provider, providers, provider_count),
    .items_max = LIMIT_PROVIDERS, .name = offsetof(struct provider, name), .fields = provider_fields,
};

static const struct field_list egress_list = {
    .placeholder = "[\"URL\"]", .home = HOME_EGRESS, LIST(egress, egress, egress_count),
    .items_max = LIMIT_EGRESS, .name = offsetof(struct egress, origin), .fields = egress_fields,
};

static const struct field_list sinks_list = {
    .placeholder = "NAME", .home = HOME_SINK, LIST(sink, sinks, sink_count),
    .items_max = LIMIT_SINKS, .name = offsetof(struct sink, name), .fields = sink_fields,
};

static const struct field witness_group[] = {
    {"file", &type_new_file, IN_CONFIG(witness_file),
     .says = "A file that each anchor is appended to; best where this user may not change what is written."},
    {"syslog", &type_flag, IN_CONFIG(has_witness_syslog),
     .says = "Each anchor is told to syslog."},
    {"webhook", &type_url, IN_CONFIG(witness_webhook),
     .says = "Each anchor is sent there."},
    {"secret", &type_secret, IN_CONFIG(witness_secret),
     .says = "What the webhook's calls are signed with: HMAC-SHA256 in moongate-signature."},
    END,
};

static const struct field ledger_group[] = {
    {"durability", &type_durability, IN_SETTINGS(durability), RANGE(DURABILITY_ASYNC, DURABILITY_REMOTE),
     .initial = DURABILITY_LOCAL,
     .says = "What an answer's last byte waits for where no policy says: nothing, this machine's disk, PostgreSQL."},
    {"copy", &type_copy, IN_CONFIG(ledger_copy),
     .says = "A copy of the records, a JSON object a line, for log shippers; written behind the ledger, "
             "reopened on HUP."},
    {"retain", &type_long_duration, IN_CONFIG(retain_ms), RANGE(0, RETAIN_MS_MAX),
     .initial_words = "for ever",
     .says = "How long records are kept."},
    {"retain_texts", &type_long_duration, IN_CONFIG(retain_texts_ms), RANGE(0, RETAIN_MS_MAX),
     .initial_words = "as long as their records",
     .says = "How long prompts and answers are kept, where policies keep them."},
    {"gateway", &type_word, IN_CONFIG(gateway), .initial_text = "moongate",
     .says = "This gateway's name among others; the ledger is made for it and keeps it."},
    {"witness", &type_table, .group = witness_group},
    END,
};

static const struct field postgres_group[] = {
    {"url", &type_conninfo, IN_CONFIG(postgres_url),
     .says = "The database that the ledger is shipped to."},
    END,
};

static const struct field registry_group[] = {
    {"url", &type_conninfo, IN_CONFIG(registry_url),
     .says = "The PostgreSQL that holds people, keys, prompts and approvals of all gateways of a fleet; without, each "
             "has its own file. `moongate registry move` takes one there. Another needs a restart."},
    END,
};

static const struct field redis_group[] = {
    {"url", &type_redis, IN_CONFIG(redis_url),
     .says = "The Redis in which all gateways of a fleet count limits and budgets together; without, each counts "
             "alone. Another needs a restart."},
    {"gateways", &type_count, IN_CONFIG(redis_gateways), RANGE(1, LIMIT_COUNTERS_GATEWAYS), .initial = 1,
     .says = "How many gateways there are at least: while Redis is out of reach each lets through its part, where "
             "`on_store_loss` is \"local\"."},
    {"timeout", &type_duration, IN_CONFIG(redis_timeout_ms), RANGE(1, LIMIT_COUNTERS_WAIT_MS),
     .initial = LIMIT_COUNTERS_REDIS_MS,
     .says = "A request waits so long for an answer of Redis; then `on_store_loss` holds."},
    {"lease", &type_duration, IN_CONFIG(redis_lease_ms), RANGE(3000, 10 * MINUTE_MS),
     .initial = LIMIT_COUNTERS_LEASE_MS,
     .says = "A gateway that was not heard of for this long is taken for dead: what its requests hold goes back."},
    END,
};

static const struct field billing_group[] = {
    {"timezone", &type_zone, IN_CONFIG(billing_zone), .initial_text = "UTC",
     .says = "Where a day begins that costs are summed by. Another holds, from a restart on, for what comes then: days "
             "that were summed stay as they are."},
    END,
};

const struct field config_fields[] = {
    {"listen", &type_address, IN_CONFIG(listen), .initial_text = "127.0.0.1:8090", .env = "MOONGATE_LISTEN",
     .says = "Where clients connect."},
    {"admin", &type_table, .group = admin_group},
    {"workers", &type_count, IN_CONFIG(workers), RANGE(1, LIMIT_WORKERS), .initial_words = "one for each core",
     .says = "How many processes serve clients."},
    {"data", &type_path, IN_SETTINGS(data_dir), .initial_text = "data", .env = "MOONGATE_DATA_DIR",
     .says = "The folder of what the gateway keeps: records, keys, the control socket."},
    {"policies", &type_path, IN_CONFIG(policies_dir), .initial_text = "policies",
     .says = "The folder of the policies."},
    {"timeouts", &type_table, .group = timeouts_group},
    {"providers", &type_providers, .list = &providers_list},
    {"egress", &type_egress, .list = &egress_list},
    {"notify", &type_sinks, .list = &sinks_list},
    {"limits", &type_table, .group = limits_group},
    {"cors", &type_table, .group = cors_group},
    {"drain", &type_table, .group = drain_group},
    {"keepalive", &type_duration, IN_SETTINGS(keepalive_ms), RANGE(0, 60 * MINUTE_MS),
     .says = "A stream that is silent for this long gets an SSE comment, so that proxies do not cut it; 0: none."},
    {"policy", &type_table, .group = policy_group},
    {"gate", &type_table, .group = gate_group},
    {"ledger", &type_table, .group = ledger_group},
    {"postgres", &type_table, .group = postgres_group},
    {"registry", &type_table, .group = registry_group},
    {"redis", &type_table, .group = redis_group},
    {"billing", &type_table, .group = billing_group},
    END,
};

const struct field given_fields[] = {
    {"file", &type_given, IN_CONFIG(file)},
    {"sha256", &type_digest, IN_SETTINGS(digest)},
    END,
};
/* clang-format on */

struct field_homes field_homes_of(const struct config *c)
{
    /* The walk decides whether it writes. */
    return (struct field_homes){.at = {[HOME_CONFIG] = (void *)(uintptr_t)c, [HOME_SETTINGS] = c->settings}};
}

uint64_t field_number(const struct field *f, const void *value)
{
    uint64_t wide;
    uint32_t narrow;
    if (f->type->store == STORE_FLAG) return *(const bool *)value;
    if (f->type->size == sizeof wide) {
        memcpy(&wide, value, sizeof wide);
        return wide;
    }
    memcpy(&narrow, value, sizeof narrow);
    return narrow;
}

void field_set_number(const struct field *f, void *value, uint64_t number)
{
    uint32_t narrow = (uint32_t)number;
    if (f->type->store == STORE_FLAG) {
        *(bool *)value = number != 0;
    } else if (f->type->size == sizeof number) {
        memcpy(value, &number, sizeof number);
    } else {
        memcpy(value, &narrow, sizeof narrow);
    }
}

/* Copied bytewise: the pointer is of another type in each list. */
char *list_items(const struct field_list *list, const struct field_homes *homes, size_t *count)
{
    const char *settings = homes->at[HOME_SETTINGS];
    char *items;
    memcpy(&items, settings + list->items, sizeof items);
    memcpy(count, settings + list->count, sizeof *count);
    return items;
}

void list_set_items(const struct field_list *list, const struct field_homes *homes, void *items, size_t count)
{
    char *settings = homes->at[HOME_SETTINGS];
    memcpy(settings + list->items, &items, sizeof items);
    memcpy(settings + list->count, &count, sizeof count);
}

static void print_number(const struct field *f, uint64_t number, struct buf *out)
{
    char text[32];
    f->type->print(number, text, sizeof text);
    buf_append(out, slice_str(text));
}

void field_print_range(const struct field *f, struct buf *out)
{
    if (!f->type->print) return;
    print_number(f, f->min, out);
    buf_append(out, SLICE(" to "));
    print_number(f, f->max, out);
}

void field_print_initial(const struct field *f, struct buf *out)
{
    if (f->initial_words) {
        buf_append(out, slice_str(f->initial_words));
    } else if (f->initial_text) {
        buf_printf(out, "\"%s\"", f->initial_text);
    } else if (f->type->print) {
        print_number(f, f->initial, out);
    } else if (f->type->store == STORE_FLAG) {
        buf_append(out, f->initial ? SLICE("true") : SLICE("false"));
    }
}

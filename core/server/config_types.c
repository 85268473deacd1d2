#include <errno.h>
#include <jansson.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/limits.h"
#include "base/zone.h"
#include "lua/servers.h"
#include "net/redis.h"
#include "server/address.h"
#include "server/config_reader.h"
#include "server/kind.h"
#include "server/units.h"
#include "store/ledger/link.h"

#define TAKES_ADDRESS "\"127.0.0.1:8090\", \"[::1]:8090\", \"*:8090\"; port 0 takes a free one"
#define TAKES_DURATION "\"30s\", \"200ms\", \"5m\", or a number of seconds"
#define TAKES_DURABILITY "\"async\", \"local\" or \"remote\""
#define TAKES_SIZE "\"32MB\", \"512KB\", or a number of bytes"

/* ---- Texts. */

static bool resolve_env(struct config_reader *r, struct slice path, const char *name, struct slice *out)
{
    const char *value = getenv(name);
    if (!value) {
        return config_bad(r, path, FINDING_BAD_SECRET,
                          "set it for the process that runs moongate, or use file \"path\"",
                          "the environment variable %s is not set", name);
    }
    if (!*value)
        return config_bad(r, path, FINDING_BAD_SECRET, "leave the field out when there is none",
                          "the environment variable %s is empty", name);
    *out = arena_copy(r->arena, slice_str(value));
    return true;
}

static bool resolve_file(struct config_reader *r, struct slice path, const char *name, struct slice *out)
{
    struct slice full = config_resolve_path(r, slice_str(name));
    struct buf content;
    buf_init(&content);
    bool is_good = config_read_file(full.ptr, LIMIT_SECRET_BYTES, &content);
    struct slice text = buf_slice(&content);
    if (!is_good) {
        config_bad(r, path, FINDING_NO_FILE, "paths are relative to the configuration file", "%s: %s", full.ptr,
                   strerror(errno));
    } else if (text.len && text.ptr[text.len - 1] == '\n') {
        text.len--;
    }
    if (is_good && text.len == 0) is_good = config_bad(r, path, FINDING_BAD_SECRET, NULL, "%s is empty", full.ptr);
    if (is_good) *out = arena_copy(r->arena, text);
    if (buf_len(&content)) explicit_bzero(buf_ptr(&content), buf_len(&content));
    buf_clear(&content);
    return is_good;
}

/* Text, or what a handle stands for. */
bool config_read_text(struct config_reader *r, struct slice path, const json_t *value, struct slice *out)
{
    const char *env = json_string_value(json_object_get(value, "$env"));
    const char *file = json_string_value(json_object_get(value, "$file"));
    if (env) return resolve_env(r, path, env, out);
    if (file) return resolve_file(r, path, file, out);
    if (!json_is_string(value)) {
        return config_bad(r, path, FINDING_BAD_VALUE, NULL, "must be text, env \"NAME\" or file \"path\", not %s",
                          config_type_name(value));
    }
    struct slice text = slice_of(json_string_value(value), json_string_length(value));
    if (text.len == 0) return config_bad(r, path, FINDING_BAD_VALUE, "leave the field out for its default", "is empty");
    if (memchr(text.ptr, '\0', text.len)) return config_bad(r, path, FINDING_BAD_VALUE, NULL, "has a NUL in it");
    *out = arena_copy(r->arena, text);
    return true;
}

static bool read_address(struct config_reader *r, struct slice path, const json_t *value, struct slice *out)
{
    struct listener_address address;
    struct slice text;
    struct fault why;
    if (!config_read_text(r, path, value, &text)) return false;
    if (!listener_parse(text.ptr, &address, &why))
        return config_bad(r, path, FINDING_BAD_VALUE, NULL, "%s", fault_message(&why));
    *out = text;
    return true;
}

static bool read_admin_address(struct config_reader *r, struct slice path, const json_t *value, struct slice *out)
{
    struct listener_address address;
    struct slice text;
    struct fault why;
    if (!read_address(r, path, value, &text)) return false;
    if (!listener_parse(text.ptr, &address, &why) || !address_is_loopback(&address)) {
        return config_bad(
            r, path, FINDING_BAD_VALUE,
            "use 127.0.0.1 or [::1], and a proxy with authentication in front if others must reach it",
            "the admin listener has no admin keys yet, so it may only be on a loopback address, not `%.*s`",
            SLICE_FMT(text));
    }
    *out = text;
    return true;
}

static bool read_url(struct config_reader *r, struct slice path, const json_t *value, struct slice *out)
{
    struct slice text, rest;
    if (!config_read_text(r, path, value, &text)) return false;
    size_t scheme = slice_starts(text, SLICE("https://")) ? 8 : slice_starts(text, SLICE("http://")) ? 7 : 0;
    struct slice host = slice_split(slice_of(text.ptr + scheme, text.len - scheme), '/', &rest);
    if (!scheme || host.len == 0) {
        return config_bad(r, path, FINDING_BAD_VALUE, "write \"https://host/v1\"",
                          "`%.*s` is not an http:// or https:// URL", SLICE_FMT(text));
    }
    if (memchr(host.ptr, '@', host.len))
        return config_bad(r, path, FINDING_BAD_SECRET, "put it into `key`", "a URL must not hold a credential");
    for (size_t i = 0; i < text.len; i++) {
        unsigned char c = (unsigned char)text.ptr[i];
        if (c <= ' ' || c >= 0x7F || c == '?' || c == '#' || c == '\\') {
            return config_bad(r, path, FINDING_BAD_VALUE,
                              "visible ASCII without ?, # and \\; what a query says has fields of its own",
                              "`%.*s` has a character that may not stand there", SLICE_FMT(text));
        }
    }
    while (text.len && text.ptr[text.len - 1] == '/')
        text.len--;
    *out = arena_copy(r->arena, text);
    return true;
}

bool config_read_secret(struct config_reader *r, struct slice path, const json_t *value, struct slice *out)
{
    const char *env = json_string_value(json_object_get(value, "$env"));
    if (!r->is_offline || !env || getenv(env)) return config_read_text(r, path, value, out);
    config_warn(r, path, FINDING_UNSET_SECRET, "set it where the gateway runs",
                "the environment variable %s is not set here", env);
    *out = arena_copy(r->arena, SLICE("unset")); /* it is wiped like one */
    return true;
}

/* It goes into a header: a line break in it would be a second header. */
static bool read_secret(struct config_reader *r, struct slice path, const json_t *value, struct slice *out)
{
    struct slice text;
    if (!config_read_secret(r, path, value, &text)) return false;
    for (size_t i = 0; i < text.len; i++) {
        unsigned char c = (unsigned char)text.ptr[i];
        if (c <= ' ' || c >= 0x7F)
            return config_bad(r, path, FINDING_BAD_SECRET, NULL, "a key must be visible ASCII without spaces");
    }
    *out = text;
    return true;
}

static bool read_word(struct config_reader *r, struct slice path, const json_t *value, struct slice *out)
{
    struct slice text;
    if (!json_is_string(value))
        return config_bad(r, path, FINDING_BAD_VALUE, NULL, "must be a word, not %s", config_type_name(value));
    if (!config_read_text(r, path, value, &text)) return false;
    if (text.len > LIMIT_LABEL_BYTES || strspn(text.ptr, "abcdefghijklmnopqrstuvwxyz0123456789-_") != text.len)
        return config_bad(r, path, FINDING_BAD_VALUE, NULL, "must have 1 to %u characters of a-z, 0-9, - and _",
                          LIMIT_LABEL_BYTES);
    *out = text;
    return true;
}

static bool read_host(struct config_reader *r, struct slice path, const json_t *value, struct slice *out)
{
    struct slice text;
    if (!json_is_string(value))
        return config_bad(r, path, FINDING_BAD_VALUE, NULL, "must be a name, not %s", config_type_name(value));
    if (!config_read_text(r, path, value, &text)) return false;
    if (text.len > LIMIT_HOST_BYTES || strspn(text.ptr, "abcdefghijklmnopqrstuvwxyz0123456789-.") != text.len)
        return config_bad(r, path, FINDING_BAD_VALUE, "without http:// and without a port",
                          "must be a name as in \"moongate.internal\": 1 to %u characters of a-z, 0-9, - and .",
                          LIMIT_HOST_BYTES);
    *out = text;
    return true;
}

static bool refuse_kind(struct config_reader *r, struct slice path, struct slice kind)
{
    const char *meant = kind_nearest(kind), *near = meant ? meant : servers_nearest(kind);
    char hint[512];
    if (near)
        snprintf(hint, sizeof hint, "did you mean \"%s\"?", near);
    else
        snprintf(hint, sizeof hint,
                 "this version speaks \"openai\", \"openai_compatible\", \"openai_responses\", \"azure\", "
                 "\"anthropic\", \"gemini\", \"bedrock\" and \"vertex\", and knows the servers %s", servers_names());
    return config_bad(r, path, FINDING_BAD_VALUE, hint, "unknown kind of provider `%.*s`", SLICE_FMT(kind));
}

/* A server's name is a kind, too: config_take_server() has the rest. */
static bool read_kind(struct config_reader *r, struct slice path, const json_t *value, struct slice *out)
{
    struct slice text;
    if (!config_read_text(r, path, value, &text)) return false;
    bool is_server = servers_find(text) != NULL;
    if (!is_server && !kind_is_known(text)) return refuse_kind(r, path, text);
    *out = is_server ? SLICE("openai_compatible") : text;
    return true;
}

/* Of one without a certificate curl says no more than that it cannot be read, at each call. */
static bool check_pem(struct config_reader *r, struct slice path, const char *file)
{
    static const char begin[] = "CERTIFICATE-----";
    struct buf content;
    buf_init(&content);
    bool is_good = config_read_file(file, LIMIT_CA_FILE_BYTES, &content) ||
                   config_bad(r, path, FINDING_NO_FILE, "paths are relative to the configuration file", "%s: %s", file,
                              strerror(errno));
    if (is_good && (!buf_len(&content) || !memmem(buf_ptr(&content), buf_len(&content), begin, sizeof begin - 1)))
        is_good = config_bad(r, path, FINDING_BAD_VALUE, "a text that begins -----BEGIN CERTIFICATE-----",
                             "%s holds no certificates (PEM)", file);
    buf_clear(&content);
    return is_good;
}

static bool read_file(struct config_reader *r, struct slice path, const json_t *value, struct slice *out)
{
    struct slice text;
    if (!json_is_string(value))
        return config_bad(r, path, FINDING_BAD_VALUE, NULL, "must be the path of a PEM file, not %s",
                          config_type_name(value));
    if (!config_read_text(r, path, value, &text)) return false;
    *out = config_resolve_path(r, text);
    return check_pem(r, path, out->ptr);
}

static bool read_path(struct config_reader *r, struct slice path, const json_t *value, struct slice *out)
{
    struct slice text;
    if (!json_is_string(value))
        return config_bad(r, path, FINDING_BAD_VALUE, NULL, "must be a path, not %s", config_type_name(value));
    if (!config_read_text(r, path, value, &text)) return false;
    *out = config_resolve_path(r, text);
    return true;
}

/* Names in the data folder that are the gateway's own: a line appended to one of them would spoil it. */
static bool is_own_name(struct slice name)
{
    static const char *const names[] = {"ledger.", "registry.", "anchor", "subjects.",
                                        "lock",    "listen.",   "control.", "bundle."};
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        if (slice_starts(name, slice_str(names[i]))) return true;
    }
    return false;
}

static bool read_copy(struct config_reader *r, struct slice path, const json_t *value, struct slice *out)
{
    struct slice text;
    if (!json_is_string(value))
        return config_bad(r, path, FINDING_BAD_VALUE, NULL, "must be a path, not %s", config_type_name(value));
    if (!config_read_text(r, path, value, &text)) return false;
    const char *slash = memrchr(text.ptr, '/', text.len);
    struct slice name = slash ? slice_of(slash + 1, text.len - (size_t)(slash + 1 - text.ptr)) : text;
    if (name.len == 0 || (slash && text.ptr[0] != '/'))
        return config_bad(r, path, FINDING_BAD_VALUE, "write \"audit.jsonl\" or \"/var/log/moongate/audit.jsonl\"",
                          "must be a file's name in the data folder, or an absolute path");
    if (is_own_name(name))
        return config_bad(r, path, FINDING_BAD_VALUE, "write \"audit.jsonl\"",
                          "`%.*s` is a name of the gateway's own files", SLICE_FMT(name));
    *out = text;
    return true;
}

/* libpq says what it means when it is used; here only what no text of one may have. */
static bool read_conninfo(struct config_reader *r, struct slice path, const json_t *value, struct slice *out)
{
    struct slice text;
    if (!config_read_secret(r, path, value, &text)) return false;
    for (size_t i = 0; i < text.len; i++) {
        unsigned char c = (unsigned char)text.ptr[i];
        if (c < ' ' || c == 0x7F)
            return config_bad(r, path, FINDING_BAD_SECRET, NULL, "must be one line of text");
    }
    *out = text;
    return true;
}

/* Files that it names are looked at too. Where its variable is not set, for commands that call nobody, there is no
 * URL. */
static bool read_redis(struct config_reader *r, struct slice path, const json_t *value, struct slice *out)
{
    struct slice text;
    struct fault why;
    size_t warned = report_warnings(r->report);
    if (!config_read_secret(r, path, value, &text)) return false;
    if (report_warnings(r->report) == warned && !redis_check(text.ptr, &why))
        return config_bad(r, path, FINDING_BAD_SECRET, "redis://user:password@host:6379/0", "%s", fault_message(&why));
    *out = text;
    return true;
}

static bool read_zone(struct config_reader *r, struct slice path, const json_t *value, struct slice *out)
{
    struct zone_change changes[ZONE_CHANGES_MAX];
    struct slice text;
    if (!json_is_string(value))
        return config_bad(r, path, FINDING_BAD_VALUE, NULL, "must be a zone's name, not %s", config_type_name(value));
    if (!config_read_text(r, path, value, &text)) return false;
    if (zone_read(text.ptr, changes, ZONE_CHANGES_MAX) == 0)
        return config_bad(r, path, FINDING_BAD_VALUE, "write \"Europe/Berlin\"",
                          "`%.*s` is no time zone that this system knows (tzdata)", SLICE_FMT(text));
    *out = text;
    return true;
}

/* ---- Numbers. */

static const char *const durability_names[] = {[DURABILITY_UNSAID] = "",
                                               [DURABILITY_ASYNC] = "async",
                                               [DURABILITY_LOCAL] = "local",
                                               [DURABILITY_REMOTE] = "remote"};

static bool read_durability(struct config_reader *r, struct slice path, const json_t *value, uint64_t *out)
{
    const char *text = json_string_value(value);
    for (uint64_t i = DURABILITY_ASYNC; text && i <= DURABILITY_REMOTE; i++) {
        if (strcmp(durability_names[i], text) != 0) continue;
        *out = i;
        return true;
    }
    return config_bad(r, path, FINDING_BAD_VALUE, "write " TAKES_DURABILITY, "must be one of them, not %s%s%s",
                      text ? "`" : "", text ? text : config_type_name(value), text ? "`" : "");
}

static void print_durability(uint64_t n, char *text, unsigned size)
{
    snprintf(text, size, "%s", n <= DURABILITY_REMOTE ? durability_names[n] : "");
}

#define TAKES_LOSS "\"serve\" or \"refuse\""
static const char *const loss_names[] = {[REGISTRY_LOSS_SERVE] = "serve", [REGISTRY_LOSS_REFUSE] = "refuse"};

static bool read_loss(struct config_reader *r, struct slice path, const json_t *value, uint64_t *out)
{
    const char *text = json_string_value(value);
    for (uint64_t i = REGISTRY_LOSS_SERVE; text && i <= REGISTRY_LOSS_REFUSE; i++) {
        if (strcmp(loss_names[i], text) != 0) continue;
        *out = i;
        return true;
    }
    return config_bad(r, path, FINDING_BAD_VALUE, "write " TAKES_LOSS, "must be one of them, not %s%s%s",
                      text ? "`" : "", text ? text : config_type_name(value), text ? "`" : "");
}

static void print_loss(uint64_t n, char *text, unsigned size)
{
    snprintf(text, size, "%s", n <= REGISTRY_LOSS_REFUSE ? loss_names[n] : "");
}

static bool read_duration(struct config_reader *r, struct slice path, const json_t *value, uint64_t *ms)
{
    static const char hint[] = "write " TAKES_DURATION;
    double seconds = json_number_value(value);
    if (json_is_number(value)) {
        if (seconds < 0 || seconds > 1e9) return config_bad(r, path, FINDING_BAD_VALUE, hint, "out of range");
        *ms = (uint64_t)llround(seconds * 1000);
        if (*ms == 0 && seconds > 0) return config_bad(r, path, FINDING_BAD_TIME, hint, "shorter than a millisecond");
        return true;
    }
    if (!json_is_string(value))
        return config_bad(r, path, FINDING_BAD_TIME, hint, "must be a duration, not %s", config_type_name(value));
    if (units_duration(slice_str(json_string_value(value)), ms)) return true;
    return config_bad(r, path, FINDING_BAD_TIME, hint, "`%s` is not a duration", json_string_value(value));
}

static bool read_size(struct config_reader *r, struct slice path, const json_t *value, uint64_t *bytes)
{
    static const char hint[] = "write " TAKES_SIZE;
    if (json_is_integer(value) && json_integer_value(value) >= 0) {
        *bytes = (uint64_t)json_integer_value(value);
        return true;
    }
    if (!json_is_string(value))
        return config_bad(r, path, FINDING_BAD_VALUE, hint, "must be a size, not %s", config_type_name(value));
    if (units_size(slice_str(json_string_value(value)), bytes)) return true;
    return config_bad(r, path, FINDING_BAD_VALUE, hint, "`%s` is not a size", json_string_value(value));
}

static bool read_count(struct config_reader *r, struct slice path, const json_t *value, uint64_t *count)
{
    if (!json_is_integer(value) || json_integer_value(value) < 0) {
        return config_bad(r, path, FINDING_BAD_VALUE, NULL, "must be a whole number, not %s",
                          json_is_number(value) ? "this" : config_type_name(value));
    }
    *count = (uint64_t)json_integer_value(value);
    return true;
}

static bool read_flag(struct config_reader *r, struct slice path, const json_t *value, uint64_t *flag)
{
    *flag = json_is_true(value);
    return json_is_boolean(value) ||
           config_bad(r, path, FINDING_BAD_VALUE, NULL, "must be true or false, not %s", config_type_name(value));
}

static void print_count(uint64_t count, char *text, unsigned size)
{
    snprintf(text, size, "%llu", (unsigned long long)count);
}

/* ---- All types. */

#define TABLE .store = STORE_TABLE
#define TEXT .store = STORE_TEXT, .size = sizeof(struct slice)
#define NUMBER(type_) .store = STORE_NUMBER, .size = sizeof(type_)

/* clang-format off */
const struct field_type
    type_table = {"table", "named fields", TABLE, .read_table = config_read_table},
    type_breaker = {"table or false", "named fields, or false for none", TABLE, .read_table = config_read_breaker},
    type_providers = {"table of providers", "providers by their names", TABLE, .read_table = config_read_providers},
    type_egress = {"table of services", "services by scheme, host and port", TABLE, .read_table = config_read_egress},
    type_sinks = {"table of sinks", "what notices of budgets are sent to, by their names", TABLE,
                  .read_table = config_read_sinks},
    type_sink_kind = {"kind", "\"webhook\", \"slack\" or \"command\"", TEXT, .read_text = config_read_sink_kind},
    type_hook_url = {"secret", "env \"NAME\", file \"path\", or \"https://host/path\"", TEXT, .is_secret = true,
                     .read_text = config_read_hook_url},
    type_command = {"command", "{ \"/usr/local/bin/page\", \"--now\" }", TEXT, .read_text = config_read_command},
    type_address = {"address", TAKES_ADDRESS, TEXT, .read_text = read_address},
    type_admin_address = {"address", TAKES_ADDRESS, TEXT, .read_text = read_admin_address},
    type_path = {"folder", "a path, relative to the folder of the file", TEXT, .read_text = read_path},
    type_file = {"file", "the path of a file that can be read, relative to the folder of the file", TEXT,
                 .read_text = read_file},
    type_new_file = {"path", "a path, relative to the folder of the file", TEXT, .read_text = read_path},
    type_word = {"word", "of a-z, 0-9, - and _", TEXT, .read_text = read_word},
    type_note = {"text", "one line", TEXT, .read_text = config_read_note},
    type_class = {"data class", "public, internal, confidential or restricted", TEXT, .read_text = config_read_class},
    type_host = {"host", "a name without a port", TEXT, .read_text = read_host},
    type_kind = {"kind",
                 "\"openai\", \"openai_compatible\", \"openai_responses\", \"azure\", \"anthropic\", "
                 "\"gemini\", \"bedrock\", \"vertex\" or a server's name", TEXT, .read_text = read_kind},
    type_credentials = {"key file", "the path of a key file, env \"NAME\" or file \"path\"", TEXT, .is_secret = true,
                        .read_text = config_read_credentials},
    type_members = {"members of requests", "{ \"store\", \"tools.strict\" }", TEXT, .read_text = config_read_members},
    type_renames = {"names", "{ max_completion_tokens = \"max_tokens\" }", TEXT, .read_text = config_read_renames},
    type_server = {"server", "the name of a server that is known, as \"groq\"", TEXT, .read_text = config_read_server},
    type_gate_files = {"files", "{ [\"models.lua\"] = { by = \"finance\" } }", TEXT,
                       .read_text = config_read_gate_files},
    type_gate_roles = {"roles", "{ finance = { \"kim\", \"lee\" } }", TEXT, .read_text = config_read_gate_roles},
    type_url = {"URL", "\"https://host/v1\"", TEXT, .read_text = read_url},
    type_secret = {"secret", "env \"NAME\" or file \"path\"", TEXT, .is_secret = true, .read_text = read_secret},
    type_headers = {"headers", "{ [\"X-Title\"] = \"text\", [\"X-Token\"] = env \"NAME\" }", TEXT, .is_secret = true,
                    .read_text = config_read_headers},
    type_header_names = {"names of headers", "{ \"X-Session-Id\" }", TEXT, .read_text = config_read_header_names},
    type_origins = {"origins", "{ \"https://app.example.com\" }, or { \"*\" }", TEXT, .read_text = config_read_origins},
    type_flag = {"flag", "true or false", .store = STORE_FLAG, .size = sizeof(bool), .read_number = read_flag},
    type_duration = {"duration", TAKES_DURATION, NUMBER(uint32_t), .read_number = read_duration,
                     .print = units_print_duration},
    type_size = {"size", TAKES_SIZE, NUMBER(size_t), .read_number = read_size, .print = units_print_size},
    type_count = {"number", "a whole number", NUMBER(uint32_t), .read_number = read_count, .print = print_count},
    type_count64 = {"number", "a whole number", NUMBER(uint64_t), .read_number = read_count, .print = print_count},
    type_long_duration = {"duration", "\"400d\", \"48h\", or a number of seconds; 0: for ever", NUMBER(uint64_t),
                          .read_number = read_duration, .print = units_print_duration},
    type_durability = {"durability", TAKES_DURABILITY, NUMBER(uint32_t), .read_number = read_durability,
                       .print = print_durability},
    type_loss = {"word", TAKES_LOSS, NUMBER(uint32_t), .read_number = read_loss, .print = print_loss},
    type_copy = {"file's name", "a name in the data folder, or an absolute path", TEXT, .read_text = read_copy},
    type_conninfo = {"connection", "env \"NAME\", file \"path\", or \"host=/run/postgresql dbname=moongate\"", TEXT,
                     .is_secret = true, .read_text = read_conninfo},
    type_redis = {"URL of Redis",
                  "env \"NAME\", file \"path\", or \"redis://host:6379\", \"unix:///run/redis.sock\", "
                  "\"rediss://…\", \"redis+sentinel://…\"",
                  TEXT, .is_secret = true, .read_text = read_redis},
    type_zone = {"time zone", "\"Europe/Berlin\", \"UTC\"", TEXT, .read_text = read_zone},
    type_given = {"text", "", TEXT},
    type_digest = {"digest", "", .store = STORE_DIGEST, .size = sizeof(((struct settings *)NULL)->digest)};
/* clang-format on */

static bool is_in_range(struct config_reader *r, const struct field *f, struct slice path, uint64_t n)
{
    char least[32], most[32];
    if (!f->type->print || (n >= f->min && n <= f->max)) return true;
    f->type->print(f->min, least, sizeof least);
    f->type->print(f->max, most, sizeof most);
    return config_bad(r, path, FINDING_BAD_VALUE, NULL, "must be from %s to %s", least, most);
}

void config_read_value(struct config_reader *r, const struct field *f, struct slice path, const json_t *value)
{
    void *to = field_value(&r->homes, f);
    uint64_t n = 0;
    if (f->type->read_text) {
        f->type->read_text(r, path, value, to);
    } else if (f->type->read_number(r, path, value, &n) && is_in_range(r, f, path, n)) {
        field_set_number(f, to, n);
    }
}

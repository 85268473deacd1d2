/* moongate.lua: what is accepted, what is refused and where, and that nothing is lost on the way to a worker. */
#include <errno.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/limits.h"
#include "base/nearest.h"
#include "config_kit.h"
#include "server/places.h"
#include "server/units.h"

static void an_empty_table_has_every_default(void)
{
    char want[96];
    struct config *c = load_good("return {}");
    if (!c) return;
    EXPECT_SLICE(SLICE("127.0.0.1:8090"), c->listen);
    EXPECT_SLICE(SLICE("127.0.0.1:8091"), c->admin_listen);
    snprintf(want, sizeof want, "%s/policies", dir);
    EXPECT_SLICE(slice_str(want), c->policies_dir);
    snprintf(want, sizeof want, "%s/data", dir);
    EXPECT_SLICE(slice_str(want), c->settings->data_dir);
    EXPECT(c->workers >= 1);
    EXPECT_INT(LIMIT_BODY_BYTES, c->settings->body_bytes_max);
    EXPECT_INT(LIMIT_DRAIN_MS, c->settings->drain_grace_ms);
    EXPECT_INT(0, c->settings->keepalive_ms);
    EXPECT_INT(0, c->settings->provider_count);
    EXPECT_INT(64, strlen(c->settings->digest));
    config_free(c);
}

static const char whole[] =
    "local day = '24h'\n"
    "return moongate.config {\n"
    "  listen = '127.0.0.1:0', admin = { listen = '[::1]:0' }, workers = 3, data = '/var/x', policies = 'p',\n"
    "  timeouts = { header = 5, body = '1.5s', idle = '2m', write = '1h', connect = '900ms', first_byte = 7,\n"
    "               upstream_idle = '8s', total = day },\n"
    "  limits = { body = '1MB', connections = 77 },\n"
    "  drain = { grace = 0, delay = '250ms' }, keepalive = '15s',\n"
    "  policy = { bytecodes = 100000, cpu = '20ms', deadline = '1s' },\n"
    "  providers = {\n"
    "    b = { kind = 'openai', url = 'https://b.example/v1/', key = env 'MOONGATE_TEST_KEY', usage = false,\n"
    "          http2 = true, timeouts = { idle = '9s' }, breaker = { failures = 2, open = '3s' } },\n"
    "    a = { kind = 'openai', url = 'http://127.0.0.1:1', key = file 'secret', ca = 'ca.pem', breaker = false },\n"
    "  },\n"
    "}\n";

static void expect_whole(const struct config *c)
{
    const struct settings *s = c->settings;
    EXPECT_SLICE(SLICE("[::1]:0"), c->admin_listen);
    EXPECT_INT(3, c->workers);
    EXPECT_SLICE(SLICE("/var/x"), s->data_dir);
    EXPECT_INT(250, c->drain_delay_ms);
    EXPECT_INT(0, s->drain_grace_ms);
    EXPECT_INT(15000, s->keepalive_ms);
    EXPECT_INT(5000, s->header_timeout_ms);
    EXPECT_INT(1500, s->body_timeout_ms);
    EXPECT_INT(120000, s->idle_timeout_ms);
    EXPECT_INT(3600000, s->write_timeout_ms);
    EXPECT_INT(1 << 20, s->body_bytes_max);
    EXPECT_INT(77, s->connections_max);
    EXPECT_INT(100000, s->policy_bytecodes);
    EXPECT_INT(20, s->policy_cpu_ms);
    EXPECT_INT(1000, s->policy_deadline_ms);
    EXPECT_INT(2, s->provider_count);
    const struct provider *a = settings_provider(s, SLICE("a")), *b = settings_provider(s, SLICE("b"));
    EXPECT(a && b);
    if (!a || !b) return;
    EXPECT_SLICE(SLICE("from-a-file"), a->key);
    EXPECT(a->can_report_usage && !a->is_http2 && a->ca_file.len > 0);
    EXPECT_INT(8000, a->idle_timeout_ms);
    EXPECT_SLICE(SLICE("https://b.example/v1"), b->url);
    EXPECT_SLICE(SLICE("sk-env"), b->key);
    EXPECT(!b->can_report_usage && b->is_http2);
    EXPECT_INT(900, b->connect_timeout_ms);
    EXPECT_INT(7000, b->first_byte_timeout_ms);
    EXPECT_INT(9000, b->idle_timeout_ms);
    EXPECT_INT(86400000, b->total_timeout_ms);
    EXPECT_INT(0, a->breaker_failures);
    EXPECT_INT(2, b->breaker_failures);
    EXPECT_INT(LIMIT_BREAKER_WINDOW_MS, b->breaker_window_ms);
    EXPECT_INT(3000, b->breaker_open_ms);
    EXPECT_INT(LIMIT_BREAKER_OPEN_MAX_MS, b->breaker_open_max_ms);
}

static void every_field_arrives_also_in_another_process(void)
{
    struct buf packed;
    buf_init(&packed);
    setenv("MOONGATE_TEST_KEY", "sk-env", 1);
    write_file("secret", "from-a-file\n");
    write_file("ca.pem", "-----BEGIN CERTIFICATE-----\n");
    struct config *c = load_good(whole);
    if (!c) return;
    config_pack(c, &packed);
    struct config *same = config_unpack(buf_slice(&packed));
    EXPECT(same != NULL);
    if (same) {
        struct buf again;
        buf_init(&again);
        config_pack(same, &again);
        EXPECT_SLICE(buf_slice(&packed), buf_slice(&again));
        EXPECT_STR(c->settings->digest, same->settings->digest);
        buf_clear(&again);
    }
    for (size_t cut = 0; cut < buf_len(&packed); cut++) {
        EXPECT(config_unpack(slice_of(buf_ptr(&packed), cut)) == NULL);
    }
    expect_whole(c);
    json_t *show = config_show(c);
    char *shown = json_dumps(show, JSON_COMPACT);
    json_decref(show);
    EXPECT(!strstr(shown, "sk-env") && !strstr(shown, "from-a-file"));
    EXPECT(strstr(shown, "https://b.example/v1") != NULL);
    free(shown);
    config_free(same);
    config_free(c);
    buf_clear(&packed);
}

static void services_are_listed_by_origin(void)
{
    struct buf packed;
    buf_init(&packed);
    setenv("MOONGATE_TEST_KEY", "sk-env", 1);
    struct config *c = load_good("return { egress = {\n"
                                 "  ['https://moderation.internal'] = { clearance = 'internal', name = 'moderation',\n"
                                 "    secret = env 'MOONGATE_TEST_KEY', header = 'x-api-key', timeout = '250ms', answer = '64KB' },\n"
                                 "  ['http://10.0.0.7:8080'] = {},\n"
                                 "} }");
    if (!c) return;
    config_pack(c, &packed);
    struct config *same = config_unpack(buf_slice(&packed));
    EXPECT(same != NULL);
    const struct settings *s = same ? same->settings : c->settings;
    EXPECT_INT(2, s->egress_count);
    const struct egress *m = settings_egress(s, SLICE("https://moderation.internal/v1/check?x=1"));
    EXPECT(m != NULL);
    if (m) {
        EXPECT_SLICE(SLICE("internal"), m->clearance);
        EXPECT_SLICE(SLICE("moderation"), m->name);
        EXPECT_SLICE(SLICE("sk-env"), m->secret);
        EXPECT_SLICE(SLICE("x-api-key"), m->header);
        EXPECT_INT(250, m->timeout_ms);
        EXPECT_INT(65536, m->answer_bytes_max);
    }
    EXPECT(settings_egress(s, SLICE("HTTPS://Moderation.Internal:443")) == NULL); /* the scheme is small */
    EXPECT(settings_egress(s, SLICE("https://Moderation.Internal:443")) == m);
    EXPECT(settings_egress(s, SLICE("http://10.0.0.7:8080/")) != NULL);
    static const char *const others[] = {"https://moderation.internal.evil.example/", "https://moderation.internal@evil.example/",
                                         "http://moderation.internal/", "https://moderation.internal:8443/",
                                         "https://evil.example#https://moderation.internal", "https://evil.example\\.moderation.internal",
                                         "https://moderation.internal\\@evil.example/", "http://10.0.0.7/", "moderation.internal", "",
                                         "https://", "https://moderation.internal /x"};
    for (size_t i = 0; i < sizeof others / sizeof others[0]; i++) {
        if (settings_egress(s, slice_str(others[i]))) UNIT_FAIL("%s is taken for a listed one", others[i]);
    }
    const struct egress *plain = settings_egress(s, SLICE("http://10.0.0.7:8080"));
    if (plain) EXPECT_SLICE(SLICE("public"), plain->clearance);
    json_t *show = config_show(c);
    char *shown = json_dumps(show, JSON_COMPACT);
    json_decref(show);
    EXPECT(!strstr(shown, "sk-env") && strstr(shown, "https://moderation.internal"));
    free(shown);
    config_free(same);
    config_free(c);
    buf_clear(&packed);
}

static void what_is_wrong_with_a_service_is_said(void)
{
    expect_bad("return { egress = { ['https://a.example/v1'] = {} } }", 1, 48, "`https://a.example` is what may be listed", "policies name paths");
    expect_bad("return { egress = { moderation = {} } }", 1, 34, "is not an http:// or https:// URL", "https://service.example");
    expect_bad("return { egress = { ['https://a'] = { clearence = 'internal' } } }", 1, 39, "unknown field", "`clearance`");
    expect_bad("return { egress = { ['https://a'] = { secret = 'abc' } } }", 1, 37, "`secret` has no name", "auth = ");
    expect_bad("return { egress = { ['https://a'] = { name = 'abc' } } }", 1, 37, "`name` stands without `secret`", "");
    expect_bad("return { egress = { ['https://a'] = { header = 'x-key' } } }", 1, 37, "`header` stands without `secret`", "");
    expect_bad("return { egress = { ['https://a'] = { timeout = '2h' } } }", 1, 49, "must be from 1ms to", "");
    expect_bad("return { egress = 3 }", 1, 19, "must be a table", "");
}

static void what_is_wrong_is_said_with_its_place_and_cure(void)
{
    expect_bad("return {\n  lisen = '127.0.0.1:1',\n}", 2, 3, "unknown field `lisen`", "did you mean `listen`?");
    expect_bad("return { timeouts = {\n idel = 3 } }", 2, 2, "unknown field `timeouts.idel`", "`idle`");
    expect_bad("return { providers = { a = { kind = 'openai', url = 'http://a/v1', breaker = { failure = 3 } } } }", 1, 80,
               "unknown field `providers.a.breaker.failure`", "did you mean `failures`?");
    expect_bad("return { providers = { a = { kind = 'openai', url = 'http://a/v1', breaker = { failures = 0 } } } }", 1, 91,
               "must be from 1 to 1000", "");
    expect_bad("return { providers = { a = { kind = 'openai', url = 'http://a/v1', breaker = true } } }", 1, 78,
               "must be a table of named fields or false", "");
    expect_bad("return { zzzzz = 1 }", 1, 10, "unknown field `zzzzz`", "known here: listen, admin");
    expect_bad("return {\n  listen = 8090 }", 2, 12, "listen: must be text", "");
    expect_bad("return { listen = '127.0.0.1' }", 1, 19, "listen: ", "");
    expect_bad("return { admin = { listen = '0.0.0.0:8091' } }", 1, 29, "loopback", "127.0.0.1");
    expect_bad("return { admin = '127.0.0.1:1' }", 1, 18, "must be a table", "");
    expect_bad("return { workers = 0 }", 1, 20, "from 1 to 256", "");
    expect_bad("return { workers = 1.5 }", 1, 20, "whole number", "");
    expect_bad("return { workers = '4' }", 1, 20, "not text", "");
    expect_bad("return { keepalive = '30' }", 1, 22, "`30` is not a duration", "\"30s\"");
    expect_bad("return { keepalive = '30 sec' }", 1, 22, "not a duration", "");
    expect_bad("return { keepalive = -1 }", 1, 22, "out of range", "");
    expect_bad("return { limits = { body = '32' } }", 1, 28, "`32` is not a size", "\"32MB\"");
    expect_bad("return { limits = { body = '2GB' } }", 1, 28, "from 1KB to 1GB", "");
    expect_bad("return { policy = { cpu = 50 } }", 1, 27, "from 1ms to 10s", "");
    expect_bad("return { policies = env 'MOONGATE_TEST_KEY' }", 1, 21, "must be a path, not a handle", "");
}

static void a_wrong_provider_is_refused(void)
{
#define PROVIDER(fields) "return { providers = { one = { kind = 'openai', " fields " } } }"
    expect_bad("return { providers = { one = { url = 'http://x' } } }", 1, 30, "`kind` is missing", "openai");
    expect_bad(PROVIDER(""), 1, 30, "`url` is missing", "");
    expect_bad(PROVIDER("url = 'ftp://x'"), 1, 55, "not an http:// or https:// URL", "");
    expect_bad(PROVIDER("url = 'https://u:p@x'"), 1, 55, "credential", "`key`");
    expect_bad(PROVIDER("url = 'https://x/?a'"), 1, 55, "character", "");
    expect_bad(PROVIDER("url = 'http://x', key = env 'MOONGATE_TEST_NONE'"), 1, 73,
               "providers.one.key: the environment variable MOONGATE_TEST_NONE is not set", "file");
    expect_bad(PROVIDER("url = 'http://x', key = file 'nowhere'"), 1, 73, "nowhere: No such file", "relative");
    expect_bad(PROVIDER("url = 'http://x', key = 'a\\nb'"), 1, 73, "visible ASCII", "");
    expect_bad(PROVIDER("url = 'http://x', ca = 'nowhere'"), 1, 72, "nowhere: No such file", "");
    expect_bad(PROVIDER("url = 'http://x', usage = 1"), 1, 75, "true or false", "");
    expect_bad("return { providers = { one = { kind = 'telepathy', url = 'http://x' } } }", 1, 39, "`telepathy`",
               "openai");
    expect_bad("return { providers = { ['a/b'] = { kind = 'openai', url = 'http://x' } } }", 1, 34, "name has", "");
    expect_bad("local p = { kind = 'openai', url = 3 }\nreturn { providers = { one = p } }", 2, 24, "providers.one.url",
               "");
}

static void a_providers_headers_are_checked(void)
{
    expect_bad(PROVIDER("url = 'http://x', headers = { ['X A'] = 'b' }"), 1, 89, "not a header's name", "X-Title");
    expect_bad(PROVIDER("url = 'http://x', headers = { ['Content-Length'] = '3' }"), 1, 100, "must not be set here", "");
    expect_bad(PROVIDER("url = 'http://x', headers = { a = 'b\\nc' }"), 1, 83, "line ends", "");
    expect_bad(PROVIDER("url = 'http://x', headers = 'a'"), 1, 77, "must be a table", "");
    expect_bad(PROVIDER("url = 'http://x', key = 'k', headers = { Authorization = 'Basic x' }"), 1, 88, "not both", "leave");
    expect_bad(PROVIDER("url = 'http://x', pass = { 'Authorization' }"), 1, 74, "credentials", "`headers`");
    expect_bad(PROVIDER("url = 'http://x', pass = { 3 }"), 1, 74, "number 1 is a number", "");
    expect_bad(PROVIDER("url = 'http://x', pass = 'X-A'"), 1, 74, "must be a list of texts", "");
    expect_bad("return { cors = { origins = { 'https://a.example/x' } } }", 1, 29, "not an origin", "all pages");
    expect_bad("return { cors = { origins = 'https://a.example' } }", 1, 29, "must be a list", "");
}

static void expect_lines(const struct config *c)
{
    const struct provider *p = settings_provider(c->settings, SLICE("one"));
    struct provider_header h;
    struct slice rest = p->headers, secrets[PROVIDER_SECRETS_MAX];
    unsigned seen = 0;
    while (provider_next_header(&rest, &h)) {
        bool is_token = slice_equal(h.name, SLICE("X-Token"));
        EXPECT_SLICE(is_token ? SLICE("key-from-env") : SLICE("A: title"), h.value);
        EXPECT_INT(is_token, h.is_secret);
        seen++;
    }
    EXPECT_INT(2, seen);
    EXPECT_INT(1, provider_secrets(p, secrets));
    EXPECT_SLICE(SLICE("key-from-env"), secrets[0]);
    EXPECT(settings_lists(p->pass, SLICE("x-session-id")) && settings_lists(p->pass, SLICE("x-b")));
    EXPECT(!settings_lists(p->pass, SLICE("x-")) && !settings_lists(p->pass, SLICE("")));
    EXPECT(settings_lists(c->settings->cors_origins, SLICE("https://a.example")));
}

static void lists_arrive_also_in_another_process(void)
{
    struct buf bytes;
    setenv("MOONGATE_TEST_KEY", "key-from-env", 1);
    struct config *c = load_good("return { providers = { one = { kind = 'openai', url = 'http://x', pass = { 'X-Session-Id', 'X-B' },\n"
                                 "  headers = { ['X-Title'] = 'A: title', ['X-Token'] = env 'MOONGATE_TEST_KEY' } } },\n"
                                 "  cors = { origins = { 'https://a.example' } } }");
    if (!c) return;
    expect_lines(c);
    buf_init(&bytes);
    config_pack(c, &bytes);
    struct config *copy = config_unpack(buf_slice(&bytes));
    EXPECT(copy != NULL);
    if (copy) expect_lines(copy);
    buf_clear(&bytes);
    config_free(copy);
    config_free(c);
}

static void all_errors_come_at_once(void)
{
    struct report *report = report_new();
    EXPECT(load("return { workers = 0,\n lisen = 1,\n providers = { x = { kind = 'no' }, y = { kind = 'openai' } } }", report) == NULL);
    EXPECT_INT(4, report_errors(report));
    report_free(report);
}

static void what_the_file_does_is_bounded(void)
{
    expect_bad("return {\n", 2, 0, "unexpected symbol near '<eof>'", "");
    expect_bad("return {\n  listen = = 3\n}", 2, 10, "unexpected symbol", "");
    expect_bad("local x = nil + 1", 1, 0, "arithmetic", "");
    expect_bad("while true do end", 1, 0, "endless loop", "");
    expect_bad("local t = 'x' while true do t = t .. t end", 0, 0, "not enough memory", "");
    expect_bad("return 7", 0, 0, "return { … }", "");
    expect_bad("return { 1, 2 }", 0, 0, "not a list", "");
    expect_bad("return {\n listen = adress }", 2, 0, "knows no `adress`", "");
    expect_bad("return { listen = function() end }", 0, 0, "a function has no meaning", "");
    expect_bad("local t = {} t.t = t return t", 0, 0, "inside themselves", "");
    expect_bad("return { [true] = 1 }", 0, 0, "must be text, not a boolean", "");
    expect_bad("return { providers = { 1, a = {} } }", 0, 0, "both names and positions", "");
    expect_bad("return { listen = '\\255' }", 0, 0, "UTF-8", "");
    expect_bad("return { listen = 0/0 }", 0, 0, "finite", "");
    expect_bad("return { listen = env() }", 1, 0, "write env", "");
    expect_bad("error('no', 0)", 0, 0, "no", "");
    expect_bad("error({})", 0, 0, "not text", "");
}

static void nothing_of_the_outside_is_in_reach(void)
{
    static const char *const names[] = {"io",        "os",     "require",    "package",      "debug",
                                        "load",      "pcall",  "loadstring", "setmetatable", "collectgarbage",
                                        "coroutine", "dofile", "getfenv",    "jit",          "ffi"};
    char text[96];
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        snprintf(text, sizeof text, "return { x = %s }", names[i]);
        expect_bad(text, 1, 0, "knows no", "");
    }
    config_free(load_good("assert(math.random == nil and string.dump == nil and ('').dump == nil) return {}"));
    expect_bad("\x1bLJ", 0, 0, "", "");
}

static void the_environment_overrides_the_file(void)
{
    setenv("MOONGATE_LISTEN", "127.0.0.1:7", 1);
    setenv("MOONGATE_ADMIN_LISTEN", "127.0.0.2:8", 1);
    setenv("MOONGATE_DATA_DIR", "here", 1);
    struct config *c = load_good("return { listen = '127.0.0.1:1' }");
    if (c) {
        EXPECT_SLICE(SLICE("127.0.0.1:7"), c->listen);
        EXPECT_SLICE(SLICE("127.0.0.2:8"), c->admin_listen);
        EXPECT_SLICE(SLICE("here"), c->settings->data_dir);
    }
    config_free(c);
    setenv("MOONGATE_ADMIN_LISTEN", "0.0.0.0:8", 1);
    expect_bad("return {}", 0, 0, "MOONGATE_ADMIN_LISTEN: the admin listener", "");
    unsetenv("MOONGATE_LISTEN");
    unsetenv("MOONGATE_ADMIN_LISTEN");
    unsetenv("MOONGATE_DATA_DIR");
    struct report *report = report_new();
    EXPECT(config_load("/nonexistent.lua", report) == NULL);
    EXPECT_INT(1, report_errors(report));
    report_free(report);
}

static void durations_and_sizes_are_exact(void)
{
    static const struct {
        const char *text;
        long long ms;
    } cases[] = {{"1ms", 1},
                 {"1.5s", 1500},
                 {"90s", 90000},
                 {"2m", 120000},
                 {"1h", 3600000},
                 {"1 d", 86400000},
                 {"0s", 0},
                 {"", -1},
                 {"5", -1},
                 {"s", -1},
                 {"1.5ms", -1},
                 {"-1s", -1},
                 {"1e3s", -1},
                 {"1.s", -1},
                 {"1 s ", -1},
                 {"1S", -1},
                 {"99999999999999999s", -1}};
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        uint64_t ms = 0;
        bool is_good = units_duration(slice_str(cases[i].text), &ms);
        if (is_good != (cases[i].ms >= 0) || (is_good && ms != (uint64_t)cases[i].ms)) UNIT_FAIL("%s", cases[i].text);
    }
    uint64_t bytes;
    char text[32];
    EXPECT(units_size(SLICE("32MB"), &bytes) && bytes == 32u << 20);
    EXPECT(units_size(SLICE("1.5KiB"), &bytes) && bytes == 1536);
    EXPECT(!units_size(SLICE("32"), &bytes) && !units_size(SLICE("32M"), &bytes));
    units_print_duration(90000, text, sizeof text);
    EXPECT_STR("90s", text);
    units_print_duration(0, text, sizeof text);
    EXPECT_STR("0s", text);
    units_print_size(32u << 20, text, sizeof text);
    EXPECT_STR("32MB", text);
}

static void near_words_are_found(void)
{
    static const char *const words[] = {"listen", "limits", "providers"};
    EXPECT_STR("providers", nearest_word(SLICE("provider"), words, 3));
    EXPECT_STR("listen", nearest_word(SLICE("litsen"), words, 3));
    EXPECT_STR("limits", nearest_word(SLICE("limit"), words, 3));
    EXPECT(nearest_word(SLICE("zebra"), words, 3) == NULL);
    EXPECT(nearest_word(SLICE(""), words, 3) == NULL);
}

static void places_survive_any_text(void)
{
    for (size_t cut = 0; cut <= sizeof whole; cut++) {
        struct places p;
        places_init(&p);
        char *copy = malloc(cut ? cut : 1); /* so that a read past the end is seen */
        memcpy(copy, whole, cut);
        places_scan(&p, slice_of(copy, cut));
        free(copy);
        places_clear(&p);
    }
    struct places p;
    bool is_exact;
    places_init(&p);
    places_scan(
        &p,
        SLICE("-- return { a = 1 }\nreturn { --[[ b ]] a = [==[ }{ ]==],\n ['b'] = { c = f({1}, 2), d = 'x\\'}' } }"));
    const struct place *found = places_find(&p, SLICE("b.d"), &is_exact);
    EXPECT(found && is_exact && found->key_line == 3 && found->key_column == 27);
    found = places_find(&p, SLICE("b.zzz.y"), &is_exact);
    EXPECT(found && !is_exact && found->key_line == 3 && found->key_column == 2);
    EXPECT(places_find(&p, SLICE("none"), NULL) == NULL);
    places_clear(&p);
}

int main(void)
{
    if (!mkdtemp(dir)) return 1;
    snprintf(path, sizeof path, "%s/moongate.lua", dir);
    RUN(an_empty_table_has_every_default);
    RUN(every_field_arrives_also_in_another_process);
    RUN(services_are_listed_by_origin);
    RUN(what_is_wrong_with_a_service_is_said);
    RUN(what_is_wrong_is_said_with_its_place_and_cure);
    RUN(a_wrong_provider_is_refused);
    RUN(a_providers_headers_are_checked);
    RUN(lists_arrive_also_in_another_process);
    RUN(all_errors_come_at_once);
    RUN(what_the_file_does_is_bounded);
    RUN(nothing_of_the_outside_is_in_reach);
    RUN(the_environment_overrides_the_file);
    RUN(durations_and_sizes_are_exact);
    RUN(near_words_are_found);
    RUN(places_survive_any_text);
    static const char *const made[] = {"secret", "ca.pem", "moongate.lua"};
    for (size_t i = 0; i < sizeof made / sizeof made[0]; i++) {
        char name[96];
        snprintf(name, sizeof name, "%s/%s", dir, made[i]);
        unlink(name);
    }
    rmdir(dir);
    return unit_close("config");
}

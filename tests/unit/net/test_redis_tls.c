/* A Redis behind TLS: whom we believe, and what we show of ourselves. */
#include "base/limits.h"
#include "base/mem.h"
#include "certificates.h"
#include "redis_client.h"

static struct redis_server server;
static unsigned port;

static char *path_of(const char *name)
{
    static char paths[8][64];
    static unsigned turn;
    char *path = paths[turn++ % 8];
    snprintf(path, sizeof paths[0], "%s/%s", server.dir, name);
    return path;
}

static void start(const char *certificate, const char *key, const char *clients)
{
    char number[8];
    snprintf(number, sizeof number, "%u", port);
    const char *const settings[] = {"--tls-port", number, "--tls-cert-file", path_of(certificate), "--tls-key-file",
                                    path_of(key), "--tls-ca-cert-file", path_of("ca.pem"), "--tls-auth-clients",
                                    clients, NULL};
    redis_server_again(&server, settings);
}

static void prepare(void)
{
    struct authority ca, other;
    redis_server_folder(&server);
    port = redis_free_port();
    authority_make(&ca, server.dir, "ca");
    authority_make(&other, server.dir, "other");
    authority_sign(&ca, server.dir, "numbered", "IP:127.0.0.1");
    authority_sign(&ca, server.dir, "named", "DNS:localhost");
    authority_sign(&ca, server.dir, "client", NULL);
    authority_sign(&other, server.dir, "stranger", NULL);
    authority_clear(&ca);
    authority_clear(&other);
}

/* "" when it is let in, and what is said otherwise. */
static const char *entry(const char *host, const char *options)
{
    static char said[FAULT_TEXT_BYTES];
    struct client c;
    char url[512];
    snprintf(url, sizeof url, "rediss://%s:%u/0%s", host, port, options);
    client_open(&c, url);
    WAIT(c.ready || c.down);
    snprintf(said, sizeof said, "%s", c.ready ? "" : c.why.text);
    client_close(&c);
    return said;
}

static const char *with_files(const char *ca, const char *certificate)
{
    static char options[256];
    char more[192] = "";
    if (certificate)
        snprintf(more, sizeof more, "&cert=%s/%s.pem&key=%s/%s.key", server.dir, certificate, server.dir, certificate);
    snprintf(options, sizeof options, "?ca=%s/%s.pem%s", server.dir, ca, more);
    return options;
}

static void certificates_are_verified(void)
{
    start("numbered.pem", "numbered.key", "no");
    EXPECT_STR("", entry("127.0.0.1", with_files("ca", NULL)));
    EXPECT(strstr(entry("127.0.0.1", with_files("other", NULL)), "certificate is not trusted") != NULL);
    EXPECT(strstr(entry("127.0.0.1", ""), "certificate is not trusted") != NULL);
    EXPECT(strstr(entry("localhost", with_files("ca", NULL)), "mismatch") != NULL);
    redis_server_kill(&server, SIGKILL);
}

static void certificates_are_for_names(void)
{
    start("named.pem", "named.key", "no");
    EXPECT_STR("", entry("localhost", with_files("ca", NULL)));
    EXPECT(strstr(entry("127.0.0.1", with_files("ca", NULL)), "mismatch") != NULL);
    redis_server_kill(&server, SIGKILL);
}

static void we_show_who_we_are(void)
{
    start("numbered.pem", "numbered.key", "yes");
    EXPECT_STR("", entry("127.0.0.1", with_files("ca", "client")));
    EXPECT(strstr(entry("127.0.0.1", with_files("ca", NULL)), "TLS: ") != NULL);
    EXPECT(strstr(entry("127.0.0.1", with_files("ca", "stranger")), "TLS: ") != NULL);
    redis_server_kill(&server, SIGKILL);
}

/* Records are no pieces of replies: what is deciphered already must be read although the socket has nothing. */
static void much_passes_both_ways(void)
{
    static struct got got[64];
    struct client c;
    char url[256];
    char *text = mem_alloc(48 * KIB + 1);
    memset(text, 'x', 48 * KIB);
    text[48 * KIB] = '\0';
    memset(got, 0, sizeof got);
    start("numbered.pem", "numbered.key", "no");
    snprintf(url, sizeof url, "rediss://127.0.0.1:%u/0%s", port, with_files("ca", NULL));
    client_open(&c, url);
    for (int i = 0; i < 64; i++) {
        const struct slice args[] = {SLICE("ECHO"), slice_of(text, 48 * KIB)};
        struct redis_question q = {.args = args, .arg_count = 2, .timeout_ms = 30000, .fn = client_on_answer};
        q.arg = &got[i];
        EXPECT_INT(REDIS_TAKEN, redis_ask(c.redis, &q));
    }
    WAIT(got[63].answers);
    for (int i = 0; i < 64; i++)
        EXPECT(got[i].kind == REDIS_TEXT && got[i].text[100] == 'x');
    redis_server_kill(&server, SIGKILL);
    WAIT(c.down);
    client_close(&c);
    mem_free(text);
}

static void who_speaks_no_tls_is_refused(void)
{
    char number[8];
    snprintf(number, sizeof number, "%u", port);
    const char *const settings[] = {"--port", number, NULL};
    redis_server_again(&server, settings);
    EXPECT(entry("127.0.0.1", with_files("ca", NULL))[0] != '\0');
    redis_server_kill(&server, SIGKILL);
}

static void files_are_looked_at_first(void)
{
    struct fault why = {0};
    char url[512];
    snprintf(url, sizeof url, "rediss://localhost/0%s", with_files("ca", "client"));
    EXPECT(redis_check(url, &why));
    snprintf(url, sizeof url, "rediss://localhost/0?ca=%s/client.key", server.dir);
    EXPECT(!redis_check(url, &why));
    EXPECT(strstr(fault_message(&why), "client.key") != NULL);
    snprintf(url, sizeof url, "rediss://localhost/0?cert=%s/client.pem&key=%s/stranger.key", server.dir, server.dir);
    EXPECT(!redis_check(url, &why));
}

/* A worker begins while its certificates are being renewed. */
static void files_that_come_later_are_used(void)
{
    struct client c;
    struct got got = {0};
    char url[512], from[64], to[64];
    snprintf(from, sizeof from, "%s", path_of("ca.pem"));
    snprintf(to, sizeof to, "%s", path_of("late.pem"));
    start("numbered.pem", "numbered.key", "no");
    snprintf(url, sizeof url, "rediss://127.0.0.1:%u/0%s", port, with_files("late", NULL));
    client_open(&c, url);
    if (!c.redis) return;
    WAIT(c.down);
    EXPECT(strstr(c.why.text, "late.pem") != NULL);
    EXPECT(strstr(redis_status(c.redis).why, "late.pem") != NULL);
    EXPECT_INT(REDIS_DOWN, client_ask(&c, &got, 1000, "PING"));
    EXPECT_INT(0, link(from, to));
    WAIT(c.ready);
    EXPECT_INT(REDIS_TAKEN, client_ask(&c, &got, 10000, "PING"));
    WAIT(got.answers);
    EXPECT_INT(1, c.down);
    client_close(&c);
    redis_server_kill(&server, SIGKILL);
}

/* An authority that is renewed while nobody can be reached, and one that is away for a moment. */
static void files_that_are_replaced_are_read_again(void)
{
    struct client c;
    char url[512], from[64], to[64];
    snprintf(to, sizeof to, "%s", path_of("renewed.pem"));
    start("numbered.pem", "numbered.key", "no");
    EXPECT_INT(0, link(path_of("other.pem"), to));
    snprintf(url, sizeof url, "rediss://127.0.0.1:%u/0%s", port, with_files("renewed", NULL));
    client_open(&c, url);
    if (!c.redis) return;
    WAIT(c.down);
    EXPECT(strstr(c.why.text, "certificate is not trusted") != NULL);
    snprintf(from, sizeof from, "%s", path_of("next.pem"));
    EXPECT_INT(0, link(path_of("ca.pem"), from));
    EXPECT_INT(0, rename(from, to));
    WAIT(c.ready);
    c.down = 0;
    EXPECT_INT(0, unlink(to));
    redis_server_kill(&server, SIGKILL);
    WAIT(c.down);
    c.ready = 0;
    start("numbered.pem", "numbered.key", "no");
    WAIT(c.ready);
    client_close(&c);
    redis_server_kill(&server, SIGKILL);
}

int main(void)
{
    client_prepare();
    prepare();
    RUN(certificates_are_verified);
    RUN(certificates_are_for_names);
    RUN(we_show_who_we_are);
    RUN(much_passes_both_ways);
    RUN(who_speaks_no_tls_is_refused);
    RUN(files_are_looked_at_first);
    RUN(files_that_come_later_are_used);
    RUN(files_that_are_replaced_are_read_again);
    redis_server_end(&server);
    return unit_close("redis_tls");
}

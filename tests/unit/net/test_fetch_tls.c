/* Calls over TLS: what a handle knows of a provider serves the others, and nobody is trusted more for it. */
#include "net/fetch.h"

#include <openssl/pem.h>
#include <openssl/x509v3.h>
#include <stdlib.h>

#include "caller.h"

#define CA_TEMPLATE "/tmp/moongate-ca-XXXXXX"

/* --- certificates --- */

static void add_extension(X509 *cert, int nid, const char *value)
{
    X509V3_CTX ctx;
    X509V3_set_ctx_nodb(&ctx);
    X509V3_set_ctx(&ctx, cert, cert, NULL, NULL, 0);
    X509_EXTENSION *extension = X509V3_EXT_conf_nid(NULL, &ctx, nid, value);
    EXPECT_INT(1, X509_add_ext(cert, extension, -1));
    X509_EXTENSION_free(extension);
}

/* Signed by itself, for 127.0.0.1. */
static X509 *make_certificate(EVP_PKEY *key)
{
    X509 *cert = X509_new();
    X509_NAME *name = X509_get_subject_name(cert);
    X509_set_version(cert, X509_VERSION_3);
    ASN1_INTEGER_set(X509_get_serialNumber(cert), 1);
    X509_gmtime_adj(X509_getm_notBefore(cert), -3600);
    X509_gmtime_adj(X509_getm_notAfter(cert), 3600);
    X509_NAME_add_entry_by_txt(name, "CN", MBSTRING_ASC, (const unsigned char *)"moongate-test", -1, -1, 0);
    X509_set_issuer_name(cert, name);
    X509_set_pubkey(cert, key);
    add_extension(cert, NID_basic_constraints, "critical,CA:TRUE");
    add_extension(cert, NID_subject_alt_name, "IP:127.0.0.1");
    EXPECT(X509_sign(cert, key, EVP_sha256()) > 0);
    return cert;
}

static void write_certificate(X509 *cert, char *path)
{
    memcpy(path, CA_TEMPLATE, sizeof CA_TEMPLATE);
    FILE *file = fdopen(mkstemp(path), "w");
    EXPECT_INT(1, PEM_write_X509(file, cert));
    fclose(file);
}

/* With a key and a certificate of its own; path becomes the file to trust it by. */
static SSL_CTX *make_context(char *path)
{
    SSL_CTX *tls = SSL_CTX_new(TLS_server_method());
    EVP_PKEY *key = EVP_EC_gen("P-256");
    X509 *cert = make_certificate(key);
    EXPECT_INT(1, SSL_CTX_use_certificate(tls, cert));
    EXPECT_INT(1, SSL_CTX_use_PrivateKey(tls, key));
    write_certificate(cert, path);
    X509_free(cert);
    EVP_PKEY_free(key);
    return tls;
}

/* --- two connections at once --- */

static int resumed; /* handshakes that took up a session */

static void note_handshake(const struct up_conn *c)
{
    if (c->ssl && SSL_session_reused(c->ssl)) resumed++;
}

/* The first answer is open while the second is asked for, so that each has a handle and a connection of its own. */
static void serve_two(struct upstream *u)
{
    struct up_conn first = up_accept(u);
    note_handshake(&first);
    up_answer(&first, "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhe");
    struct up_conn second = up_accept(u);
    note_handshake(&second);
    if (second.ssl) up_answer(&second, UP_OK);
    up_send(&first, "llo");
    up_fin(&second);
    up_fin(&first);
}

static struct call *next; /* begins with the first bytes of the one before */

static void start_next(struct call *c)
{
    (void)c;
    struct call *call = next;
    next = NULL;
    if (call) call_go(call);
}

static void init_tls(struct world *w, struct call *c, const char *ca_file)
{
    call_init(w, c);
    snprintf(c->url, sizeof c->url, "https://127.0.0.1:%d/v1/x", w->up.port);
    c->request.ca_file = ca_file;
}

static void run_two(struct world *w, struct call *first, struct call *second)
{
    resumed = 0;
    next = second;
    first->on_data = start_next;
    call_go(first);
    world_run(w);
    up_join(&w->up);
}

static void a_session_serves_every_handle(void)
{
    struct world w;
    struct call first, second;
    char ca[sizeof CA_TEMPLATE];
    world_open(&w, serve_two);
    w.up.tls = make_context(ca);
    init_tls(&w, &first, ca);
    init_tls(&w, &second, ca);
    run_two(&w, &first, &second);
    EXPECT(first.complete);
    EXPECT(second.complete);
    EXPECT_SLICE(SLICE("hello"), buf_slice(&second.body));
    EXPECT_INT(2, w.up.accepted);
    EXPECT_INT(1, resumed);
    unlink(ca);
    call_clear(&first);
    call_clear(&second);
    world_close(&w);
}

/* A session stands for a certificate that was verified: who trusts others must not take it up. */
static void a_session_is_nothing_to_who_trusts_others(void)
{
    struct world w;
    struct call first, second;
    char ca[sizeof CA_TEMPLATE], other[sizeof CA_TEMPLATE];
    world_open(&w, serve_two);
    w.up.tls = make_context(ca);
    SSL_CTX_free(make_context(other));
    init_tls(&w, &first, ca);
    init_tls(&w, &second, other);
    run_two(&w, &first, &second);
    EXPECT(first.complete);
    EXPECT_INT(0, second.heads);
    EXPECT_INT(FAULT_UPSTREAM_TLS, second.code);
    EXPECT_INT(0, resumed);
    unlink(ca);
    unlink(other);
    call_clear(&first);
    call_clear(&second);
    world_close(&w);
}

int main(void)
{
    signal(SIGPIPE, SIG_IGN);
    RUN(a_session_serves_every_handle);
    RUN(a_session_is_nothing_to_who_trusts_others);
    return unit_close("fetch_tls");
}

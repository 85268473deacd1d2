#include "net/tls.h"

#include <arpa/inet.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <unistd.h>

#include <openssl/err.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>

#include "base/check.h"
#include "base/mem.h"
#include "net/transport.h"

/* A file, and what it was when it was read. */
struct source {
    char *path; /* NULL: none */
    struct stat was;
};

struct tls {
    SSL_CTX *context;
    struct source ca, cert, key;
};

/* Of one connection. */
struct session {
    SSL *ssl;
    char why[160];
};

/* ---- Bytes. */

static void note_why(struct session *s)
{
    long verdict = SSL_get_verify_result(s->ssl);
    const char *said = ERR_reason_error_string(ERR_peek_error());
    if (verdict != X509_V_OK) {
        snprintf(s->why, sizeof s->why, "its certificate is not trusted: %s", X509_verify_cert_error_string(verdict));
    } else if (said) {
        snprintf(s->why, sizeof s->why, "TLS: %s", said);
    }
}

static long outcome(struct session *s, int n)
{
    if (n > 0) return n;
    switch (SSL_get_error(s->ssl, n)) {
    case SSL_ERROR_WANT_READ:
    case SSL_ERROR_WANT_WRITE: return TRANSPORT_AGAIN;
    case SSL_ERROR_ZERO_RETURN: return 0;
    default: note_why(s); return TRANSPORT_BROKEN;
    }
}

static int piece_of(size_t size)
{
    return size < INT32_MAX ? (int)size : INT32_MAX;
}

/* What the socket has and what is deciphered already differ: only a read that finds nothing has drained both. */
static long tls_read(struct transport *t, void *to, size_t size, bool *is_drained)
{
    struct session *s = t->state;
    ERR_clear_error();
    long n = outcome(s, SSL_read(s->ssl, to, piece_of(size)));
    *is_drained = n == TRANSPORT_AGAIN;
    return n;
}

static long tls_writev(struct transport *t, const struct iovec *parts, int count)
{
    struct session *s = t->state;
    long written = 0;
    for (int i = 0; i < count; i++) {
        if (parts[i].iov_len == 0) continue;
        ERR_clear_error();
        long n = outcome(s, SSL_write(s->ssl, parts[i].iov_base, piece_of(parts[i].iov_len)));
        if (n <= 0) return written ? written : n ? n : TRANSPORT_BROKEN;
        written += n;
        if ((size_t)n < parts[i].iov_len) break;
    }
    return written;
}

static bool tls_finish(struct transport *t)
{
    struct session *s = t->state;
    ERR_clear_error();
    return SSL_shutdown(s->ssl) >= 0;
}

static void tls_close(struct transport *t, bool is_reset)
{
    struct session *s = t->state;
    if (t->fd < 0) return;
    if (is_reset) {
        struct linger none = {.l_onoff = 1, .l_linger = 0};
        setsockopt(t->fd, SOL_SOCKET, SO_LINGER, &none, sizeof none);
    }
    SSL_free(s->ssl);
    close(t->fd);
    mem_free(s);
    t->state = NULL;
    t->fd = -1;
}

static const struct transport_kind kind = {tls_read, tls_read, tls_writev, tls_finish, tls_close};

const char *tls_why(const struct transport *t)
{
    const struct session *s = t->kind == &kind ? t->state : NULL;
    return s && s->why[0] ? s->why : NULL;
}

/* ---- One connection. */

static bool is_address(const char *host)
{
    unsigned char address[sizeof(struct in6_addr)];
    return inet_pton(AF_INET, host, address) == 1 || inet_pton(AF_INET6, host, address) == 1;
}

static bool expect_host(SSL *ssl, const char *host)
{
    if (is_address(host)) return X509_VERIFY_PARAM_set1_ip_asc(SSL_get0_param(ssl), host) == 1;
    return SSL_set1_host(ssl, host) == 1 && SSL_set_tlsext_host_name(ssl, host) == 1;
}

bool transport_tls(struct transport *t, struct tls *tls, int fd, const char *host)
{
    SSL *ssl = SSL_new(tls->context);
    if (!ssl || !expect_host(ssl, host) || SSL_set_fd(ssl, fd) != 1) {
        SSL_free(ssl);
        return false;
    }
    SSL_set_connect_state(ssl);
    struct session *s = mem_zalloc(1, sizeof *s);
    s->ssl = ssl;
    *t = (struct transport){.kind = &kind, .state = s, .fd = fd};
    return true;
}

/* ---- Whom we trust. */

static bool refuse_file(const char *what, const char *path, struct fault *why)
{
    const char *said = ERR_reason_error_string(ERR_peek_error());
    return fault_set(why, FAULT_INTERNAL, "%s %s: %s", what, path, said ? said : "cannot be used");
}

static bool load(SSL_CTX *context, const char *ca, const char *cert, const char *key, struct fault *why)
{
    ERR_clear_error();
    if (ca && SSL_CTX_load_verify_file(context, ca) != 1) return refuse_file("certificates of the CA", ca, why);
    if (!ca && SSL_CTX_set_default_verify_paths(context) != 1)
        return fault_set(why, FAULT_INTERNAL, "this system's trusted certificates cannot be read");
    if (!cert) return true;
    if (SSL_CTX_use_certificate_chain_file(context, cert) != 1) return refuse_file("certificate", cert, why);
    if (SSL_CTX_use_PrivateKey_file(context, key, SSL_FILETYPE_PEM) != 1) return refuse_file("key", key, why);
    return true;
}

/* Before it is read: what is written meanwhile is a change. */
static void note_source(struct source *source, const char *path)
{
    if (!path) return;
    source->path = mem_strndup(path, strlen(path));
    if (stat(path, &source->was) != 0) memset(&source->was, 0, sizeof source->was);
}

/* One that is away is none: it is being replaced. */
static bool is_other(const struct source *source)
{
    struct stat now;
    const struct stat *was = &source->was;
    if (!source->path || stat(source->path, &now) != 0) return false;
    return now.st_dev != was->st_dev || now.st_ino != was->st_ino || now.st_size != was->st_size ||
           now.st_mtim.tv_sec != was->st_mtim.tv_sec || now.st_mtim.tv_nsec != was->st_mtim.tv_nsec;
}

bool tls_is_stale(const struct tls *tls)
{
    return is_other(&tls->ca) || is_other(&tls->cert) || is_other(&tls->key);
}

/* A key with a passphrase would ask for it at the terminal. */
static int no_passphrase(char *to, int size, int is_writing, void *arg)
{
    (void)to, (void)size, (void)is_writing, (void)arg;
    return -1;
}

struct tls *tls_new(const char *ca_file, const char *cert_file, const char *key_file, struct fault *why)
{
    struct tls *tls = mem_zalloc(1, sizeof *tls);
    tls->context = SSL_CTX_new(TLS_client_method());
    check(tls->context && SSL_CTX_set_min_proto_version(tls->context, TLS1_2_VERSION) == 1);
    SSL_CTX_set_verify(tls->context, SSL_VERIFY_PEER, NULL);
    SSL_CTX_set_mode(tls->context, SSL_MODE_ENABLE_PARTIAL_WRITE | SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER);
    SSL_CTX_set_default_passwd_cb(tls->context, no_passphrase);
    note_source(&tls->ca, ca_file);
    note_source(&tls->cert, cert_file);
    note_source(&tls->key, key_file);
    if (load(tls->context, ca_file, cert_file, key_file, why)) return tls;
    tls_free(tls);
    return NULL;
}

void tls_free(struct tls *tls)
{
    if (!tls) return;
    SSL_CTX_free(tls->context);
    mem_free(tls->ca.path);
    mem_free(tls->cert.path);
    mem_free(tls->key.path);
    mem_free(tls);
}

/* A real PostgreSQL behind TLS: who it is counts where the connection string says so. */
#include <arpa/inet.h>
#include <openssl/pem.h>
#include <openssl/x509v3.h>
#include <sys/socket.h>

#include "ship_kit.h"

static void path_of(char path[96], const char *name)
{
    snprintf(path, 96, "%s/%s", server_dir, name);
}

static X509 *make_certificate(EVP_PKEY *key)
{
    X509 *cert = X509_new();
    X509_NAME *name = X509_get_subject_name(cert);
    X509_EXTENSION *names = X509V3_EXT_conf_nid(NULL, NULL, NID_subject_alt_name, "DNS:localhost");
    X509_set_version(cert, X509_VERSION_3);
    ASN1_INTEGER_set(X509_get_serialNumber(cert), 1);
    X509_gmtime_adj(X509_getm_notBefore(cert), -3600);
    X509_gmtime_adj(X509_getm_notAfter(cert), 3600);
    X509_NAME_add_entry_by_txt(name, "CN", MBSTRING_ASC, (const unsigned char *)"db", -1, -1, 0);
    X509_set_issuer_name(cert, name);
    X509_set_pubkey(cert, key);
    EXPECT_INT(1, X509_add_ext(cert, names, -1));
    X509_EXTENSION_free(names);
    EXPECT(X509_sign(cert, key, EVP_sha256()) > 0);
    return cert;
}

/* The server reads its key only where it is its own. */
static FILE *create(const char *name)
{
    char path[96];
    struct stat owner;
    path_of(path, name);
    umask(077);
    FILE *file = fopen(path, "w");
    EXPECT(stat(server_dir, &owner) == 0 && fchown(fileno(file), owner.st_uid, owner.st_gid) == 0);
    return file;
}

static void write_pair(const char *certificate, const char *private_key)
{
    EVP_PKEY *key = EVP_EC_gen("P-256");
    X509 *cert = make_certificate(key);
    FILE *file = create(certificate);
    EXPECT_INT(1, PEM_write_X509(file, cert));
    fclose(file);
    file = create(private_key);
    EXPECT_INT(1, PEM_write_PrivateKey(file, key, NULL, NULL, 0, NULL, NULL));
    fclose(file);
    X509_free(cert);
    EVP_PKEY_free(key);
}

static unsigned free_port(void)
{
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t len = sizeof address;
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    EXPECT(bind(fd, (struct sockaddr *)&address, len) == 0 && getsockname(fd, (struct sockaddr *)&address, &len) == 0);
    close(fd);
    return ntohs(address.sin_port);
}

/* The same cluster, now with TLS on a port. */
static void serve_tls(void)
{
    FILE *file;
    char path[96];
    server_kill(SIGINT);
    write_pair("server.pem", "server.key");
    write_pair("other.pem", "other.key");
    path_of(path, "data/postgresql.auto.conf");
    file = fopen(path, "a");
    fprintf(file, "ssl = on\nssl_cert_file = '%s/server.pem'\nssl_key_file = '%s/server.key'\n", server_dir, server_dir);
    fclose(file);
    server_port = free_port();
    server_start("listen_addresses=127.0.0.1");
}

/* `word` of the reason; NULL: all is shipped. */
static void connect_as(struct ledger *l, const char *host, const char *root, const char *word)
{
    char conninfo[320];
    struct shipping s;
    snprintf(conninfo, sizeof conninfo, "postgresql://moongate:secret@%s:%u/moongate?hostaddr=%s&sslmode=verify-full&"
             "sslrootcert=%s/%s", host, server_port, strcmp(host, "localhost") ? "127.0.0.1" : "", server_dir, root);
    begin(&s, (struct ship_options){.conninfo = conninfo});
    if (word) {
        wait_failing_with(&s, word);
    } else {
        wait_shipped(&s, head_of(l));
        EXPECT_STR("t", server_ask("SELECT ssl FROM pg_stat_ssl JOIN pg_stat_activity USING (pid) "
                                   "WHERE application_name = 'moongate gw-1'"));
        expect_same();
    }
    end(&s);
}

static void a_server_is_verified(void)
{
    fresh();
    struct ledger *l = kit_open();
    fill(l, 1, 3000);
    connect_as(l, "localhost", "other.pem", "certificate verify failed");
    connect_as(l, "db.example", "server.pem", "does not match host name");
    connect_as(l, "localhost", "nowhere.pem", "nowhere.pem");
    connect_as(l, "localhost", "server.pem", NULL); /* its name is looked up, and is what is verified */
    ledger_close(l);
}

int main(void)
{
    setenv("MOONGATE_LOG", "error", 0);
    log_init("ship");
    server_start(NULL);
    serve_tls();
    RUN(a_server_is_verified);
    kit_end();
    server_end();
    return unit_close("ship_tls");
}

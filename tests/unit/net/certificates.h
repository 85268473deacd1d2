/*
 * A certificate authority of a test's own, and what it signs, as files in a folder. For test_redis_tls.c.
 *
 *     struct authority ca;
 *     authority_make(&ca, dir, "ca");                       // dir/ca.pem
 *     authority_sign(&ca, dir, "server", "IP:127.0.0.1");   // dir/server.pem, dir/server.key
 *     authority_clear(&ca);
 */
#ifndef MOONGATE_TESTS_CERTIFICATES_H
#define MOONGATE_TESTS_CERTIFICATES_H

#include <openssl/pem.h>
#include <openssl/x509v3.h>

#include "../unit.h"

struct authority {
    EVP_PKEY *key;
    X509 *cert;
};

static inline FILE *certificate_file(const char *dir, const char *name, const char *suffix)
{
    char path[160];
    snprintf(path, sizeof path, "%s/%s.%s", dir, name, suffix);
    return fopen(path, "w");
}

/* issuer NULL: of itself, and an authority. */
static inline X509 *certificate_make(EVP_PKEY *key, const struct authority *issuer, const char *names)
{
    X509 *cert = X509_new();
    X509V3_CTX context;
    const char *values[] = {issuer ? "critical,CA:FALSE" : "critical,CA:TRUE", names};
    const int kinds[] = {NID_basic_constraints, NID_subject_alt_name};
    X509_set_version(cert, X509_VERSION_3);
    ASN1_INTEGER_set(X509_get_serialNumber(cert), issuer ? 2 : 1);
    X509_gmtime_adj(X509_getm_notBefore(cert), -3600);
    X509_gmtime_adj(X509_getm_notAfter(cert), 3600);
    X509_NAME_add_entry_by_txt(X509_get_subject_name(cert), "CN", MBSTRING_ASC,
                               (const unsigned char *)(issuer ? "moongate-leaf" : "moongate-ca"), -1, -1, 0);
    X509_set_issuer_name(cert, X509_get_subject_name(issuer ? issuer->cert : cert));
    X509_set_pubkey(cert, key);
    X509V3_set_ctx_nodb(&context);
    X509V3_set_ctx(&context, issuer ? issuer->cert : cert, cert, NULL, NULL, 0);
    for (int i = 0; i < 2 && values[i]; i++) {
        X509_EXTENSION *extension = X509V3_EXT_conf_nid(NULL, &context, kinds[i], values[i]);
        X509_add_ext(cert, extension, -1);
        X509_EXTENSION_free(extension);
    }
    EXPECT(X509_sign(cert, issuer ? issuer->key : key, EVP_sha256()) > 0);
    return cert;
}

static inline void certificate_write(X509 *cert, const char *dir, const char *name)
{
    FILE *file = certificate_file(dir, name, "pem");
    EXPECT_INT(1, PEM_write_X509(file, cert));
    fclose(file);
}

static inline void authority_make(struct authority *a, const char *dir, const char *name)
{
    a->key = EVP_EC_gen("P-256");
    a->cert = certificate_make(a->key, NULL, NULL);
    certificate_write(a->cert, dir, name);
}

static inline void authority_sign(const struct authority *a, const char *dir, const char *name, const char *names)
{
    EVP_PKEY *key = EVP_EC_gen("P-256");
    X509 *cert = certificate_make(key, a, names);
    certificate_write(cert, dir, name);
    FILE *file = certificate_file(dir, name, "key");
    EXPECT_INT(1, PEM_write_PrivateKey(file, key, NULL, NULL, 0, NULL, NULL));
    fclose(file);
    X509_free(cert);
    EVP_PKEY_free(key);
}

static inline void authority_clear(struct authority *a)
{
    X509_free(a->cert);
    EVP_PKEY_free(a->key);
}

#endif

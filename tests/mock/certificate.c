#include "certificate.h"

#include <errno.h>
#include <openssl/ec.h>
#include <openssl/pem.h>
#include <openssl/x509v3.h>
#include <string.h>

#define LIFE_S (24 * 3600)

static bool add_extension(X509 *cert, int nid, const char *value)
{
    X509V3_CTX ctx;
    X509V3_set_ctx_nodb(&ctx);
    X509V3_set_ctx(&ctx, cert, cert, NULL, NULL, 0);
    X509_EXTENSION *extension = X509V3_EXT_conf_nid(NULL, &ctx, nid, value);
    bool is_added = extension && X509_add_ext(cert, extension, -1) == 1;
    X509_EXTENSION_free(extension);
    return is_added;
}

static X509 *make(EVP_PKEY *key)
{
    X509 *cert = X509_new();
    X509_NAME *name = X509_get_subject_name(cert);
    X509_set_version(cert, X509_VERSION_3);
    ASN1_INTEGER_set(X509_get_serialNumber(cert), (long)time(NULL));
    X509_gmtime_adj(X509_getm_notBefore(cert), -3600);
    X509_gmtime_adj(X509_getm_notAfter(cert), LIFE_S);
    X509_NAME_add_entry_by_txt(name, "CN", MBSTRING_ASC, (const unsigned char *)"moongate-mock", -1, -1, 0);
    X509_set_issuer_name(cert, name);
    X509_set_pubkey(cert, key);
    bool is_good = add_extension(cert, NID_basic_constraints, "critical,CA:TRUE") &&
                   add_extension(cert, NID_subject_alt_name, "IP:127.0.0.1,DNS:localhost") &&
                   add_extension(cert, NID_subject_key_identifier, "hash") && X509_sign(cert, key, EVP_sha256()) > 0;
    if (is_good) return cert;
    X509_free(cert);
    return NULL;
}

static bool save(X509 *cert, const char *path, struct fault *why)
{
    FILE *file = fopen(path, "we");
    if (!file) return fault_set(why, FAULT_INTERNAL, "%s: %s", path, strerror(errno));
    bool is_written = PEM_write_X509(file, cert) == 1;
    if (fclose(file) != 0) is_written = false;
    return is_written || fault_set(why, FAULT_INTERNAL, "%s could not be written", path);
}

SSL_CTX *certificate_context(const char *ca_path, struct fault *why)
{
    SSL_CTX *tls = SSL_CTX_new(TLS_server_method());
    EVP_PKEY *key = EVP_EC_gen("P-256");
    X509 *cert = key ? make(key) : NULL;
    bool is_good = cert && SSL_CTX_use_certificate(tls, cert) == 1 && SSL_CTX_use_PrivateKey(tls, key) == 1;
    if (!is_good)
        fault_set(why, FAULT_INTERNAL, "no certificate could be made");
    else
        is_good = save(cert, ca_path, why);
    X509_free(cert);
    EVP_PKEY_free(key);
    if (is_good) return tls;
    SSL_CTX_free(tls);
    return NULL;
}

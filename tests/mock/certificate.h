/*
 * A certificate for 127.0.0.1 and localhost, made at start and good for a day; it is its own authority.
 *
 *     SSL_CTX *tls = certificate_context("work/ca.pem", &why);    // clients verify with that file
 */
#ifndef MOONGATE_MOCK_CERTIFICATE_H
#define MOONGATE_MOCK_CERTIFICATE_H

#include <openssl/ssl.h>

#include "base/fault.h"

/* Writes the certificate to ca_path. NULL with the reason when anything fails. */
SSL_CTX *certificate_context(const char *ca_path, struct fault *why);

#endif

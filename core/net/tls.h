/*
 * TLS to a server as a transport: whom we trust and what we show of ourselves, and one connection by it.
 *
 *     struct tls *tls = tls_new(ca_file, cert_file, key_file, &why);      // once, for many connections
 *     if (!transport_tls(&t, tls, fd, "redis.example")) …                 // takes the descriptor only when true
 *     … transport_read(&t, …) …  BROKEN: tls_why(&t)                      // the handshake happens in reads and writes
 *     tls_free(tls);                                                      // connections keep what they need of it
 *
 * A certificate must verify and be for the name (or the address) that was asked for: nothing turns that off. TLS 1.2
 * at least. Writes may raise SIGPIPE, which the process ignores. Providers are spoken to by curl (net/fetch.h).
 */
#ifndef MOONGATE_NET_TLS_H
#define MOONGATE_NET_TLS_H

#include <stdbool.h>

#include "base/fault.h"

struct tls;
struct transport;

/* Files in PEM. ca_file NULL: whom the system trusts. cert_file, key_file: both, or NULL and nothing is shown. */
struct tls *tls_new(const char *ca_file, const char *cert_file, const char *key_file, struct fault *why);
void tls_free(struct tls *tls); /* NULL is welcome */
/* Has one of its files been replaced, or written, since? The system's are not looked at. */
bool tls_is_stale(const struct tls *tls);

/* fd: a non-blocking stream socket, also one that is still connecting. */
bool transport_tls(struct transport *t, struct tls *tls, int fd, const char *host);
/* Why it is broken, as far as TLS knows; NULL when the connection itself is. Until transport_close(). */
const char *tls_why(const struct transport *t);

#endif

/*
 * A signature by an SSH key over a file, as `ssh-keygen -Y sign` writes it (OpenSSH, PROTOCOL.sshsig).
 *
 *     struct sshsig sig;
 *     if (!sshsig_read(text, &arena, &sig, &why)) …                       // the armored text, whole
 *     if (!sshsig_verify(&sig, message, SLICE("moongate-bundle"), &why)) …
 *     … whose key is sig.key? store/sshsig/signers.h
 *
 * Read strictly: each signature has one text, of which no byte may be another, missing or more. Taken are ssh-ed25519,
 * sk-ssh-ed25519@openssh.com (touched: OpenSSH, PROTOCOL.u2f), ecdsa-sha2-nistp256, and of RSA keys of 3072 bits or
 * more rsa-sha2-512 and rsa-sha2-256. A good signature says that who has the key signed these bytes for this namespace,
 * and nothing of whether anybody trusts the key.
 *
 * Bounds: LIMIT_SSHSIG_BYTES of text. *why says what is wrong in one sentence, for people.
 */
#ifndef MOONGATE_STORE_SSHSIG_H
#define MOONGATE_STORE_SSHSIG_H

#include <stdbool.h>

#include "base/arena.h"
#include "base/fault.h"
#include "base/slice.h"

struct sshsig {
    struct slice key;       /* the public key as it is on the wire (RFC 4253 6.6), as in a line of allowed_signers */
    struct slice name;      /* the namespace */
    struct slice hash;      /* "sha512" or "sha256", of the message */
    struct slice algorithm; /* "rsa-sha2-512" */
    struct slice signature; /* what the algorithm makes of it */
    struct slice touch;     /* of a hardware key: a byte of flags, 32 bits of a counter */
};

/* All slices lie in the arena. */
bool sshsig_read(struct slice text, struct arena *arena, struct sshsig *sig, struct fault *why);
bool sshsig_verify(const struct sshsig *sig, struct slice message, struct slice name, struct fault *why);

/* Is it a key of one of the types that are taken, of enough bits, and named so? */
bool sshsig_key_check(struct slice type, struct slice key, struct fault *why);

#endif

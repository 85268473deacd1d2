/* What the files of store/sshsig share: reading SSH's data types (RFC 4251 5), and keys that verify. */
#ifndef MOONGATE_STORE_SSHSIG_INNER_H
#define MOONGATE_STORE_SSHSIG_INNER_H

#include <stdbool.h>
#include <stdint.h>

#include "base/fault.h"
#include "base/slice.h"

/* Each takes its bytes from the front of *rest; false: they are not there. */
bool ssh_take(struct slice *rest, size_t len, struct slice *bytes);
bool ssh_take_u32(struct slice *rest, uint32_t *value);
bool ssh_take_string(struct slice *rest, struct slice *value);
/* A positive number without needless zeros, as its bytes. */
bool ssh_take_number(struct slice *rest, struct slice *bytes);

struct ssh_key;

/* NULL: *why. */
struct ssh_key *ssh_key_read(struct slice bytes, struct fault *why);
void ssh_key_free(struct ssh_key *key); /* NULL is welcome */
/* What its public keys are called: "ssh-rsa". */
const char *ssh_key_type(const struct ssh_key *key);
/* `touch`: what a hardware key says besides, else empty. */
bool ssh_key_verify(const struct ssh_key *key, struct slice algorithm, struct slice signature, struct slice touch,
                    struct slice text);

#endif

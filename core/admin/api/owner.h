/*
 * The registry, opened by the one process that may change it: the admin process of a running gateway, else a command.
 *
 *     struct owner *owner = owner_open("data", 5000, &why);      // NULL: somebody else has it, or it cannot be opened
 *     … owner_registry(owner) …
 *     owner_close(owner);
 *
 * Who has it holds <data>/registry.lock, which the kernel lets go of when the process ends, however it does. Others
 * (the ledger process, checks before a reload) read it, and note what they took, without.
 */
#ifndef MOONGATE_ADMIN_API_OWNER_H
#define MOONGATE_ADMIN_API_OWNER_H

#include "base/fault.h"

struct owner;
struct registry;

/* Waits at most wait_ms for whoever has it. */
struct owner *owner_open(const char *data_dir, unsigned wait_ms, struct fault *why);
struct registry *owner_registry(const struct owner *owner);
void owner_close(struct owner *owner); /* NULL is welcome */

#endif

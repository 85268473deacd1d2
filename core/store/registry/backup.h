/*
 * A copy of the registry while it is written, the way back, and the way into PostgreSQL: for commands, blocking.
 *
 *     registry_backup(r, "/backup/registry.db", &about, &why);               // of one moment, of either engine
 *     registry_restore("data", "/backup/registry.db", &how, &about, &why);   // while no gateway runs
 *     registry_move("data", postgres, &about, &why);                         // likewise; from then on it is there
 *
 * A backup is a SQLite file, 0600, that is whole or is not there. What is restored begins a new epoch, with a revision
 * above all that this gateway's ledger has seen, and then what was taken from somebody after the backup is taken once
 * more: keys that were revoked or rotated, people who were disabled or merged, roles, grants and top-ups that were
 * ended, requests that were denied. All else that came after it is gone, and told: on_lost() with time, action, target.
 */
#ifndef MOONGATE_STORE_REGISTRY_BACKUP_H
#define MOONGATE_STORE_REGISTRY_BACKUP_H

#include "store/registry/registry.h"

struct registry_backup {
    int64_t epoch, revision, rows, bytes;
    int64_t replayed, lost; /* of a restore: changes after the backup */
};

struct registry_restoring {
    bool is_forced; /* in the place of a registry that is there */
    const struct change_by *by;
    void (*on_lost)(void *arg, struct slice time, struct slice action, struct slice target);
    void *arg;
};

/* Refused when `to` is there already. */
bool registry_backup(struct registry *r, const char *to, struct registry_backup *about, struct fault *why);
/* Refused when there is a registry already, unless forced, and always under a running gateway. */
bool registry_restore(const char *data_dir, const char *from, const struct registry_restoring *how,
                      struct registry_backup *about, struct fault *why);
/* In one transaction into `to`, which must be empty; the file is read-only from then on. Refused under a running
 * gateway. */
bool registry_move(const char *data_dir, struct registry *to, struct registry_backup *about, struct fault *why);

#endif

/* What the rooms of the mock share: the loop, the listeners' options, scripts, recordings, journal and sessions. */
#ifndef MOONGATE_MOCK_MOCK_H
#define MOONGATE_MOCK_MOCK_H

#include <event2/event.h>
#include <openssl/ssl.h>

#include "base/list.h"
#include "journal.h"
#include "replay.h"
#include "scripts.h"

struct mock {
    struct event_base *base;
    struct journal *journal;
    struct scripts *scripts;
    struct replay *replay; /* NULL: no recordings */
    SSL_CTX *tls;          /* NULL: plain */
    const char *key;       /* the only accepted one, or NULL: any but BAD_KEY */
    struct script defaults;
    struct list_link sessions; /* live */
    struct list_link dead;     /* freed by the reaper, never inside their own callbacks */
    struct event *reaper;
    struct buf held; /* descriptors (int) that were accepted and are never read */
    uint64_t entry_bytes; /* bodies up to this are in the journal */
    uint64_t connections, requests, bytes_in;
};

#define BAD_KEY "sk-bad"

#endif

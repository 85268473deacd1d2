#include "wire/quiet.h"

#include "base/limits.h"

#define HASH_SPEED 16u /* hashing is so much quicker than scanning */

size_t quiet_begin(struct quiet *q, struct memo *memo, uint32_t subject, struct slice raw, size_t *work)
{
    *q = (struct quiet){.memo = NULL};
    if (!memo || raw.len < LIMIT_QUIET_MEMO_BYTES_MIN || raw.len > LIMIT_QUIET_MEMO_BYTES_MAX) return 0;
    *work += raw.len / HASH_SPEED;
    struct memo_key key = memo_key(memo, raw);
    uint32_t bytes = memo_find(memo, &key, subject);
    if (!bytes) *q = (struct quiet){.memo = memo, .key = key, .subject = subject};
    return bytes;
}

void quiet_break(struct quiet *q)
{
    q->memo = NULL;
}

void quiet_end(struct quiet *q, size_t text_bytes)
{
    if (q->memo) memo_keep(q->memo, &q->key, q->subject, text_bytes);
    q->memo = NULL;
}

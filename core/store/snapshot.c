#include "store/snapshot.h"

#include <string.h>

static struct keyring *read_keys(struct slice keys, const struct snapshot *before, const uint8_t *digest,
                                 struct fault *why)
{
    bool is_same = before && memcmp(before->keys_digest, digest, KEY_DIGEST_BYTES) == 0;
    return is_same ? keyring_ref(before->keyring) : keyring_parse(keys, why);
}

bool snapshot_parse(struct slice bytes, const struct snapshot *before, struct snapshot *s, struct fault *why)
{
    struct slice keys, topups = slice_split(bytes, '\n', &keys);
    keyring_digest(keys, s->keys_digest);
    s->topups = topups_parse(topups, why);
    s->keyring = s->topups ? read_keys(keys, before, s->keys_digest, why) : NULL;
    if (s->keyring) return true;
    topups_unref(s->topups);
    s->topups = NULL;
    return false;
}

void snapshot_clear(struct snapshot *s)
{
    keyring_unref(s->keyring);
    topups_unref(s->topups);
}

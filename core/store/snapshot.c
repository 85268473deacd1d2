#include "store/snapshot.h"

bool snapshot_parse(struct slice bytes, struct snapshot *s, struct fault *why)
{
    struct slice keys, topups = slice_split(bytes, '\n', &keys);
    s->topups = topups_parse(topups, why);
    s->keyring = s->topups ? keyring_parse(keys, why) : NULL;
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

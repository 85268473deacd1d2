#include "store/counters/post.h"

#include <stdio.h>
#include <string.h>

#include "base/check.h"

void counters_post_show(struct counters_post *post, const char *session, const char *epoch, uint32_t gateways)
{
    char place[2 * COUNTERS_NAME_BYTES];
    check(strlen(session) < COUNTERS_NAME_BYTES && strlen(epoch) < COUNTERS_NAME_BYTES);
    snprintf(place, sizeof place, "%s %s", session, epoch);
    shared_text_set(&post->place, place);
    atomic_store(&post->gateways, gateways);
    atomic_fetch_add(&post->version, 1);
}

void counters_post_fail(struct counters_post *post, const char *why)
{
    shared_text_set(&post->why, why);
}

uint64_t counters_post_version(const struct counters_post *post)
{
    return atomic_load(&post->version);
}

static void split(const char *place, struct counters_post_view *view)
{
    const char *blank = strchr(place, ' ');
    if (!blank) return;
    snprintf(view->session, sizeof view->session, "%.*s", (int)(blank - place), place);
    snprintf(view->epoch, sizeof view->epoch, "%s", blank + 1);
}

/* The version is read first: what is newer than that is read once more. */
uint64_t counters_post_read(const struct counters_post *post, struct counters_post_view *view)
{
    char place[2 * COUNTERS_NAME_BYTES];
    uint64_t version = atomic_load(&post->version);
    *view = (struct counters_post_view){.gateways = atomic_load(&post->gateways)};
    shared_text_get(&post->place, place, sizeof place);
    split(place, view);
    return version;
}

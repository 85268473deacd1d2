/* What a worker holds of the registry: each kind by itself, the newest that is good. */
#include "../unit.h"

#include <unistd.h>

#include "base/buf.h"
#include "net/pipe.h"
#include "store/keyring_build.h"
#include "store/snapshot.h"
#include "store/topups_build.h"

#define DIGEST "5d41402abc4b2a76b9719d911017c5925d41402abc4b2a76b9719d911017c592"
#define ONE_KEY "{\"keys\":[{\"id\":\"a\",\"digest\":\"" DIGEST "\"}]}"
#define ONE_TOPUP                                                                                                      \
    "{\"topups\":[{\"id\":\"t\",\"budget\":\"b\",\"scope\":\"\",\"nano\":1,\"starts_at\":1,\"ends_at\":2}]}"

static int section_of(const char *json, bool is_keys, uint64_t revision)
{
    struct fault why = {0};
    struct section_about about = {.revision = revision};
    struct buf out;
    buf_init(&out);
    bool is_good = is_keys ? keyring_build_text(slice_str(json), &about, &out, &why)
                           : topups_build_text(slice_str(json), &about, &out, &why);
    int fd = is_good ? pipe_memfd_new("section", buf_slice(&out), &why) : -1;
    if (fd < 0) UNIT_FAIL("%s", why.text);
    buf_clear(&out);
    return fd;
}

static enum snapshot_taken take(struct snapshot *s, enum section_kind kind, int fd)
{
    struct fault why = {0};
    enum snapshot_taken taken = snapshot_take(s, kind, fd, &why);
    EXPECT((taken == SNAPSHOT_REFUSED) == (why.text[0] != '\0'));
    close(fd);
    return taken;
}

static void each_kind_is_taken_by_itself(void)
{
    struct snapshot s;
    snapshot_init(&s);
    struct topups *empty = s.topups;
    EXPECT_INT(0, keyring_count(s.keyring));
    EXPECT_INT(SNAPSHOT_TAKEN, take(&s, SECTION_KEYS, section_of(ONE_KEY, true, 1)));
    EXPECT_INT(1, keyring_count(s.keyring));
    EXPECT(s.topups == empty);
    EXPECT_INT(SNAPSHOT_TAKEN, take(&s, SECTION_TOPUPS, section_of(ONE_TOPUP, false, 1)));
    EXPECT_INT(1, topups_count(s.topups));
    EXPECT_INT(1, keyring_count(s.keyring));
    snapshot_clear(&s);
}

static void the_same_keys_are_read_once(void)
{
    struct snapshot s;
    snapshot_init(&s);
    EXPECT_INT(SNAPSHOT_TAKEN, take(&s, SECTION_KEYS, section_of(ONE_KEY, true, 1)));
    struct keyring *ring = s.keyring;
    EXPECT_INT(SNAPSHOT_SAME, take(&s, SECTION_KEYS, section_of(ONE_KEY, true, 2)));
    EXPECT(s.keyring == ring);
    EXPECT_INT(SNAPSHOT_TAKEN, take(&s, SECTION_KEYS, section_of("{\"keys\":[]}", true, 3)));
    EXPECT_INT(0, keyring_count(s.keyring));
    snapshot_clear(&s);
}

static void what_is_refused_leaves_what_is_there(void)
{
    struct fault why;
    struct snapshot s;
    snapshot_init(&s);
    EXPECT_INT(SNAPSHOT_TAKEN, take(&s, SECTION_KEYS, section_of(ONE_KEY, true, 1)));
    struct keyring *ring = s.keyring;
    EXPECT_INT(SNAPSHOT_REFUSED, take(&s, SECTION_KEYS, section_of(ONE_TOPUP, false, 1)));
    EXPECT_INT(SNAPSHOT_REFUSED, take(&s, SECTION_KEYS, pipe_memfd_new("none", SLICE("half a sec"), &why)));
    EXPECT_INT(SNAPSHOT_REFUSED, take(&s, SECTION_KINDS, section_of(ONE_KEY, true, 2)));
    EXPECT_INT(SNAPSHOT_REFUSED, take(&s, 0, section_of(ONE_KEY, true, 2)));
    EXPECT(s.keyring == ring);
    EXPECT_INT(1, keyring_count(s.keyring));
    snapshot_clear(&s);
}

/* A request that began with a key ends with it. */
static void who_holds_a_view_goes_on_with_it(void)
{
    struct snapshot s;
    snapshot_init(&s);
    EXPECT_INT(SNAPSHOT_TAKEN, take(&s, SECTION_KEYS, section_of(ONE_KEY, true, 1)));
    struct keyring *held = keyring_ref(s.keyring);
    const struct key_record *key = keyring_at(held, 0);
    EXPECT_INT(SNAPSHOT_TAKEN, take(&s, SECTION_KEYS, section_of("{\"keys\":[]}", true, 2)));
    snapshot_clear(&s);
    EXPECT_SLICE(SLICE("a"), key->id);
    EXPECT(keyring_at(held, 0) == key);
    keyring_unref(held);
}

int main(void)
{
    RUN(each_kind_is_taken_by_itself);
    RUN(the_same_keys_are_read_once);
    RUN(what_is_refused_leaves_what_is_there);
    RUN(who_holds_a_view_goes_on_with_it);
    return unit_close("snapshot");
}

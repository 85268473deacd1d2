/* Access reviews in a file. */
#include <stdlib.h>
#include <unistd.h>

#define SUITE_DROP_TRIGGER(name, table) "DROP TRIGGER " name
#include "reviews_suite.h"

static char dir[64], keys[64];

static void remove_files(void)
{
    static const char *const names[] = {"registry.db", "registry.db-wal", "registry.db-shm"};
    char path[96];
    for (size_t i = 0; dir[0] && i < 3; i++) {
        snprintf(path, sizeof path, "%s/%s", dir, names[i]);
        unlink(path);
    }
    if (dir[0]) EXPECT_INT(0, rmdir(dir));
    dir[0] = '\0';
}

static struct registry *suite_fresh(void)
{
    remove_files();
    snprintf(dir, sizeof dir, "/tmp/moongate-reviews-XXXXXX");
    if (!mkdtemp(dir)) exit(1);
    struct registry *made_anew = registry_open(dir, &why);
    if (!made_anew) UNIT_FAIL("%s", why.text);
    return made_anew;
}

int main(void)
{
    char path[96];
    snprintf(keys, sizeof keys, "/tmp/moongate-anchor-XXXXXX");
    if (!mkdtemp(keys) || !(anchor = anchor_key_open(keys, &why))) return 1;
    suite_run();
    remove_files();
    anchor_key_free(anchor);
    static const char *const names[] = {ANCHOR_KEY_FILE, ANCHOR_PUBLIC_FILE};
    for (size_t i = 0; i < 2; i++) {
        snprintf(path, sizeof path, "%s/%s", keys, names[i]);
        unlink(path);
    }
    EXPECT_INT(0, rmdir(keys));
    return unit_close("reviews");
}

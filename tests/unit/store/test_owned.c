/* Whose objects are: keys of owner and id, a table that is full, and processes that race for it and die in it. */
#include "../unit.h"

#include <signal.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include "store/owned.h"

#define NOW 1000000ull

static struct owned_table *table;

static void fresh(void)
{
    if (table) munmap(table, sizeof *table);
    table = mmap(NULL, sizeof *table, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    if (table == MAP_FAILED) abort();
}

static struct owned_key key_of(const char *owner, const char *id)
{
    struct owned_key key;
    owned_key(&key, slice_str(owner), slice_str(id));
    return key;
}

static bool put(const char *owner, const char *id, uint64_t account, uint64_t until)
{
    struct owned_key key = key_of(owner, id);
    return owned_put(table, &key, &(struct owned){.account = account, .until_s = (uint32_t)until, .kind = 3}, NOW);
}

static uint64_t find(const char *owner, const char *id, uint64_t now)
{
    struct owned_key key = key_of(owner, id);
    struct owned found;
    return owned_find(table, &key, now, &found) ? found.account : 0;
}

static void an_object_is_its_owners(void)
{
    fresh();
    EXPECT(put("app:a", "resp_1", 7, NOW + 10));
    EXPECT_INT(7, find("app:a", "resp_1", NOW));
    EXPECT_INT(0, find("app:b", "resp_1", NOW));
    EXPECT_INT(0, find("app:a", "resp_2", NOW));
    EXPECT(put("app:b", "resp_1", 8, NOW + 10)); /* another's of the same name takes nothing away */
    EXPECT_INT(7, find("app:a", "resp_1", NOW));
    EXPECT_INT(8, find("app:b", "resp_1", NOW));
}

/* "app:a" and "bresp_1" are not "app:ab" and "resp_1". */
static void where_the_owner_ends_counts(void)
{
    struct owned_key one = key_of("app:a", "bresp_1"), two = key_of("app:ab", "resp_1");
    EXPECT(memcmp(&one, &two, sizeof one) != 0);
}

static void it_ends_and_is_forgotten(void)
{
    fresh();
    put("app:a", "resp_1", 7, NOW + 10);
    EXPECT_INT(7, find("app:a", "resp_1", NOW + 9));
    EXPECT_INT(0, find("app:a", "resp_1", NOW + 10));
    put("app:a", "resp_1", 9, NOW + 20);
    EXPECT_INT(9, find("app:a", "resp_1", NOW + 10));
    struct owned_key key = key_of("app:a", "resp_1");
    owned_forget(table, &key);
    owned_forget(table, &key);
    EXPECT_INT(0, find("app:a", "resp_1", NOW));
}

/* Keys of one bucket: the first word is the same. */
static struct owned_key neighbour(unsigned n)
{
    struct owned_key key = {{0}};
    key.bytes[0] = 1;
    key.bytes[15] = (uint8_t)(n + 1);
    return key;
}

static void of_a_full_bucket_the_first_to_end_goes(void)
{
    struct owned found;
    fresh();
    for (unsigned n = 0; n < OWNED_WAYS; n++) {
        struct owned_key key = neighbour(n);
        EXPECT(owned_put(table, &key, &(struct owned){.account = n + 1, .until_s = NOW + 100 - n}, NOW));
    }
    struct owned_key last = neighbour(OWNED_WAYS), gone = neighbour(OWNED_WAYS - 1), first = neighbour(0);
    EXPECT(owned_put(table, &last, &(struct owned){.account = 99, .until_s = NOW + 200}, NOW));
    EXPECT(!owned_find(table, &gone, NOW, &found));
    EXPECT(owned_find(table, &last, NOW, &found) && found.account == 99);
    EXPECT(owned_find(table, &first, NOW, &found) && found.account == 1);
}

static void many_more_than_there_is_room_for_do_no_harm(void)
{
    char id[32];
    unsigned there = 0;
    fresh();
    for (unsigned n = 0; n < LIMIT_OWNED + LIMIT_OWNED / 2; n++) {
        snprintf(id, sizeof id, "resp_%u", n);
        if (!put("app:a", id, n + 1, NOW + n)) UNIT_FAIL("%s found no place", id);
        EXPECT_INT(n ? n + 1 : 0, find("app:a", id, NOW));
    }
    for (unsigned n = LIMIT_OWNED; n < LIMIT_OWNED + LIMIT_OWNED / 2; n++) {
        snprintf(id, sizeof id, "resp_%u", n);
        there += find("app:a", id, NOW) == n + 1;
    }
    EXPECT(there > LIMIT_OWNED / 2 - LIMIT_OWNED / 64); /* the younger ones stay */
}

/* ---- Processes. */

/* Each entry's account says what its end is: half of one and half of another would show. */
_Noreturn static void race(unsigned seed)
{
    for (unsigned n = 0; n < 200000; n++) {
        struct owned_key key = neighbour((n + seed) % 5);
        struct owned found;
        if (n % 3) {
            if (owned_find(table, &key, NOW, &found) && found.account != found.until_s) _exit(1);
        } else {
            uint64_t end = NOW + 1 + (n * 7 + seed) % 1000;
            owned_put(table, &key, &(struct owned){.account = end, .until_s = (uint32_t)end}, NOW);
        }
        if (n % 1000 == 999) owned_forget(table, &key);
    }
    _exit(0);
}

static void processes_never_see_half_an_entry(void)
{
    int status;
    fresh();
    for (unsigned i = 0; i < 4; i++)
        if (fork() == 0) race(i);
    for (unsigned i = 0; i < 4; i++) {
        wait(&status);
        EXPECT(WIFEXITED(status) && WEXITSTATUS(status) == 0);
    }
}

static void what_is_put_is_there_for_the_next_process(void)
{
    int status;
    fresh();
    pid_t child = fork();
    if (child == 0) _exit(put("app:a", "resp_1", 5, NOW + 9) ? 0 : 1);
    waitpid(child, &status, 0);
    EXPECT_INT(5, find("app:a", "resp_1", NOW));
}

static void who_dies_in_a_write_takes_one_entry_along(void)
{
    struct owned found;
    fresh();
    for (unsigned n = 0; n < OWNED_WAYS; n++) {
        struct owned_key key = neighbour(n);
        owned_put(table, &key, &(struct owned){.account = 1, .until_s = NOW + 9}, NOW);
    }
    struct owned_slot *slot = NULL;
    for (size_t i = 0; i < LIMIT_OWNED && !slot; i++)
        if (table->slots[i].words[0]) slot = &table->slots[i];
    atomic_fetch_add(&slot->version, 1);
    unsigned there = 0;
    for (unsigned n = 0; n < OWNED_WAYS; n++) {
        struct owned_key key = neighbour(n);
        there += owned_find(table, &key, NOW, &found);
    }
    EXPECT_INT(OWNED_WAYS - 1, there);
    struct owned_key more = neighbour(OWNED_WAYS);
    EXPECT(owned_put(table, &more, &(struct owned){.account = 2, .until_s = NOW + 99}, NOW));
    EXPECT(owned_find(table, &more, NOW, &found));
    for (size_t i = 0; i < OWNED_WAYS; i++)
        slot[i].version |= 1; /* all of the bucket */
    EXPECT(!owned_put(table, &more, &(struct owned){.account = 2, .until_s = NOW + 99}, NOW));
    EXPECT(!owned_find(table, &more, NOW, &found));
}

int main(void)
{
    RUN(an_object_is_its_owners);
    RUN(where_the_owner_ends_counts);
    RUN(it_ends_and_is_forgotten);
    RUN(of_a_full_bucket_the_first_to_end_goes);
    RUN(many_more_than_there_is_room_for_do_no_harm);
    RUN(processes_never_see_half_an_entry);
    RUN(what_is_put_is_there_for_the_next_process);
    RUN(who_dies_in_a_write_takes_one_entry_along);
    return unit_close("owned");
}

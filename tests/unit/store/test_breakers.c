/* Circuit breakers: the state machine by a given clock, the table of accounts, and processes that race for both. */
#include "../unit.h"

#include <signal.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include "store/breakers.h"

#define LEASE_MS 5000
#define T0 1000000ull

static const struct breaker_rule rule = {.failures = 3, .window_ms = 60000, .open_ms = 10000, .open_max_ms = 35000};

static enum breaker_change fail(struct breaker *b, uint64_t now)
{
    return breaker_failed(b, &rule, 0, now);
}

static void trip(struct breaker *b, uint64_t now)
{
    for (unsigned i = 0; i < rule.failures; i++)
        fail(b, now);
}

/* --- one breaker --- */

static void failures_in_a_row_open_it(void)
{
    struct breaker b = {0};
    EXPECT_INT(BREAKER_SAME, fail(&b, T0));
    EXPECT_INT(BREAKER_SAME, fail(&b, T0 + 1));
    EXPECT(!breaker_is_open(&b, T0 + 1) && !breaker_may_be_open(&b));
    EXPECT_INT(2, breaker_view(&b, T0 + 1).failures);
    EXPECT_INT(BREAKER_TRIPPED, fail(&b, T0 + 2));
    EXPECT(breaker_is_open(&b, T0 + 2));
    EXPECT_INT(10000, breaker_view(&b, T0 + 2).left_ms);
    EXPECT(breaker_is_open(&b, T0 + 10001));
    EXPECT(!breaker_is_open(&b, T0 + 10002)); /* its probe's turn */
    EXPECT(breaker_view(&b, T0 + 10002).is_open && breaker_may_be_open(&b));
}

static void a_success_between_them_begins_anew(void)
{
    struct breaker b = {0};
    fail(&b, T0);
    fail(&b, T0);
    breaker_succeeded(&b);
    EXPECT_INT(0, breaker_view(&b, T0).failures);
    EXPECT_INT(BREAKER_SAME, fail(&b, T0));
    EXPECT_INT(BREAKER_SAME, fail(&b, T0));
    EXPECT_INT(BREAKER_TRIPPED, fail(&b, T0));
}

/* A head is no end: streams that begin well and break are failures in a row. */
static void an_answer_alone_ends_no_row(void)
{
    struct breaker b = {0};
    for (unsigned i = 1; i < rule.failures; i++) {
        EXPECT_INT(BREAKER_SAME, breaker_answered(&b));
        EXPECT_INT(BREAKER_SAME, fail(&b, T0));
    }
    EXPECT_INT(BREAKER_SAME, breaker_answered(&b));
    EXPECT_INT(BREAKER_TRIPPED, fail(&b, T0));
}

static void failures_beyond_the_window_are_forgotten(void)
{
    struct breaker b = {0};
    fail(&b, T0);
    fail(&b, T0 + 60000);
    EXPECT_INT(2, breaker_view(&b, T0).failures);
    EXPECT_INT(BREAKER_SAME, fail(&b, T0 + 60001));
    EXPECT_INT(1, breaker_view(&b, T0).failures);
}

static void half_open_lets_one_through_at_a_time(void)
{
    struct breaker b = {0};
    trip(&b, T0);
    EXPECT(!breaker_probe(&b, T0 + 9999, LEASE_MS));
    uint64_t probe = breaker_probe(&b, T0 + 10000, LEASE_MS);
    EXPECT(probe != 0);
    EXPECT(!breaker_probe(&b, T0 + 10000, LEASE_MS));
    EXPECT(breaker_is_open(&b, T0 + 10000));
    EXPECT(breaker_view(&b, T0 + 10000).is_probed);
    EXPECT_INT(BREAKER_CLOSED, breaker_answered(&b));
    EXPECT(!breaker_is_open(&b, T0 + 10000));
    EXPECT(!breaker_view(&b, T0 + 10000).is_open);
}

static uint64_t fail_probe(struct breaker *b, uint64_t now)
{
    uint64_t probe = breaker_probe(b, now, LEASE_MS);
    EXPECT(probe != 0);
    EXPECT_INT(BREAKER_PROLONGED, breaker_failed(b, &rule, probe, now));
    return breaker_view(b, now).left_ms;
}

static void each_probe_that_fails_doubles_the_time_up_to_a_bound(void)
{
    struct breaker b = {0};
    uint64_t now = T0, left = 10000;
    static const uint64_t wanted[] = {20000, 35000, 35000, 35000};
    trip(&b, now);
    for (size_t i = 0; i < sizeof wanted / sizeof *wanted; i++) {
        now += left;
        left = fail_probe(&b, now);
        EXPECT_INT(wanted[i], left);
    }
    breaker_answered(&b);
    trip(&b, now);
    EXPECT_INT(10000, breaker_view(&b, now).left_ms); /* from the beginning */
    for (int i = 0; i < 100; i++) {                   /* no shift is too far */
        now += breaker_view(&b, now).left_ms;
        fail_probe(&b, now);
    }
    EXPECT_INT(35000, breaker_view(&b, now).left_ms);
}

static void a_bound_below_the_first_time_is_that_time(void)
{
    struct breaker b = {0};
    struct breaker_rule odd = {.failures = 1, .open_ms = 500, .open_max_ms = 100};
    EXPECT_INT(BREAKER_TRIPPED, breaker_failed(&b, &odd, 0, T0));
    EXPECT_INT(500, breaker_view(&b, T0).left_ms);
}

/* Calls that were under way when it opened. */
static void others_failures_change_nothing_while_it_is_open(void)
{
    struct breaker b = {0};
    trip(&b, T0);
    EXPECT_INT(BREAKER_SAME, fail(&b, T0 + 5000));
    EXPECT_INT(5000, breaker_view(&b, T0 + 5000).left_ms);
    uint64_t probe = breaker_probe(&b, T0 + 10000, LEASE_MS);
    EXPECT_INT(BREAKER_SAME, fail(&b, T0 + 10000));
    EXPECT(breaker_view(&b, T0 + 10000).is_probed);
    EXPECT_INT(BREAKER_PROLONGED, breaker_failed(&b, &rule, probe, T0 + 10000));
}

static void a_probe_that_comes_to_nothing_gives_way(void)
{
    struct breaker b = {0};
    trip(&b, T0);
    uint64_t probe = breaker_probe(&b, T0 + 10000, LEASE_MS);
    breaker_release(&b, probe, T0 + 10001);
    EXPECT(breaker_probe(&b, T0 + 10001, LEASE_MS) != 0);
    breaker_release(&b, 0, T0 + 10002);
    EXPECT(breaker_view(&b, T0 + 10002).is_probed); /* what is no probe gives nothing back */
}

static void a_lease_ends_unless_it_is_renewed(void)
{
    struct breaker b = {0};
    trip(&b, T0);
    uint64_t first = breaker_probe(&b, T0 + 10000, LEASE_MS);
    uint64_t renewed = breaker_renew(&b, first, T0 + 14000, LEASE_MS);
    EXPECT(renewed != 0);
    EXPECT(!breaker_probe(&b, T0 + 18999, LEASE_MS));
    uint64_t second = breaker_probe(&b, T0 + 19000, LEASE_MS);
    EXPECT(second != 0);
    EXPECT_INT(0, breaker_renew(&b, renewed, T0 + 19001, LEASE_MS));
    EXPECT_INT(BREAKER_SAME, breaker_failed(&b, &rule, renewed, T0 + 19001));
    EXPECT_INT(BREAKER_PROLONGED, breaker_failed(&b, &rule, second, T0 + 19002));
}

static void others_words_open_it_and_end(void)
{
    struct breaker b = {0};
    breaker_hint(&b, T0, 3000);
    EXPECT(breaker_is_open(&b, T0 + 2999) && breaker_may_be_open(&b));
    EXPECT(!breaker_is_open(&b, T0 + 3000));
    EXPECT_INT(0, breaker_probe(&b, T0, LEASE_MS));
    EXPECT_INT(1000, breaker_view(&b, T0 + 2000).hint_left_ms);
    breaker_hint(&b, T0, 0);
    EXPECT(!breaker_is_open(&b, T0));
}

static void without_a_rule_nothing_is_counted(void)
{
    struct breaker b = {0};
    struct breaker_rule none = {.failures = 0};
    for (int i = 0; i < 100; i++)
        EXPECT_INT(BREAKER_SAME, breaker_failed(&b, &none, 0, T0));
    EXPECT(!breaker_view(&b, T0).is_open);
}

/* --- the table --- */

static void accounts_keep_theirs_across_reloads(void)
{
    static struct breakers all;
    struct slice first[] = {SLICE("openai"), SLICE("backup")}, second[] = {SLICE("backup"), SLICE("third")};
    breakers_keep(&all, first, 2);
    EXPECT(!breakers_find(&all, SLICE("third")));
    EXPECT(breakers_find(&all, SLICE("openai")) != breakers_find(&all, SLICE("backup")));
    trip(breakers_find(&all, SLICE("backup")), T0);
    trip(breakers_find(&all, SLICE("openai")), T0);
    breakers_keep(&all, second, 2);
    EXPECT(breaker_is_open(breakers_find(&all, SLICE("backup")), T0));
    EXPECT(!breakers_find(&all, SLICE("openai")));
    breakers_keep(&all, first, 2);
    EXPECT(!breaker_is_open(breakers_find(&all, SLICE("openai")), T0)); /* it was taken out: another account */
    EXPECT(!breakers_find(NULL, SLICE("openai")));
}

static void the_longest_name_is_shown_whole(void)
{
    static struct breakers all;
    char name[LIMIT_LABEL_BYTES + 1] = {0};
    struct breakers_entry entry;
    unsigned seen = 0;
    memset(name, 'x', LIMIT_LABEL_BYTES);
    breakers_keep(&all, (struct slice[]){slice_str(name)}, 1);
    for (size_t i = 0; i < BREAKERS_SLOTS; i++) {
        if (!breakers_get(&all, i, &entry)) continue;
        EXPECT_STR(name, entry.name);
        EXPECT(entry.breaker == breakers_find(&all, slice_str(name)));
        seen++;
    }
    EXPECT_INT(1, seen);
}

/* As many as may be, all of them others at each reload: there is always room, and none is found twice. */
static void reloads_without_end_find_room(void)
{
    static struct breakers all;
    static char texts[LIMIT_PROVIDERS][32];
    static struct slice names[LIMIT_PROVIDERS];
    for (unsigned round = 0; round < 20; round++) {
        for (unsigned i = 0; i < LIMIT_PROVIDERS; i++) {
            snprintf(texts[i], sizeof texts[i], "account-%u-%u", round, i);
            names[i] = slice_str(texts[i]);
        }
        breakers_keep(&all, names, LIMIT_PROVIDERS);
        unsigned seen = 0;
        struct breakers_entry entry;
        for (size_t i = 0; i < BREAKERS_SLOTS; i++)
            seen += breakers_get(&all, i, &entry);
        EXPECT_INT(LIMIT_PROVIDERS, seen);
        for (unsigned i = 0; i < LIMIT_PROVIDERS; i++)
            EXPECT(breakers_find(&all, names[i]) != NULL);
    }
}

/* --- processes --- */

#define PROCESSES 4
#define ROUNDS 20000

struct stage {
    struct breakers all;
    _Atomic uint64_t now, tripped, prolonged, closed, probing, probing_max;
};
static struct stage *stage;

static void note_probing(void)
{
    uint64_t now = atomic_fetch_add(&stage->probing, 1) + 1, most = atomic_load(&stage->probing_max);
    while (now > most && !atomic_compare_exchange_weak(&stage->probing_max, &most, now))
        continue;
}

/* The probe is in nobody else's way until it has said what it came to. */
static void call_once(struct breaker *b, unsigned random)
{
    uint64_t now = atomic_fetch_add(&stage->now, 1);
    uint64_t probe = breaker_probe(b, now, 1u << 30);
    enum breaker_change change = BREAKER_SAME;
    if (probe) note_probing();
    bool is_good = random % 8 == 0;
    if (probe || !breaker_is_open(b, now)) {
        if (probe) atomic_fetch_sub(&stage->probing, 1);
        change = is_good && probe ? breaker_answered(b) : breaker_failed(b, &rule, probe, now);
    }
    atomic_fetch_add(&stage->tripped, change == BREAKER_TRIPPED);
    atomic_fetch_add(&stage->prolonged, change == BREAKER_PROLONGED);
    atomic_fetch_add(&stage->closed, change == BREAKER_CLOSED);
}

_Noreturn static void race(unsigned seed)
{
    struct breaker *b = breakers_find(&stage->all, SLICE("openai"));
    for (unsigned i = 0; i < ROUNDS; i++)
        call_once(b, (unsigned)rand_r(&seed));
    _exit(0);
}

/* Each time that it opens somebody is told so, and one only; each time that it closes, too. */
static void processes_agree(void)
{
    stage = mmap(NULL, sizeof *stage, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    breakers_keep(&stage->all, (struct slice[]){SLICE("openai")}, 1);
    atomic_store(&stage->now, T0);
    for (unsigned i = 0; i < PROCESSES; i++)
        if (fork() == 0) race(i + 1);
    for (unsigned i = 0; i < PROCESSES; i++)
        wait(NULL);
    struct breaker *b = breakers_find(&stage->all, SLICE("openai"));
    bool is_open = breaker_view(b, 0).is_open;
    EXPECT(atomic_load(&stage->tripped) > 0);
    EXPECT_INT(atomic_load(&stage->closed) + is_open, atomic_load(&stage->tripped));
    EXPECT_INT(1, atomic_load(&stage->probing_max));
    munmap(stage, sizeof *stage);
}

/* A process that is killed as the probe: the next one may be when its lease is over, and all else is as it was. */
static void a_killed_probe_is_waited_for_no_longer_than_its_lease(void)
{
    stage = mmap(NULL, sizeof *stage, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    breakers_keep(&stage->all, (struct slice[]){SLICE("openai")}, 1);
    struct breaker *b = breakers_find(&stage->all, SLICE("openai"));
    trip(b, T0);
    pid_t child = fork();
    if (child == 0) {
        breaker_probe(b, T0 + 10000, LEASE_MS);
        raise(SIGKILL);
    }
    waitpid(child, NULL, 0);
    EXPECT(breaker_is_open(b, T0 + 10000 + LEASE_MS - 1));
    EXPECT(breaker_probe(b, T0 + 10000 + LEASE_MS, LEASE_MS) != 0);
    munmap(stage, sizeof *stage);
}

int main(void)
{
    RUN(failures_in_a_row_open_it);
    RUN(a_success_between_them_begins_anew);
    RUN(an_answer_alone_ends_no_row);
    RUN(failures_beyond_the_window_are_forgotten);
    RUN(half_open_lets_one_through_at_a_time);
    RUN(each_probe_that_fails_doubles_the_time_up_to_a_bound);
    RUN(a_bound_below_the_first_time_is_that_time);
    RUN(others_failures_change_nothing_while_it_is_open);
    RUN(a_probe_that_comes_to_nothing_gives_way);
    RUN(a_lease_ends_unless_it_is_renewed);
    RUN(others_words_open_it_and_end);
    RUN(without_a_rule_nothing_is_counted);
    RUN(accounts_keep_theirs_across_reloads);
    RUN(the_longest_name_is_shown_whole);
    RUN(reloads_without_end_find_room);
    RUN(processes_agree);
    RUN(a_killed_probe_is_waited_for_no_longer_than_its_lease);
    return unit_close("breakers");
}

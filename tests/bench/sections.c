/*
 * What a section of so many API keys costs: to make, and a worker to take.
 *
 *     build/bench/sections 100000
 *
 * Prints milliseconds of CPU: all rows to bytes; mapping and checking them as a worker does, which is how long its loop
 * is held; freeing. Then nanoseconds of a key looked up for the first time and again, and MiB.
 */
#include <stdio.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/clock.h"
#include "net/pipe.h"
#include "store/keyring_build.h"

#define ROUNDS 9

static uint64_t cpu_ns(void)
{
    struct timespec t;
    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &t);
    return (uint64_t)t.tv_sec * NS_PER_S + (uint64_t)t.tv_nsec;
}

static double ms_since(uint64_t begin_ns)
{
    return (double)(cpu_ns() - begin_ns) / 1e6;
}

static void digest_of(unsigned i, uint8_t digest[KEY_DIGEST_BYTES])
{
    char text[32];
    snprintf(text, sizeof text, "mgk_%u", i);
    keyring_digest(slice_str(text), digest);
}

static bool add(struct keyring_build *b, unsigned i, struct fault *why)
{
    char id[24], user[24], app[24];
    struct slice role = SLICE("developer");
    struct key_label label = {SLICE("cost_centre"), SLICE("4711")};
    struct key_record key = {.department = SLICE("Sales"), .roles = &role, .role_count = 1, .labels = &label};
    key.label_count = 1;
    snprintf(id, sizeof id, "key_%012u", i);
    snprintf(user, sizeof user, "user-%u", i / 2);
    snprintf(app, sizeof app, "app-%u", i % 300);
    key.id = slice_str(id);
    key.user = slice_str(user);
    key.app = slice_str(app);
    digest_of(i, key.digest);
    return keyring_build_add(b, &key, why);
}

static void build(unsigned count, struct buf *out)
{
    struct fault why = {0};
    struct keyring_build *b = keyring_build_new();
    bool is_good = true;
    for (unsigned i = 0; is_good && i < count; i++)
        is_good = add(b, i, &why);
    if (!is_good || !keyring_build_end(b, &(struct section_about){.revision = 1}, out, &why)) {
        fprintf(stderr, "%s\n", why.text);
        exit(1);
    }
    keyring_build_free(b);
}

static int compare(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

static double find_all(struct keyring *ring, uint8_t (*digests)[KEY_DIGEST_BYTES], unsigned count)
{
    uint64_t begin = cpu_ns();
    for (unsigned i = 0; i < count; i++) {
        if (!keyring_find(ring, digests[(i * 7919ull) % count])) exit(1);
    }
    return (double)(cpu_ns() - begin) / count;
}

int main(int argc, char **argv)
{
    unsigned count = argc > 1 ? (unsigned)strtoul(argv[1], NULL, 10) : 100000;
    struct fault why = {0};
    struct buf bytes;
    double taken[ROUNDS], freed[ROUNDS];
    buf_init(&bytes);
    uint64_t begin = cpu_ns();
    build(count, &bytes);
    printf("build %.1f ms, %.1f MiB\n", ms_since(begin), (double)buf_len(&bytes) / 1048576);
    int fd = pipe_memfd_new("bench", buf_slice(&bytes), &why);
    for (unsigned i = 0; i < ROUNDS; i++) {
        begin = cpu_ns();
        struct keyring *ring = keyring_map(fd, &why);
        taken[i] = ms_since(begin);
        begin = cpu_ns();
        keyring_unref(ring);
        freed[i] = ms_since(begin);
    }
    qsort(taken, ROUNDS, sizeof *taken, compare);
    qsort(freed, ROUNDS, sizeof *freed, compare);
    printf("take %.2f ms, longest %.2f; free %.2f\n", taken[ROUNDS / 2], taken[ROUNDS - 1], freed[ROUNDS / 2]);
    uint8_t(*digests)[KEY_DIGEST_BYTES] = malloc(count * sizeof *digests);
    for (unsigned i = 0; i < count; i++)
        digest_of(i, digests[i]);
    struct keyring *ring = keyring_map(fd, &why);
    double first = find_all(ring, digests, count), again = find_all(ring, digests, count);
    printf("find %.0f ns first, %.0f again\n", first, again);
    free(digests);
    keyring_unref(ring);
    buf_clear(&bytes);
    close(fd);
    return 0;
}

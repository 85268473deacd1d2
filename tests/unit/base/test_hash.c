/* Hashes: XXH3's published values, and the secret of a process. */
#include "../unit.h"

#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/hash.h"

#define SEED 11400714785074694797u

/* The bytes and the sums that xxHash's own sanity test uses (cli/xsum_sanity_check.c, XXH3 64 bits). */
static void values_are_those_of_xxh3(void)
{
    static const struct {
        size_t len;
        uint64_t plain, seeded;
    } cases[] = {
        {0, 0x2D06800538D394C2, 0xA8A6B918B2F0364A},    {1, 0xC44BDFF4074EECDB, 0x032BE332DD766EF8},
        {6, 0x27B56A84CD2D7325, 0x84589C116AB59AB9},    {12, 0xA713DAF0DFBB77E7, 0xE7303E1B2336DE0E},
        {24, 0xA3FE70BF9D3510EB, 0x850E80FC35BDD690},   {48, 0x397DA259ECBA1F11, 0xADC2CBAA44ACC616},
        {80, 0xBCDEFBBB2C47C90A, 0xC6DD0CB699532E73},   {195, 0xCD94217EE362EC3A, 0xBA68003D370CB3D9},
        {403, 0xCDEB804D65C6DEA4, 0x6259F6ECFD6443FD},  {512, 0x617E49599013CB6B, 0x3CE457DE14C27708},
        {2048, 0xDD59E2C3A5F038E0, 0x66F81670669ABABC},
    };
    static char bytes[2048];
    uint64_t gen = 2654435761u;
    for (size_t i = 0; i < sizeof bytes; i++) {
        bytes[i] = (char)(gen >> 56);
        gen *= SEED;
    }
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct slice text = slice_of(bytes, cases[i].len);
        uint64_t plain = hash_bytes(text, 0), seeded = hash_bytes(text, SEED);
        if (plain != cases[i].plain) UNIT_FAIL("%zu bytes: %016" PRIX64, text.len, plain);
        if (seeded != cases[i].seeded) UNIT_FAIL("%zu bytes, seeded: %016" PRIX64, text.len, seeded);
    }
    EXPECT(hash_bytes(SLICE_NONE, 0) == hash_bytes(SLICE(""), 0));
}

/* What another process makes of the text. */
static uint64_t hash_elsewhere(struct slice text)
{
    int fds[2], status;
    uint64_t hash = 0;
    if (pipe(fds) != 0) exit(1);
    pid_t pid = fork();
    if (pid == 0) {
        hash = hash_secret(text);
        _exit(write(fds[1], &hash, sizeof hash) == sizeof hash ? 0 : 1);
    }
    EXPECT(read(fds[0], &hash, sizeof hash) == sizeof hash);
    EXPECT(waitpid(pid, &status, 0) == pid && status == 0);
    close(fds[0]);
    close(fds[1]);
    return hash;
}

/* First of all cases: nobody has asked for the secret yet. */
static void a_secret_is_drawn_once_a_process(void)
{
    struct slice text = SLICE("moongate");
    uint64_t before = hash_elsewhere(text), here = hash_secret(text);
    EXPECT(before != here);
    EXPECT(hash_secret(text) == here);
    EXPECT(hash_elsewhere(text) == here);
    EXPECT(here != hash_bytes(text, 0));
    EXPECT(here != hash_secret(SLICE("moongatf")));
    EXPECT(hash_secret(SLICE_NONE) == hash_secret(SLICE("")));
}

int main(void)
{
    RUN(a_secret_is_drawn_once_a_process);
    RUN(values_are_those_of_xxh3);
    return unit_close("hash");
}
